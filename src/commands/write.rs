//! Writes a plan, and proves it with the compiler where that was asked for.

use std::collections::BTreeSet;

use super::new::Planned;
use crate::apply::{self, Entry, Guards, Journal, State, Written};
use crate::edit::FileChange;
use crate::index::{Index, Memory};
use crate::landmarks::{Coverage, Landmarks};
use crate::note::{Outcome, Refusal};
use crate::pieces::named_by_compiler;
use crate::report::Shell;
use crate::task::Context;
use crate::verify::{CompileError, Depth, Verifier};
use crate::workspace::{CargoOptions, Workspace};

/// How often arms that the compiler names are added: one error may hide another.
const ROUNDS: usize = 3;

/// What writing needs to know.
pub(super) struct Writer<'a> {
    pub(super) shell: &'a Shell,
    /// The command's name.
    pub(super) command: &'static str,
    pub(super) workspace: &'a Workspace,
    pub(super) state: &'a State,
    pub(super) depth: Depth,
    pub(super) guards: Guards,
    pub(super) cargo: &'a CargoOptions,
}

impl Writer<'_> {
    /// Writes `changes`. Where they are proven, the arms that the compiler names come to the
    /// plan and to them; everything is put back where the proof fails.
    pub(super) fn write(
        &self,
        planned: &mut Planned,
        changes: &mut Vec<FileChange>,
    ) -> Outcome<()> {
        if self.depth == Depth::None {
            return self.commit(planned, changes)?.keep();
        }
        let verifier = Verifier {
            root: &self.workspace.root,
            packages: packages(self.workspace, &planned.landmarks, changes),
            cargo: self.cargo,
        };
        let checked = verifier.packages.join(", ");
        self.shell
            .status("Checking", &format!("{checked} as before the change"));
        let before = verifier.check()?;
        if !before.errors.is_empty() {
            self.shell.attention(
                "Before",
                &format!("{} errors stand that do not count", before.errors.len()),
            );
        }
        for round in 0..=ROUNDS {
            let written = self.commit(planned, changes)?;
            self.shell.status("Checking", "the same with the change");
            let after = match verifier.check() {
                Ok(after) => after,
                Err(refusal) => {
                    written.roll_back()?;
                    return Err(refusal);
                }
            };
            let errors = after.beyond(&before);
            if errors.is_empty() {
                return if self.depth == Depth::Test {
                    self.test(&verifier, written, planned, changes)
                } else {
                    written.keep()
                };
            }
            written.roll_back()?;
            if round == ROUNDS || !self.fill(&errors, planned, changes)? {
                let shown: Vec<&str> = errors.iter().map(|e| e.rendered.as_str()).collect();
                return Err(Refusal::new(
                    "verify",
                    format!(
                        "the result does not compile; every file was put back\n{}",
                        shown.join("\n")
                    ),
                )
                .help("a match that rustc names (E0004) and that could not be filled needs its arm by hand; anything else is a bug of the tool"));
            }
            self.shell
                .status("Filling", "matches that the compiler names (E0004)");
        }
        Ok(())
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
        let index = Index::new(self.workspace, Memory::default());
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
        apply::check(&self.workspace.root, self.state, changes, self.guards)?;
        Ok(true)
    }

    /// Runs the tests; those that failed before do not count.
    fn test(
        &self,
        verifier: &Verifier<'_>,
        written: Written,
        planned: &Planned,
        changes: &[FileChange],
    ) -> Outcome<()> {
        self.shell.status("Testing", &verifier.packages.join(", "));
        let (passed, failed, output) = verifier.test()?;
        if passed {
            return written.keep();
        }
        written.roll_back()?;
        let (before_passed, known, _) = verifier.test()?;
        let fails_anew = failed.difference(&known).next().is_some();
        if before_passed || failed.is_empty() || fails_anew {
            return Err(Refusal::new(
                "verify",
                format!("tests fail; every file was put back\n{output}"),
            )
            .help("the tests above fail only with the change"));
        }
        self.shell.attention(
            "Before",
            &format!("{} tests fail that failed before", known.len()),
        );
        self.commit(planned, changes)?.keep()
    }

    /// Writes `changes`, which are taken back unless they are kept.
    fn commit(&self, planned: &Planned, changes: &[FileChange]) -> Outcome<Written> {
        let journal = Journal {
            command: self.command.to_owned(),
            variant: planned.task.request.variant.clone(),
            tag: planned.task.tag.clone(),
            files: changes.iter().map(Entry::of).collect(),
            dirs: Vec::new(),
        };
        let root = &self.workspace.root;
        apply::commit(root, self.state, journal, || self.shell.blocked())
    }
}

/// Packages whose files change, and those that match over the enum.
fn packages(workspace: &Workspace, landmarks: &Landmarks, changes: &[FileChange]) -> Vec<String> {
    let matching = landmarks
        .matches
        .iter()
        .filter(|site| site.coverage != Coverage::Undecided(""))
        .map(|site| site.facts.file.path.as_str());
    let names: BTreeSet<String> = changes
        .iter()
        .map(|change| change.path.as_str())
        .filter(|path| path.contains('/'))
        .chain(matching)
        .filter_map(|path| workspace.member_of(path))
        .map(|member| member.name.clone())
        .collect();
    names.into_iter().collect()
}
