//! The domain status column that `--status` names: its entity, type, values and key.

use crate::index::{FieldFact, FileFacts, Index, StructFact};
use crate::note::{Outcome, Refusal};
use crate::request::{Field, StatusRequest};
use crate::suggest;

/// A status column of a sea-orm entity.
pub struct Status {
    /// The package of the entity.
    pub package: String,
    /// Absolute path of the entity's module.
    pub entity: String,
    /// The column as a field, `status`.
    pub column: String,
    /// The column as sea-orm's enum calls it, `Status`.
    pub column_variant: String,
    /// The primary key as sea-orm's enum calls it, `Id`.
    pub key_variant: String,
    /// The task's field that holds the row's key.
    pub field: String,
    /// Absolute path of the column's type; `None` for `String`.
    pub ty: Option<String>,
    /// Value while running, as an expression of the type.
    pub running: String,
    /// Value when done.
    pub done: String,
    /// Value when failed.
    pub failed: String,
    /// A column beside it that holds why the work failed, which is left to a person.
    pub error_column: Option<String>,
    /// Whether the entity has an `updated_at` with a time zone, which every writer keeps.
    pub has_updated_at: bool,
}

/// What columns of a state are called, or end with.
const STATE_COLUMNS: [&str; 2] = ["status", "state"];

/// The columns of the workspace's entities that may say how far work is, as `--status` names them.
pub fn columns(index: &Index<'_>) -> Outcome<Vec<String>> {
    let mut out = Vec::new();
    for path in index.containing("DeriveEntityModel") {
        let stem = path.rsplit('/').next().and_then(|f| f.strip_suffix(".rs"));
        let facts = index.facts(&path)?;
        let Some((entity, model)) = stem.zip(facts.model()) else {
            continue;
        };
        let names = model.fields.iter().map(|field| field.name.as_str());
        let states = names.filter(|name| {
            let mut states = STATE_COLUMNS.iter();
            states.any(|state| name.rsplit('_').next() == Some(*state))
        });
        out.extend(states.map(|name| format!("{entity}.{name}")));
    }
    out.sort();
    out.dedup();
    Ok(out)
}

/// Refuses a status whose column or values the workspace does not have; the field that holds the
/// row's key is not looked at.
pub fn check(index: &Index<'_>, request: &StatusRequest) -> Outcome<()> {
    let facts = entity(index, &request.entity)?;
    let (_, column) = column(&facts, request)?;
    values(index, &facts, request, column).map(|_| ())
}

/// The row, and its column.
fn column<'f>(
    facts: &'f FileFacts,
    request: &StatusRequest,
) -> Outcome<(&'f StructFact, &'f FieldFact)> {
    let path = &facts.file.path;
    let model = facts
        .model()
        .ok_or_else(|| Refusal::new("status-entity", format!("`{path}` has no `Model`")))?;
    let column = model
        .fields
        .iter()
        .find(|f| f.name == request.column)
        .ok_or_else(|| {
            let known: Vec<&str> = model.fields.iter().map(|f| f.name.as_str()).collect();
            Refusal::new(
                "status-column",
                format!("`{}` has no column `{}`", request.entity, request.column),
            )
            .at(facts.place(&model.name_range))
            .help(suggest::or_one_of(
                &request.column,
                &known,
                "its columns are",
            ))
        })?;
    Ok((model, column))
}

