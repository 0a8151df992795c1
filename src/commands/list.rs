//! `list`: every variant, and which of the seven steps each has.

use super::Opened;
use crate::cli::Common;
use crate::landmarks;
use crate::note::Outcome;
use crate::report::{self, Shell};

/// Runs the command.
pub(super) fn run(shell: &Shell, common: &Common) -> Outcome<()> {
    let Opened {
        workspace,
        config,
        memory,
    } = super::open(common)?;
    let (spec, index) = super::index(&workspace, &config, memory)?;
    let landmarks = landmarks::discover(&index, spec, &config)?;
    let variants = landmarks::steps(&index, &landmarks)?;
    report::list(shell, common.format, &variants);
    Ok(())
}
