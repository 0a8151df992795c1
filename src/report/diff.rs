//! One unified diff of all changes, in the form that `git apply` takes.

use std::fmt::{self, Display, Formatter, Write};
use std::ops::Range;

use memchr::{memchr_iter, memrchr_iter};
use similar::{ChangeTag, DiffOp, TextDiff};

use crate::edit::FileChange;

/// Lines of context around a hunk.
const CONTEXT: usize = 3;

/// Lines around the edits of a file among which the lines are compared: those of the context, and
/// some that a hunk may slide over where lines are the same.
const MARGIN: usize = 32;

/// The diff of `changes`, in their order.
#[must_use]
pub fn unified(changes: &[FileChange]) -> String {
    let mut out = String::new();
    for change in changes {
        let path = &change.path;
        let (a, b) = (quoted("a/", path), quoted("b/", path));
        // Writing to a String does not fail.
        let _ = writeln!(out, "diff --git {a} {b}");
        match &change.before {
            Some(before) => edited(change, &before.text, [&a, &b], &mut out),
            None => made(&change.after, &b, &mut out),
        }
    }
    out
}

/// The diff of files that have other texts: path, text before, text after; no text is no file.
#[must_use]
pub fn replaced<'t>(
    files: impl Iterator<Item = (&'t str, Option<&'t str>, Option<&'t str>)>,
) -> String {
    let mut out = String::new();
    for (path, before, after) in files {
        let (a, b) = (quoted("a/", path), quoted("b/", path));
        let _ = writeln!(out, "diff --git {a} {b}");
        let (from, to) = match (before, after) {
            (None, Some(after)) => {
                made(after, &b, &mut out);
                continue;
            }
            (Some(_), None) => {
                out.push_str("deleted file mode 100644\n");
                (a.as_str(), "/dev/null")
            }
            _ => (a.as_str(), b.as_str()),
        };
        let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
        let diff = TextDiff::from_lines(before, after);
        let mut is_first = true;
        for ops in diff.grouped_ops(CONTEXT) {
            let (Some(first), Some(last)) = (ops.first(), ops.last()) else {
                continue;
            };
            if std::mem::take(&mut is_first) {
                let _ = writeln!(out, "--- {from}\n+++ {to}");
            }
            hunk(&diff, &ops, (0, 0), (first, last), &mut out);
        }
    }
    out
}

/// The hunk of a file that is made: every line of it.
fn made(text: &str, path: &str, out: &mut String) {
    out.push_str("new file mode 100644\n");
    if text.is_empty() {
        return;
    }
    let lines = text.split_inclusive('\n');
    let range = Lines(0, lines.clone().count());
    let _ = writeln!(out, "--- /dev/null\n+++ {path}\n@@ -0,0 +{range} @@");
    for text in lines {
        line('+', text, out);
    }
}

/// The hunks of a file that stands. Only what lies around the edits is compared: the rest is known
/// to be the same.
fn edited(change: &FileChange, before: &str, [a, b]: [&str; 2], out: &mut String) {
    let mut is_first = true;
    let (mut done, mut old_above, mut new_above) = (0, 0, 0);
    for (old, new) in around(change, before) {
        let (Some(old_text), Some(new_text)) = (before.get(old.clone()), change.after.get(new))
        else {
            continue;
        };
        let same = memchr_iter(b'\n', &before.as_bytes()[done..old.start]).count();
        (old_above, new_above) = (old_above + same, new_above + same);
        let diff = TextDiff::from_lines(old_text, new_text);
        for ops in diff.grouped_ops(CONTEXT) {
            let (Some(first), Some(last)) = (ops.first(), ops.last()) else {
                continue;
            };
            if std::mem::take(&mut is_first) {
                let _ = writeln!(out, "--- {a}\n+++ {b}");
            }
            hunk(&diff, &ops, (old_above, new_above), (first, last), out);
        }
        done = old.end;
        old_above += memchr_iter(b'\n', old_text.as_bytes()).count();
        new_above += memchr_iter(b'\n', new_text.as_bytes()).count();
    }
}

/// A hunk, below so many lines of either text.
fn hunk<'t>(
    diff: &TextDiff<'t, 't, str>,
    ops: &[DiffOp],
    (old_above, new_above): (usize, usize),
    (first, last): (&DiffOp, &DiffOp),
    out: &mut String,
) {
    let old = Lines::of(old_above, first.old_range(), last.old_range());
    let new = Lines::of(new_above, first.new_range(), last.new_range());
    let _ = writeln!(out, "@@ -{old} +{new} @@");
    for change in ops.iter().flat_map(|op| diff.iter_changes(op)) {
        let sign = match change.tag() {
            ChangeTag::Equal => ' ',
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
        };
        line(sign, change.value(), out);
    }
}

