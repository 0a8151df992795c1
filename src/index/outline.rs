//! The text of a file with the function bodies blanked out that nobody asked about.
//!
//! Most of a file is bodies in which nothing stands that the tool looks for, and most of the
//! time of reading a workspace would go into them; much of the rest is documentation. A blanked
//! text has every byte where the original has it, so that what is read from it has the offsets
//! of the original.

use std::borrow::Cow;
use std::ops::Range;

use ra_ap_rustc_lexer::{FrontmatterAllowed, TokenKind, tokenize};

/// What of a text need not be parsed; both are sorted.
#[derive(Default)]
pub(super) struct Unwanted {
    /// Code: whole insides of function bodies, and where something in a body is wanted, the
    /// statements that are not.
    pub(super) code: Vec<Range<usize>>,
    /// Lines of documentation but the first of several, which says where an item starts.
    docs: Vec<Range<usize>>,
}

/// What of `text` is not wanted.
///
/// Where the delimiters of `text` do not pair there is nothing: the parser says why.
pub(super) fn unwanted(text: &str, is_wanted: &dyn Fn(&Part<'_>) -> bool) -> Unwanted {
    let mut out = Unwanted::default();
    if let Some(tokens) = Tokens::of(text) {
        tokens.whole().leave_out(is_wanted, &mut out.code);
        out.docs = tokens.docs;
    }
    out
}

/// `text` with spaces in place of what is not wanted.
pub(super) fn blank<'t>(text: &'t str, unwanted: &Unwanted) -> Cow<'t, str> {
    let Unwanted { code, docs } = unwanted;
    if code.is_empty() && docs.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    let (mut code, mut docs) = (code.iter().peekable(), docs.iter().peekable());
    loop {
        let range = match (code.peek(), docs.peek()) {
            (Some(a), Some(b)) if b.start < a.start => docs.next(),
            (None, _) => docs.next(),
            _ => code.next(),
        };
        let Some(range) = range else {
            break;
        };
        // Documentation inside of code that is left out is gone with it.
        if range.end <= done {
            continue;
        }
        out.push_str(&text[done..range.start]);
        out.push_str(&" ".repeat(range.len()));
        done = range.end;
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// The tokens of a text.
pub(super) struct Tokens<'t> {
    text: &'t str,
    all: Vec<Token>,
    /// Lines of documentation that follow one of their kind, with no token between them.
    docs: Vec<Range<usize>>,
    /// For each opening delimiter the index of the one that closes it.
    closing: Vec<usize>,
}

/// A token that is neither white space nor a comment, and where it stands.
struct Token {
    kind: TokenKind,
    range: Range<usize>,
}

/// Some of the tokens of a text: whole groups only.
pub(super) struct Part<'t> {
    text: &'t str,
    all: &'t [Token],
    closing: &'t [usize],
    within: Range<usize>,
}

impl<'t> Tokens<'t> {
    /// The tokens of `text`; `None` where its delimiters do not pair.
    pub(super) fn of(text: &'t str) -> Option<Self> {
        let mut at = 0;
        // A token is five bytes long, with what stands around it.
        let mut all = Vec::with_capacity(text.len() / 5);
        let mut docs = Vec::new();
        // The kind of documentation that the last line was of, with nothing but comments after it.
        let mut above = None;
        for token in tokenize(text, FrontmatterAllowed::No) {
            let range = at..at + token.len as usize;
            at = range.end;
            match token.kind {
                TokenKind::LineComment {
                    doc_style: Some(style),
                } => {
                    if above == Some(style) {
                        docs.push(range);
                    }
                    above = Some(style);
                }
                TokenKind::BlockComment {
                    doc_style: Some(_), ..
                } => above = None,
                TokenKind::Whitespace
                | TokenKind::LineComment { .. }
                | TokenKind::BlockComment { .. } => {}
                kind => {
                    above = None;
                    all.push(Token { kind, range });
                }
            }
        }
        let closing = pairs(&all)?;
        Some(Self {
            text,
            all,
            docs,
            closing,
        })
    }

