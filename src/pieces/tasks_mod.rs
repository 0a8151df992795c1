//! The run half: the envelope that all tasks share, in `tasks/mod.rs` beside the executor.

use heck::ToUpperCamelCase;

use super::{Piece, dead_letters, gate, last, modules, orphans, schedule, secrets};
use crate::index::whole_words;
use crate::landmarks::{ResumeReading, Value};
use crate::merge::Callers;
use crate::note::{Outcome, Refusal};
use crate::plan::Plan;
use crate::render::{self, ExecutingNames, merge_imports, render};
use crate::task::Context;
use crate::types::within;

/// The piece.
pub const PIECE: Piece = Piece {
    id: "tasks_mod",
    about: "the run half: envelope, errors, ports",
    plan,
};

/// The path of the module's file.
pub(super) fn path(context: &Context<'_>) -> String {
    context.landmarks.executor.task_file("mod")
}

fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    let landmarks = context.landmarks;
    let executor = &landmarks.executor;
    let policy = &landmarks.policy;
    let path = path(context);
    let existing = context.index.workspace.files.get(&path);
    let gate = gate::module(context);
    let krate = executor.module.split("::").next().unwrap_or_default();
    let parent = |path: &str| {
        path.rsplit_once("::")
            .map(|(p, _)| p.to_owned())
            .unwrap_or_default()
    };
    let records = &landmarks.records;
    let mut imports = vec![
        executor.assignment_type.clone(),
        executor.executing_type.clone(),
        executor.outcome_type.clone(),
        policy.retry.clone(),
        records.run_entity.clone(),
        parent(&records.end.path),
        parent(&records.append.path),
        parent(&records.max_seq.path),
    ];
    imports.sort();
    imports.dedup();
    let prefix = |path: &str| format!("{}::", last(&parent(path)));
    let RunColumns {
        status,
        optional,
        error,
    } = run_columns(context)?;
    imports.push(landmarks.queue.row.entity.clone());
    imports.push(records.events.entity.clone());
    imports.push(format!("{gate}::TaskRows"));
    imports.sort();
    imports.dedup();
    let text = render(&render::TasksMod {
        imports: merge_imports(imports.iter().map(|path| within(krate, path))),
        modules: {
            let mut modules = vec![dead_letters::MODULE.to_owned(), context.task.module()];
            if orphans::is_needed(context) {
                modules.push(orphans::MODULE.to_owned());
            }
            if schedule::is_needed(context) {
                modules.push(schedule::MODULE.to_owned());
            }
            if secrets::is_needed(context) {
                modules.push(secrets::MODULE.to_owned());
            }
            modules.sort_by_key(|name| modules::bare(name).to_owned());
            modules
        },
        events: landmarks.events.clone(),
        assignment_name: last(&executor.assignment_type).to_owned(),
        executing_name: executor.executing_name.clone(),
        executing: ExecutingNames {
            events: executor.executing.events.clone(),
            outcomes: executor.executing.outcomes.clone(),
            cancel: executor.executing.cancel.clone(),
            none: executor.executing.none.clone(),
        },
        outcome_name: last(&executor.outcome_type).to_owned(),
        other_outcomes: other_outcomes(context)?,
        done_rest: executor.done_rest.clone(),
        policy_name: policy.policy.clone(),
        has_rest: !policy.other_fields.is_empty(),
        retry_field: policy.retry_field.clone(),
        retry_name: last(&policy.retry).to_owned(),
        max_field: policy.max_field.clone(),
        backoff_field: policy.backoff_field.clone(),
        patterns_field: policy.patterns_field.clone(),
        backoff_name: policy.backoff.clone(),
        fixed_variant: policy.forms.fixed.0.clone(),
        fixed_field: policy.forms.fixed.1.clone(),
        delay_method: policy.delay_method.clone(),
        tables: gate::tables(context)?,
        run_status: status,
        run_status_deref: if optional { ".as_deref()" } else { ".as_str()" }.to_owned(),
        some_open: if optional { "Some(" } else { "" }.to_owned(),
        some_close: if optional { ")" } else { "" }.to_owned(),
        run_answer: "answer".to_owned(),
        run_error_column: error.as_ref().map(|error| error.to_upper_camel_case()),
        run_error: error.map_or("\"failed before\".to_owned()".to_owned(), |error| {
            format!("run.{error}.unwrap_or_default()")
        }),
        tag_key: context.task.tag_key.clone().unwrap_or_default(),
        claim: claim_columns(context)?,
        max_seq_call: records.max_seq.call(&prefix(&records.max_seq.path)),
        append_call: records.append.call(&prefix(&records.append.path)),
        end_call: records.end.call(&prefix(&records.end.path)),
        gate_path: gate,
        has_resume: !matches!(landmarks.resume, ResumeReading::Absent),
    })?;
    let standing = existing.map_or(&*text, |file| &*file.text);
    let declaration = format!("mod {};", context.task.module());
    if existing.is_none() || !standing.contains(&declaration) {
        check_module_name(context, standing)?;
    }
    plan.draft_file(
        PIECE.id,
        "the run half",
        &path,
        text,
        existing,
        Callers::EveryTask,
    );
    Ok(())
}

/// Refuses a module that would hide what `text`, the file that declares it, has under its name: a
/// crate, or a module that it imports. All of them stand there at the start of some path.
fn check_module_name(context: &Context<'_>, text: &str) -> Outcome<()> {
    let (snake, module) = (&context.task.snake, context.task.module());
    let starts_path =
        |at: usize| text[at + snake.len()..].starts_with("::") && !text[..at].ends_with("::");
    if !whole_words(text, snake).any(starts_path) {
        return Ok(());
    }
    let name = &context.task.request.variant;
    let why = format!(
        "`{name}` would have `{module}` as its module, and `{}` has something else of that name",
        path(context)
    );
    Err(Refusal::new("variant-name", why)
        .at(context.landmarks.executor.facts.place(&(0..1)))
        .help(format!("say more of the work: `{name}Something`")))
}

/// A pattern for what an outcome can be beside done, failed and cancelled.
fn other_outcomes(context: &Context<'_>) -> Outcome<String> {
    let outcome = &context.landmarks.executor.outcome_type;
    let name = last(outcome);
    let facts = context.index.definition(outcome)?;
    let facts = facts.iter().flat_map(|facts| &facts.enums);
    let variants = facts.filter(|e| e.name == name).flat_map(|e| &e.variants);
    let others = variants.filter(|v| !["Done", "Failed", "Cancelled"].contains(&v.name.as_str()));
    let patterns: Vec<String> = others
        .map(|variant| {
            let fields = match &variant.fields {
                None => "(..)",
                Some(fields) if fields.is_empty() => "",
                Some(_) => " { .. }",
            };
            format!("{name}::{}{fields}", variant.name)
        })
        .collect();
    Ok(patterns.join(" | "))
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
