//! `// oxy-task: allow(spawn) — <reason>` directly above a spawn.

use crate::workspace::SourceFile;

/// What a comment begins with that justifies a spawn.
const ALLOW: &str = "oxy-task: allow(spawn)";

/// What stands above a spawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Justification {
    /// Nothing.
    None,
    /// A comment without a reason, on this line.
    Empty(usize),
    /// A reason.
    Given,
}

/// Reads the comments directly above the statement that the call at `offset` begins or is part of.
#[must_use]
pub fn justification(file: &SourceFile, offset: usize) -> Justification {
    let lines: Vec<&str> = file.text[..file.line_start(offset)].lines().collect();
    let mut at = lines.len();
    // The call may stand on a further line of its statement: `let handle = runtime` and `.spawn(`.
    let here = file.text[file.line_start(offset)..].lines().next();
    let mut first = here.unwrap_or_default();
    while at > 0 && is_continued(lines[at - 1], first) {
        at -= 1;
        first = lines[at];
    }
    let comment = |line: &str| {
        let text = line.trim().strip_prefix("//")?;
        (!text.starts_with(['/', '!'])).then(|| text.trim().to_owned())
    };
    let mut below: Vec<String> = Vec::new();
    while at > 0 {
        at -= 1;
        let Some(text) = comment(lines[at]) else {
            // An attribute stands between a statement and its comment.
            if lines[at].trim().starts_with("#[") && below.is_empty() {
                continue;
            }
            break;
        };
        if let Some(reason) = text.strip_prefix(ALLOW) {
            below.push(reason.to_owned());
            below.reverse();
            let is_given = is_reason(&below.join(" "));
            return if is_given {
                Justification::Given
            } else {
                Justification::Empty(at + 1)
            };
        }
        below.push(text);
    }
    Justification::None
}

/// Whether the statement that `line` belongs to goes on below it, with `next`.
fn is_continued(line: &str, next: &str) -> bool {
    let line = line.trim();
    let code = line.split("//").next().unwrap_or_default().trim_end();
    if code.is_empty() || line.starts_with("#[") {
        return false;
    }
    next.trim_start().starts_with('.') || code.ends_with(['=', '.']) && !code.ends_with("=>")
}

/// Whether something stands behind a dash: a placeholder is no reason.
fn is_reason(text: &str) -> bool {
    let text = text.trim();
    let reason = text.trim_start_matches(['—', '–', '-', ':']).trim();
    let has_dash = reason.len() < text.len();
    let is_placeholder = reason.starts_with('<') && reason.ends_with('>');
    has_dash && !is_placeholder && reason.chars().any(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn of(text: &str) -> Justification {
        let file = SourceFile {
            path: "a.rs".to_owned(),
            absolute: PathBuf::new(),
            text: text.to_owned(),
        };
        justification(&file, text.find("spawn(async").unwrap())
    }

    #[test]
    fn a_reason_directly_above_justifies() {
        for text in [
            "// oxy-task: allow(spawn) — a metric\ntokio::spawn(async {});",
            "// oxy-task: allow(spawn) - a metric\n    tokio::spawn(async {});",
            "    // oxy-task: allow(spawn) -- a metric\r\n    tokio::spawn(async {});\r\n",
            "// oxy-task: allow(spawn) –\n// a metric\ntokio::spawn(async {});",
            "// oxy-task: allow(spawn) — grün\n#[allow(unused)]\nlet a = tokio::spawn(async {});",
            "// oxy-task: allow(spawn) — a metric\nlet a = runtime\n    .handle()\n    .spawn(async {});",
            "// oxy-task: allow(spawn) — a metric\nlet a =\n    tokio::spawn(async {});",
        ] {
            assert_eq!(of(text), Justification::Given, "{text}");
        }
    }

    #[test]
    fn anything_else_does_not() {
        for text in [
            "tokio::spawn(async {});",
            "// oxy-task: allow(spawn) — a metric\n\ntokio::spawn(async {});",
            "// oxy-task: allow(spawn) — a metric\nf();\ntokio::spawn(async {});",
            "/// oxy-task: allow(spawn) — a metric\nfn f() { tokio::spawn(async {}); }",
            "// allow(spawn) — a metric\ntokio::spawn(async {});",
            "// oxy-task: allow(spawns) — a metric\ntokio::spawn(async {});",
            "let s = \"oxy-task: allow(spawn) — a metric\";\ntokio::spawn(async {});",
            "f(\n    // oxy-task: allow(spawn) — a metric\n    1,\n    tokio::spawn(async {}),\n);",
            "tokio::spawn(async {}); // oxy-task: allow(spawn) — a metric",
        ] {
            assert_eq!(of(text), Justification::None, "{text}");
        }
        for text in [
            "// oxy-task: allow(spawn)\ntokio::spawn(async {});",
            "// oxy-task: allow(spawn) —\ntokio::spawn(async {});",
            "// oxy-task: allow(spawn) — …\ntokio::spawn(async {});",
            "// oxy-task: allow(spawn) — <reason>\ntokio::spawn(async {});",
            "// oxy-task: allow(spawn) a metric\ntokio::spawn(async {});",
        ] {
            assert_eq!(of(text), Justification::Empty(1), "{text}");
        }
    }
}
