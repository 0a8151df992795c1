//! The queue's row and the run's row: which columns a new task sets, and to what.
//!
//! Both are read from the functions of the workspace that write them, so that the generated
//! gate inserts what those would insert, inside one transaction.

use std::collections::BTreeSet;
use std::sync::Arc;

use syn::visit::Visit;

use super::{Config, SpecEnum};
use crate::index::{FileFacts, FnFact, Index, ModelFact, mentions};
use crate::note::{Outcome, Refusal};

/// How root tasks are written.
pub struct Queue {
    /// The file of the enqueue function.
    pub facts: Arc<FileFacts>,
    /// The enqueue function's name.
    pub function: String,
    /// The package it stands in.
    pub package: String,
    /// Absolute path of the enum as the enqueue function sees it.
    pub spec_type: String,
    /// Absolute path of the policy's type.
    pub policy_type: String,
    /// The queue's row.
    pub row: Filled,
    /// The run's row, where the queue's row refers to one.
    pub run: Option<Filled>,
    /// The column that says how the queue's row stands, and what it says at first.
    pub status_column: String,
    /// The first value of that column.
    pub initial_status: String,
    /// The column that is the primary key.
    pub id_column: String,
    /// Parameters of the enqueue function whose role is not known: they become parameters of
    /// the generated helper.
    pub extra: Vec<(String, String)>,
    /// How it was found.
    pub how: String,
}

/// An entity's row with a value for every column.
pub struct Filled {
    /// Absolute path of the entity's module.
    pub entity: String,
    /// The function whose values these are.
    pub source: String,
    /// Columns in the order of the literal.
    pub columns: Vec<Column>,
    /// `let` statements that values refer to: name, expression.
    pub lets: Vec<(String, String)>,
    /// Absolute paths of functions and constants that values refer to.
    pub imports: BTreeSet<String>,
}

/// One column.
pub struct Column {
    /// Its name.
    pub name: String,
    /// What a root task sets it to.
    pub value: Value,
}

/// What a column is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// The task's id, which is the run's id too.
    Id,
    /// The serialized spec.
    Spec,
    /// The serialized policy, as `Some` where the flag says so.
    Policy(bool),
    /// What the run is about, in words.
    Question,
    /// The tag, as `Some` where the flag says so.
    SourceType(bool),
    /// `None`: a root task has none.
    None,
    /// A parameter of the helper.
    Extra(String),
    /// As written in the workspace's own function.
    Verbatim(String),
}

