//! `undo`: takes back the last command that wrote.

use std::collections::BTreeSet;

use super::proof::Proof;
use crate::apply::{self, Journal};
use crate::cli::{Common, Writing};
use crate::note::{Outcome, Refusal};
use crate::report::{self, Shell};
use crate::workspace::Workspace;

/// Runs the command. Nothing of anybody else is overwritten, so that no guard is needed.
pub(super) fn run(shell: &Shell, common: &Common, writing: &Writing) -> Outcome<()> {
    writing.check()?;
    let cargo = common.cargo();
    let workspace = Workspace::locate(&cargo)?;
    let state = workspace.state();
    super::recover(shell, &state)?;
    let Some(last) = Journal::last(&state)? else {
        return Err(Refusal::new(
            "nothing-to-undo",
            "no command wrote in this workspace, or the last one was taken back",
        )
        .help("what is committed is taken back with `git revert`"));
    };
    let back = apply::undo(&workspace.root, &last)?;
    if !writing.dry_run {
        let commit = || {
            let blocked = || shell.blocked();
            apply::take_back(&workspace.root, &state, &last, back.clone(), blocked)
        };
        let packages = || {
            let files = back.files.iter();
            let members = files.filter_map(|file| workspace.member_of(&file.path));
            let names: BTreeSet<String> = members.map(|member| member.name.clone()).collect();
            names.into_iter().collect()
        };
        let proof = Proof {
            shell,
            workspace: &workspace,
            depth: writing.verify,
            cargo: &cargo,
        };
        proof.run(&packages, &commit, &|_| Ok(false))?;
    }
    report::undone(shell, common.format, &last, &back, !writing.dry_run);
    Ok(())
}
