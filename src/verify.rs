//! Proves what was written, by the compiler and the tests of the workspace.
//!
//! The state before is checked first: errors that stood there do not count against the tool.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use clap::ValueEnum;
use serde_json::Value;

use crate::note::{Outcome, Refusal};
use crate::toolchain;
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
    /// What does not compile.
    pub errors: Vec<CompileError>,
    /// Whether cargo succeeded.
    pub succeeded: bool,
    /// What cargo itself said, where it said nothing about code.
    pub stderr: String,
}

/// An error of the compiler.
#[derive(Debug)]
pub struct CompileError {
    /// What it says, with its file: a key that does not depend on lines.
    key: String,
    /// The compiler's own rendering.
    pub rendered: String,
    /// The arm that a match lacks, where that is the error (E0004) and the compiler says where
    /// it belongs.
    pub arm: Option<MissingArm>,
}

/// An arm that a match lacks, as the compiler suggests it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingArm {
    /// The file as the compiler names it: relative to the workspace root where it lies there.
    pub path: String,
    /// The byte at which the arm goes in.
    pub at: usize,
    /// The arm's pattern.
    pub pattern: String,
    /// The white space that its line starts with.
    pub indent: String,
}

impl Findings {
    /// Errors that `before` does not have.
    #[must_use]
    pub fn beyond(&self, before: &Self) -> Vec<&CompileError> {
        let known: BTreeSet<&str> = before.errors.iter().map(|e| e.key.as_str()).collect();
        self.errors
            .iter()
            .filter(|error| !known.contains(error.key.as_str()))
            .collect()
    }
}

/// The arm that rustc suggests: `,\n        Enum::Variant { .. } => todo!()` at one place.
fn missing_arm(message: &Value) -> Option<MissingArm> {
    if message["code"]["code"] != "E0004" {
        return None;
    }
    let children = message["children"].as_array()?;
    let mut spans = children
        .iter()
        .filter_map(|child| child["spans"].as_array())
        .flatten()
        .filter(|span| span["suggested_replacement"].is_string());
    let (span, more) = (spans.next()?, spans.next());
    let text = span["suggested_replacement"].as_str()?;
    let arm = text.strip_prefix(',').unwrap_or(text);
    let (pattern, body) = arm.split_once(" => ")?;
    let is_one_place = span["byte_start"] == span["byte_end"] && more.is_none();
    if !is_one_place || body.trim_end_matches(',') != "todo!()" {
        return None;
    }
    let (indent, pattern) = pattern
        .rsplit_once('\n')
        .map_or(("", pattern), |(_, line)| {
            line.split_at(line.len() - line.trim_start().len())
        });
    Some(MissingArm {
        path: span["file_name"].as_str()?.replace('\\', "/"),
        at: usize::try_from(span["byte_start"].as_u64()?).ok()?,
        pattern: pattern.trim().to_owned(),
        indent: indent.to_owned(),
    })
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
            findings.errors.push(CompileError {
                key: format!("{file}: {text}"),
                rendered,
                arm: missing_arm(message),
            });
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
        let mut command = Command::new(toolchain::building_cargo());
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
