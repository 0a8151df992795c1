//! `doctor`: which landmarks were found where, and why.

use super::Opened;
use crate::cli::Common;
use crate::landmarks;
use crate::note::Outcome;
use crate::report::{Found, Shell};

/// Runs the command.
pub(super) fn run(shell: &Shell, common: &Common) -> Outcome<()> {
    let Opened {
        workspace,
        config,
        memory,
    } = super::open(common)?;
    let (spec, index) = super::index(&workspace, &config, memory)?;
    let landmarks = landmarks::discover(&index, spec, &config)?;
    let tasks = landmarks::task_modules(&index, &landmarks.spec, &landmarks.executor)?;
    let scheduler = landmarks::find_scheduler(&index, &landmarks.executor)?;
    Found {
        landmarks: &landmarks,
        scheduler: &scheduler,
        tasks: &tasks,
    }
    .show(shell, common.format)
}
