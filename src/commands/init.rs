//! `init`: writes what was detected into the configuration, so that it is not left to chance.

use super::proof::Proof;
use crate::apply::{self, Entry, Journal};
use crate::cli::{Common, Writing};
use crate::edit::FileChange;
use crate::init;
use crate::note::Outcome;
use crate::report::{self, Shell};
use crate::workspace::Manifest;

/// Runs the command.
pub(super) fn run(shell: &Shell, common: &Common, writing: &Writing) -> Outcome<()> {
    writing.check()?;
    super::read(shell, common, |index, landmarks| {
        let workspace = index.workspace;
        let manifest = Manifest::parse(workspace.read_text("Cargo.toml")?)?;
        let lines = init::missing(index, landmarks, &manifest)?;
        let change: Option<FileChange> = init::change(&manifest, &lines)?;
        let changes = Vec::from_iter(change);
        let applied = !writing.dry_run && !changes.is_empty();
        if applied {
            let state = workspace.state();
            let root = &workspace.root;
            apply::check(root, &state, &changes, writing.guards())?;
            let commit = || {
                let files = changes.iter().map(Entry::of).collect();
                let journal = Journal::of("init", "", "", files);
                apply::commit(root, &state, journal, || shell.blocked())
            };
            let cargo = common.cargo();
            let proof = Proof {
                shell,
                workspace,
                depth: writing.verify,
                cargo: &cargo,
            };
            let packages = || vec![landmarks.spec.package.clone()];
            proof.run(&packages, &commit, &|_| Ok(false))?;
        }
        report::configured(shell, common.format, landmarks, &changes, &lines, applied);
        Ok(())
    })
}
