//! The templates of created modules, and what they are filled with.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;

use crate::landmarks::{EventNames, Filled, Value};
use crate::note::{Outcome, Refusal};

/// The enqueue half: key, ids, gate.
#[derive(Template)]
#[template(path = "gate.rs", escape = "none")]
pub struct Gate {
    /// How the tables are called.
    pub tables: Tables,
    /// `use` paths beside the fixed ones.
    pub imports: Vec<String>,
    /// Whether a column is left to the database.
    pub needs_not_set: bool,
    /// The enum's name.
    pub spec_name: String,
    /// The policy's name.
    pub policy_name: String,
    /// Further parameters, handed on to the row.
    pub extra: Vec<(String, String)>,
    /// Where the run's values were read from.
    pub run_source: String,
    /// Where the queue's values were read from.
    pub queue_source: String,
    /// `let` statements of the run's row.
    pub run_lets: Vec<(String, String)>,
    /// Columns of the run's row.
    pub run_columns: Vec<(String, String)>,
    /// `let` statements of the queue's row.
    pub queue_lets: Vec<(String, String)>,
    /// Columns of the queue's row.
    pub queue_columns: Vec<(String, String)>,
}

/// How tasks get at secrets.
#[derive(Template)]
#[template(path = "secrets.rs", escape = "none")]
pub struct Secrets {}

/// How the tables of runs, events and tasks are called: entities as short module names, columns
/// as variants of `Column` where nothing else is said.
#[derive(Clone)]
pub struct Tables {
    /// The run's entity.
    pub run: String,
    /// Its primary key.
    pub run_id: String,
    /// The entity of events.
    pub event: String,
    /// Its column for the run.
    pub event_run: String,
    /// Its column for the type.
    pub event_kind: String,
    /// The queue's entity.
    pub queue: String,
    /// Its primary key.
    pub queue_id: String,
    /// Its status.
    pub queue_status: String,
    /// The status as a field.
    pub status_column: String,
    /// The first value of the status.
    pub initial_status: String,
    /// Its value while a worker holds the row.
    pub claimed_status: String,
}

/// Field names of the executing task.
pub struct ExecutingNames {
    /// Receiver of events.
    pub events: String,
    /// Receiver of outcomes.
    pub outcomes: String,
    /// Token that cancels.
    pub cancel: String,
    /// Fields that stay `None`.
    pub none: Vec<String>,
}

/// Status columns that tasks write.
#[derive(Template)]
#[template(path = "status_table.rs", escape = "none")]
pub struct StatusTable {
    /// How the tables are called.
    pub tables: Tables,
    /// `use` paths beside the fixed ones.
    pub imports: Vec<String>,
    /// Those of the executor's own crate, and of the modules beside.
    pub own: Vec<String>,
    /// The enum's name.
    pub spec_name: String,
    /// The column of the serialized spec.
    pub spec_column: String,
}

/// Tasks that the clock enqueues.
#[derive(Template)]
#[template(path = "schedule.rs", escape = "none")]
pub struct Clock {
    /// The gate's module.
    pub gate_path: String,
    /// How long a pause is at most.
    pub pause: String,
    /// Whether a task is on the clock; else a scheduler calls at each tick.
    pub is_clock: bool,
}

/// The end of tasks that no worker ends any more.
#[derive(Template)]
#[template(path = "dead_letters.rs", escape = "none")]
pub struct DeadLetters {
    /// How the tables are called.
    pub tables: Tables,
    /// `use` paths beside the fixed ones.
    pub imports: Vec<String>,
    /// Those of the executor's own crate.
    pub own: Vec<String>,
    /// The executor's type.
    pub executor: String,
    /// The key of the serialized tag; empty for an enum that is tagged from outside.
    pub tag_key: String,
    /// The module of a task that writes a status.
    pub table: Option<String>,
    /// The column with the last sign of life of the worker that holds a row.
    pub heartbeat: Option<String>,
    /// How long that may be ago.
    pub alive: String,
    /// The executor's field for the database.
    pub db_field: String,
    /// The primary key as a field.
    pub id_column: String,
    /// The serialized spec as a field.
    pub spec_column: String,
    /// The enum's name.
    pub spec_name: String,
    /// Name of the assignment's type.
    pub assignment_name: String,
    /// Its fields with their values.
    pub assignment: Vec<(String, String)>,
    /// The executor's method that starts a task.
    pub method: String,
    /// The executing task's receiver of outcomes.
    pub outcomes: String,
}

