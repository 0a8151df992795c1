//! The clock that enqueues tasks, in `tasks/schedule.rs` of the run half: made with the first
//! task that has a schedule.

use super::task_module::{duration, has_minutes};
use super::{Piece, gate, task_module};
use crate::merge::Callers;
use crate::note::{Outcome, Refusal};
use crate::plan::Plan;
use crate::render::{self, render};
use crate::task::Context;
use crate::types::within;
use crate::workspace::Manifest;

/// The piece.
pub const PIECE: Piece = Piece {
    id: "schedule",
    about: "the clock, where a task has a schedule",
    plan,
};

/// The module's name.
pub(super) const MODULE: &str = "schedule";

/// The crate that reads schedules.
pub(super) const CRATE: &str = "cron";

/// How long the clock sleeps at most.
const PAUSE: std::time::Duration = std::time::Duration::from_mins(1);

/// Whether the task has a schedule.
pub(super) fn is_needed(context: &Context<'_>) -> bool {
    context.task.request.schedule.is_some()
}

fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    if !is_needed(context) {
        return Ok(());
    }
    check_crate(context)?;
    let executor = &context.landmarks.executor;
    let path = executor.task_file(MODULE);
    let krate = executor.module.split("::").next().unwrap_or_default();
    let text = render(&render::Clock {
        gate_path: within(krate, &gate::module(context)),
        pause: duration(PAUSE, has_minutes(context)),
    })?;
    plan.draft_file(
        PIECE.id,
        "the clock",
        &path,
        text,
        context.index.workspace.files.get(&path),
        Callers::EveryTask,
    );
    let module = task_module::path(context);
    let files = &context.index.workspace.files;
    let is_new = files
        .get(&module)
        .is_none_or(|file| !file.text.contains("pub async fn schedule("));
    if is_new {
        let task = context.task.module();
        plan.open_in(
            &module,
            "pub async fn schedule(",
            format!("call `tasks::{task}::schedule` where programs start, in a `tokio::spawn` beside the worker: until then nothing enqueues the task by the clock"),
        );
    }
    Ok(())
}

/// Refuses where no crate that reads cron expressions is at hand.
fn check_crate(context: &Context<'_>) -> Outcome<()> {
    let workspace = context.index.workspace;
    let executor = &context.landmarks.executor;
    let member = workspace.member(&executor.package);
    let depends = member.is_some_and(|member| member.depends_on(CRATE));
    let root = Manifest::parse(workspace.read_text("Cargo.toml")?)?;
    if depends || root.get(&["workspace", "dependencies", CRATE]).is_some() {
        return Ok(());
    }
    let package = &executor.package;
    let message =
        format!("the lock file holds no `{CRATE}` for `{package}` to read a schedule with");
    Err(Refusal::new("no-scheduler", message)
        .at(executor.facts.place(&(0..1)))
        .help(format!(
            "run `cargo add --package {package} {CRATE}`, and try again; or leave --schedule out, and call the task's `enqueue` from the scheduler that you have"
        )))
}