/// Finds the function that inserts a task, and the one that inserts a run.
pub fn discover(index: &Index<'_>, spec: &SpecEnum, config: &Config) -> Outcome<Queue> {
    let wanted = config
        .get("enqueue")
        .and_then(|path| path.rsplit("::").next());
    let mut found: Vec<(Arc<FileFacts>, usize)> = Vec::new();
    for path in index.containing(&spec.fact.name) {
        let facts = index.facts(&path)?;
        for (at, function) in facts.functions.iter().enumerate() {
            if takes_spec(function, spec)
                && !function.is_test
                && facts
                    .models(function)
                    .iter()
                    .any(|model| writes_spec(function, model, spec))
                && wanted.is_none_or(|wanted| function.name == wanted)
            {
                found.push((Arc::clone(&facts), at));
            }
        }
    }
    let (facts, at) = match found.as_slice() {
        [one] => one.clone(),
        [] => {
            return Err(Refusal::new(
                "no-enqueue",
                format!(
                    "found no enqueue function: none takes a `{}` and inserts a complete sea-orm row that holds it",
                    spec.fact.name
                ),
            )
            .at(spec.facts.place(&spec.fact.name_range))
            .help("name it in the root manifest: [workspace.metadata.oxy-task] enqueue = \"package::module::function\""));
        }
        _ => {
            let mut refusal = Refusal::new(
                "two-enqueues",
                format!("{} functions insert a `{}` into a table", found.len(), spec.fact.name),
            )
            .help("say which in the root manifest: [workspace.metadata.oxy-task] enqueue = \"package::module::function\"");
            for (facts, at) in &found {
                let function = &facts.functions[*at];
                refusal = refusal.and(facts.place(&function.name_range), function.name.clone());
            }
            return Err(refusal);
        }
    };
    read(index, spec, &facts, at, wanted.is_some())
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

fn is_spec_type(ty: &str, spec: &SpecEnum) -> bool {
    last(ty.trim_start_matches('&').trim()) == spec.fact.name
}

fn takes_spec(function: &FnFact, spec: &SpecEnum) -> bool {
    function.params.iter().any(|(_, ty)| is_spec_type(ty, spec))
}

fn writes_spec(function: &FnFact, model: &ModelFact, spec: &SpecEnum) -> bool {
    let names: Vec<&str> = function
        .params
        .iter()
        .filter(|(_, ty)| is_spec_type(ty, spec))
        .map(|(name, _)| name.as_str())
        .collect();
    !model.has_rest
        && model
            .fields
            .iter()
            .any(|(_, value)| names.iter().any(|name| mentions(value, name)))
}

fn read(
    index: &Index<'_>,
    spec: &SpecEnum,
    facts: &Arc<FileFacts>,
    at: usize,
    configured: bool,
) -> Outcome<Queue> {
    let function = &facts.functions[at];
    let place = facts.place(&function.name_range);
    let model = facts
        .models(function)
        .iter()
        .find(|model| writes_spec(function, model, spec))
        .ok_or_else(|| Refusal::new("no-enqueue", "the enqueue function inserts no row"))?;
    let entity = entity_of(index, facts, model)?;
    let entity_facts = entity_facts(index, &entity, &place)?;
    let row_struct = entity_facts.model().ok_or_else(|| {
        Refusal::new("entity", format!("`{entity}` has no `Model`")).at(place.clone())
    })?;
    let id_column = row_struct
        .fields
        .iter()
        .find(|f| f.attributes.iter().any(|a| a.contains("primary_key")))
        .map(|f| f.name.clone())
        .ok_or_else(|| {
            Refusal::new("entity", format!("`{entity}::Model` has no primary key"))
                .at(entity_facts.place(&row_struct.name_range))
        })?;
    let relation = belongs_to(&entity_facts.file.text);
    let mut policy_type = None;
    let mut extra = Vec::new();
    let mut row = Filled {
        entity: entity.clone(),
        source: function.name.clone(),
        columns: Vec::new(),
        lets: Vec::new(),
        imports: BTreeSet::new(),
    };
    for (column, text) in &model.fields {
        let optional = row_struct
            .fields
            .iter()
            .any(|f| f.name == *column && f.ty.starts_with("Option<"));
        let role = |name: &str, ty: &str| -> Option<Value> {
            let bare = ty.trim_start_matches('&');
            let is_policy = ty.contains("Policy");
            if is_spec_type(ty, spec) {
                Some(Value::Spec)
            } else if is_policy {
                Some(Value::Policy(optional))
            } else if *column == id_column || relation.as_ref().is_some_and(|r| r.from == *column) {
                matches!(bare, "str" | "String").then_some(Value::Id)
            } else if name.contains("parent") && ty.starts_with("Option<") {
                Some(Value::None)
            } else {
                None
            }
        };
        let params = used_params(facts, function, text);
        let value = match params.as_slice() {
            [] => verbatim(index, facts, function, text, &mut row)?,
            [(name, ty)] => match role(name, ty) {
                Some(value) => value,
                None => {
                    if !extra.iter().any(|(known, _)| known == name) {
                        extra.push(((*name).to_owned(), (*ty).to_owned()));
                    }
                    Value::Extra((*name).to_owned())
                }
            },
            _ => return Err(unreadable(facts, function, column, text)),
        };
        if let (Value::Policy(_), [(_, ty)]) = (&value, params.as_slice()) {
            let name = ty
                .trim_start_matches("Option<")
                .trim_start_matches('&')
                .trim_end_matches('>');
            policy_type = index.resolve(facts, name);
        }
        row.columns.push(Column {
            name: column.clone(),
            value,
        });
    }
    let (status_column, initial_status) = row
        .columns
        .iter()
        .find_map(|column| match &column.value {
            Value::Verbatim(text) if column.name.contains("status") => {
                string_literal(text).map(|value| (column.name.clone(), value))
            }
            _ => None,
        })
        .ok_or_else(|| {
            Refusal::new(
                "queue-status",
                format!("`{}` sets no status column to a string", function.name),
            )
            .at(place.clone())
            .help("the gate reads from it whether a task is queued or running")
        })?;
    let spec_type = function
        .params
        .iter()
        .find(|(_, ty)| is_spec_type(ty, spec))
        .and_then(|(_, ty)| index.resolve(facts, ty.trim_start_matches('&').trim()))
        .unwrap_or_else(|| spec.path.clone());
    let policy_type = policy_type.ok_or_else(|| {
        Refusal::new(
            "no-policy",
            format!(
                "`{}` takes no policy that it writes into the row",
                function.name
            ),
        )
        .at(place.clone())
        .help("the tool scaffolds tasks whose row carries a retry policy")
    })?;
    let run = relation
        .map(|relation| run_row(index, facts, &entity, &relation))
        .transpose()?;
    Ok(Queue {
        facts: Arc::clone(facts),
        function: function.name.clone(),
        package: index
            .workspace
            .member_of(&facts.file.path)
            .map(|m| m.name.clone())
            .unwrap_or_default(),
        spec_type,
        policy_type,
        row,
        run,
        status_column,
        initial_status,
        id_column,
        extra,
        how: if configured {
            "named by `enqueue` in the configuration".to_owned()
        } else {
            format!(
                "the only function that takes a `{}` and inserts a row that holds it",
                spec.fact.name
            )
        },
    })
}

/// The absolute path of the entity's module that `x::ActiveModel` belongs to.
fn entity_of(index: &Index<'_>, facts: &FileFacts, model: &ModelFact) -> Outcome<String> {
    let unknown = || {
        Refusal::new(
            "entity",
            format!("cannot tell which entity `{}` belongs to", model.path),
        )
        .at(facts.place(&model.range))
        .help("write it with its module, `task_queue::ActiveModel` say")
    };
    let (module, _) = model.path.rsplit_once("::").ok_or_else(unknown)?;
    index.resolve(facts, module).ok_or_else(unknown)
}

fn entity_facts(
    index: &Index<'_>,
    entity: &str,
    place: &crate::note::Place,
) -> Outcome<Arc<FileFacts>> {
    let path = index.module_file(entity).ok_or_else(|| {
        Refusal::new(
            "entity",
            format!("cannot find the file of the module `{entity}`"),
        )
        .at(place.clone())
        .help("the tool reads which columns the entity has")
    })?;
    index.facts(&path)
}

/// A foreign key, as sea-orm's derive spells it.
struct Relation {
    entity: String,
    from: String,
}

/// The first `belongs_to` of an entity's file whose key is another table's primary key.
fn belongs_to(text: &str) -> Option<Relation> {
    let quoted = |after: &str, key: &str| {
        let at = after.find(key)? + key.len();
        let rest = after[at..].trim_start().strip_prefix('=')?.trim_start();
        rest.strip_prefix('"')?.split('"').next().map(str::to_owned)
    };
    let at = text.find("belongs_to")?;
    let entity = quoted(&text[at..], "belongs_to")?;
    let from = quoted(&text[at..], "from")?;
    let column = from.rsplit("::").next()?;
    Some(Relation {
        entity: entity.strip_suffix("::Entity")?.to_owned(),
        from: snake(column),
    })
}

/// `RunId` as the column's field: `run_id`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for (i, c) in name.char_indices() {
        if i > 0 && c.is_uppercase() {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// The parameters of `function` that `text`, or a `let` that it refers to, mentions.
fn used_params<'f>(facts: &FileFacts, function: &'f FnFact, text: &str) -> Vec<(&'f str, &'f str)> {
    let mut texts = vec![text];
    texts.extend(
        facts
            .body(function)
            .lets
            .iter()
            .filter(|(name, _)| mentions(text, name))
            .map(|(_, value)| value.as_str()),
    );
    function
        .params
        .iter()
        .filter(|(name, _)| texts.iter().any(|text| mentions(text, name)))
        .map(|(name, ty)| (name.as_str(), ty.as_str()))
        .collect()
}

/// A value that mentions no parameter: kept as written, with what it refers to.
fn verbatim(
    index: &Index<'_>,
    facts: &FileFacts,
    function: &FnFact,
    text: &str,
    row: &mut Filled,
) -> Outcome<Value> {
    let mut texts = vec![text.to_owned()];
    for (name, value) in &facts.body(function).lets {
        if mentions(text, name) {
            texts.push(value.clone());
            if !row.lets.iter().any(|(known, _)| known == name) {
                row.lets.push((name.clone(), value.clone()));
            }
        }
    }
    for text in &texts {
        let expression: syn::Expr = syn::parse_str(text).map_err(|_| {
            Refusal::new("enqueue-value", format!("cannot read the value `{text}`"))
                .at(facts.place(&function.name_range))
        })?;
        let mut roots = Roots(BTreeSet::new());
        roots.visit_expr(&expression);
        for root in roots.0 {
            let is_let = facts
                .body(function)
                .lets
                .iter()
                .any(|(name, _)| *name == root)
                && text == texts.first().unwrap_or(text);
            let known = matches!(
                root.as_str(),
                "Set"
                    | "NotSet"
                    | "None"
                    | "Some"
                    | "Ok"
                    | "Err"
                    | "String"
                    | "Vec"
                    | "Default"
                    | "ActiveValue"
            );
            if is_let || known {
                continue;
            }
            let absolute = index.resolve(facts, &root);
            match absolute {
                Some(absolute) => {
                    row.imports.insert(absolute);
                }
                None => return Err(unreadable(facts, function, &root, text)),
            }
        }
    }
    Ok(Value::Verbatim(text.to_owned()))
}

/// First segments of the paths in an expression.
struct Roots(BTreeSet<String>);

impl<'a> Visit<'a> for Roots {
    fn visit_path(&mut self, path: &'a syn::Path) {
        if let Some(first) = path.segments.first() {
            self.0.insert(first.ident.to_string());
        }
        syn::visit::visit_path(self, path);
    }
}

fn unreadable(facts: &FileFacts, function: &FnFact, column: &str, text: &str) -> Refusal {
    Refusal::new(
        "enqueue-value",
        format!("cannot tell what a root task sets `{column}` to: `{text}`"),
    )
    .at(facts.place(&function.name_range))
    .help("give the column a value that names one parameter or none, or write the gate by hand")
}

/// The string of `Set("queued".to_string())` and its like.
fn string_literal(text: &str) -> Option<String> {
    let start = text.find('"')? + 1;
    let end = start + text[start..].find('"')?;
    (text.matches('"').count() == 2).then(|| text[start..end].to_owned())
}

/// How a root run is inserted: from the one function of the queue's crate that writes a whole
/// row of the entity that the queue refers to, and the wrappers that call it.
fn run_row(
    index: &Index<'_>,
    facts: &Arc<FileFacts>,
    queue_entity: &str,
    relation: &Relation,
) -> Outcome<Filled> {
    let queue_file = entity_facts(index, queue_entity, &facts.place(&(0..1)))?;
    let entity = index
        .resolve(&queue_file, &relation.entity)
        .ok_or_else(|| Refusal::new("entity", format!("cannot resolve `{}`", relation.entity)))?;
    let short = last(&entity).to_owned();
    let member = index.workspace.member_of(&facts.file.path);
    let mut found = Vec::new();
    let mut refused = None;
    let paths = member
        .map(|member| index.containing_in(member, &format!("{short}::ActiveModel")))
        .unwrap_or_default();
    index.parse_all(&paths)?;
    for path in paths {
        let candidate = index.facts(&path)?;
        for function in &candidate.functions {
            for model in candidate.models(function) {
                let is_run = !model.has_rest
                    && !function.is_test
                    && entity_of(index, &candidate, model).is_ok_and(|path| path == entity);
                if is_run {
                    match fill_run(index, &candidate, function, model, &entity) {
                        Ok(filled) => {
                            found.push((candidate.place(&function.name_range), filled));
                        }
                        Err(e) => refused = Some(e),
                    }
                }
            }
        }
    }
    if found.len() > 1 {
        let mut refusal = Refusal::new(
            "two-run-inserts",
            format!("{} functions insert a whole `{entity}` row", found.len()),
        )
        .help("the gate inserts the run in its own transaction and needs to know which values it takes");
        for (place, _) in found {
            refusal = refusal.and(place, "inserts a run");
        }
        return Err(refusal);
    }
    found.pop().map(|(_, filled)| filled).ok_or_else(|| {
        refused.unwrap_or_else(|| {
            Refusal::new(
                "no-run-insert",
                format!("found no function that inserts a whole `{entity}` row"),
            )
            .at(facts.place(&(0..1)))
            .help("a queue row refers to a run row: write the function that inserts one, with every column set")
        })
    })
}

fn fill_run(
    index: &Index<'_>,
    facts: &FileFacts,
    function: &FnFact,
    model: &ModelFact,
    entity: &str,
) -> Outcome<Filled> {
    let row = entity_facts(index, entity, &facts.place(&model.range))?;
    let columns = row.model().map(|s| s.fields.clone()).unwrap_or_default();
    let mut filled = Filled {
        entity: entity.to_owned(),
        source: function.name.clone(),
        columns: Vec::new(),
        lets: Vec::new(),
        imports: BTreeSet::new(),
    };
    for (column, text) in &model.fields {
        let field = columns.iter().find(|f| f.name == *column);
        let optional = field.is_some_and(|f| f.ty.starts_with("Option<"));
        let is_key = field.is_some_and(|f| f.attributes.iter().any(|a| a.contains("primary_key")));
        let value = match used_params(facts, function, text).as_slice() {
            [] => verbatim(index, facts, function, text, &mut filled)?,
            [(name, ty)] if ty.trim_start_matches('&') == "str" => {
                if is_key {
                    Value::Id
                } else if name.contains("source") || name.contains("kind") {
                    Value::SourceType(optional)
                } else {
                    Value::Question
                }
            }
            [(_, ty)] if ty.starts_with("Option<") && optional => Value::None,
            [(name, _)] => literal_of_callers(facts, function, name)
                .map(|literal| Value::Verbatim(format!("Set({literal})")))
                .ok_or_else(|| unreadable(facts, function, column, text))?,
            _ => return Err(unreadable(facts, function, column, text)),
        };
        filled.columns.push(Column {
            name: column.clone(),
            value,
        });
    }
    Ok(filled)
}

/// The literal that a function of the same file hands on for the parameter `name`, where it is
/// not one of its own parameters.
fn literal_of_callers(facts: &FileFacts, function: &FnFact, name: &str) -> Option<String> {
    let position = function.params.iter().position(|(p, _)| p == name)?;
    let mut literals: Vec<&String> = facts
        .functions
        .iter()
        .filter(|caller| facts.text(&caller.range).contains(&function.name))
        .flat_map(|caller| &facts.body(caller).calls)
        .filter(|(callee, _)| last(callee) == function.name)
        .filter_map(|(_, args)| args.get(position))
        .filter(|arg| syn::parse_str::<syn::Lit>(arg).is_ok())
        .collect();
    literals.dedup();
    match literals.as_slice() {
        [one] => Some((*one).clone()),
        _ => None,
    }
}