/// Whole lines around the edits, before and after; edits near each other share theirs.
fn around(change: &FileChange, before: &str) -> Vec<(Range<usize>, Range<usize>)> {
    let bytes = before.as_bytes();
    let mut out: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    let (mut inserted, mut removed) = (0, 0);
    for edit in &change.edits {
        let end = (edit.at + edit.removed).min(bytes.len());
        let above = memrchr_iter(b'\n', &bytes[..edit.at.min(end)]).nth(MARGIN);
        let below = memchr_iter(b'\n', &bytes[end..]).nth(MARGIN);
        let start = above.map_or(0, |at| at + 1);
        let end = below.map_or(bytes.len(), |at| end + at + 1);
        let new_start = start + inserted - removed;
        inserted += edit.text.len();
        removed += edit.removed;
        let new_end = end + inserted - removed;
        match out.last_mut() {
            Some((old, new)) if start <= old.end => (old.end, new.end) = (end, new_end),
            _ => out.push((start..end, new_start..new_end)),
        }
    }
    out
}

fn line(sign: char, text: &str, out: &mut String) {
    out.push(sign);
    out.push_str(text);
    if !text.ends_with('\n') {
        out.push_str("\n\\ No newline at end of file\n");
    }
}

/// How many lines there are after how many, in the words of a hunk.
struct Lines(usize, usize);

impl Lines {
    /// Those of a hunk from `first` to `last`, of a text that `above` lines stand above.
    fn of(above: usize, first: Range<usize>, last: Range<usize>) -> Self {
        Lines(first.start + above, last.end - first.start)
    }
}

impl Display for Lines {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Lines(before, 0) => write!(f, "{before},0"),
            Lines(before, 1) => write!(f, "{}", before + 1),
            Lines(before, count) => write!(f, "{},{count}", before + 1),
        }
    }
}

/// The path with its prefix; in quotes, as git writes it, where it holds what would be misread.
fn quoted(prefix: &str, path: &str) -> String {
    let plain = |c: char| !c.is_control() && c != '"' && c != '\\';
    if path.chars().all(plain) {
        return format!("{prefix}{path}");
    }
    let mut out = format!("\"{prefix}");
    for byte in path.bytes() {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            0x20..=0x7e => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "\\{byte:03o}");
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::edit::{TextEdit, apply};
    use crate::workspace::SourceFile;

    /// What a comparison of the whole texts gives.
    fn general(before: &str, after: &str) -> String {
        let diff = TextDiff::from_lines(before, after);
        let mut diff = diff.unified_diff();
        diff.context_radius(CONTEXT).header("a/x", "b/x");
        format!("diff --git a/x b/x\n{diff}")
    }

    #[track_caller]
    fn check(before: &str, edits: &[(usize, usize, &str)]) {
        let edit = |&(at, removed, text): &(usize, usize, &str)| TextEdit {
            at,
            removed,
            text: text.to_owned(),
            kind: "test",
        };
        let edits: Vec<TextEdit> = edits.iter().map(edit).collect();
        let after = apply("x", before, &edits).unwrap();
        let file = SourceFile {
            path: "x".to_owned(),
            absolute: PathBuf::new(),
            text: before.to_owned(),
        };
        let expected = general(before, &after);
        let change = FileChange {
            path: "x".to_owned(),
            before: Some(Arc::new(file)),
            after,
            edits,
        };
        assert_eq!(unified(&[change]), expected);
    }

    #[test]
    fn hunks_are_those_of_the_whole_files() {
        let lines: Vec<String> = (0..400).map(|n| format!("line {}\n", n % 90)).collect();
        let text = lines.concat();
        let at = |n: usize| lines[..n].iter().map(String::len).sum::<usize>();
        check(&text, &[(0, 0, "first\n")]);
        check(&text, &[(at(200), 0, "a\nb\n"), (at(207), 0, "c\n")]);
        check(
            &text,
            &[
                (at(5), 0, "a\n"),
                (at(90) - 1, 0, " b"),
                (at(300), 0, "c\n"),
            ],
        );
        check(&text, &[(text.len(), 0, "no newline")]);
        check(text.trim_end(), &[(at(399), 0, "a\n")]);
        check(text.trim_end(), &[(text.len() - 1, 0, "\nlast\n")]);
        check(&text, &[(at(100) - 1, 1, " ")]);
        // What goes in begins as what follows does.
        check(&"}\n\n".repeat(100), &[(150, 0, "}\n\nfn a() {\n")]);
        check("", &[(0, 0, "a\n")]);
    }

    #[test]
    fn a_made_file_is_one_hunk() {
        for after in ["", "a\n", "a\nb", "a\nb\n"] {
            let change = FileChange {
                path: "x".to_owned(),
                before: None,
                after: after.to_owned(),
                edits: Vec::new(),
            };
            let diff = TextDiff::from_lines("", after);
            let mut diff = diff.unified_diff();
            let head = "diff --git a/x b/x\nnew file mode 100644\n";
            let expected = format!("{head}{}", diff.header("/dev/null", "b/x"));
            assert_eq!(unified(&[change]), expected);
        }
    }
}