/// Finds what `request` names.
pub fn find(index: &Index<'_>, request: &StatusRequest, fields: &[Field]) -> Outcome<Status> {
    let facts = entity(index, &request.entity)?;
    let path = &facts.file.path;
    let (model, column) = column(&facts, request)?;
    let keys: Vec<&FieldFact> = model
        .fields
        .iter()
        .filter(|f| f.attributes.iter().any(|a| a.contains("primary_key")))
        .collect();
    let [key] = keys.as_slice() else {
        return Err(Refusal::new(
            "status-key",
            format!(
                "`{}` has {} primary key columns; the writer needs one",
                request.entity,
                keys.len()
            ),
        )
        .at(facts.place(&model.name_range))
        .help("leave --status out and write the column in the seam that is generated instead"));
    };
    let field = key_field(request, fields, key, &facts)?;
    let (ty, values) = values(index, &facts, request, column)?;
    let package = index
        .workspace
        .member_of(path)
        .map(|m| m.name.clone())
        .unwrap_or_default();
    Ok(Status {
        package,
        entity: index.module_of(path).unwrap_or_default(),
        column: column.name.clone(),
        column_variant: camel(&column.name),
        key_variant: camel(&key.name),
        field,
        ty,
        running: values[0].clone(),
        done: values[1].clone(),
        failed: values[2].clone(),
        error_column: model
            .fields
            .iter()
            .find(|f| {
                matches!(f.name.as_str(), "error" | "error_message") && f.ty == "Option<String>"
            })
            .map(|f| f.name.clone()),
        has_updated_at: model
            .fields
            .iter()
            .any(|f| f.name == "updated_at" && f.ty == "DateTimeWithTimeZone"),
    })
}

/// The file of the entity: the module called so, or the one with that table name.
fn entity(index: &Index<'_>, name: &str) -> Outcome<std::sync::Arc<FileFacts>> {
    let mut found = Vec::new();
    let mut names = Vec::new();
    for path in index.containing("DeriveEntityModel") {
        let stem = path.rsplit('/').next().and_then(|f| f.strip_suffix(".rs"));
        let text = &index.workspace.files[&path].text;
        if stem == Some(name) || text.contains(&format!("table_name = \"{name}\"")) {
            found.push(index.facts(&path)?);
        }
        names.extend(stem.into_iter().chain(table(text)).map(str::to_owned));
    }
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => {
            let refusal = Refusal::new(
                "status-entity",
                format!("found no sea-orm entity called `{name}`"),
            );
            let known = names.iter().map(String::as_str);
            Err(match suggest::did_you_mean(name, known) {
                Some(question) => refusal.help(question),
                None => refusal.help("name the entity's module or its table"),
            })
        }
        _ => {
            let mut refusal = Refusal::new(
                "status-entity",
                format!("{} sea-orm entities are called `{name}`", found.len()),
            )
            .help("name the table where the modules are called alike");
            for facts in &found {
                refusal = refusal.and(facts.place(&(0..1)), "an entity");
            }
            Err(refusal)
        }
    }
}

/// The name of the table that the entity's text gives.
fn table(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("table_name = \"")?;
    rest.split_once('"').map(|(name, _)| name)
}

fn last(ty: &str) -> &str {
    ty.rsplit("::").next().unwrap_or(ty)
}

fn key_field(
    request: &StatusRequest,
    fields: &[Field],
    key: &FieldFact,
    facts: &FileFacts,
) -> Outcome<String> {
    use quote::ToTokens;
    let fits = |field: &Field| {
        let ty = field.ty.to_token_stream().to_string().replace(' ', "");
        !field.is_secret && last(&ty) == last(&key.ty)
    };
    let refuse = |message: String, help: String| {
        Err(Refusal::new("status-key", message)
            .at(facts.place(&key.range))
            .help(help))
    };
    if let Some(name) = &request.field {
        let name = name.trim_start_matches("r#");
        let usable = fields.iter().filter(|f| fits(f)).map(|f| f.name.as_str());
        return match fields.iter().find(|f| f.name == name) {
            None => refuse(
                format!("--status names the field `{name}`, which the task does not have"),
                suggest::did_you_mean(name, usable)
                    .unwrap_or_else(|| format!("add `{name}:{}` to the fields", key.ty)),
            ),
            Some(field) if !fits(field) => refuse(
                format!(
                    "`{name}` is no `{}`, which is the type of the row's key",
                    key.ty
                ),
                format!("name the field that holds the key of `{}`", request.entity),
            ),
            Some(field) => Ok(field.name.clone()),
        };
    }
    let candidates: Vec<&Field> = fields.iter().filter(|f| fits(f)).collect();
    match candidates.as_slice() {
        [one] => Ok(one.name.clone()),
        [] => refuse(
            format!(
                "no field of the task is a `{}`, the key of `{}`",
                key.ty, request.entity
            ),
            format!(
                "add the field that holds the row's key, and name it: --status {}.{}@FIELD",
                request.entity, request.column
            ),
        ),
        many => {
            let names: Vec<&str> = many.iter().map(|f| f.name.as_str()).collect();
            refuse(
                format!(
                    "{} fields could hold the key of `{}`: {}",
                    many.len(),
                    request.entity,
                    names.join(", ")
                ),
                format!(
                    "say which: --status {}.{}@{}",
                    request.entity, request.column, names[0]
                ),
            )
        }
    }
}

