//! How a run's events are appended and how a run is ended, by the workspace's own functions.

use heck::ToUpperCamelCase;

use super::Queue;
use crate::index::{FileFacts, FnFact, Index};
use crate::note::{Outcome, Refusal};

/// The functions that the envelope records a task with.
pub struct Records {
    /// Appends one event.
    pub append: RunFunction,
    /// Gives the highest sequence number of a run.
    pub max_seq: RunFunction,
    /// Ends a run.
    pub end: RunFunction,
    /// Absolute path of the run's entity.
    pub run_entity: String,
    /// The table of events.
    pub events: EventTable,
}

/// The table that events are appended to.
pub struct EventTable {
    /// Absolute path of its entity.
    pub entity: String,
    /// Its column for the run, as a variant of the entity's `Column`.
    pub run_column: String,
    /// Its column for the event's type, likewise.
    pub type_column: String,
}

/// A function and the texts that its parameters are filled with.
pub struct RunFunction {
    /// Absolute path under which other crates call it.
    pub path: String,
    /// Its arguments in order, in the names that the template binds.
    pub args: Vec<String>,
    /// Whether it fails with `DbErr`, as generated code does.
    pub is_db_err: bool,
}

impl RunFunction {
    /// The call's text, `crud::insert_event(db, …).await`: a `Result` with `DbErr`.
    #[must_use]
    pub fn call(&self, prefix: &str) -> String {
        let name = self.path.rsplit("::").next().unwrap_or(&self.path);
        let call = format!("{prefix}{name}({}).await", self.args.join(", "));
        if self.is_db_err {
            return call;
        }
        format!("{call}.map_err(|e| DbErr::Custom(e.to_string()))")
    }
}

/// Finds the three functions in the queue's crate.
pub fn discover(index: &Index<'_>, queue: &Queue) -> Outcome<Records> {
    let missing = |what: &str| {
        Refusal::new("no-run-record", format!("found no function that {what}"))
            .at(queue.facts.place(&(0..1)))
            .help("a task that no coordinator drives records its own events and ends its own run: give the queue's crate a public function for it")
    };
    let run = queue
        .run
        .as_ref()
        .ok_or_else(|| missing("inserts a run: the queue's entity belongs to none"))?;
    let Some(member) = index.workspace.member(&queue.package) else {
        return Err(missing("inserts a run"));
    };
    let mut ends = Vec::new();
    let mut appends = Vec::new();
    let mut seqs = Vec::new();
    let mut events = None;
    let paths = index.containing_in(member, "ActiveModel {");
    index.parse_all(&paths)?;
    for path in paths {
        let facts = index.facts(&path)?;
        for function in facts
            .functions
            .iter()
            .filter(|f| f.is_pub && !f.is_test && f.is_async)
        {
            if let Some(args) = end_args(index, &facts, function, &run.entity) {
                ends.push(call(index, &facts, function, args)?);
            }
            if let Some(args) = append_args(function) {
                appends.push(call(index, &facts, function, args)?);
                for other in facts.functions.iter().filter(|f| is_max_seq(f)) {
                    let args = vec!["&self.db".to_owned(), "&self.run_id".to_owned()];
                    seqs.push(call(index, &facts, other, args)?);
                    events = events.or(event_table(index, &facts, other)?);
                }
            }
        }
    }
    let one = |mut found: Vec<RunFunction>, what: &str| {
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found.dedup_by(|a, b| a.path == b.path);
        if found.len() > 1 {
            let paths: Vec<&str> = found.iter().map(|f| f.path.as_str()).collect();
            return Err(Refusal::new(
                "two-run-records",
                format!(
                    "{} functions could be the one that {what}: {}",
                    found.len(),
                    paths.join(", ")
                ),
            )
            .at(queue.facts.place(&(0..1)))
            .help("make those that are not for other crates `pub(crate)`"));
        }
        found.pop().ok_or_else(|| missing(what))
    };
    Ok(Records {
        append: one(appends, "appends one event to a run")?,
        max_seq: one(seqs, "gives the highest event number of a run")?,
        end: one(ends, "sets a run's status, answer and error")?,
        run_entity: run.entity.clone(),
        events: events.ok_or_else(|| {
            missing("gives the highest event number of a run with `entity::Entity::find()`")
        })?,
    })
}

/// The table that a function which gives the highest event number of a run reads from:
/// `run_event::Entity::find().filter(run_event::Column::RunId.eq(run_id))`.
fn event_table(
    index: &Index<'_>,
    facts: &FileFacts,
    function: &FnFact,
) -> Outcome<Option<EventTable>> {
    let text: String = facts.text(&function.range).split_whitespace().collect();
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
    let before = |at: usize| {
        let start = text[..at].trim_end_matches(is_path).len();
        &text[start..at]
    };
    let found = text.find("::Entity::find()").map(before);
    let column = text.find(".eq(").map(before);
    let (Some(entity), Some(run_column)) = (
        found.and_then(|path| index.resolve(facts, path)),
        column.and_then(|path| path.rsplit("::").next()),
    ) else {
        return Ok(None);
    };
    let Some(path) = index.module_file(&entity) else {
        return Ok(None);
    };
    let model = index.facts(&path)?;
    let model = model.model();
    let types = model.into_iter().flat_map(|model| &model.fields);
    let mut types = types.filter(|f| f.ty == "String" && f.name.contains("type"));
    Ok(match (types.next(), types.next()) {
        (Some(field), None) => Some(EventTable {
            run_column: run_column.to_owned(),
            type_column: field.name.to_upper_camel_case(),
            entity,
        }),
        _ => None,
    })
}

