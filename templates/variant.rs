{%- for line in doc %}
///{% if !line.is_empty() %} {{ line }}{% endif %}
{%- endfor %}
{%- if renames %}
#[serde(rename = "{{ tag }}")]
{%- endif %}
{{ ident }}{% if !fields.is_empty() %} {
{%- for field in fields %}
{%- if field.is_secret %}
/// Refers to the secret; never the secret itself.
{%- endif %}
{%- if field.is_option %}
#[serde(default, skip_serializing_if = "Option::is_none")]
{%- endif %}
{{ field.ident }}: {{ field.ty }},
{%- endfor %}
}{% endif %},
