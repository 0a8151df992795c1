//! The review sheet of one variant as it stands: what it has and where, and what is left to do.

use std::fmt::Write;

use super::command_line;
use crate::check::Finding;
use crate::landmarks::{STEPS, Step, VariantSteps};
use crate::snapshot::Standing;
use crate::snapshot::pieces::hash;

/// What there is to say of a variant.
pub struct Sheet<'a> {
    /// Its steps.
    pub variant: &'a VariantSteps,
    /// Its wire form, and what was recorded.
    pub standing: &'a Standing<'a>,
    /// What the rules find about it.
    pub findings: &'a [Finding],
    /// The text of a file of the workspace, if it stands.
    pub read: &'a dyn Fn(&str) -> Option<String>,
}

/// The sheet as Markdown.
#[must_use]
pub fn show(sheet: &Sheet<'_>) -> String {
    let Sheet {
        variant, standing, ..
    } = sheet;
    let mut out = format!("# Task `{}`\n\nWire tag `{}`.\n", variant.name, variant.tag);
    // Writing to a String does not fail.
    open(sheet, &mut out);
    let _ = writeln!(
        out,
        "\n## What\n\n| what | where | state |\n| --- | --- | --- |"
    );
    for (name, step) in STEPS.iter().zip(&variant.steps) {
        let (place, state) = match step {
            Step::Present(place) => (format!("`{}:{}`", place.path, place.line), "present"),
            Step::Missing => (String::new(), "missing"),
            Step::Inapplicable => (String::new(), "does not apply"),
        };
        let _ = writeln!(out, "| {name} | {place} | {state} |");
    }
    let _ = writeln!(
        out,
        "\n## Wire form\n\n| key | type | mandatory |\n| --- | --- | --- |"
    );
    for field in &standing.record.form.fields {
        let mandatory = if field.mandatory { "yes" } else { "no" };
        let ty = field.ty.replace('|', "\\|");
        let _ = writeln!(out, "| `{}` | `{ty}` | {mandatory} |", field.name);
    }
    let state = match (standing.recorded, standing.is_recorded()) {
        (None, _) => "It is not recorded.".to_owned(),
        (Some(_), true) => format!("Recorded in `{}`.", standing.path),
        (Some(known), false) => format!("`{}` says otherwise.", known.file.path),
    };
    let _ = writeln!(out, "\n{state}");
    if let Some(scaffolded) = &standing.record.scaffolded {
        let _ = writeln!(
            out,
            "\n## How it was scaffolded\n\n    cargo oxy-task {}\n\n| what | where | state |\n| --- | --- | --- |",
            command_line(&scaffolded.request)
        );
        let mut last = String::new();
        for piece in &scaffolded.pieces {
            let kind = &piece.kind;
            let state = match (sheet.read)(&piece.path) {
                None => "gone",
                Some(_) if kind != "file" => "",
                Some(text) if hash(&text) == piece.hash => "as it was scaffolded",
                Some(_) => "edited",
            };
            let of = piece.dependency.as_ref().map(|of| format!(" `{of}`"));
            let of = of.unwrap_or_default();
            let row = format!("| {kind}{of} | `{}` | {state} |\n", piece.path);
            if row != last {
                out.push_str(&row);
                last = row;
            }
        }
    }
    out
}

/// What is left for a person, as a checklist.
fn open(sheet: &Sheet<'_>, out: &mut String) {
    let variant = sheet.variant;
    let is_unwritten = variant.is_written == Some(false);
    if !is_unwritten && sheet.findings.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n## Left for a person\n");
    if is_unwritten {
        let _ = writeln!(
            out,
            "- [ ] write the work of `{}`; until then it fails and says so",
            variant.name
        );
    }
    for of in sheet.findings {
        let place = &of.place;
        let _ = writeln!(
            out,
            "- [ ] `{}:{}`: {} ({}); {}",
            place.path, place.line, of.message, of.rule, of.help
        );
    }
}
