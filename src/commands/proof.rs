//! Writes what a command has to write, and proves it with cargo where that was asked for.

use crate::apply::Written;
use crate::note::{Outcome, Refusal};
use crate::report::Shell;
use crate::verify::{CompileError, Depth, Verifier};
use crate::workspace::{CargoOptions, Workspace};

/// How often what the compiler names is added: one error may hide another.
const ROUNDS: usize = 3;

/// How what is written is proven.
pub(super) struct Proof<'a> {
    pub(super) shell: &'a Shell,
    pub(super) workspace: &'a Workspace,
    pub(super) depth: Depth,
    pub(super) cargo: &'a CargoOptions,
}

impl Proof<'_> {
    /// Writes by `commit`, and keeps what was written where `packages` compile (and pass their
    /// tests) as they did before; else everything is put back.
    ///
    /// `fill` is given the errors that are new, and says whether another `commit` may do better.
    pub(super) fn run(
        &self,
        packages: &dyn Fn() -> Vec<String>,
        commit: &dyn Fn() -> Outcome<Written>,
        fill: &dyn Fn(&[&CompileError]) -> Outcome<bool>,
    ) -> Outcome<()> {
        if self.depth == Depth::None {
            return commit()?.keep();
        }
        let verifier = Verifier {
            root: &self.workspace.root,
            packages: packages(),
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
            let written = commit()?;
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
                    self.test(&verifier, written, commit)
                } else {
                    written.keep()
                };
            }
            written.roll_back()?;
            if round == ROUNDS || !fill(&errors)? {
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

    /// Runs the tests; those that failed before do not count.
    fn test(
        &self,
        verifier: &Verifier<'_>,
        written: Written,
        commit: &dyn Fn() -> Outcome<Written>,
    ) -> Outcome<()> {
        self.shell.status("Testing", &verifier.packages.join(", "));
        let (passed, failed, output) = match verifier.test() {
            Ok(tested) => tested,
            Err(refusal) => {
                written.roll_back()?;
                return Err(refusal);
            }
        };
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
        commit()?.keep()
    }
}
