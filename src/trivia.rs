//! Where a new sibling goes: the one place that decides what comments and line ends belong to.
//!
//! Comments on the line where an item ends belong to that item, and so do the comment lines
//! right below the last item of a list. What stands above an item belongs to that item.

use std::ops::Range;

use crate::edit::TextEdit;
use crate::workspace::SourceFile;

/// A place for a fragment after an item of a list, or at the list's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// Where the fragment goes.
    at: usize,
    /// Where a comma is missing before it.
    comma: Option<usize>,
    /// Whether an empty line divides it from what stands before.
    blank: bool,
    /// Whether the list stands on one line.
    inline: bool,
    /// Whether it goes on lines of its own before `at`, which starts a line.
    before: bool,
    /// Whether a comment that stands behind an item goes on over further lines.
    hangs: bool,
}

/// An item of a list, as far as placing a sibling needs it.
#[derive(Debug, Clone, Copy)]
pub struct Sibling {
    /// Where it starts, attributes included.
    pub start: usize,
    /// Where it ends, without its comma.
    pub end: usize,
    /// Where its comma ends, if it has one.
    pub comma: Option<usize>,
    /// Whether a comma is needed before another one may follow.
    pub needs_comma: bool,
}

impl Sibling {
    /// An item that stands on lines of its own, without commas.
    #[must_use]
    pub fn on_lines(range: &Range<usize>) -> Self {
        Self {
            start: range.start,
            end: range.end,
            comma: None,
            needs_comma: false,
        }
    }
}

impl Spot {
    /// After `siblings[index]` in a list whose closing brace is at `close`.
    #[must_use]
    pub fn after(file: &SourceFile, siblings: &[Sibling], index: usize, close: usize) -> Self {
        let item = siblings[index];
        let text = &file.text;
        let end = item.comma.unwrap_or(item.end);
        let comma = (item.comma.is_none() && item.needs_comma).then_some(item.end);
        let limit = siblings.get(index + 1).map_or(close, |next| next.start);
        let blank = divided_by_blank_lines(text, siblings);
        let Some(at) = line_end(text, end, limit) else {
            return Self {
                at: end,
                comma,
                blank: false,
                inline: true,
                before: false,
                hangs: false,
            };
        };
        let line_end = at;
        let at = if index + 1 == siblings.len() {
            comment_lines_end(text, at, limit)
        } else {
            at
        };
        Self {
            at,
            comma,
            blank,
            inline: false,
            before: false,
            hangs: hangs(&text[end..line_end], &text[line_end..limit.max(line_end)]),
        }
    }

    /// Before the item that starts at `start`, with the comments right above it.
    #[must_use]
    pub fn before(file: &SourceFile, siblings: &[Sibling], index: usize) -> Self {
        let mut at = file.line_start(siblings[index].start);
        let floor = index.checked_sub(1).map_or(0, |before| {
            siblings[before].comma.unwrap_or(siblings[before].end)
        });
        while at > floor + 1 {
            let above = file.line_start(at - 1);
            let line = file.text[above..at].trim();
            if above > floor && line.starts_with("//") {
                at = above;
            } else {
                break;
            }
        }
        Self {
            at,
            comma: None,
            blank: divided_by_blank_lines(&file.text, siblings),
            inline: false,
            before: true,
            hangs: false,
        }
    }

    /// As the first item of an empty list that opens just before `open`.
    #[must_use]
    pub fn first(file: &SourceFile, open: usize, close: usize) -> Self {
        let at = line_end(&file.text, open, close);
        Self {
            at: at.unwrap_or(open),
            comma: None,
            blank: false,
            inline: at.is_none(),
            before: false,
            hangs: false,
        }
    }

    /// The same with an empty line between it and its neighbour.
    #[must_use]
    pub fn divided(self) -> Self {
        Self {
            blank: !self.inline,
            ..self
        }
    }

    /// Whether the list stands on one line, so that the insertion changes that line.
    #[must_use]
    pub fn is_inline(&self) -> bool {
        self.inline
    }

    /// Whether a comment that stands behind an item goes on over further lines: rustfmt indents those
    /// by where it begins, and otherwise once another item follows.
    #[must_use]
    pub fn hangs(&self) -> bool {
        self.hangs
    }

    /// The edits that put `fragment` (indented lines, no line end after the last) here.
    #[must_use]
    pub fn insert(&self, file: &SourceFile, fragment: &str, kind: &'static str) -> Vec<TextEdit> {
        let newline = file.line_ending();
        let lines: Vec<&str> = fragment.lines().collect();
        let mut edits = Vec::new();
        if let Some(at) = self.comma {
            edits.push(TextEdit::insert(at, ",".to_owned(), kind));
        }
        let text = if self.inline {
            let parts: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
            format!(" {}", parts.join(" "))
        } else if self.before {
            let blank = if self.blank { newline } else { "" };
            format!("{}{newline}{blank}", lines.join(newline))
        } else {
            let blank = if self.blank { newline } else { "" };
            format!("{newline}{blank}{}", lines.join(newline))
        };
        edits.push(TextEdit::insert(self.at, text, kind));
        edits
    }
}