fn is_connection(ty: &str) -> bool {
    ty.trim_start_matches('&').rsplit("::").next() == Some("DatabaseConnection")
}

/// Arguments of a function that writes status, answer and error of a run.
fn end_args(
    index: &Index<'_>,
    facts: &FileFacts,
    function: &FnFact,
    entity: &str,
) -> Option<Vec<String>> {
    let writes = facts.models(function).iter().any(|model| {
        model
            .path
            .rsplit_once("::")
            .and_then(|(module, _)| index.resolve(facts, module))
            .is_some_and(|path| path == entity)
    });
    if !writes {
        return None;
    }
    let mut has = (false, false, false);
    let args = function
        .params
        .iter()
        .map(|(name, ty)| {
            Some(match (name.as_str(), ty.as_str()) {
                (_, ty) if is_connection(ty) => "&self.db".to_owned(),
                (name, "&str") if name.contains("status") => {
                    has.0 = true;
                    "status".to_owned()
                }
                (name, "&str") if name.contains("id") => "&self.run_id".to_owned(),
                (name, "Option<&str>") if name.contains("answer") => {
                    has.1 = true;
                    "answer".to_owned()
                }
                (name, "Option<&str>") if name.contains("error") => {
                    has.2 = true;
                    "error".to_owned()
                }
                (_, ty) if ty.starts_with("Option<") => "None".to_owned(),
                _ => return None,
            })
        })
        .collect::<Option<Vec<_>>>()?;
    (has == (true, true, true)).then_some(args)
}

/// Arguments of a function that appends one event.
fn append_args(function: &FnFact) -> Option<Vec<String>> {
    let has = |wanted: &str| {
        function
            .params
            .iter()
            .any(|(name, _)| name.contains(wanted))
    };
    if !(has("seq") && has("type") && has("payload")) {
        return None;
    }
    function
        .params
        .iter()
        .map(|(name, ty)| {
            Some(match (name.as_str(), ty.as_str()) {
                (_, ty) if is_connection(ty) => "&self.db".to_owned(),
                ("seq", "i64") => "seq".to_owned(),
                (name, "&str") if name.contains("type") => "event_type".to_owned(),
                (name, "&str") if name.contains("id") => "&self.run_id".to_owned(),
                ("payload", ty) if ty.ends_with("Value") && ty.starts_with('&') => {
                    "&payload".to_owned()
                }
                ("payload", ty) if ty.ends_with("Value") => "payload".to_owned(),
                ("attempt", "i32" | "i64" | "u32") => "0".to_owned(),
                _ => return None,
            })
        })
        .collect()
}

fn is_max_seq(function: &FnFact) -> bool {
    function.is_pub
        && function.name.contains("seq")
        && function.output.starts_with("Result<i64")
        && matches!(function.params.as_slice(), [(_, db), (_, id)] if is_connection(db) && id == "&str")
}

/// Whether the function fails with the error of sea-orm; where that cannot be told, it does not.
fn fails_with_db_err(index: &Index<'_>, facts: &FileFacts, function: &FnFact) -> bool {
    let error = function.output.strip_suffix('>').unwrap_or_default();
    let error = error.rsplit([',', '<']).next().unwrap_or_default();
    let error: String = error.split_whitespace().collect();
    let meant = index.resolve(facts, &error).unwrap_or_default();
    meant.starts_with("sea_orm::") && meant.ends_with("::DbErr")
}

/// The path under which another crate calls the function: the parent's re-export, where there
/// is one, else the module's own.
fn call(
    index: &Index<'_>,
    facts: &FileFacts,
    function: &FnFact,
    args: Vec<String>,
) -> Outcome<RunFunction> {
    let module = index.module_of(&facts.file.path).unwrap_or_default();
    let mut path = format!("{module}::{}", function.name);
    if let Some((parent, child)) = module.rsplit_once("::")
        && let Some(file) = index.module_file(parent)
    {
        let wanted = format!("{child}::{}", function.name);
        let parent_facts = index.facts(&file)?;
        let exported = parent_facts
            .uses
            .iter()
            .any(|u| u.is_pub && u.path.trim_start_matches("self::") == wanted);
        if exported {
            path = format!("{parent}::{}", function.name);
        }
    }
    Ok(RunFunction {
        path,
        args,
        is_db_err: fails_with_db_err(index, facts, function),
    })
}
