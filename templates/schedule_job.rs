{{ receiver }}.{{ method }}({
    use {{ task.tasks }}::{{ task.module }};
    let {{ task.db }} = {{ task.db }}.clone();
    {{ make }}({{ task.module }}::SCHEDULE, move |_, _| {
        let {{ task.db }} = {{ task.db }}.clone();
        Box::pin(async move {
            if let Err(error) = {{ task.module }}::tick(&{{ task.db }}, {{ task.module }}::{{ task.input }}{% if !task.fields.is_empty() %} {
{%- for field in task.fields %} {{ field }}: None,{% endfor %} }{% endif %}).await {
                tracing::error!(%error, "a tick of {{ task.variant }} is not enqueued");
            }
        })
    }){{ of_made }}
}){{ of_method }};
