//! How tasks get at secrets, in `tasks/secrets.rs` of the run half: made with the first task that
//! refers to one.

use super::Piece;
use crate::merge::Callers;
use crate::note::Outcome;
use crate::plan::Plan;
use crate::render::{self, render};
use crate::task::Context;

/// The piece.
pub const PIECE: Piece = Piece {
    id: "secrets",
    about: "how tasks get at secrets, where one refers to any",
    plan,
};

/// The module's name.
pub(super) const MODULE: &str = "secrets";

/// Whether the task refers to a secret.
pub(super) fn is_needed(context: &Context<'_>) -> bool {
    let mut fields = context.task.fields.iter();
    fields.any(|(field, _)| field.is_secret)
}

fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    if !is_needed(context) {
        return Ok(());
    }
    let path = context.landmarks.executor.task_file(MODULE);
    let existing = context.index.workspace.files.get(&path);
    let is_new = existing.is_none();
    plan.draft_file(
        PIECE.id,
        "how tasks get at secrets",
        &path,
        render(&render::Secrets {})?,
        existing,
        Callers::EveryTask,
    );
    if is_new {
        plan.open_in(
            &path,
            "pub fn register",
            "call `register` where each program that works on tasks starts: until then a task that needs a secret fails",
        );
    }
    Ok(())
}
