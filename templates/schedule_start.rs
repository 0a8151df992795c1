tokio::spawn({
    use {{ task.tasks }}::{{ task.module }};
    let {{ task.db }} = {{ task.db }}.clone();
    async move {
        if let Err(error) = {{ task.module }}::schedule(&{{ task.db }}, {{ task.module }}::{{ task.input }}{% if !task.fields.is_empty() %} {
{%- for field in task.fields %} {{ field }}: None,{% endfor %} }{% endif %}).await {
            tracing::error!(%error, "nothing enqueues {{ task.variant }} by the clock");
        }
    }
});
