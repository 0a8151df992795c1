//! What `demo` did, and what to try next.

use std::borrow::Cow;
use std::path::Path;

use serde_json::json;

use super::{Report, Shell, human, json, unified};
use crate::cli::Format;
use crate::demo::Tests;
use crate::note::Refusal;

/// A task that was scaffolded into the unpacked workspace.
pub struct Demonstrated<'a> {
    /// The folder as it was named.
    pub dir: &'a Path,
    /// Its absolute path.
    pub absolute: &'a Path,
    /// What was scaffolded.
    pub report: &'a Report<'a>,
    /// Whether it is a git repository of its own.
    pub has_repository: bool,
}

impl Demonstrated<'_> {
    /// Shows what was scaffolded: people see the diff, and scripts get their object at the end.
    pub fn show_diff(&self, shell: &Shell, format: Format) {
        match format {
            Format::Human => {
                human::show(self.report, shell);
                shell.diff(&unified(self.report.changes));
            }
            Format::Markdown | Format::Sarif => self.report.show(shell, format),
            Format::Json => {}
        }
    }

    /// Shows what the tests gave; `failed` says why they are no success.
    pub fn show_tests(
        &self,
        shell: &Shell,
        format: Format,
        tests: Tests,
        failed: Option<&Refusal>,
    ) {
        if format == Format::Json {
            shell.product(&self.object(tests, failed).to_string());
        }
        if let Some(refusal) = failed {
            human::refusal(shell, refusal);
            return;
        }
        let name = &self.report.task.request.variant;
        let dir = self.dir.display();
        shell.status(
            "Finished",
            &format!(
                "`{name}` stands in `{dir}`, and its {} tests pass; its work is yours to write",
                tests.passed
            ),
        );
        let next = self.next();
        let width = next.iter().map(|(command, _)| command.chars().count());
        let width = width.max().unwrap_or(0);
        for (at, (command, about)) in next.iter().enumerate() {
            let verb = if at == 0 { "Try next" } else { "" };
            shell.status(verb, &format!("{command:<width$}  # {about}"));
        }
    }

    fn object(&self, tests: Tests, failed: Option<&Refusal>) -> serde_json::Value {
        let created = self.report.changes.iter().filter(|c| c.before.is_none());
        let created = created.count();
        let mut object = json::object(self.report);
        object["dir"] = json!(self.absolute.to_string_lossy());
        object["repository"] = json!(self.has_repository);
        object["files"] = json!({
            "created": created,
            "edited": self.report.changes.len() - created,
        });
        object["tests"] = json!({ "passed": tests.passed, "failed": tests.failed });
        if let Some(refusal) = failed {
            object["error"] = json::error(refusal);
        }
        object
    }

    /// Where the unpacked workspace spawns its import of a repository.
    fn import(&self) -> Option<String> {
        let path = "crates/app/src/server/api/onboarding.rs";
        let text = std::fs::read_to_string(self.absolute.join(path)).ok()?;
        let at = text.find("tokio::spawn(")?;
        Some(format!("{path}:{}", text[..at].matches('\n').count() + 1))
    }

    /// Commands, each with what it shows.
    fn next(&self) -> Vec<(String, &'static str)> {
        let dir = self.dir.to_string_lossy();
        let mut next = vec![(format!("cd {}", quoted(&dir)), "where it is")];
        let mut add = |command: &str, about| next.push((command.to_owned(), about));
        if self.has_repository {
            add(
                "git diff",
                "what was edited; `git status` has the new files",
            );
        }
        add(
            "cargo oxy-task list",
            "every variant, and which of the seven steps it has",
        );
        add("cargo oxy-task doctor", "what was found where, and why");
        add(
            "cargo oxy-task survey",
            "every spawn, and what the guideline says of it",
        );
        if let Some(import) = self.import() {
            let command =
                format!("cargo oxy-task migrate-spawn {import} --as ImportRepository --dry-run");
            add(&command, "the repository import as a task");
        }
        let guards = if self.has_repository {
            ""
        } else {
            " --allow-no-vcs --allow-dirty"
        };
        add("cargo oxy-task undo", "takes the task back, byte for byte");
        add(
            &format!("cargo oxy-task new SendReport to:String{guards}"),
            "another task",
        );
        next
    }
}

/// A path as a shell reads it.
fn quoted(path: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-:\\~".contains(c);
    if !path.is_empty() && path.chars().all(is_plain) {
        return path.into();
    }
    if cfg!(windows) {
        format!("\"{path}\"").into()
    } else {
        format!("'{}'", path.replace('\'', r"'\''")).into()
    }
}
