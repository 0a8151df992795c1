//! Proves what was written, by the compiler and the tests of the workspace.
//!
//! The state before is checked first: errors that stood there do not count against the tool.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use clap::ValueEnum;
use serde_json::Value;

use crate::note::{Outcome, Refusal};
use crate::workspace::CargoOptions;

/// How deep to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Depth {
    /// Not at all.
    None,
    /// `cargo check --all-targets`.
    Check,
    /// `cargo test` on top.
    Test,
}

/// Runs cargo on the packages that a change concerns.
pub struct Verifier<'a> {
    /// The workspace root.
    pub root: &'a Path,
    /// The packages.
    pub packages: Vec<String>,
    /// What the user said about cargo.
    pub cargo: &'a CargoOptions,
}

/// What the compiler said.
#[derive(Debug, Default)]
pub struct Findings {
    /// Errors: a key that does not depend on lines, and the compiler's own rendering.
    pub errors: Vec<(String, String)>,
    /// Whether cargo succeeded.
    pub succeeded: bool,
    /// What cargo itself said, where it said nothing about code.
    pub stderr: String,
}

impl Findings {
    /// Errors that `before` does not have.
    #[must_use]
    pub fn beyond(&self, before: &Self) -> Vec<&str> {
        let known: BTreeSet<&str> = before.errors.iter().map(|(key, _)| key.as_str()).collect();
        self.errors
            .iter()
            .filter(|(key, _)| !known.contains(key.as_str()))
            .map(|(_, rendered)| rendered.as_str())
            .collect()
    }
}

impl Verifier<'_> {
    /// `cargo check --all-targets`; refuses when cargo cannot even begin.
    pub fn check(&self) -> Outcome<Findings> {
        let mut command = self.cargo("check");
        command.args(["--all-targets", "--keep-going", "--message-format=json"]);
        let output = run(&mut command)?;
        let mut findings = Findings {
            succeeded: output.0,
            stderr: output.2,
            ..Findings::default()
        };
        for line in output.1.lines() {
            let Ok(message) = serde_json::from_str::<Value>(line) else {
                continue;
            };
            let message = &message["message"];
            if message["level"] != "error" {
                continue;
            }
            let file = message["spans"][0]["file_name"]
                .as_str()
                .unwrap_or_default();
            let text = message["message"].as_str().unwrap_or_default();
            if text.starts_with("aborting due to") {
                continue;
            }
            let rendered = message["rendered"].as_str().unwrap_or(text).to_owned();
            findings.errors.push((format!("{file}: {text}"), rendered));
        }
        if !findings.succeeded && findings.errors.is_empty() {
            return Err(Refusal::new(
                "verify",
                format!(
                    "cargo cannot build the workspace\n{}",
                    findings.stderr.trim_end()
                ),
            )
            .help("mend what cargo names above, or leave --verify out"));
        }
        Ok(findings)
    }

    /// `cargo test`; gives the names of the tests that fail, and what was printed.
    pub fn test(&self) -> Outcome<(bool, BTreeSet<String>, String)> {
        let mut command = self.cargo("test");
        command.args(["--no-fail-fast"]);
        let (succeeded, stdout, stderr) = run(&mut command)?;
        let failed = stdout
            .lines()
            .filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"))
            .map(str::to_owned)
            .collect();
        Ok((succeeded, failed, format!("{stdout}{stderr}")))
    }

    fn cargo(&self, verb: &str) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut command = Command::new(cargo);
        command
            .arg(verb)
            .current_dir(self.root)
            .args(&self.cargo.flags);
        for package in &self.packages {
            command.args(["--package", package]);
        }
        command
    }
}

fn run(command: &mut Command) -> Outcome<(bool, String, String)> {
    let output = command.stdin(Stdio::null()).output().map_err(|e| {
        Refusal::new("verify", format!("cannot run cargo: {e}")).help("name it in CARGO")
    })?;
    Ok((
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    ))
}
