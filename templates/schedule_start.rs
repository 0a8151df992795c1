tokio::spawn({
    use {{ tasks }}::{{ module }};
    let {{ db }} = {{ db }}.clone();
    async move {
        if let Err(error) = {{ module }}::schedule(&{{ db }}, {{ module }}::{{ input }}{% if !fields.is_empty() %} {
{%- for field in fields %} {{ field }}: None,{% endfor %} }{% endif %}).await {
            tracing::error!(%error, "nothing enqueues {{ variant }} by the clock");
        }
    }
});
