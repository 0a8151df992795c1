//! `undo`: takes back the last command that wrote.

use crate::apply::{self, Journal, State};
use crate::cli::Common;
use crate::note::{Outcome, Refusal};
use crate::report::{self, Shell};
use crate::workspace::Workspace;

/// Runs the command.
pub(super) fn run(shell: &Shell, common: &Common, dry_run: bool) -> Outcome<()> {
    let (root, target) = Workspace::locate(&common.cargo())?;
    let state = State::of(&root, &target);
    super::recover(shell, &state)?;
    let Some(last) = Journal::last(&state)? else {
        return Err(Refusal::new(
            "nothing-to-undo",
            "no command wrote in this workspace, or the last one was taken back",
        )
        .help("what is committed is taken back with `git revert`"));
    };
    let back = apply::undo(&root, &last)?;
    if !dry_run {
        apply::take_back(&root, &state, &last, back.clone(), || shell.blocked())?;
    }
    report::undone(shell, common.format, &last, &back, !dry_run);
    Ok(())
}