    /// All of them.
    pub(super) fn whole(&self) -> Part<'_> {
        Part {
            text: self.text,
            all: &self.all,
            closing: &self.closing,
            within: 0..self.all.len(),
        }
    }
}

impl<'t> Part<'t> {
    fn part(&self, within: Range<usize>) -> Self {
        Self { within, ..*self }
    }

    fn leave_out(&self, is_wanted: &dyn Fn(&Part<'_>) -> bool, out: &mut Vec<Range<usize>>) {
        for body in self.bodies() {
            if is_wanted(&body) {
                body.leave_out_statements(is_wanted, out);
            } else {
                out.extend(body.range());
            }
        }
    }

    /// The same for the inside of a function's body, or of a block in one.
    fn leave_out_statements(
        &self,
        is_wanted: &dyn Fn(&Part<'_>) -> bool,
        out: &mut Vec<Range<usize>>,
    ) {
        for statements in self.statements() {
            // An import inside a body says what names mean there.
            let names = ["use", "type"];
            let names = |at| names.iter().any(|word| statements.is_word(at, word));
            if is_wanted(&statements) || statements.words().any(names) {
                for inside in statements.insides() {
                    inside.leave_out_statements(is_wanted, out);
                }
            } else {
                out.extend(statements.range());
            }
        }
    }

    /// The insides of the outermost function bodies and blocks.
    fn insides(&self) -> impl Iterator<Item = Part<'t>> {
        let mut at = self.within.start;
        std::iter::from_fn(move || {
            while at < self.within.end {
                let open = match self.all[at].kind {
                    TokenKind::OpenBrace if self.is_block(at) => Some(at),
                    _ => self.body_of(at),
                };
                let Some(open) = open else {
                    at += 1;
                    continue;
                };
                let close = self.closing[open];
                at = close + 1;
                return Some(self.part(open + 1..close));
            }
            None
        })
    }

    /// Whether the brace at `at` opens statements by what stands before it: an arm's body, or that
    /// of a keyword. Other braces may be those of a pattern, a struct literal or a `match`.
    fn is_block(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1).filter(|at| *at >= self.within.start) else {
            return false;
        };
        match self.all[before].kind {
            TokenKind::Gt => {
                before > self.within.start && self.all[before - 1].kind == TokenKind::Eq
            }
            TokenKind::Ident => matches!(
                &self.text[self.all[before].range.clone()],
                "async" | "else" | "loop" | "move" | "unsafe"
            ),
            _ => false,
        }
    }

    /// The brace that opens the body of the function whose `fn` stands at `at`.
    fn body_of(&self, at: usize) -> Option<usize> {
        let is_named = matches!(
            self.all.get(at + 1).map(|next| next.kind),
            Some(TokenKind::Ident | TokenKind::RawIdent)
        );
        (is_named && self.is_word(at, "fn"))
            .then(|| body(self.all, self.closing, at + 2))
            .flatten()
    }

