//! The end of tasks that no worker ends any more, in `tasks/dead_letters.rs` of the run half.

use std::sync::Arc;
use std::time::Duration;

use super::task_module::{duration, has_minutes};
use super::{Piece, gate, journal, last, status_table};
use crate::edit::TextEdit;
use crate::landmarks::Value;
use crate::merge::Callers;
use crate::note::{Outcome, Refusal};
use crate::plan::Plan;
use crate::render::{self, merge_imports, render};
use crate::task::Context;
use crate::types::within;
use crate::workspace::SourceFile;

/// The piece.
pub const PIECE: Piece = Piece {
    id: "dead_letters",
    about: "the end of tasks that no worker ends any more",
    plan,
};

/// The module's name.
pub(super) const MODULE: &str = "dead_letters";

/// How long the worker of a cancelled task may be silent before the sweep ends the task: longer
/// than any queue waits before it takes a claim back.
const ALIVE: Duration = Duration::from_mins(5);

/// The method that the module gives the executor.
const METHOD: &str = "end_dead_tasks";

/// The constant that lists the tables of tasks with a status.
const TABLES: &str = "TABLES";

fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    let landmarks = context.landmarks;
    let executor = &landmarks.executor;
    let queue = &landmarks.queue;
    let events = &landmarks.records.events.entity;
    let path = executor.task_file(MODULE);
    let existing = context.index.workspace.files.get(&path);
    let krate = executor.module.split("::").next().unwrap_or_default();
    let mut imports = vec![
        executor.assignment_type.clone(),
        landmarks.spec.path.clone(),
        events.clone(),
        queue.row.entity.clone(),
        format!("{}::{}", executor.module, executor.self_type),
        format!("{}::is_from_gate", gate::module(context)),
    ];
    // An inherent method needs no import; one of a trait does.
    imports.extend(context.index.resolve(&executor.facts, &executor.trait_path));
    imports.sort();
    imports.dedup();
    let table = status_table::is_needed(context).then(|| context.task.module());
    let (own, others): (Vec<String>, Vec<String>) = imports
        .iter()
        .map(|path| within(krate, path))
        .partition(|path| path.starts_with("crate::"));
    let beside = format!("super::{}::ENDS", journal::MODULE);
    let own = std::iter::once(beside).chain(own);
    let text = render(&render::DeadLetters {
        imports: merge_imports(others),
        own: merge_imports(own),
        tag_key: context.task.tag_key.clone().unwrap_or_default(),
        tables: gate::tables(context)?,
        executor: executor.self_type.clone(),
        heartbeat: heartbeat(context)?,
        alive: duration(ALIVE, has_minutes(context)),
        db_field: executor.db_field.clone(),
        id_column: queue.id_column.clone(),
        spec_column: spec_column(context)?,
        table: table.clone(),
        spec_name: last(&landmarks.spec.path).to_owned(),
        assignment_name: last(&executor.assignment_type).to_owned(),
        assignment: assignment(context)?,
        method: executor.method.clone(),
        outcomes: executor.executing.outcomes.clone(),
    })?;
    let is_new = existing.is_none();
    plan.draft_file(
        PIECE.id,
        "the end of dead tasks",
        &path,
        text,
        existing,
        Callers::EveryTask,
    );
    if let (Some(file), Some(module)) = (existing, table) {
        register(context, file, &module, plan)?;
    }
    if is_new {
        plan.open_in(
            &path,
            &format!("pub async fn {METHOD}"),
            format!("call `{METHOD}` where the program starts, and from time to time: nothing else writes the failure of a dead row"),
        );
    }
    Ok(())
}

/// Adds the task's table to those that the sweep looks at.
fn register(
    context: &Context<'_>,
    file: &Arc<SourceFile>,
    module: &str,
    plan: &mut Plan,
) -> Outcome<()> {
    let title = format!("`{module}::TABLE` in `{TABLES}`");
    let facts = context.index.facts(&file.path)?;
    let key = format!("const {TABLES}");
    let Some(list) = facts.items.iter().find(|item| item.key == key) else {
        // The whole constant is added.
        return Ok(());
    };
    let text = facts.text(&list.range);
    let table = format!("{module}::TABLE");
    if text.contains(&table) {
        plan.present(PIECE.id, title, &file.path);
        return Ok(());
    }
    let Some(close) = text.rfind(']') else {
        return Err(Refusal::new("sweep", format!("`{TABLES}` is no list"))
            .at(facts.place(&list.range))
            .help(format!(
                "make it `&[…]`, one `&super::{table}` for each task with a status"
            )));
    };
    let before = text[..close].trim_end();
    let comma = if before.ends_with(['[', ',']) {
        ""
    } else {
        ", "
    };
    let at = list.range.start + before.len();
    let text = format!("{comma}&super::{table}");
    let edit = TextEdit::insert(at, text, "registration");
    plan.insert(PIECE.id, title, file, vec![edit]);
    plan.reflow(&file.path);
    Ok(())
}

/// The column that holds the serialized spec.
pub(super) fn spec_column(context: &Context<'_>) -> Outcome<String> {
    let queue = &context.landmarks.queue;
    let mut columns = queue.row.columns.iter();
    let found = columns.find(|column| column.value == Value::Spec);
    found.map(|column| column.name.clone()).ok_or_else(|| {
        Refusal::new("queue-row", "the queue's row holds no spec").at(queue.facts.place(&(0..1)))
    })
}

/// The column with the last sign of life of a row's worker, where it is a time with a zone.
fn heartbeat(context: &Context<'_>) -> Outcome<Option<String>> {
    let entity = &context.landmarks.queue.row.entity;
    let Some(path) = context.index.module_file(entity) else {
        return Ok(None);
    };
    let facts = context.index.facts(&path)?;
    let model = facts.model();
    let fields = model.into_iter().flat_map(|model| &model.fields);
    let mut times = fields.filter(|f| {
        f.name.contains("heartbeat")
            && matches!(
                f.ty.as_str(),
                "Option<DateTimeWithTimeZone>"
                    | "Option<DateTimeUtc>"
                    | "Option<ChronoDateTimeWithTimeZone>"
            )
    });
    Ok(times.next().map(|field| field.name.clone()))
}

/// What stands in each field of the assignment of a task that comes from the gate.
fn assignment(context: &Context<'_>) -> Outcome<Vec<(String, String)>> {
    let path = &context.landmarks.executor.assignment_type;
    let facts = context.index.definition(path)?;
    let structs = facts.iter().flat_map(|facts| &facts.structs);
    let mut named = structs.filter(|s| s.name == last(path));
    let fields = named
        .next()
        .map(|s| s.fields.as_slice())
        .unwrap_or_default();
    let value = |name: &str, ty: &str| match name {
        "task_id" => Some("id.clone()"),
        "run_id" => Some("id"),
        "spec" => Some("spec"),
        _ if ty.starts_with("Option<") => Some("None"),
        _ => None,
    };
    let filled = fields.iter().map(|field| {
        let value = value(&field.name, &field.ty).ok_or_else(|| {
            let message = format!("cannot tell what `{}` of a dead task is", field.name);
            Refusal::new("assignment", message)
                .at(context.landmarks.queue.facts.place(&(0..1)))
                .help(format!(
                    "`{}` must be an `Option`, or have a default that generated code can name",
                    field.name
                ))
        })?;
        Ok((field.name.clone(), value.to_owned()))
    });
    filled.collect()
}
