//! Edits as insertions at offsets of the original text, applied all at once.
//!
//! An insertion is the only edit there is, so that untouched bytes stay untouched by
//! construction: take the insertions out of the result and the original is back.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::note::{Outcome, Refusal};
use crate::workspace::SourceFile;

/// Text that goes in at an offset of the original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEdit {
    /// Byte offset in the original text.
    pub at: usize,
    /// What goes in.
    pub text: String,
    /// What the insertion is, in the words of the command line's JSON.
    pub kind: &'static str,
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
        let shift: usize = self.edits[..index].iter().map(|edit| edit.text.len()).sum();
        let edit = &self.edits[index];
        let mut at = edit.at + shift;
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
        let mut shift = 0;
        for edit in &self.edits {
            let start = edit.at + shift;
            if at <= start {
                break;
            }
            if at < start + edit.text.len() {
                return None;
            }
            shift += edit.text.len();
        }
        self.before.is_some().then_some(at - shift)
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
}

/// Puts `edits` into `text`. Several insertions at one offset keep their order.
///
/// Refuses an offset that lies past the end or inside a character.
pub fn apply(path: &str, text: &str, edits: &[TextEdit]) -> Outcome<String> {
    let mut out =
        String::with_capacity(text.len() + edits.iter().map(|e| e.text.len()).sum::<usize>());
    let mut done = 0;
    for edit in edits {
        if edit.at < done || !text.is_char_boundary(edit.at) || edit.at > text.len() {
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
        done = edit.at;
    }
    out.push_str(&text[done..]);
    Ok(out)
}

/// Takes the insertions out of `after` again.
#[must_use]
pub fn invert(after: &str, edits: &[TextEdit]) -> Option<String> {
    let mut out = String::with_capacity(after.len());
    let (mut from, mut shift) = (0, 0);
    for edit in edits {
        let at = edit.at + shift;
        out.push_str(after.get(from..at)?);
        from = at + edit.text.len();
        if after.get(at..from)? != edit.text {
            return None;
        }
        shift += edit.text.len();
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
        if invert(&after, &edits).as_deref() != Some(before.text.as_str()) {
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
        TextEdit {
            at,
            text: text.to_owned(),
            kind: "variant",
        }
    }

    #[test]
    fn insertions_invert() {
        let edits = [edit(0, "α"), edit(2, "x"), edit(2, "y"), edit(4, "z")];
        let after = apply("a.rs", "abcd", &edits).unwrap();
        assert_eq!(after, "αabxycdz");
        assert_eq!(invert(&after, &edits).as_deref(), Some("abcd"));
        assert_eq!(invert("αabxyc!z", &edits).as_deref(), Some("abc!"));
        assert_eq!(invert("αab", &edits), None);
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
