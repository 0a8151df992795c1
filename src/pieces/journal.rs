//! Where the events and the end of a task are recorded, in `tasks/journal.rs` of the run half.

use heck::ToUpperCamelCase;

use super::{Piece, gate, last, tasks_mod};
use crate::landmarks::Value;
use crate::merge::Callers;
use crate::note::{Outcome, Refusal};
use crate::plan::Plan;
use crate::render::{self, merge_imports, render};
use crate::task::Context;
use crate::types::within;

/// The piece.
pub const PIECE: Piece = Piece {
    id: "journal",
    about: "the run half: events and end of a run",
    plan,
};

/// The module's name.
pub(super) const MODULE: &str = "journal";

fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    let landmarks = context.landmarks;
    let executor = &landmarks.executor;
    let records = &landmarks.records;
    let path = executor.task_file(MODULE);
    let krate = executor.module.split("::").next().unwrap_or_default();
    let parent = |path: &str| {
        path.rsplit_once("::")
            .map(|(p, _)| p.to_owned())
            .unwrap_or_default()
    };
    let prefix = |path: &str| format!("{}::", last(&parent(path)));
    let mut imports = vec![
        executor.outcome_type.clone(),
        records.run_entity.clone(),
        records.events.entity.clone(),
        landmarks.queue.row.entity.clone(),
        parent(&records.end.path),
        parent(&records.append.path),
        parent(&records.max_seq.path),
        format!("{}::TaskRows", gate::module(context)),
    ];
    imports.sort();
    imports.dedup();
    let (own, others): (Vec<String>, Vec<String>) = imports
        .iter()
        .map(|path| within(krate, path))
        .partition(|path| path.starts_with("crate::"));
    let own = own.into_iter().chain(["super::TaskError".to_owned()]);
    let RunColumns {
        status,
        optional,
        error,
    } = run_columns(context)?;
    let text = render(&render::Journal {
        tables: gate::tables(context)?,
        imports: merge_imports(others),
        own: merge_imports(own),
        events: landmarks.events.clone(),
        outcome_name: last(&executor.outcome_type).to_owned(),
        other_outcomes: tasks_mod::other_outcomes(context)?,
        done_rest: executor.done_rest.clone(),
        run_status: status,
        run_status_deref: if optional { ".as_deref()" } else { ".as_str()" }.to_owned(),
        some_open: if optional { "Some(" } else { "" }.to_owned(),
        some_close: if optional { ")" } else { "" }.to_owned(),
        run_answer: "answer".to_owned(),
        run_error_column: error.as_ref().map(|error| error.to_upper_camel_case()),
        run_error: error.map_or("\"failed before\".to_owned()".to_owned(), |error| {
            format!("run.{error}.unwrap_or_default()")
        }),
        claim: claim_columns(context)?,
        max_seq_call: records.max_seq.call(&prefix(&records.max_seq.path)),
        append_call: records.append.call(&prefix(&records.append.path)),
        end_call: records.end.call(&prefix(&records.end.path)),
    })?;
    plan.draft_file(
        PIECE.id,
        "how tasks are recorded",
        &path,
        text,
        context.index.workspace.files.get(&path),
        Callers::EveryTask,
    );
    Ok(())
}

/// The columns of the queue's row that tell one claim from the others: what the queue's crate
/// sets together with the status where it takes a row, and a claim that is over no longer has.
///
/// The counter (starts at 0, and the crate's own SQL adds 1 to it) may start anew where a task is
/// queued again; the time of the claim does not.
fn claim_columns(context: &Context<'_>) -> Outcome<Vec<String>> {
    let queue = &context.landmarks.queue;
    let index = context.index;
    let (Some(member), Some(path)) = (
        index.workspace.member(&queue.package),
        index.module_file(&queue.row.entity),
    ) else {
        return Ok(Vec::new());
    };
    let facts = index.facts(&path)?;
    let model = facts.model();
    let fields = model.into_iter().flat_map(|model| &model.fields);
    let starts_as = |name: &str, wanted: &str| {
        let columns = queue.row.columns.iter();
        let value = columns.filter(|c| c.name == name).map(|c| &c.value).next();
        matches!(value, Some(Value::Verbatim(text)) if text.replace(' ', "") == wanted)
    };
    let is_set = |text: &str| !index.containing_in(member, text).is_empty();
    let tells = |name: &str, ty: &str| match ty {
        "i16" | "i32" | "i64" => {
            starts_as(name, "Set(0)") && is_set(&format!("{name} = {name} + 1"))
        }
        _ if ty.starts_with("Option<") && ty.contains("DateTime") => {
            name.contains("claim") && starts_as(name, "Set(None)")
        }
        _ => false,
    };
    let found = fields.filter(|f| tells(&f.name, &f.ty));
    Ok(found.map(|f| f.name.clone()).collect())
}

/// What a redelivered task reads from its run.
struct RunColumns {
    status: String,
    /// Whether the status is an `Option`.
    optional: bool,
    /// The error, where it is an `Option<String>`.
    error: Option<String>,
}

/// The run's columns; the answer must be an `Option<String>`.
fn run_columns(context: &Context<'_>) -> Outcome<RunColumns> {
    let entity = &context.landmarks.records.run_entity;
    let refuse = |message: String| {
        Refusal::new("run-entity", message)
            .at(context.landmarks.queue.facts.place(&(0..1)))
            .help("a redelivered task reads from its run whether it has ended")
    };
    let facts = context
        .index
        .module_file(entity)
        .map(|path| context.index.facts(&path))
        .transpose()?
        .ok_or_else(|| refuse(format!("cannot find the module `{entity}`")))?;
    let model = facts
        .model()
        .ok_or_else(|| refuse(format!("`{entity}` has no `Model`")))?;
    let answer = model
        .fields
        .iter()
        .any(|f| f.name == "answer" && f.ty == "Option<String>");
    let status = model.fields.iter().find(|f| {
        f.name.contains("status") && matches!(f.ty.as_str(), "String" | "Option<String>")
    });
    match status {
        Some(field) if answer => Ok(RunColumns {
            status: field.name.clone(),
            optional: field.ty.starts_with("Option"),
            error: model
                .fields
                .iter()
                .find(|f| f.name.contains("error") && f.ty == "Option<String>")
                .map(|f| f.name.clone()),
        }),
        _ => Err(refuse(format!(
            "`{entity}::Model` has no status as a String and `answer: Option<String>`"
        ))),
    }
}
