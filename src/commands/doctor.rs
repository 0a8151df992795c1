//! `doctor`: which landmarks were found where, and why.

use crate::cli::Common;
use crate::landmarks;
use crate::note::Outcome;
use crate::report::{Found, Shell};

/// Runs the command.
pub(super) fn run(shell: &Shell, common: &Common) -> Outcome<()> {
    super::read(shell, common, |index, landmarks| {
        let tasks = landmarks::task_modules(index, &landmarks.spec, &landmarks.executor)?;
        let scheduler = landmarks::find_scheduler(index, &landmarks.executor)?;
        Found {
            landmarks,
            scheduler: &scheduler,
            tasks: &tasks,
        }
        .show(shell, common.format)
    })
}
