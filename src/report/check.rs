//! What the rules find: for people in rustc's form, for scripts, for a code host, for a review.

use serde_json::{Value, json};

use super::{Shell, human, json, sarif};
use crate::check::{Checked, Finding, Level, RULES};
use crate::cli::Format;
use crate::note::Note;

/// Shows the findings in `format`; `gone` are entries of the baseline that are found no more.
pub fn show(shell: &Shell, format: Format, checked: &Checked, gone: &[String]) {
    let findings = &checked.findings;
    match format {
        Format::Json => shell.product(&object(checked, gone).to_string()),
        Format::Sarif => shell.product(&format!("{:#}", sarif::findings(findings))),
        Format::Markdown => shell.product(&sheet(findings)),
        Format::Human => {
            let text: String = findings.iter().map(human::finding).collect();
            shell.product(&text);
        }
    }
    for note in &checked.notes {
        shell.note(note);
    }
    for key in gone {
        let message = format!("found no more: {}", key.replace('\t', " "));
        let note = Note::warning("baseline-gone", message)
            .help("take the entry out of the baseline: `cargo oxy-task check --write-baseline FILE` writes it anew");
        shell.note(&note);
    }
    if format == Format::Human {
        shell.status("Checked", &counts(findings));
    }
}

/// `3 findings: 1 OXT001, 2 OXT007`.
fn counts(findings: &[Finding]) -> String {
    let each = RULES.iter().filter_map(|rule| {
        let count = findings.iter().filter(|of| of.rule == rule.id).count();
        (count > 0).then(|| format!("{count} {}", rule.id))
    });
    let each: Vec<String> = each.collect();
    match findings.len() {
        0 => "nothing found".to_owned(),
        1 => format!("1 finding: {}", each.join(", ")),
        n => format!("{n} findings: {}", each.join(", ")),
    }
}

fn object(checked: &Checked, gone: &[String]) -> Value {
    let findings = checked.findings.iter().map(|of| {
        json!({
            "rule": of.rule,
            "level": of.level.name(),
            "message": of.message,
            "path": of.place.path,
            "line": of.place.line,
            "column": of.place.column,
            "function": of.function,
            "help": of.help,
        })
    });
    json!({
        "command": "check",
        "findings": findings.collect::<Vec<_>>(),
        "warnings": checked.notes.iter().map(json::warning).collect::<Vec<_>>(),
        "unchecked": checked.unchecked,
        "gone": gone,
    })
}

/// A table for a review, the errors first.
fn sheet(findings: &[Finding]) -> String {
    let mut out = format!("# Rules\n\n{}.\n", counts(findings));
    for level in [Level::Error, Level::Warning] {
        let group: Vec<&Finding> = findings.iter().filter(|of| of.level == level).collect();
        if group.is_empty() {
            continue;
        }
        out.push_str(&format!(
            "\n## {}s\n\n| rule | where | what | next step |\n| --- | --- | --- | --- |\n",
            level.name()
        ));
        for of in group {
            let cell = |text: &str| text.replace('|', "\\|");
            out.push_str(&format!(
                "| {} | `{}:{}` | {} | {} |\n",
                of.rule,
                of.place.path,
                of.place.line,
                cell(&of.message),
                cell(&of.help)
            ));
        }
    }
    out
}