/// The end of the line that `from` stands on, where only white space and comments follow on it; of
/// a comment that goes on over several lines, the end of its last one.
fn line_end(text: &str, from: usize, limit: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let rest = &text[at..];
        at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let rest = &text[at..];
        if rest.starts_with("/*") {
            at += block_comment(rest)?;
            continue;
        }
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        let line = line.strip_suffix('\r').unwrap_or(line);
        let end = at
            + rest[line.len()..]
                .find('\n')
                .map_or(rest.len(), |n| line.len() + n);
        let is_trivia = line.trim().is_empty() || line.starts_with("//");
        return (is_trivia && end <= limit).then_some(at + line.len());
    }
}

/// Whether the comment `behind` an item goes on: over several lines, by another comment, or on the
/// line `below`.
fn hangs(behind: &str, below: &str) -> bool {
    let behind = behind.trim();
    let is_comment = |text: &str| text.starts_with("//") || text.starts_with("/*");
    let first = if behind.starts_with("/*") {
        block_comment(behind).unwrap_or(behind.len())
    } else {
        behind.len()
    };
    let next = below.lines().nth(1).unwrap_or_default().trim_start();
    is_comment(behind) && (behind.contains('\n') || first < behind.len() || is_comment(next))
}

/// The length of the comment that `text` begins with; comments nest.
fn block_comment(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        let rest = &text[at..];
        let open = rest.find("/*").unwrap_or(rest.len());
        let close = rest.find("*/")?;
        if open < close {
            depth += 1;
            at += open + 2;
        } else {
            depth -= 1;
            at += close + 2;
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

/// The end of the comment lines that follow the line end `at` without an empty line between.
fn comment_lines_end(text: &str, at: usize, limit: usize) -> usize {
    let mut end = at;
    loop {
        let Some(start) = text[end..].find('\n').map(|n| end + n + 1) else {
            return end;
        };
        let line_end = text[start..].find('\n').map_or(text.len(), |n| start + n);
        let line = &text[start..line_end];
        if line_end > limit || !line.trim().starts_with("//") {
            return end;
        }
        end = start + line.trim_end_matches('\r').len();
    }
}

/// Whether an empty line stands between every two items; one item divides nothing.
fn divided_by_blank_lines(text: &str, siblings: &[Sibling]) -> bool {
    siblings.len() > 1
        && siblings.windows(2).all(|pair| {
            let between = &text[pair[0].comma.unwrap_or(pair[0].end)..pair[1].start];
            let lines: Vec<&str> = between.split('\n').collect();
            lines.len() > 2
                && lines[1..lines.len() - 1]
                    .iter()
                    .any(|line| line.trim().is_empty())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> SourceFile {
        SourceFile {
            path: "a.rs".to_owned(),
            absolute: "/a.rs".into(),
            text: text.to_owned(),
        }
    }

    /// Places `N,` after the item `B` of a list in braces.
    fn after_b(text: &str) -> String {
        let file = file(text);
        let sibling = |name: &str| {
            let start = text.find(name).unwrap();
            let end = start + 1;
            Sibling {
                start,
                end,
                comma: text[end..].starts_with(',').then_some(end + 1),
                needs_comma: true,
            }
        };
        let siblings = [sibling("A"), sibling("B")];
        let spot = Spot::after(&file, &siblings, 1, text.rfind('}').unwrap());
        let mut edits = spot.insert(&file, "    N,", "variant");
        edits.sort_by_key(|e| e.at);
        crate::edit::apply("a.rs", text, &edits).unwrap()
    }

    #[test]
    fn trailing_comments_stay_with_the_item_before() {
        for (before, after) in [
            ("{\n    A,\n    B,\n}\n", "{\n    A,\n    B,\n    N,\n}\n"),
            ("{\n    A,\n    B\n}\n", "{\n    A,\n    B,\n    N,\n}\n"),
            (
                "{\n    A,\n    B // b\n}\n",
                "{\n    A,\n    B, // b\n    N,\n}\n",
            ),
            (
                "{\n    A,\n    B, /* b */\n    // of B\n}\n",
                "{\n    A,\n    B, /* b */\n    // of B\n    N,\n}\n",
            ),
            (
                "{\r\n    A,\r\n    B,\r\n}\r\n",
                "{\r\n    A,\r\n    B,\r\n    N,\r\n}\r\n",
            ),
            (
                "{\n    A,\n\n    B,\n}\n",
                "{\n    A,\n\n    B,\n\n    N,\n}\n",
            ),
            (
                "{\n    A,\n    B, /* of\n    B */\n}\n",
                "{\n    A,\n    B, /* of\n    B */\n    N,\n}\n",
            ),
            (
                "{\n    A,\n    B /* a /* b */ c */ // d\n}\n",
                "{\n    A,\n    B, /* a /* b */ c */ // d\n    N,\n}\n",
            ),
            ("{ A, B }", "{ A, B, N, }"),
            ("{ A, B, }", "{ A, B, N, }"),
        ] {
            assert_eq!(after_b(before), after);
        }
    }
}
