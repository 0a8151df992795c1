//! Edits as insertions at offsets of the original text, applied all at once.
//!
//! Layout is all that an edit may take out, where a list of fields outgrows its line: white space,
//! and the commas and braces that rustfmt sets by a line's length; and the semicolon of a struct
//! that gets its first fields. What the tool recorded itself may go too: a snapshot is written anew
//! where the task grows. So untouched bytes stay untouched by construction: undo the edits
//! and the original is back.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::note::{Outcome, Refusal};
use crate::workspace::SourceFile;

/// Text that goes in at an offset of the original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEdit {
    /// Byte offset in the original text.
    pub at: usize,
    /// How many bytes of layout from there on it takes the place of.
    pub removed: usize,
    /// What goes in.
    pub text: String,
    /// What the insertion is, in the words of the command line's JSON.
    pub kind: &'static str,
}

impl TextEdit {
    /// Text that goes in and takes nothing out.
    #[must_use]
    pub fn insert(at: usize, text: impl Into<String>, kind: &'static str) -> Self {
        Self {
            at,
            removed: 0,
            text: text.into(),
            kind,
        }
    }
}

/// A file before and after.
#[derive(Debug, Clone)]
pub struct FileChange {
    /// Path relative to the workspace root.
    pub path: String,
    /// The text before; `None` for a file that is made.
    pub before: Option<Arc<SourceFile>>,
    /// The text after.
    pub after: String,
    /// The insertions that lead from one to the other, in order.
    pub edits: Vec<TextEdit>,
}

impl FileChange {
    /// The line (from 1) in the new text that the insertion at `index` starts on.
    #[must_use]
    pub fn line_of(&self, index: usize) -> usize {
        let mut at = self.edits[index].at;
        for edit in &self.edits[..index] {
            at = at + edit.text.len() - edit.removed;
        }
        let text = self.after.as_bytes();
        // The line that the inserted text begins with, not the line end that it follows.
        while text
            .get(at)
            .is_some_and(|b| matches!(b, b'\n' | b'\r' | b','))
            && at < text.len()
        {
            at += 1;
        }
        self.after[..at].matches('\n').count() + 1
    }

    /// The offset in the original text of what stands at `at` in the new one; `None` inside of
    /// what went in.
    #[must_use]
    pub fn original(&self, at: usize) -> Option<usize> {
        let (mut inserted, mut removed) = (0, 0);
        for edit in &self.edits {
            let start = edit.at + inserted - removed;
            if at <= start {
                break;
            }
            if at < start + edit.text.len() {
                return None;
            }
            inserted += edit.text.len();
            removed += edit.removed;
        }
        self.before.is_some().then_some(at + removed - inserted)
    }

    /// The line (from 1) that the original's `line` has in the new text.
    #[must_use]
    pub fn line_after(&self, line: usize) -> usize {
        let Some(before) = &self.before else {
            return line;
        };
        let lines = before.text.split_inclusive('\n');
        let offset: usize = lines.take(line - 1).map(str::len).sum();
        let mut line = line;
        for edit in self.edits.iter().filter(|edit| edit.at <= offset) {
            let gone = &before.text[edit.at..edit.at + edit.removed];
            line = line + edit.text.matches('\n').count() - gone.matches('\n').count();
        }
        line
    }

    /// How many lines the insertion at `index` adds.
    #[must_use]
    pub fn inserted(&self, index: usize) -> usize {
        self.edits[index]
            .text
            .trim_matches(['\n', '\r'])
            .lines()
            .count()
    }

    /// How many lines the edit at `index` takes out.
    #[must_use]
    pub fn removed(&self, index: usize) -> usize {
        let edit = &self.edits[index];
        let before = self.before.as_ref().map_or("", |file| file.text.as_str());
        let gone = before.get(edit.at..edit.at + edit.removed);
        let gone = gone.unwrap_or_default();
        match edit.kind {
            CALL_SITE => gone.lines().count(),
            _ => gone.matches('\n').count(),
        }
    }
}

/// Whether rustfmt sets the character by how long a line is: `=> { f() }` and `=> f(),`.
#[must_use]
pub fn is_layout(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | '{' | '}')
}

/// The kind of the one edit that takes code out: a spawn, and what only that used.
pub const CALL_SITE: &str = "call_site";

/// The kind of an edit of what the tool recorded.
pub const SNAPSHOT: &str = "snapshot";

/// Whether an edit of `kind` may take the text out.
fn may_go(kind: &str, text: &str) -> bool {
    let is_little = text.chars().all(|c| is_layout(c) || c == ';') && text.matches(';').count() < 2;
    matches!(kind, CALL_SITE | SNAPSHOT) || is_little
}

/// Puts `edits` into `text`. Several insertions at one offset keep their order.
///
/// Refuses an offset that lies past the end or inside a character, and an edit that would take
/// out more than layout and a semicolon, unless it is that of a site that is migrated.
pub fn apply(path: &str, text: &str, edits: &[TextEdit]) -> Outcome<String> {
    spliced(path, text, edits, may_go)
}

