//! Status columns that tasks write, in `tasks/status_table.rs` of the run half: made with the first
//! task that writes one.

use heck::ToUpperCamelCase;

use super::{Piece, dead_letters, gate, last};
use crate::merge::Callers;
use crate::note::Outcome;
use crate::plan::Plan;
use crate::render::{self, merge_imports, render};
use crate::task::Context;
use crate::types::within;

/// The piece.
pub const PIECE: Piece = Piece {
    id: "status_table",
    about: "status columns, and rows that wait for a task that does not exist",
    plan,
};

/// The module's name.
pub(super) const MODULE: &str = "status_table";

/// Whether the task writes a status.
pub(super) fn is_needed(context: &Context<'_>) -> bool {
    context.task.status.is_some()
}

fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    if !is_needed(context) {
        return Ok(());
    }
    let landmarks = context.landmarks;
    let executor = &landmarks.executor;
    let path = executor.task_file(MODULE);
    let krate = executor.module.split("::").next().unwrap_or_default();
    let mut imports = [
        landmarks.spec.path.clone(),
        landmarks.queue.row.entity.clone(),
        format!("{}::TaskRows", gate::module(context)),
    ];
    imports.sort();
    let beside = [
        &*format!("super::{}::Orphans", dead_letters::MODULE),
        &*format!("super::{}::tag_of", dead_letters::MODULE),
        "super::StatusPort",
        "super::Statuses",
    ];
    let (own, others): (Vec<String>, Vec<String>) = imports
        .iter()
        .map(|path| within(krate, path))
        .partition(|path| path.starts_with("crate::"));
    let own = beside.iter().map(|path| (*path).to_owned()).chain(own);
    let text = render(&render::StatusTable {
        tables: gate::tables(context)?,
        imports: merge_imports(others),
        own: merge_imports(own),
        spec_name: last(&landmarks.spec.path).to_owned(),
        spec_column: dead_letters::spec_column(context)?.to_upper_camel_case(),
    })?;
    plan.draft_file(
        PIECE.id,
        "the status columns of tasks",
        &path,
        text,
        context.index.workspace.files.get(&path),
        Callers::EveryTask,
    );
    Ok(())
}
