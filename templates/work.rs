/// The work of [`{{ input }}`], which a worker runs.
pub struct {{ input }}Work{% if handles.is_empty() %};{% else %} {
{%- for (name, ty) in handles %}
    pub {{ name }}: {{ ty }},
{%- endfor %}
}{% endif %}

#[async_trait]
impl {{ module }}::Work for {{ input }}Work {
    async fn run(&self, {% if fields.is_empty() %}_input{% else %}input{% endif %}: {{ input }}, _context: TaskContext) -> Result<Finished<{{ status_ty }}>, TaskError> {
{%- for path in uses %}
        use {{ path }};
{%- endfor %}
{% if !uses.is_empty() %}
{% endif %}
{%- if !fields.is_empty() %}
        let {{ input }} { {% for field in fields %}{{ field }}, {% endfor %} } = input;
{%- endif %}
{%- for (name, _) in handles %}
        let {{ name }} = self.{{ name }}.clone();
{%- endfor %}
{%- for (name, field) in secrets %}
        let {{ name }} = secrets::resolve(&{{ field }}).await?.expose().to_owned();
{%- endfor %}
{{ body }}
    }
}
