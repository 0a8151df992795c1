//! How deep code nests: a parser that descends once a level has an end to its stack.
//!
//! Nobody writes such code; what generates it, or means harm, is refused by name.

use ra_ap_rustc_lexer::TokenKind;

use super::words::lexed;

/// Levels of brackets that can be parsed.
const BRACKETS: usize = 12_000;
/// Levels of a type's arguments: each takes more of the stack.
const ARGUMENTS: usize = 3_000;

/// The byte at which `text` nests deeper than can be parsed.
pub(super) fn too_deep(text: &str) -> Option<usize> {
    let mut rough = Levels::default();
    // What stands in comments and strings counts too here: the lexer is asked in doubt only.
    text.bytes().find(|byte| rough.take(*byte as char))?;
    let mut levels = Levels::default();
    for (kind, range) in lexed(text) {
        let is_text = matches!(
            kind,
            TokenKind::LineComment { .. }
                | TokenKind::BlockComment { .. }
                | TokenKind::Literal { .. }
                | TokenKind::Whitespace
        );
        if !is_text && text[range.clone()].chars().any(|c| levels.take(c)) {
            return Some(range.start);
        }
    }
    None
}

#[derive(Default)]
struct Levels {
    brackets: usize,
    arguments: usize,
    before: char,
}

impl Levels {
    /// Whether this is a level too many.
    fn take(&mut self, c: char) -> bool {
        match c {
            '(' | '[' | '{' => self.brackets += 1,
            ')' | ']' | '}' => self.brackets = self.brackets.saturating_sub(1),
            '<' => self.arguments += 1,
            // An arrow ends no list.
            '>' if !matches!(self.before, '-' | '=') => {
                self.arguments = self.arguments.saturating_sub(1);
            }
            _ => {}
        }
        // What compares has no end: no list goes on over one of these.
        if matches!(c, ';' | '{' | '}') {
            self.arguments = 0;
        }
        self.before = c;
        self.brackets > BRACKETS || self.arguments > ARGUMENTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_counts() {
        let (many, few) = (BRACKETS + 1, 1_000);
        assert_eq!(too_deep(&"(".repeat(many)), Some(BRACKETS));
        assert_eq!(too_deep(&"Box<".repeat(few * 4)), Some(ARGUMENTS * 4 + 3));
        assert_eq!(too_deep(&"Box<".repeat(few)), None);
        assert_eq!(too_deep(&"a < b; ".repeat(many)), None);
        assert_eq!(too_deep(&"// (\n\"(\"\n'('\n".repeat(many)), None);
        assert_eq!(too_deep(&"f()".repeat(many)), None);
    }
}
