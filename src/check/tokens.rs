//! Code as its tokens, without comments and layout: what it is, however it is written.

use ra_ap_rustc_lexer::TokenKind;

use crate::index::lexed;

/// The tokens of a text, with what each is.
fn tokens(text: &str) -> impl Iterator<Item = (TokenKind, &str)> {
    let all = lexed(text).map(|(kind, range)| (kind, &text[range]));
    all.filter(|(kind, _)| {
        !matches!(
            kind,
            TokenKind::Whitespace | TokenKind::LineComment { .. } | TokenKind::BlockComment { .. }
        )
    })
}

/// Code without comments; there is a space between two words, and nothing between others.
#[must_use]
pub fn bare(text: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::with_capacity(text.len());
    for (_, token) in tokens(text) {
        if out.ends_with(is_word) && token.starts_with(is_word) {
            out.push(' ');
        }
        out.push_str(token);
    }
    out
}

/// The call that `text` begins with, up to the parenthesis that ends its arguments, as tokens.
#[must_use]
pub fn call(text: &str) -> String {
    let mut depth = 0_usize;
    let mut out = String::new();
    for (kind, token) in tokens(text) {
        out.push_str(token);
        out.push(' ');
        match kind {
            TokenKind::OpenParen | TokenKind::OpenBrace | TokenKind::OpenBracket => depth += 1,
            TokenKind::CloseParen | TokenKind::CloseBrace | TokenKind::CloseBracket => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
            }
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{bare, call};

    #[test]
    fn a_call_is_the_same_however_it_is_laid_out() {
        let one = call("tokio::spawn(async move { f(1) }); g()");
        let other = call("tokio::spawn(\n    // why\n    async move {\n f(1)\n }\n);");
        assert_eq!(one, "tokio : : spawn ( async move { f ( 1 ) } ) ");
        assert_eq!(one.replace(' ', ""), other.replace(' ', ""));
        assert_ne!(one, call("tokio::spawn(async move { f(2) })"));
    }

    #[test]
    fn comments_are_no_code() {
        assert_eq!(bare("let x = 1; // status: Set(\n a b"), "let x=1;a b");
    }
}