    /// The insides of the outermost function bodies.
    fn bodies(&self) -> impl Iterator<Item = Part<'t>> {
        let mut at = self.within.start;
        std::iter::from_fn(move || {
            while at < self.within.end {
                let Some(open) = self.body_of(at) else {
                    at += 1;
                    continue;
                };
                let close = self.closing[open];
                at = close + 1;
                return Some(self.part(open + 1..close));
            }
            None
        })
    }

    /// The statements of a body, cut at its own semicolons: several where one has none.
    fn statements(&self) -> impl Iterator<Item = Part<'t>> {
        let mut at = self.within.start;
        std::iter::from_fn(move || {
            let start = at;
            while at < self.within.end {
                match self.all[at].kind {
                    TokenKind::Semi => {
                        at += 1;
                        return Some(self.part(start..at));
                    }
                    TokenKind::OpenParen | TokenKind::OpenBracket | TokenKind::OpenBrace => {
                        at = self.closing[at] + 1;
                    }
                    _ => at += 1,
                }
            }
            (start < at).then(|| self.part(start..at))
        })
    }

    /// From the comments before the first token to the last; `None` where there is none.
    ///
    /// Documentation is an attribute: without what it documents it does not parse.
    fn range(&self) -> Option<Range<usize>> {
        let (first, last) = (self.within.start, self.within.end.checked_sub(1)?);
        let start = first.checked_sub(1).map_or(0, |at| self.all[at].range.end);
        (first <= last).then(|| start..self.all[last].range.end)
    }

    fn text(&self, at: usize) -> &str {
        let text = &self.text[self.all[at].range.clone()];
        text.strip_prefix("r#").unwrap_or(text)
    }

    fn is_word(&self, at: usize, word: &str) -> bool {
        self.all[at].kind == TokenKind::Ident && self.text(at) == word
    }

    /// The indices of the identifiers.
    fn words(&self) -> impl Iterator<Item = usize> + use<'_, 't> {
        self.within
            .clone()
            .filter(|at| matches!(self.all[*at].kind, TokenKind::Ident | TokenKind::RawIdent))
    }

    /// Whether the first token is `word`.
    pub(super) fn starts_with(&self, word: &str) -> bool {
        !self.within.is_empty() && self.is_word(self.within.start, word)
    }

    /// Whether a `match` may stand here that has an arm for one of what `is_meant` means, or
    /// whose scrutinee speaks of a source.
    ///
    /// `is_meant` is asked for identifiers without `r#` and for literals as they are written.
    /// May is enough: what is said to be here is parsed.
    pub(super) fn may_match(&self, is_meant: &dyn Fn(&str) -> bool) -> bool {
        let mut matches = self
            .words()
            .filter(|at| self.is_word(*at, "match"))
            .peekable();
        if matches.peek().is_none() {
            return false;
        }
        let of_source = |at: usize| {
            (at..self.within.end)
                .take_while(|at| self.all[*at].kind != TokenKind::OpenBrace)
                .any(|at| self.text(at).contains("source"))
        };
        matches.any(of_source)
            || self.within.clone().any(|at| {
                let is_name = matches!(
                    self.all[at].kind,
                    TokenKind::Ident | TokenKind::RawIdent | TokenKind::Literal { .. }
                );
                is_name && is_meant(self.text(at)) && self.may_be_pattern(at)
            })
    }

    /// Whether the token at `at` may be part of an arm's pattern: a `=>` or a guard comes before
    /// the end of a statement.
    fn may_be_pattern(&self, mut at: usize) -> bool {
        while at < self.within.end {
            match self.all[at].kind {
                TokenKind::Semi => return false,
                TokenKind::OpenParen | TokenKind::OpenBracket | TokenKind::OpenBrace => {
                    at = self.closing[at];
                }
                TokenKind::Eq => {
                    let next = self.all.get(at + 1);
                    if next.is_some_and(|next| next.kind == TokenKind::Gt) {
                        return true;
                    }
                }
                TokenKind::Ident if self.text(at) == "if" => return true,
                _ => {}
            }
            at += 1;
        }
        false
    }

    /// Whether a name that holds `word` stands before a colon and the name `value`.
    pub(super) fn sets(&self, word: &str, value: &str) -> bool {
        self.words().any(|at| {
            let kind = |at: usize| self.all.get(at).map(|token| token.kind);
            self.text(at).contains(word)
                && kind(at + 1) == Some(TokenKind::Colon)
                && kind(at + 2) == Some(TokenKind::Ident)
                && self.text(at + 2) == value
        })
    }

    /// The offset of each call of `path`, written with `::` between its parts.
    pub(super) fn calls(&self, path: &str) -> Vec<usize> {
        let parts: Vec<&str> = path.split("::").collect();
        self.words()
            .filter(|start| {
                let mut at = *start;
                for (i, part) in parts.iter().enumerate() {
                    let colons = i > 0;
                    if colons {
                        let found = (0..2).all(|n| {
                            self.all
                                .get(at + n)
                                .is_some_and(|t| t.kind == TokenKind::Colon)
                        });
                        at += 2;
                        if !found {
                            return false;
                        }
                    }
                    if self.all.get(at).is_none() || self.text(at) != *part {
                        return false;
                    }
                    at += 1;
                }
                self.all
                    .get(at)
                    .is_some_and(|t| t.kind == TokenKind::OpenParen)
            })
            .map(|start| self.all[start].range.start)
            .collect()
    }
}

