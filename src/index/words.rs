//! Words of a text as its tokens have them: comments name nothing, and strings only what their
//! braces capture.

use std::collections::BTreeSet;
use std::ops::Range;

use ra_ap_rustc_lexer::{FrontmatterAllowed, TokenKind, tokenize};

use super::read::whole_words;

/// The tokens of a text, each with its range.
pub fn lexed(text: &str) -> impl Iterator<Item = (TokenKind, Range<usize>)> + '_ {
    let mut at = 0;
    tokenize(text, FrontmatterAllowed::No).map(move |token| {
        let range = at..at + token.len as usize;
        at = range.end;
        (token.kind, range)
    })
}

/// The same without white space and comments.
pub fn lexed_code(text: &str) -> impl Iterator<Item = (TokenKind, Range<usize>)> + '_ {
    lexed(text).filter(|(kind, _)| {
        !matches!(
            kind,
            TokenKind::Whitespace | TokenKind::LineComment { .. } | TokenKind::BlockComment { .. }
        )
    })
}

/// Offsets at which `text` names the item `name`: as a path or the start of one, never as a field,
/// as a method, or behind `::`. A macro is named with its `!` only.
#[must_use]
pub fn names(text: &str, name: &str, is_macro: bool) -> Vec<usize> {
    let mut found = Vec::new();
    let mut before = ["", ""];
    let mut all = lexed_code(text).peekable();
    while let Some((kind, range)) = all.next() {
        let token = &text[range.clone()];
        match kind {
            TokenKind::Ident | TokenKind::RawIdent => {
                let is_field = before[1] == "." && before[0] != ".";
                let is_inner = before == [":", ":"];
                let next = all.peek().map_or("", |(_, next)| &text[next.clone()]);
                if token.trim_start_matches("r#") == name
                    && !is_field
                    && !is_inner
                    && (!is_macro || next == "!")
                {
                    found.push(range.start);
                }
            }
            TokenKind::Literal { .. } if !is_macro => {
                let captured = whole_words(token, name)
                    .filter(|at| token[..*at].ends_with('{'))
                    .map(|at| range.start + at);
                found.extend(captured);
            }
            _ => {}
        }
        before = [before[1], token];
    }
    found
}

/// Numbers of the lines, from 0, that begin inside of a literal: their white space is its text.
#[must_use]
pub fn lines_in_literals(text: &str) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut line = 0;
    for (kind, range) in lexed(text) {
        let breaks = text[range].matches('\n').count();
        if matches!(kind, TokenKind::Literal { .. }) {
            found.extend(line + 1..=line + breaks);
        }
        line += breaks;
    }
    found
}

/// The comments of a text, in order.
#[must_use]
pub fn comments(text: &str) -> Vec<&str> {
    let is_comment = |kind: &TokenKind| {
        matches!(
            kind,
            TokenKind::LineComment { .. } | TokenKind::BlockComment { .. }
        )
    };
    lexed(text)
        .filter(|(kind, _)| is_comment(kind))
        .map(|(_, range)| text[range].trim_end())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{comments, lines_in_literals, names};

    #[test]
    fn an_item_is_named_by_the_start_of_a_path() {
        let text = "go(a.go, b::go, 0..go, \"{go} go\") // go";
        assert_eq!(names(text, "go", false), [0, 19, 25]);
        assert_eq!(names("error!(error)", "error", true), [0]);
    }

    #[test]
    fn lines_of_a_literal_are_known() {
        let text = "a /* b\n*/ \"c\nd\n\" + r#\"\n\"#\ne";
        let found: Vec<usize> = lines_in_literals(text).into_iter().collect();
        assert_eq!(found, [2, 3, 4]);
    }

    #[test]
    fn comments_are_given_in_order() {
        assert_eq!(comments("a /* b */ \"// c\" // d\n"), ["/* b */", "// d"]);
    }
}
