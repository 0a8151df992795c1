{{ before }}{{ variant }}{% if !fields.is_empty() %} { {% for field in fields %}{{ field.0 }}{% if field.0 != field.1 %}: {{ field.1 }}{% endif %}, {% endfor %} }{% endif %}{{ after }} => Ok(self.execute_{{ snake }}(&{{ assignment }}, tasks::{{ module }}::{{ input }}{% if !fields.is_empty() %} {
{%- for field in fields %}
{% if field.0 == field.2 %}{{ field.0 }}{% else %}{{ field.0 }}: {{ field.2 }}{% endif %},
{%- endfor %}
}{% endif %})),
