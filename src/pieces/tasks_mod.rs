//! The run half: the envelope that all tasks share, in `tasks/mod.rs` beside the executor.

use super::{Piece, gate, last, modules};
use crate::index::whole_words;
use crate::landmarks::ResumeReading;
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
    let has_resume = !matches!(landmarks.resume, ResumeReading::Absent);
    let run = &landmarks.records.run_entity;
    let mut imports = vec![
        executor.assignment_type.clone(),
        executor.executing_type.clone(),
        executor.outcome_type.clone(),
        policy.retry.clone(),
        format!("{gate}::is_from_gate"),
    ];
    imports.extend(has_resume.then(|| run.clone()));
    imports.sort();
    imports.dedup();
    let policies = [policy.backoff.clone(), policy.policy.clone()];
    let mut testing = policies.to_vec();
    testing.extend([format!("{gate}::RootTask"), format!("{gate}::TaskRows")]);
    testing.sort();
    let text = render(&render::TasksMod {
        run: last(run).to_owned(),
        imports: merge_imports(imports.iter().map(|path| within(krate, path))),
        modules: modules::of_tasks(context),
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
        policy_name: last(&policy.policy).to_owned(),
        has_rest: !policy.other_fields.is_empty(),
        retry_field: policy.retry_field.clone(),
        retry_name: last(&policy.retry).to_owned(),
        max_field: policy.max_field.clone(),
        backoff_field: policy.backoff_field.clone(),
        patterns_field: policy.patterns_field.clone(),
        backoff_name: last(&policy.backoff).to_owned(),
        fixed_variant: policy.forms.fixed.0.clone(),
        fixed_field: policy.forms.fixed.1.clone(),
        delay_method: policy.delay_method.clone(),
        testing_imports: merge_imports(testing.iter().map(|path| within(krate, path))),
        tests_imports: merge_imports(policies.iter().map(|path| within(krate, path))),
        has_resume,
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
pub(super) fn other_outcomes(context: &Context<'_>) -> Outcome<String> {
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
