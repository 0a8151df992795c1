//! Runs the tests of the scaffolded task, and counts them.

use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::note::{Outcome, Refusal};
use crate::toolchain;

/// The tests of one module.
pub struct TaskTests<'a> {
    /// The workspace root.
    pub root: &'a Path,
    /// Cargo's target folder.
    pub target: &'a Path,
    /// The package that the module is in.
    pub package: &'a str,
    /// What the names of its tests hold.
    pub filter: &'a str,
    /// What is handed on to cargo.
    pub flags: &'a [String],
}

/// What the tests gave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tests {
    /// How many passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
    /// Whether cargo succeeded.
    pub succeeded: bool,
}

impl TaskTests<'_> {
    /// The command's arguments, as a person would type them.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let mut args = ["test", "--locked", "--lib", "--package", self.package]
            .map(str::to_owned)
            .to_vec();
        let others = self.flags.iter().filter(|flag| *flag != "--locked");
        args.extend(others.cloned());
        args.push(self.filter.to_owned());
        args
    }

    /// Runs them; each line that they print goes to `print` at once, and what cargo says to stderr.
    pub fn run(&self, mut print: impl FnMut(&[u8])) -> Outcome<Tests> {
        let mut command = Command::new(toolchain::building_cargo());
        command
            .args(self.arguments())
            .current_dir(self.root)
            .env("CARGO_TARGET_DIR", self.target)
            .env("CARGO_BUILD_BUILD_DIR", self.target)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut run = || -> io::Result<Tests> {
            let mut cargo = command.spawn()?;
            let (mut passed, mut failed) = (0, 0);
            if let Some(stdout) = cargo.stdout.take() {
                let mut lines = BufReader::new(stdout);
                let mut line = Vec::new();
                while lines.read_until(b'\n', &mut line)? > 0 {
                    print(&line);
                    let text = String::from_utf8_lossy(&line);
                    passed += count(&text, "passed;");
                    failed += count(&text, "failed;");
                    line.clear();
                }
            }
            Ok(Tests {
                passed,
                failed,
                succeeded: cargo.wait()?.success(),
            })
        };
        run().map_err(|e| {
            Refusal::new("demo-tests", format!("cannot run cargo: {e}")).help("name it in CARGO")
        })
    }
}

/// The number before `word` in a line that sums tests up; 0 in any other.
fn count(line: &str, word: &str) -> usize {
    let Some(sum) = line.strip_prefix("test result: ") else {
        return 0;
    };
    let words: Vec<&str> = sum.split_whitespace().collect();
    let mut pairs = words.windows(2).filter(|pair| pair[1] == word);
    pairs
        .next()
        .and_then(|pair| pair[0].parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_read() {
        let line = "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured\n";
        assert_eq!((count(line, "passed;"), count(line, "failed;")), (2, 1));
        assert_eq!(count("test says 4 passed; ok\n", "passed;"), 0);
    }

    #[test]
    fn what_is_locked_is_said_once() {
        let flags = ["--offline", "--locked"].map(str::to_owned);
        let tests = TaskTests {
            root: Path::new("."),
            target: Path::new("target"),
            package: "a",
            filter: "::b::",
            flags: &flags,
        };
        assert_eq!(
            tests.arguments().join(" "),
            "test --locked --lib --package a --offline ::b::"
        );
    }
}
