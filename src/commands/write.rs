//! Writes a plan; what the compiler names in its proof comes to it.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::new::Planned;
use super::proof::Proof;
use crate::apply::{self, Entry, Guards, Journal, State, Written};
use crate::edit::FileChange;
use crate::index::{Index, Memory};
use crate::landmarks::{Coverage, Landmarks};
use crate::note::Outcome;
use crate::pieces::named_by_compiler;
use crate::task::Context;
use crate::verify::CompileError;
use crate::workspace::Workspace;

/// What writing a plan needs to know.
pub(super) struct Writer<'a> {
    pub(super) proof: Proof<'a>,
    /// The command's name.
    pub(super) command: &'static str,
    pub(super) state: &'a State,
    pub(super) guards: Guards,
}

impl Writer<'_> {
    /// Writes `changes`. Where they are proven, the arms that the compiler names come to the
    /// plan and to them; everything is put back where the proof fails.
    pub(super) fn write(
        &self,
        planned: &mut Planned,
        changes: &mut Vec<FileChange>,
    ) -> Outcome<()> {
        let plan = RefCell::new((planned, changes));
        let commit = || {
            let (planned, changes) = &*plan.borrow();
            self.commit(planned, changes)
        };
        let fill = |errors: &[&CompileError]| {
            let (planned, changes) = &mut *plan.borrow_mut();
            self.fill(errors, planned, changes)
        };
        let packages = || {
            let (planned, changes) = &*plan.borrow();
            packages(self.proof.workspace, &planned.landmarks, changes)
        };
        self.proof.run(&packages, &commit, &fill)
    }

    /// Adds the arms that `errors` ask for; `false` where any of them asks for something else.
    fn fill(
        &self,
        errors: &[&CompileError],
        planned: &mut Planned,
        changes: &mut Vec<FileChange>,
    ) -> Outcome<bool> {
        let arms: Option<BTreeSet<_>> = errors.iter().map(|e| e.arm.as_ref()).collect();
        let Some(arms) = arms else {
            return Ok(false);
        };
        let index = Index::new(self.proof.workspace, Memory::default());
        let context = Context {
            index: &index,
            landmarks: &planned.landmarks,
            task: &planned.task,
        };
        // A file of a library is compiled for its tests too, and names the same place again.
        let mut places = BTreeSet::new();
        for arm in arms {
            let is_new = places.insert((&arm.path, arm.at));
            if is_new && !named_by_compiler(&context, arm, changes, &mut planned.plan)? {
                return Ok(false);
            }
        }
        *changes = planned.plan.changes()?;
        apply::check(&self.proof.workspace.root, self.state, changes, self.guards)?;
        Ok(true)
    }

    /// Writes `changes`, which are taken back unless they are kept.
    fn commit(&self, planned: &Planned, changes: &[FileChange]) -> Outcome<Written> {
        let variant = &planned.task.request.variant;
        let files = changes.iter().map(Entry::of).collect();
        let journal = Journal::of(self.command, variant, &planned.task.tag, files);
        let root = &self.proof.workspace.root;
        apply::commit(root, self.state, journal, || self.proof.shell.blocked())
    }
}

/// Packages whose files change, and those that match over the enum.
pub(super) fn packages(
    workspace: &Workspace,
    landmarks: &Landmarks,
    changes: &[FileChange],
) -> Vec<String> {
    let matching = landmarks
        .matches
        .iter()
        .filter(|site| site.coverage != Coverage::Undecided(""))
        .map(|site| site.facts.file.path.as_str());
    let changed = changes.iter().map(|change| change.path.as_str());
    let changed = changed.filter(|path| path.contains('/'));
    workspace.packages_of(changed.chain(matching))
}