/// Names that say a state, in lower case without separators.
const STATES: [(&str, &[&str]); 3] = [
    (
        "running",
        &["running", "inprogress", "processing", "started", "working"],
    ),
    (
        "done",
        &[
            "done",
            "completed",
            "complete",
            "succeeded",
            "success",
            "finished",
            "ready",
        ],
    ),
    ("failed", &["failed", "error", "errored", "failure"]),
];

/// The column's type and the expressions of the three values.
fn values(
    index: &Index<'_>,
    facts: &FileFacts,
    request: &StatusRequest,
    column: &FieldFact,
) -> Outcome<(Option<String>, Vec<String>)> {
    let given = [&request.running, &request.done, &request.failed];
    if column.ty == "String" {
        let mut out = Vec::new();
        for (value, (state, _)) in given.iter().zip(STATES) {
            let Some(value) = value else {
                return Err(Refusal::new(
                    "status-value",
                    format!(
                        "`{}` is a String: nothing says what it holds when {state}",
                        column.name
                    ),
                )
                .at(facts.place(&column.range))
                .help(format!(
                    "give it: --status {}.{}:running=…,done=…,failed=…",
                    request.entity, request.column
                )));
            };
            out.push(format!("{value:?}.to_owned()"));
        }
        return Ok((None, out));
    }
    let path = index.resolve(facts, &column.ty);
    let found = match &path {
        Some(path) => index.definition(path)?,
        None => None,
    };
    let name = last(&column.ty);
    let (Some(path), Some(fact)) = (
        path,
        found.and_then(|f| f.enums.iter().find(|e| e.name == name).cloned()),
    ) else {
        return Err(Refusal::new(
            "status-type",
            format!(
                "`{}` is a `{}`, neither a String nor an enum of this workspace",
                column.name, column.ty
            ),
        )
        .at(facts.place(&column.range))
        .help("leave --status out and write the column in the seam that is generated instead"));
    };
    let known: Vec<&str> = fact.variants.iter().map(|v| v.name.as_str()).collect();
    let mut out = Vec::new();
    for (value, (state, words)) in given.iter().zip(STATES) {
        let chosen = match value {
            Some(value) => known.iter().find(|k| **k == value.as_str()).copied(),
            None => {
                let fits: Vec<&str> = known
                    .iter()
                    .filter(|k| words.contains(&k.to_lowercase().as_str()))
                    .copied()
                    .collect();
                match fits.as_slice() {
                    [one] => Some(*one),
                    _ => None,
                }
            }
        };
        let Some(chosen) = chosen else {
            let message = match value {
                Some(value) => format!("`{name}` has no variant `{value}`"),
                None => format!("nothing says which variant of `{name}` means {state}"),
            };
            let given = value.as_deref().unwrap_or_default();
            let all = suggest::or_one_of(given, &known, &format!("`{name}` has"));
            return Err(Refusal::new("status-value", message)
                .at(facts.place(&column.range))
                .help(format!("{all}; give {state}=… one of them")));
        };
        out.push(format!("{name}::{chosen}"));
    }
    Ok((Some(path), out))
}

/// `workspace_id` as sea-orm's column enum calls it.
fn camel(name: &str) -> String {
    name.split('_')
        .map(|part| {
            let mut chars = part.chars();
            chars.next().map_or(String::new(), |c| {
                c.to_uppercase().collect::<String>() + chars.as_str()
            })
        })
        .collect()
}