/// Where the events and the end of a task are recorded.
#[derive(Template)]
#[template(path = "journal.rs", escape = "none")]
pub struct Journal {
    /// How the tables are called.
    pub tables: Tables,
    /// `use` paths beside the fixed ones.
    pub imports: Vec<String>,
    /// Those of the executor's own crate, and of the module above.
    pub own: Vec<String>,
    /// How events are called.
    pub events: EventNames,
    /// Name of the outcome's type.
    pub outcome_name: String,
    /// A pattern for the outcome's variants beside the three terminal ones; empty for none.
    pub other_outcomes: String,
    /// Fields of `Done` beside the answer.
    pub done_rest: Vec<String>,
    /// The run's status column.
    pub run_status: String,
    /// `.as_deref()` or `.as_str()`.
    pub run_status_deref: String,
    /// `Some(` where the status is optional.
    pub some_open: String,
    /// `)` where the status is optional.
    pub some_close: String,
    /// The run's answer column.
    pub run_answer: String,
    /// The run's error as a text, from its row.
    pub run_error: String,
    /// The run's error as a variant of `Column`.
    pub run_error_column: Option<String>,
    /// Columns that tell one claim of a row from the others.
    pub claim: Vec<String>,
    /// The call that gives the highest event number.
    pub max_seq_call: String,
    /// The call that appends an event.
    pub append_call: String,
    /// The call that ends a run.
    pub end_call: String,
}

/// The run half: envelope, errors, ports.
#[derive(Template)]
#[template(path = "tasks_mod.rs", escape = "none")]
pub struct TasksMod {
    /// The run's entity as a short module name.
    pub run: String,
    /// `use` paths beside the fixed ones.
    pub imports: Vec<String>,
    /// Modules of tasks.
    pub modules: Vec<String>,
    /// How events are called.
    pub events: EventNames,
    /// Name of the assignment's type.
    pub assignment_name: String,
    /// Name of the executing task's type.
    pub executing_name: String,
    /// Its fields.
    pub executing: ExecutingNames,
    /// Name of the outcome's type.
    pub outcome_name: String,
    /// A pattern for the outcome's variants beside the three terminal ones; empty for none.
    pub other_outcomes: String,
    /// Fields of `Done` beside the answer.
    pub done_rest: Vec<String>,
    /// Names of the policy's parts.
    pub policy_name: String,
    /// Whether the policy has fields beside the retry policy.
    pub has_rest: bool,
    /// The policy's field for the retry policy.
    pub retry_field: String,
    /// The retry policy's name.
    pub retry_name: String,
    /// Its field for the number of retries.
    pub max_field: String,
    /// Its field for the backoff.
    pub backoff_field: String,
    /// Its field for the patterns.
    pub patterns_field: String,
    /// The backoff's name.
    pub backoff_name: String,
    /// Its fixed form.
    pub fixed_variant: String,
    /// The field of the fixed form.
    pub fixed_field: String,
    /// Its method that gives the delay.
    pub delay_method: String,
    /// `use` paths of the in-memory ports.
    pub testing_imports: Vec<String>,
    /// Those of the tests.
    pub tests_imports: Vec<String>,
    /// Whether recovery dispatches to tasks.
    pub has_resume: bool,
}

/// A field in the task's module.
#[derive(Clone)]
pub struct FieldView {
    /// Name without `r#`.
    pub name: String,
    /// Name as written.
    pub ident: String,
    /// Type as written.
    pub ty: String,
    /// Whether it refers to a secret.
    pub is_secret: bool,
    /// A value for tests.
    pub sample: String,
}

/// The status column in the task's module.
pub struct StatusView {
    /// Table as the user named it.
    pub table: String,
    /// Column.
    pub column: String,
    /// The same as a variant of the entity's `Column`.
    pub column_variant: String,
    /// Short module name of the entity.
    pub entity: String,
    /// The key's column.
    pub key_variant: String,
    /// The field that holds the row's key.
    pub field: String,
    /// `.clone()` where the key is not `Copy`.
    pub key_clone: String,
    /// The key's value where the field is borrowed.
    pub key_value: String,
    /// Value while running.
    pub running: String,
    /// Value when done.
    pub done: String,
    /// Value when failed.
    pub failed: String,
    /// Whether `updated_at` is kept.
    pub has_updated_at: bool,
    /// Whether the key decides the row, so that no task with another key writes it.
    pub is_own: bool,
}

