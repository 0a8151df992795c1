//! What recorded tasks lacked, and got.

use serde_json::{Value, json};

use super::{Shell, json, markdown, unified};
use crate::cli::Format;
use crate::edit::FileChange;
use crate::plan::{Plan, State};
use crate::task::Task;

/// What there is to say of tasks that were planned again.
pub struct Repaired<'a> {
    /// Each task with its plan.
    pub tasks: &'a [(&'a Task, &'a Plan)],
    /// The changes of all.
    pub changes: &'a [FileChange],
    /// Whether they were written.
    pub applied: bool,
}

/// Shows it in `format`.
pub fn show(shell: &Shell, format: Format, of: &Repaired<'_>) {
    match format {
        Format::Human => human(shell, of),
        Format::Json => shell.product(&object(of).to_string()),
        Format::Markdown | Format::Sarif => shell.product(&sheet(of)),
    }
}

impl Repaired<'_> {
    /// Tasks that lacked anything.
    fn lacking(&self) -> impl Iterator<Item = &(&Task, &Plan)> {
        self.tasks.iter().filter(|(_, plan)| !plan.is_complete())
    }

    /// What is worth saying: of a task that lacks nothing, what is lost for good alone.
    fn notes(&self) -> impl Iterator<Item = &crate::note::Note> {
        self.tasks.iter().flat_map(|(_, plan)| {
            let all = plan.notes.iter();
            all.filter(|note| !plan.is_complete() || note.code == "piece-gone")
        })
    }

    /// What is left for a person: path, line, and what.
    fn open(&self) -> Vec<(String, usize, &str)> {
        let open = self.lacking().flat_map(|(_, plan)| &plan.open);
        open.map(|open| {
            let (path, line) = open.resolve(self.changes);
            (path, line, open.what.as_str())
        })
        .collect()
    }

    fn summary(&self) -> String {
        let lacking: Vec<String> = self
            .lacking()
            .map(|(task, _)| format!("`{}`", task.request.variant))
            .collect();
        let all = self.tasks.len();
        if lacking.is_empty() {
            return format!("nothing is missing of {all} recorded tasks; nothing was written");
        }
        let edited = self.changes.iter().filter(|c| c.before.is_some()).count();
        let made = self.changes.len() - edited;
        format!(
            "{} of {all} recorded tasks: {edited} files edited, {made} made",
            lacking.join(", ")
        )
    }
}

fn human(shell: &Shell, of: &Repaired<'_>) {
    for note in of.notes() {
        shell.note(note);
    }
    for (_, plan) in of.lacking() {
        for step in &plan.steps {
            let line = format!("{} in {}", step.title, step.path);
            match step.state {
                State::Pending if of.applied => shell.status("Added", &line),
                State::Pending => shell.status("Would add", &line),
                State::Undecided => shell.attention("Left", &line),
                State::Present => {}
            }
        }
    }
    if !of.applied {
        shell.diff(&unified(of.changes));
    }
    let is_dry = !of.applied && !of.changes.is_empty();
    shell.status(if is_dry { "Dry run" } else { "Finished" }, &of.summary());
    for (path, line, what) in of.open() {
        shell.attention("To do", &format!("{path}:{line}: {what}"));
    }
}

/// The object of the command line's contract.
fn object(of: &Repaired<'_>) -> Value {
    let (variant, tag) = match of.tasks {
        [(task, _)] => (Some(task.request.variant.as_str()), Some(task.tag.as_str())),
        _ => (None, None),
    };
    let created = of.changes.iter().filter(|change| change.before.is_none());
    let open = of.open();
    let open = open
        .iter()
        .map(|(path, line, what)| json!({ "path": path, "line": line, "what": what }));
    let repaired = of.lacking();
    let repaired =
        repaired.map(|(task, _)| json!({ "variant": task.request.variant, "tag": task.tag }));
    let mut object = json::base("repair", [variant, tag], of.applied);
    object["edits"] = json::edits(of.changes).into();
    object["created"] = created
        .map(|change| json!({ "path": change.path }))
        .collect();
    object["open"] = open.collect();
    object["repaired"] = repaired.collect();
    object["warnings"] = of.notes().map(json::warning).collect();
    if !of.applied {
        object["diff"] = Value::from(unified(of.changes));
    }
    object
}

/// The review sheet.
fn sheet(of: &Repaired<'_>) -> String {
    let mut out = format!("# Recorded tasks, repaired\n\n{}.\n", of.summary());
    let open = of.open();
    if !open.is_empty() {
        out.push_str("\n## Left for a person\n\n");
    }
    for (path, line, what) in open {
        out.push_str(&format!("- [ ] `{path}:{line}`: {what}\n"));
    }
    for (task, plan) in of.lacking() {
        let name = &task.request.variant;
        out.push_str(&format!(
            "\n## `{name}`\n\n| what | where |\n| --- | --- |\n"
        ));
        for step in plan
            .steps
            .iter()
            .filter(|step| step.state == State::Pending)
        {
            out.push_str(&format!("| {} | `{}` |\n", step.title, step.path));
        }
    }
    out.push_str(&markdown::folded(&unified(of.changes)));
    out
}
