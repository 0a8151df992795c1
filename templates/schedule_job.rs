{{ receiver }}.{{ method }}({
    use {{ tasks }}::{{ module }};
    let {{ db }} = {{ db }}.clone();
    {{ make }}({{ module }}::SCHEDULE, move |_, _| {
        let {{ db }} = {{ db }}.clone();
        Box::pin(async move {
            if let Err(error) = {{ module }}::tick(&{{ db }}, {{ module }}::{{ input }}{% if !fields.is_empty() %} {
{%- for field in fields %} {{ field }}: None,{% endfor %} }{% endif %}).await {
                tracing::error!(%error, "a tick of {{ variant }} is not enqueued");
            }
        })
    }){{ of_made }}
}){{ of_method }};
