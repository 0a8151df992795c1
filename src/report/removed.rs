//! What was taken out.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{Shell, diff, json};
use crate::cli::Format;
use crate::removal::{Removal, lines_out};

/// What there is to say of a task that was taken out.
pub struct Removed<'a> {
    /// The name of the enum.
    pub spec: &'a str,
    /// The variant.
    pub variant: &'a str,
    /// Its wire tag.
    pub tag: &'a str,
    /// What goes.
    pub removal: &'a Removal,
    /// Whether it was written.
    pub applied: bool,
}

/// Shows it in `format`.
pub fn show(shell: &Shell, format: Format, of: &Removed<'_>) {
    match format {
        Format::Human => human(shell, of),
        Format::Json => shell.product(&object(of).to_string()),
        Format::Markdown | Format::Sarif => shell.product(&sheet(of)),
    }
}

impl Removed<'_> {
    /// In what order that is deployed, and why.
    fn deployment(&self) -> String {
        format!(
            "rows that still carry the tag `{}` would no longer decode: stop what enqueues first, let the queue run empty, and deploy the workers without it last",
            self.tag
        )
    }

    fn counts(&self) -> String {
        let Removal { changes, gone, .. } = self.removal;
        format!("{} files edited, {} removed", changes.len(), gone.len())
    }

    fn diff(&self) -> String {
        let Removal { changes, gone, .. } = self.removal;
        let edited = changes.iter().map(|change| {
            let before = change.before.as_ref().map(|before| before.text.as_str());
            (change.path.as_str(), before, Some(change.after.as_str()))
        });
        let gone = gone.iter();
        let gone = gone.map(|file| (file.path.as_str(), Some(file.text.as_str()), None));
        let mut all: Vec<_> = edited.chain(gone).collect();
        all.sort_unstable();
        diff::replaced(all.into_iter())
    }
}

fn human(shell: &Shell, of: &Removed<'_>) {
    let Removal {
        changes,
        gone,
        notes,
    } = of.removal;
    for note in notes {
        shell.note(note);
    }
    let (edits, files) = if of.applied {
        ("Edited", "Removed")
    } else {
        ("Would edit", "Would remove")
    };
    for change in changes {
        shell.status(edits, &change.path);
    }
    for file in gone {
        shell.status(files, &file.path);
    }
    if !of.applied {
        shell.diff(&of.diff());
    }
    let verb = if of.applied { "Finished" } else { "Dry run" };
    let (spec, variant, tag) = (of.spec, of.variant, of.tag);
    let line = format!(
        "`{spec}::{variant}` (wire tag `{tag}`) taken out: {}",
        of.counts()
    );
    shell.status(verb, &line);
    shell.attention("Deploy", &of.deployment());
}

/// The object of the command line's contract.
fn object(of: &Removed<'_>) -> Value {
    let Removal {
        changes,
        gone,
        notes,
    } = of.removal;
    let edits = changes.iter().flat_map(|change| {
        change.edits.iter().enumerate().map(|(i, edit)| {
            json!({
                "path": change.path,
                "line": change.line_of(i),
                "kind": edit.kind,
                "inserted": change.inserted(i),
                "removed": lines_out(change, i),
            })
        })
    });
    let mut object = json::base("remove", [Some(of.variant), Some(of.tag)], of.applied);
    object["edits"] = edits.collect();
    object["removed"] = gone
        .iter()
        .map(|file| json!({ "path": file.path }))
        .collect();
    object["warnings"] = notes.iter().map(json::warning).collect();
    object["deploy"] = Value::from(of.deployment());
    if !of.applied {
        object["diff"] = Value::from(of.diff());
    }
    object
}

/// The review sheet.
fn sheet(of: &Removed<'_>) -> String {
    let mut out = format!(
        "# Task `{}` taken out\n\nWire tag `{}`; {}.\n\nDeploy: {}.\n",
        of.variant,
        of.tag,
        of.counts(),
        of.deployment()
    );
    // Writing to a String does not fail.
    let _ = writeln!(out, "\n| what | where | lines |\n| --- | --- | --- |");
    for change in &of.removal.changes {
        for (i, edit) in change.edits.iter().enumerate() {
            let (path, lines) = (&change.path, lines_out(change, i));
            let _ = writeln!(
                out,
                "| {} | `{path}:{}` | {lines} |",
                edit.kind,
                change.line_of(i)
            );
        }
    }
    for file in &of.removal.gone {
        let lines = file.text.lines().count();
        let _ = writeln!(out, "| file | `{}` | {lines} |", file.path);
    }
    if !of.removal.notes.is_empty() {
        let _ = writeln!(out, "\n## Notes\n");
        for note in &of.removal.notes {
            let place = note.place.as_ref();
            let place = place.map_or(String::new(), |p| format!("`{}:{}`: ", p.path, p.line));
            let _ = writeln!(out, "- {place}{}", note.message);
        }
    }
    out.push_str(&super::markdown::folded(&of.diff()));
    out
}