/// The module of one task.
#[derive(Template)]
#[template(path = "task.rs", escape = "none")]
pub struct TaskModule {
    /// The variant's name.
    pub variant: String,
    /// The variant's name as written.
    pub variant_ident: String,
    /// The first line of its documentation.
    pub summary: String,
    /// Name of the input type.
    pub input: String,
    /// `use` paths: std, other crates, this crate.
    pub imports: Vec<Vec<String>>,
    /// Key of the tag in the serialized form.
    pub tag_key: String,
    /// The tag.
    pub tag: String,
    /// The deadline, as the call of a constructor of `Duration`.
    pub timeout: String,
    /// Fields.
    pub fields: Vec<FieldView>,
    /// Fields of the key.
    pub key: Vec<FieldView>,
    /// The status column's type.
    pub status_ty: String,
    /// Name of the policy's type.
    pub policy_name: String,
    /// Its field for the retry policy.
    pub retry_field: String,
    /// The retry policy's name.
    pub retry_name: String,
    /// Its field for the number of retries.
    pub max_field: String,
    /// Its field for the backoff.
    pub backoff_field: String,
    /// Its field for the patterns.
    pub patterns_field: String,
    /// Retries.
    pub retries: u32,
    /// The backoff as an expression.
    pub backoff: String,
    /// Patterns as string literals.
    pub patterns: Vec<String>,
    /// Whether the policy has further fields, taken from its default.
    pub has_rest: bool,
    /// What is said of duplicates.
    pub dedupe_doc: String,
    /// `Active` or `Forever`.
    pub dedupe: String,
    /// Further parameters of the helper.
    pub extra: Vec<(String, String)>,
    /// Values for them in tests.
    pub extra_samples: Vec<(String, String)>,
    /// The enum's name.
    pub spec_name: String,
    /// The task in words.
    pub question: String,
    /// When the task is enqueued: an expression of the `cron` crate.
    pub schedule: Option<String>,
    /// Whether a scheduler calls at each tick; else it is the clock.
    pub is_job: bool,
    /// The status column.
    pub status: Option<StatusView>,
    /// What the status says, as an expression.
    pub statuses: String,
    /// Whether the work has a secret in hand.
    pub has_secret: bool,
    /// Whether the work is registered by another crate.
    pub is_seam: bool,
    /// The executor's type.
    pub executor: String,
    /// The executor's field for the database.
    pub db_field: String,
    /// The task's name in functions.
    pub snake: String,
    /// Name of the assignment's type.
    pub assignment_name: String,
    /// Name of the executing task's type.
    pub executing_name: String,
    /// Name of the outcome's type.
    pub outcome_name: String,
    /// Path of the outcome's type.
    pub outcome_path: String,
    /// How events are called.
    pub events: EventNames,
    /// What the status says while running, in a test.
    pub expect_running: String,
    /// When done.
    pub expect_done: String,
    /// When failed.
    pub expect_failed: String,
    /// A message that the policy retries.
    pub transient_message: String,
    /// Fields of the key with another value each.
    pub other_keys: Vec<(String, String)>,
}

/// Renders a template; a failure is a bug of the tool.
pub fn render(template: &impl Template) -> Outcome<String> {
    template.render().map_err(|e| {
        Refusal::new("template", format!("cannot render a template: {e}"))
            .help("this is a bug of the tool; nothing was written")
    })
}

/// Columns of a row as `name`, `Set(…)`.
#[must_use]
pub fn columns(filled: &Filled) -> Vec<(String, String)> {
    filled
        .columns
        .iter()
        .map(|column| {
            let some = |value: &str, optional: bool| {
                if optional {
                    format!("Set(Some({value}))")
                } else {
                    format!("Set({value})")
                }
            };
            let value = match &column.value {
                Value::Id => "Set(task.id.clone())".to_owned(),
                Value::Spec => "Set(task.spec.clone())".to_owned(),
                Value::Policy(optional) => some("task.policy.clone()", *optional),
                Value::Question => "Set(task.question.clone())".to_owned(),
                Value::SourceType(optional) => some("task.source_type.to_owned()", *optional),
                Value::None => "Set(None)".to_owned(),
                Value::Extra(name) => format!("Set(task.{name}.clone())"),
                Value::Verbatim(text) => text.clone(),
            };
            (column.name.clone(), value)
        })
        .collect()
}

/// Paths with a common parent as one `use`: `a::b::{C, D}`.
#[must_use]
pub fn merge_imports(paths: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in paths {
        let (parent, name) = path
            .rsplit_once("::")
            .map_or((String::new(), path.clone()), |(p, n)| {
                (p.to_owned(), n.to_owned())
            });
        groups.entry(parent).or_default().insert(name);
    }
    // `a::b` beside `a::b::C` is `a::b::{self, C}`.
    let parents: Vec<String> = groups.keys().cloned().collect();
    for parent in parents {
        let Some((above, name)) = parent.rsplit_once("::") else {
            continue;
        };
        if let Some(group) = groups.get_mut(above)
            && group.remove(name)
        {
            if group.is_empty() {
                groups.remove(above);
            }
            groups.entry(parent).or_default().insert("self".to_owned());
        }
    }
    groups
        .into_iter()
        .map(|(parent, mut names)| {
            let itself = names.remove("self").then(|| "self".to_owned());
            let names: Vec<String> = itself.into_iter().chain(names).collect();
            match (parent.as_str(), names.as_slice()) {
                ("", [name]) => name.clone(),
                (parent, [name]) => format!("{parent}::{name}"),
                (parent, names) => format!("{parent}::{{{}}}", names.join(", ")),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_with_a_common_parent_are_one() {
        let paths = ["a::b", "a::b::C", "a::D", "e::F", "e::G"].map(str::to_owned);
        assert_eq!(
            merge_imports(paths),
            ["a::D", "a::b::{self, C}", "e::{F, G}"]
        );
    }
}