/// The index of the brace that opens the body of the function whose signature goes on at `at`.
fn body(tokens: &[Token], closing: &[usize], mut at: usize) -> Option<usize> {
    let mut angles = 0_usize;
    while at < tokens.len() {
        match tokens[at].kind {
            TokenKind::OpenBrace if angles == 0 => return Some(at),
            // A group in a signature: parameters, an array's length, a constant's braces.
            TokenKind::OpenParen | TokenKind::OpenBracket | TokenKind::OpenBrace => {
                at = closing[at];
            }
            TokenKind::Semi
            | TokenKind::CloseParen
            | TokenKind::CloseBracket
            | TokenKind::CloseBrace => return None,
            TokenKind::Lt => angles += 1,
            TokenKind::Gt => {
                let is_arrow = tokens[at - 1].kind == TokenKind::Minus
                    && tokens[at - 1].range.end == tokens[at].range.start;
                if !is_arrow {
                    angles = angles.saturating_sub(1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// For each opening delimiter the index of the one that closes it.
fn pairs(tokens: &[Token]) -> Option<Vec<usize>> {
    let mut closing = vec![0; tokens.len()];
    let mut open = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::OpenParen | TokenKind::OpenBracket | TokenKind::OpenBrace => open.push(at),
            TokenKind::CloseParen | TokenKind::CloseBracket | TokenKind::CloseBrace => {
                let start = open.pop()?;
                let fits = matches!(
                    (tokens[start].kind, token.kind),
                    (TokenKind::OpenParen, TokenKind::CloseParen)
                        | (TokenKind::OpenBracket, TokenKind::CloseBracket)
                        | (TokenKind::OpenBrace, TokenKind::CloseBrace)
                );
                if !fits {
                    return None;
                }
                closing[start] = at;
            }
            _ => {}
        }
    }
    open.is_empty().then_some(closing)
}

#[cfg(test)]
mod tests {
    use super::{Part, Tokens, blank, unwanted};

    #[track_caller]
    fn check(text: &str, blanked: &str) {
        let keeps = |part: &Part<'_>| part.words().any(|at| part.is_word(at, "keep"));
        let out = blank(text, &unwanted(text, &keeps));
        assert_eq!(out, blanked);
        assert_eq!(out.len(), text.len());
    }

    #[test]
    fn bodies_are_blanked_and_everything_stays_where_it_was() {
        check(
            "fn a() { b() } fn c() { keep }",
            "fn a() {     } fn c() { keep }",
        );
        check(
            "fn a();\nstruct B { c: fn(u8) }",
            "fn a();\nstruct B { c: fn(u8) }",
        );
        check(
            "impl A { fn b(&self) -> C { \"ä\" } }",
            "impl A { fn b(&self) -> C {      } }",
        );
    }

    #[test]
    fn of_a_body_that_is_wanted_the_other_statements_are_blanked() {
        check(
            "fn a() { b[c; 1]; for d in e { f; } keep(g); { h; i } }",
            "fn a() {          for d in e { f; } keep(g);          }",
        );
        check(
            "fn a() { impl B { fn c() { d } fn e() { keep } } f(); use g::h; }",
            "fn a() { impl B { fn c() { d } fn e() { keep } } f(); use g::h; }"
                .replace("{ d }", "{   }")
                .as_str(),
        );
    }

    #[test]
    fn blocks_inside_of_what_is_wanted_are_looked_into() {
        check(
            "fn a() { match b { C => { d; keep } E => { f } } }",
            "fn a() { match b { C => {    keep } E => {   } } }",
        );
        check(
            "fn a() { g(async move { h; keep { i } }, J { k: l }) }",
            "fn a() { g(async move {    keep { i } }, J { k: l }) }",
        );
        check("fn a() { if b { c } keep }", "fn a() { if b { c } keep }");
    }

    #[test]
    fn of_documentation_its_first_line_stays() {
        check(
            "//! a\n//! b\n\n/// c\n// d\n/// e\n#[f]\n/// g\nfn h();",
            "//! a\n     \n\n/// c\n// d\n     \n#[f]\n/// g\nfn h();",
        );
        // It goes with what it documents.
        check(
            "fn a() { /// b\n/// c\nfn d() {} }",
            &format!("fn a() {{{}}}", " ".repeat(23)),
        );
    }

    #[test]
    fn what_looks_like_a_delimiter_is_none() {
        check("fn a() { '}' }", "fn a() {     }");
        check("fn a<'b>() { r#\"}\"# }", "fn a<'b>() {        }");
        check("fn a() /* { */ { // }\n }", "fn a() /* { */ { // }\n }");
        check("fn r#fn() { b'{' }", "fn r#fn() {      }");
    }

    #[test]
    fn braces_of_a_signature_are_no_body() {
        check(
            "fn a() -> B<{ 3 }> { x } const C: fn() = d;",
            "fn a() -> B<{ 3 }> {   } const C: fn() = d;",
        );
        check(
            "fn a(b: [u8; { 1 }]) where [(); { 2 }]: { x }",
            "fn a(b: [u8; { 1 }]) where [(); { 2 }]: {   }",
        );
        check(
            "fn a(f: impl Fn(u8) -> u8) -> Vec<Vec<u8>> { x }",
            "fn a(f: impl Fn(u8) -> u8) -> Vec<Vec<u8>> {   }",
        );
    }

    #[test]
    fn an_arm_is_told_from_a_value() {
        let may = |body: &str| {
            let text = format!("fn f() {{ {body} }}");
            let tokens = Tokens::of(&text).unwrap();
            let body = tokens.whole().bodies().next().unwrap();
            body.may_match(&|name| name == "A" || name == "\"a\"")
        };
        assert!(may("match x { E::A { b, .. } => c, }"));
        assert!(may("match x { (_, (E::A, Some([y, ..]))) | B => c, }"));
        assert!(may("match x { E::r#A if { let y = 1; y } == 1 => c, }"));
        assert!(may("select! { _ = y => match x { A => c } }"));
        assert!(may("match x { \"a\" => c, }"));
        assert!(may("match run.source_type() { _ => c, }"));
        assert!(!may("let y = E::A { b: 1 }; match x { B => c, }"));
        assert!(!may("// match A =>\n let y = \"match A =>\";"));
        assert!(!may("if let E::A = x { y }"));
    }

    #[test]
    fn calls_are_told_from_what_only_looks_like_them() {
        let at = |text| Tokens::of(text).unwrap().whole().calls("A::new");
        assert_eq!(at("b(); let x = c::A::new(d);"), [16]);
        assert!(at("// A::new(\n \"A::new(\"; A::newer(); B::new(); A::new;").is_empty());
    }

    #[test]
    fn what_does_not_pair_is_left_to_the_parser() {
        check("fn a() { ( } fn b() { c }", "fn a() { ( } fn b() { c }");
        check("fn a() { x }}", "fn a() { x }}");
    }
}
