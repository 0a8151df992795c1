//! The review sheet: what, where, the open points as a checklist, the diff folded.

use std::fmt::Write;

use super::{Report, unified};
use crate::edit::CALL_SITE;
use crate::migrate::Migration;
use crate::plan::State;

/// The sheet of a command that writes.
pub(super) fn sheet(report: &Report<'_>) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = writeln!(
        out,
        "# Task `{}`\n\nWire tag `{}`; idempotency key: {}.\n",
        report.task.request.variant,
        report.task.tag,
        if report.task.key.is_empty() {
            "the tag alone".to_owned()
        } else {
            format!("`{}`", report.task.key.join("`, `"))
        }
    );
    for note in report
        .plan
        .notes
        .iter()
        .filter(|note| note.code == "new-edge")
    {
        let _ = writeln!(out, "**New edge between members:** {}\n", note.message);
    }
    if !report.plan.open.is_empty() {
        let _ = writeln!(out, "## Left for a person\n");
        for open in &report.plan.open {
            let (path, line) = open.resolve(report.changes);
            let _ = writeln!(out, "- [ ] `{path}:{line}`: {}", open.what);
        }
        let _ = writeln!(out);
    }
    if let Some(migration) = &report.task.migration {
        moved(&mut out, migration, report);
    }
    let _ = writeln!(
        out,
        "## What\n\n| what | where | state |\n| --- | --- | --- |"
    );
    for step in &report.plan.steps {
        let state = match step.state {
            State::Pending if report.applied => "added",
            State::Pending => "would be added",
            State::Present => "present",
            State::Undecided => "left to a person",
        };
        let _ = writeln!(out, "| {} | `{}` | {state} |", step.title, step.path);
    }
    let _ = writeln!(out, "\nDeploy {}.", report.deployment());
    let notes: Vec<_> = report
        .plan
        .notes
        .iter()
        .filter(|n| n.code != "new-edge")
        .collect();
    if !notes.is_empty() {
        let _ = writeln!(out, "\n## Notes\n");
        for note in notes {
            let place = note
                .place
                .as_ref()
                .map_or(String::new(), |p| format!("`{}:{}`: ", p.path, p.line));
            let _ = writeln!(out, "- {place}{}", note.message);
        }
    }
    out.push_str(&folded(&unified(report.changes)));
    out
}

/// A diff that is folded away.
pub(super) fn folded(diff: &str) -> String {
    let fence = "`".repeat(longest_run(diff).max(2) + 1);
    format!("\n<details><summary>The diff</summary>\n\n{fence}diff\n{diff}{fence}\n\n</details>\n")
}

/// What was moved from where: the captures, and the site before and after.
fn moved(out: &mut String, migration: &Migration, report: &Report<'_>) {
    let place = &migration.place;
    let _ = writeln!(
        out,
        "## Moved from `{}:{}`\n\n| variable | type | becomes |\n| --- | --- | --- |",
        place.path, place.line
    );
    for of in &migration.carried {
        let becomes = match &of.reference {
            Some(reference) => format!("the reference `{}`, which is `{reference}`", of.field.name),
            None => format!("the field `{}`", of.field.name),
        };
        let _ = writeln!(out, "| `{}` | `{}` | {becomes} |", of.place, of.ty);
    }
    for of in &migration.handles {
        let _ = writeln!(
            out,
            "| `{}` | `{}` | held by the registered work |",
            of.place, of.ty
        );
    }
    let changes: Vec<_> = report
        .changes
        .iter()
        .filter(|change| change.path == place.path)
        .cloned()
        .collect();
    let before = &migration.before;
    let edits = changes.iter().flat_map(|change| &change.edits);
    let switch = format!("{}::enqueue(", report.task.module());
    let after: Vec<&str> = edits
        .filter(|edit| edit.kind == CALL_SITE && edit.removed > 0)
        .map(|edit| edit.text.as_str())
        .filter(|text| text.contains(&switch))
        .collect();
    let _ = writeln!(out, "\nBefore:\n\n```rust\n{before}\n```\n");
    if !after.is_empty() {
        let _ = writeln!(out, "After:\n\n```rust\n{}\n```\n", after.join("\n"));
    }
}

/// The longest run of backticks in a text.
fn longest_run(text: &str) -> usize {
    let (mut longest, mut run) = (0, 0);
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}