/// The change that takes out of `before` what the tool put there: each edit holds what it puts back.
///
/// Refuses edits that overlap.
pub fn take_out(before: Arc<SourceFile>, mut edits: Vec<TextEdit>) -> Outcome<FileChange> {
    edits.sort_by_key(|edit| edit.at);
    let after = spliced(&before.path, &before.text, &edits, |_, _| true)?;
    Ok(FileChange {
        path: before.path.clone(),
        before: Some(before),
        after,
        edits,
    })
}

/// Both changes of one file as one: `second` starts from what `first` gives.
///
/// Edits that touch become one.
pub fn compose(first: &FileChange, second: FileChange) -> Outcome<FileChange> {
    let (Some(before), Some(middle)) = (&first.before, &second.before) else {
        return Ok(FileChange {
            before: first.before.clone(),
            ..second
        });
    };
    let mut done = (0, 0);
    let of_first = first.edits.iter().map(|edit| {
        let start = edit.at + done.0 - done.1;
        done = (done.0 + edit.text.len(), done.1 + edit.removed);
        (start..start + edit.text.len(), edit.kind)
    });
    let of_second = second.edits.iter();
    let of_second = of_second.map(|edit| (edit.at..edit.at + edit.removed, edit.kind));
    let mut touched: Vec<(Range<usize>, &'static str)> = of_first.chain(of_second).collect();
    touched.sort_by_key(|(range, _)| (range.start, range.end));
    let mut joined: Vec<(Range<usize>, &'static str)> = Vec::new();
    for (range, kind) in touched {
        match joined.last_mut() {
            Some((last, _)) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push((range, kind)),
        }
    }
    // Where an offset of the text between lies in the one that `edits` lead to, or come from.
    let forward = |at: usize| {
        let above = second.edits.iter().filter(|edit| edit.at < at);
        above.fold(at, |to, edit| to + edit.text.len() - edit.removed)
    };
    let back = |at: usize| {
        let (mut inserted, mut removed) = (0, 0);
        for edit in &first.edits {
            if edit.at + inserted - removed >= at {
                break;
            }
            inserted += edit.text.len();
            removed += edit.removed;
        }
        at + removed - inserted
    };
    let edits = joined.iter().map(|(range, kind)| {
        let (start, end) = (back(range.start), back(range.end));
        let from = forward(range.start);
        let inside = second.edits.iter();
        let inside = inside.filter(|edit| range.start <= edit.at && edit.at <= range.end);
        let to = inside.fold(from + range.len(), |to, edit| {
            to + edit.text.len() - edit.removed
        });
        TextEdit {
            at: start,
            removed: end - start,
            text: second.after[from..to].to_owned(),
            kind,
        }
    });
    let edits: Vec<TextEdit> = edits.collect();
    let after = spliced(&before.path, &before.text, &edits, |_, _| true)?;
    if after != second.after {
        let message = format!("two changes of `{}` do not go together", middle.path);
        return Err(Refusal::new("edit-conflict", message)
            .help("this is a bug of the tool; nothing was written"));
    }
    Ok(FileChange {
        path: second.path,
        before: Some(Arc::clone(before)),
        after,
        edits,
    })
}

/// Puts `edits` into `text`, where each takes out what `may_go`.
fn spliced(
    path: &str,
    text: &str,
    edits: &[TextEdit],
    may_go: impl Fn(&str, &str) -> bool,
) -> Outcome<String> {
    let mut out =
        String::with_capacity(text.len() + edits.iter().map(|e| e.text.len()).sum::<usize>());
    let mut done = 0;
    for edit in edits {
        let gone = text.get(edit.at..edit.at + edit.removed);
        if edit.at < done || !gone.is_some_and(|gone| may_go(edit.kind, gone)) {
            return Err(Refusal::new(
                "edit-conflict",
                format!(
                    "two edits of `{path}` conflict: `{}` at byte {}",
                    edit.kind, edit.at
                ),
            )
            .help("this is a bug of the tool; nothing was written"));
        }
        out.push_str(&text[done..edit.at]);
        out.push_str(&edit.text);
        done = edit.at + edit.removed;
    }
    out.push_str(&text[done..]);
    Ok(out)
}

/// Takes the insertions out of `after` again and puts back what they took out of `before`.
#[must_use]
pub fn invert(after: &str, edits: &[TextEdit], before: &str) -> Option<String> {
    let mut out = String::with_capacity(after.len());
    let (mut from, mut inserted, mut removed) = (0, 0, 0);
    for edit in edits {
        let at = edit.at + inserted - removed;
        out.push_str(after.get(from..at)?);
        out.push_str(before.get(edit.at..edit.at + edit.removed)?);
        from = at + edit.text.len();
        if after.get(at..from)? != edit.text {
            return None;
        }
        inserted += edit.text.len();
        removed += edit.removed;
    }
    out.push_str(after.get(from..)?);
    Some(out)
}

/// Collects edits by file and gives the changes, with every invariant checked.
pub fn changes(
    edits: BTreeMap<String, (Arc<SourceFile>, Vec<TextEdit>)>,
    created: BTreeMap<String, String>,
) -> Outcome<Vec<FileChange>> {
    let mut changes = Vec::new();
    for (path, (before, mut edits)) in edits {
        edits.sort_by_key(|edit| edit.at);
        let after = apply(&path, &before.text, &edits)?;
        if invert(&after, &edits, &before.text).as_deref() != Some(before.text.as_str()) {
            return Err(Refusal::new(
                "edit-lost",
                format!("the edit of `{path}` would lose text of yours"),
            )
            .help("this is a bug of the tool; nothing was written"));
        }
        changes.push(FileChange {
            path,
            before: Some(before),
            after,
            edits,
        });
    }
    for (path, after) in created {
        changes.push(FileChange {
            path,
            before: None,
            edits: Vec::new(),
            after,
        });
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(at: usize, text: &str) -> TextEdit {
        TextEdit::insert(at, text, "variant")
    }

    #[test]
    fn edits_invert() {
        let edits = [edit(0, "α"), edit(2, "x"), edit(2, "y"), edit(4, "z")];
        let after = apply("a.rs", "abcd", &edits).unwrap();
        assert_eq!(after, "αabxycdz");
        assert_eq!(invert(&after, &edits, "abcd").as_deref(), Some("abcd"));
        let other = invert("αabxyc!z", &edits, "abcd");
        assert_eq!(other.as_deref(), Some("abc!"));
        assert_eq!(invert("αab", &edits, "abcd"), None);
    }

    #[test]
    fn layout_is_all_that_goes() {
        let wider = |at, removed| TextEdit {
            removed,
            ..edit(at, "\n\n")
        };
        let after = apply("a.rs", "a b c", &[wider(1, 1)]).unwrap();
        assert_eq!(after, "a\n\nb c");
        let back = invert(&after, &[wider(1, 1)], "a b c");
        assert_eq!(back.as_deref(), Some("a b c"));
        let refused = apply("a.rs", "a b c", &[wider(1, 2)]).unwrap_err();
        assert_eq!(refused.code, "edit-conflict");
        assert_eq!(apply("a.rs", "A;", &[wider(1, 1)]).unwrap(), "A\n\n");
        assert!(apply("a.rs", "A;;", &[wider(1, 2)]).is_err());
    }

    #[test]
    fn two_changes_make_one() {
        let file = |text: &str| {
            Arc::new(SourceFile {
                path: "a.rs".to_owned(),
                absolute: std::path::PathBuf::new(),
                text: text.to_owned(),
            })
        };
        let removal = |at, removed| TextEdit {
            removed,
            ..edit(at, "_")
        };
        for (first, second, count) in [
            (vec![edit(1, "x")], vec![edit(4, "y")], 2),
            (vec![edit(1, "xx")], vec![edit(1, "y"), edit(3, "z")], 1),
            (vec![edit(3, "x")], vec![edit(0, "y"), edit(4, "z")], 2),
            (
                vec![removal(1, 1), edit(3, "x")],
                vec![removal(1, 1), edit(5, "y")],
                3,
            ),
            (vec![edit(2, "xx")], vec![removal(0, 3)], 1),
        ] {
            let one = take_out(file("abcd"), first.clone()).unwrap();
            let two = take_out(file(&one.after), second.clone()).unwrap();
            let after = two.after.clone();
            let both = compose(&one, two).unwrap();
            assert_eq!(
                (both.after, both.edits.len()),
                (after, count),
                "{first:?} {second:?}"
            );
        }
    }

    #[test]
    fn lines_are_found_again() {
        let before = SourceFile {
            path: "a.rs".to_owned(),
            absolute: std::path::PathBuf::new(),
            text: "a { b }\nc\n".to_owned(),
        };
        let edits = vec![TextEdit {
            removed: 1,
            ..edit(3, "\n    ")
        }];
        let change = FileChange {
            path: "a.rs".to_owned(),
            after: apply("a.rs", &before.text, &edits).unwrap(),
            before: Some(Arc::new(before)),
            edits,
        };
        assert_eq!(change.line_after(2), 3);
        let at = change.after.find('c').unwrap();
        assert_eq!(change.original(at), Some(8));
        assert_eq!(change.original(4), None);
    }

    #[test]
    fn an_offset_inside_a_character_is_a_conflict() {
        assert_eq!(
            apply("a.rs", "ä", &[edit(1, "x")]).unwrap_err().code,
            "edit-conflict"
        );
        assert_eq!(
            apply("a.rs", "ab", &[edit(3, "x")]).unwrap_err().code,
            "edit-conflict"
        );
    }
}
