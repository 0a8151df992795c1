//! What the user sees: one file a form, reading only plans, changes and notes.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is where printing belongs"
)]

mod check;
mod configured;
mod demo;
mod diff;
mod doctor;
mod human;
mod json;
mod list;
mod markdown;
mod recorded;
mod removed;
mod repaired;
mod sarif;
mod sheet;
mod survey;
mod undone;
mod written;

pub use check::show as check;
pub use configured::show as configured;
pub use demo::Demonstrated;
pub use diff::unified;
pub use doctor::Found;
pub use human::Shell;
pub(crate) use human::printable;
pub use list::show as list;
pub use recorded::{Recording, show as recorded};
pub use removed::{Removed, show as removed};
pub use repaired::{Repaired, show as repaired};
pub use sheet::{Sheet, show as sheet};
pub use survey::show as survey;
pub use undone::show as undone;
pub use written::{Fate, show as written};

use crate::cli::Format;
use crate::edit::FileChange;
use crate::landmarks::Landmarks;
use crate::note::Refusal;
use crate::plan::Plan;
use crate::task::Task;

/// What a command that writes has to report.
pub struct Report<'a> {
    /// The command's name.
    pub command: &'static str,
    /// The task.
    pub task: &'a Task,
    /// What was found.
    pub landmarks: &'a Landmarks,
    /// The plan.
    pub plan: &'a Plan,
    /// Its changes.
    pub changes: &'a [FileChange],
    /// Whether they were written.
    pub applied: bool,
    /// Whether they were proposed before, with all that there is to note.
    pub proposed: bool,
}

impl Report<'_> {
    /// Shows the report in `format`.
    pub fn show(&self, shell: &Shell, format: Format) {
        match format {
            Format::Human => human::show(self, shell),
            Format::Json => shell.product(&json::object(self).to_string()),
            Format::Markdown | Format::Sarif => shell.product(&markdown::sheet(self)),
        }
    }

    /// Shows what would be written, for a person to decide.
    pub fn propose(&self, shell: &Shell) {
        human::propose(self, shell);
    }

    /// In what order the change is to be deployed, and why.
    fn deployment(&self) -> String {
        let further: Vec<String> = self.task.further.iter().map(|f| format!("`{f}`")).collect();
        if further.is_empty() {
            "every worker first, then what enqueues: a worker of the release before cannot decode the new tag and fails the row".to_owned()
        } else {
            format!(
                "every worker first, then what sets {}: a worker of the release before ignores new fields",
                further.join(" and ")
            )
        }
    }
}

/// Arguments as a shell reads them.
#[must_use]
pub fn command_line(arguments: &[String]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-:=,.@/".contains(c);
    let quoted = arguments.iter().map(|argument| {
        if !argument.is_empty() && argument.chars().all(is_plain) {
            return argument.clone();
        }
        format!("'{}'", argument.replace('\'', "'\\''"))
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// Shows a refusal, in JSON too where that is the form.
pub fn refusal(
    shell: &Shell,
    format: Format,
    command: &str,
    variant: Option<&str>,
    refusal: &Refusal,
) {
    if format == Format::Json {
        shell.product(&json::refusal(command, variant, refusal).to_string());
    }
    human::refusal(shell, refusal);
}
