//! Insertions that make a line too long, together with the white space that rustfmt then changes.
//!
//! A list of fields on one line stands on many once it outgrows it. In a file that was as rustfmt
//! writes it, nothing but what went in can be the reason of a difference afterwards.

use crate::edit::{self, TextEdit};
use crate::format::Rustfmt;
use crate::note::Outcome;

/// `edits` (sorted) of `before`, so that the result is as rustfmt writes it.
///
/// Where `before` is not, or where rustfmt would change more than layout, the edits stay as they
/// are.
pub fn reflow(
    rustfmt: &Rustfmt,
    path: &str,
    before: &str,
    edits: Vec<TextEdit>,
) -> Outcome<Vec<TextEdit>> {
    let after = edit::apply(path, before, &edits)?;
    // rustfmt leaves a byte order mark out of what it prints.
    let (mark, bare) = match before.strip_prefix(MARK) {
        Some(bare) => (MARK, bare),
        None => ("", before),
    };
    let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
    // A file that rustfmt cannot read is one that it did not write.
    if rustfmt.file_in(dir, bare).is_ok_and(|text| text == bare) {
        let after = after.strip_prefix(mark).unwrap_or(&after);
        let formatted = format!("{mark}{}", rustfmt.file_in(dir, after)?);
        Ok(align(before, &edits, &formatted).unwrap_or(edits))
    } else {
        Ok(edits)
    }
}

/// The byte order mark.
const MARK: &str = "\u{feff}";

/// The edits that lead from `before` to `formatted`, which is `before` with `edits` and another
/// layout; `None` where more than that differs.
fn align(before: &str, edits: &[TextEdit], formatted: &str) -> Option<Vec<TextEdit>> {
    let mut out: Vec<TextEdit> = Vec::new();
    // Ends of what is matched in either text, and the kind of what went in since then.
    let (mut from, mut to) = (0, 0);
    let mut kind = None;
    let mut found = formatted
        .char_indices()
        .filter(|(_, c)| !c.is_whitespace())
        .peekable();
    for (origin, c) in characters(before, edits) {
        // What rustfmt takes out (the comma behind the last field, on one line; the braces around
        // an arm's body, on many), and what it puts in.
        if edit::is_layout(c) && found.peek().is_none_or(|(_, f)| !edit::is_layout(*f)) {
            continue;
        }
        while found
            .next_if(|(_, f)| *f != c && edit::is_layout(*f))
            .is_some()
        {}
        let Some((at, _)) = found.next_if(|(_, f)| *f == c) else {
            if edit::is_layout(c) {
                continue;
            }
            return None;
        };
        match origin {
            Origin::Edit(n) => kind = Some(edits[n].kind),
            Origin::Before(start) => {
                push(
                    &mut out,
                    before,
                    from..start,
                    &formatted[to..at],
                    kind.take(),
                );
                (from, to) = (start + c.len_utf8(), at + c.len_utf8());
            }
        }
    }
    if found.any(|(_, f)| !edit::is_layout(f)) {
        return None;
    }
    let rest = from..before.len();
    push(&mut out, before, rest, &formatted[to..], kind.take());
    Some(out)
}

/// Where a character comes from.
enum Origin {
    /// The offset in the text before.
    Before(usize),
    /// The edit.
    Edit(usize),
}

/// Every character but white space of `before` with `edits`.
fn characters<'t>(
    before: &'t str,
    edits: &'t [TextEdit],
) -> impl Iterator<Item = (Origin, char)> + 't {
    let starts = edits.iter().map(|edit| edit.at + edit.removed);
    let starts = std::iter::once(0).chain(starts);
    let ends = edits.iter().map(|edit| edit.at);
    let ends = ends.chain(std::iter::once(before.len()));
    let pieces = starts.zip(ends).enumerate();
    let all = pieces.flat_map(|(n, (start, end))| {
        let stood = before[start..end].char_indices();
        let stood = stood.map(move |(i, c)| (Origin::Before(start + i), c));
        let went_in = edits.get(n).map_or("", |edit| edit.text.as_str());
        stood.chain(went_in.chars().map(move |c| (Origin::Edit(n), c)))
    });
    all.filter(|(_, c)| !c.is_whitespace())
}

/// Records that `text` stands where `range` of `before` stood, as far as the two differ.
fn push(
    out: &mut Vec<TextEdit>,
    before: &str,
    range: std::ops::Range<usize>,
    text: &str,
    kind: Option<&'static str>,
) {
    let stood = &before[range.clone()];
    if stood == text {
        return;
    }
    let same = |(a, b): &(char, char)| a == b;
    let pairs = stood.chars().zip(text.chars());
    let head: usize = pairs.take_while(same).map(|(c, _)| c.len_utf8()).sum();
    let (old, new) = (&stood[head..], &text[head..]);
    let pairs = old.chars().rev().zip(new.chars().rev());
    let tail: usize = pairs.take_while(same).map(|(c, _)| c.len_utf8()).sum();
    out.push(TextEdit {
        at: range.start + head,
        removed: old.len() - tail,
        text: new[..new.len() - tail].to_owned(),
        kind: kind.unwrap_or("field"),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &str, at: &str, text: &str, formatted: &str) -> Vec<TextEdit> {
        let edits = [TextEdit::insert(before.find(at).unwrap(), text, "field")];
        let aligned = align(before, &edits, formatted).unwrap();
        assert_eq!(edit::apply("a.rs", before, &aligned).unwrap(), formatted);
        aligned
    }

    #[test]
    fn a_list_on_one_line_comes_to_stand_on_many() {
        let aligned = check(
            "f(X { a, b });\n// c\n",
            " });",
            ", ccc",
            "f(X {\n    a,\n    b,\n    ccc,\n});\n// c\n",
        );
        assert_eq!(aligned.len(), 3);
    }

    #[test]
    fn a_line_of_its_own_is_one_insertion() {
        let aligned = check(
            "X {\n    a,\n}\n",
            "\n}",
            "\n    b,",
            "X {\n    a,\n    b,\n}\n",
        );
        assert_eq!((aligned.len(), aligned[0].removed), (1, 0));
    }

    #[test]
    fn the_comma_of_what_went_in_may_go() {
        check("X { a }\n", " }\n", ", b,", "X { a, b }\n");
    }

    #[test]
    fn braces_around_an_arm_may_go() {
        check(
            "match x {\n    X { a } => {\n        f(X { a })\n    }\n}\n",
            " })",
            ", b, c",
            "match x {\n    X { a } => f(X {\n        a,\n        b,\n        c,\n    }),\n}\n",
        );
    }

    #[test]
    fn other_text_is_no_reflow() {
        let edits = [TextEdit::insert(1, "b", "field")];
        assert_eq!(align("ac", &edits, "cab"), None);
        assert_eq!(align("ac", &edits, "abcd"), None);
    }
}
