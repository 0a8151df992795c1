//! The enqueue half: key, ids and gate, in the crate that writes the queue's rows.

use heck::ToUpperCamelCase;

use super::{Piece, last};
use crate::merge::Callers;
use crate::note::{Outcome, Refusal};
use crate::plan::Plan;
use crate::render::{self, columns, merge_imports, render};
use crate::task::Context;
use crate::types::within;

/// The piece.
pub const PIECE: Piece = Piece {
    id: "gate",
    about: "the enqueue half: key, ids, gate",
    plan,
};

/// The module's name.
pub(super) const MODULE: &str = "task_gate";

/// The path of the module's file.
pub(super) fn path(context: &Context<'_>) -> Outcome<String> {
    let queue = &context.landmarks.queue;
    let member = context.index.workspace.member(&queue.package);
    let root = member
        .and_then(|member| member.lib())
        .map(|lib| lib.root.clone())
        .ok_or_else(|| {
            Refusal::new("no-library", format!("`{}` has no library", queue.package))
                .at(queue.facts.place(&(0..1)))
                .help("the enqueue function must stand in a library, so that handlers can call its crate")
        })?;
    let dir = root.rsplit_once('/').map_or("", |(dir, _)| dir);
    Ok(format!("{dir}/{MODULE}.rs"))
}

/// The absolute path of the module.
pub(super) fn module(context: &Context<'_>) -> String {
    let queue = &context.landmarks.queue;
    let krate = context.index.workspace.member(&queue.package).map_or_else(
        || queue.package.replace('-', "_"),
        crate::workspace::Member::crate_name,
    );
    format!("{krate}::{MODULE}")
}

fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    let queue = &context.landmarks.queue;
    let path = path(context)?;
    let run = queue.run.as_ref().ok_or_else(|| {
        Refusal::new("no-run-insert", "the queue's row belongs to no run")
            .at(queue.facts.place(&(0..1)))
    })?;
    let own = module(context);
    let krate = own.split("::").next().unwrap_or_default();
    let mut imports: Vec<String> = vec![
        queue.spec_type.clone(),
        context.landmarks.policy.policy.clone(),
        run.entity.clone(),
        queue.row.entity.clone(),
    ];
    imports.extend(run.imports.iter().chain(&queue.row.imports).cloned());
    imports.sort();
    imports.dedup();
    let run_columns = columns(run);
    let queue_columns = columns(&queue.row);
    let needs_not_set = run_columns
        .iter()
        .chain(&queue_columns)
        .any(|(_, value)| value == "NotSet");
    // The literal of each row names its entity; the values are those that it has there.
    let text = render(&render::Gate {
        imports: merge_imports(imports.iter().map(|path| within(krate, path))),
        needs_not_set,
        spec_name: last(&queue.spec_type).to_owned(),
        policy_name: last(&context.landmarks.policy.policy).to_owned(),
        extra: queue.extra.clone(),
        tables: tables(context)?,
        run_source: run.source.clone(),
        queue_source: queue.row.source.clone(),
        run_lets: run.lets.clone(),
        run_columns,
        queue_lets: queue.row.lets.clone(),
        queue_columns,
    })?;
    let existing = context.index.workspace.files.get(&path);
    plan.draft_file(
        PIECE.id,
        "the enqueue half",
        &path,
        text,
        existing,
        Callers::EveryTask,
    );
    Ok(())
}

/// How generated code calls the tables of runs, events and tasks.
pub(super) fn tables(context: &Context<'_>) -> Outcome<render::Tables> {
    let queue = &context.landmarks.queue;
    let records = &context.landmarks.records;
    Ok(render::Tables {
        run: last(&records.run_entity).to_owned(),
        run_id: key_column(context, &records.run_entity)?,
        event: last(&records.events.entity).to_owned(),
        event_run: records.events.run_column.clone(),
        event_kind: records.events.type_column.clone(),
        queue: last(&queue.row.entity).to_owned(),
        queue_id: queue.id_column.to_upper_camel_case(),
        queue_status: queue.status_column.to_upper_camel_case(),
        status_column: queue.status_column.clone(),
        initial_status: queue.initial_status.clone(),
        claimed_status: claimed(context)?,
    })
}

/// The primary key of an entity as its column enum calls it.
fn key_column(context: &Context<'_>, entity: &str) -> Outcome<String> {
    let facts = context
        .index
        .module_file(entity)
        .map(|path| context.index.facts(&path))
        .transpose()?;
    facts
        .as_ref()
        .and_then(|facts| facts.model())
        .and_then(|model| {
            model
                .fields
                .iter()
                .find(|f| f.attributes.iter().any(|a| a.contains("primary_key")))
        })
        .map(|field| field.name.to_upper_camel_case())
        .ok_or_else(|| Refusal::new("entity", format!("`{entity}` has no primary key")))
}

/// What the queue's status says while a worker holds the row: read from the crate's own text.
fn claimed(context: &Context<'_>) -> Outcome<String> {
    let queue = &context.landmarks.queue;
    let words = ["claimed", "running", "in_progress", "processing"];
    status_word(context, &words).ok_or_else(|| {
        let column = &queue.status_column;
        let message = format!("cannot tell what `{column}` says while a worker holds a task");
        Refusal::new("queue-status", message)
            .at(queue.facts.place(&(0..1)))
            .help("the gate treats such a task as running; the claim function is expected to set the column to 'claimed'")
    })
}

/// The first of `words` that the queue's crate sets its status column to.
fn status_word(context: &Context<'_>, words: &[&str]) -> Option<String> {
    let column = &context.landmarks.queue.status_column;
    let texts = queue_texts(context);
    let sets = |word: &&&str| {
        let quoted = [format!("'{word}'"), format!("\"{word}\"")];
        texts.iter().any(|text| {
            quoted.iter().any(|quoted| {
                text.contains(&format!("{column} = {quoted}"))
                    || text.contains(&format!("{column}: Set({quoted}"))
            })
        })
    };
    words.iter().find(sets).map(|word| (*word).to_owned())
}

/// The texts of the queue's crate that name its status column.
fn queue_texts<'w>(context: &Context<'w>) -> Vec<&'w str> {
    let queue = &context.landmarks.queue;
    let index = context.index;
    let member = index.workspace.member(&queue.package);
    let files = member.map(|member| index.containing_in(member, &queue.status_column));
    let files = files.into_iter().flatten();
    files
        .map(|path| index.workspace.files[&path].text.as_str())
        .collect()
}
