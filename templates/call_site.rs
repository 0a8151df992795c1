{% for comment in comments %}{{ comment }}
{% endfor %}{% if let Some(before) = before %}{{ before }}
{% endif %}{{ module }}::enqueue({{ rows }}, {{ input }}{% if !inputs.is_empty() %} { {% for (field, value) in inputs %}{% if field == value %}{{ field }}{% else %}{{ field }}: {{ value }}{% endif %}, {% endfor %} }{% endif %}{% for value in extra %}, {{ value }}{% endfor %}).await{{ on_error }};
