let {{ variable }} = {{ work }}{% if !handles.is_empty() %} { {% for (name, value) in handles %}{{ name }}: {{ value }}, {% endfor %} }{% endif %};
let registered = {{ tasks }}::{{ module }}::register({{ arc }}::new({{ variable }}));
assert!(registered.is_ok(), "the work of {{ variant }} is registered twice");
