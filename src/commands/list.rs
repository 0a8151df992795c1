//! `list`: every variant, and which of the seven steps each has.

use crate::cli::Common;
use crate::landmarks;
use crate::note::Outcome;
use crate::report::{self, Shell};

/// Runs the command.
pub(super) fn run(shell: &Shell, common: &Common) -> Outcome<()> {
    super::read(shell, common, |index, landmarks| {
        let variants = landmarks::steps(index, landmarks)?;
        report::list(shell, common.format, &variants);
        Ok(())
    })
}
