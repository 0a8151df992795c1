//! Lists of named fields in the tokens of macros: read where the tokens parse, else kept as places.

use std::ops::Range;

use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::visit::Visit;
use syn::{Expr, Pat, Token};

use super::field_lists::{Braces, ListForm, Lists};
use super::pattern::unraw;

/// Macros of std and of well-known crates whose arguments are expressions.
const OF_EXPRESSIONS: [&str; 24] = [
    "anyhow",
    "assert",
    "assert_eq",
    "assert_ne",
    "bail",
    "dbg",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "ensure",
    "eprint",
    "eprintln",
    "format",
    "json",
    "join",
    "panic",
    "print",
    "println",
    "todo",
    "try_join",
    "unreachable",
    "vec",
    "write",
    "writeln",
];

impl Lists<'_> {
    /// What stands in a macro.
    pub(super) fn in_tokens(&mut self, node: &syn::Macro) {
        let tokens = node.tokens.clone();
        let name = node.path.segments.last().map(|s| s.ident.to_string());
        let name = name.unwrap_or_default();
        if name.ends_with("matches") {
            match syn::parse2::<Matches>(tokens.clone()) {
                Ok(matches) => {
                    self.visit_expr(&matches.value);
                    self.visit_pat(&matches.pattern);
                    for rest in &matches.rest {
                        self.visit_expr(rest);
                    }
                }
                Err(_) => self.paths(tokens),
            }
        } else if OF_EXPRESSIONS.contains(&name.as_str())
            && let Ok(list) = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(tokens.clone())
        {
            for value in &list {
                self.visit_expr(value);
            }
        } else {
            self.paths(tokens);
        }
    }

    /// Every `a::b { … }` and `a::b` among tokens.
    pub(super) fn paths(&mut self, tokens: proc_macro2::TokenStream) {
        use proc_macro2::{Delimiter, Spacing, TokenTree};
        let mut path: Option<(String, Range<usize>)> = None;
        for tree in tokens {
            let range = tree.span().byte_range();
            let range = range.start + self.base..range.end + self.base;
            let before = path.take();
            match &tree {
                TokenTree::Ident(ident) => {
                    let name = unraw(ident);
                    path = Some(match before {
                        Some((text, at)) if text.ends_with("::") => {
                            (text + &name, at.start..range.end)
                        }
                        before => {
                            self.alone(before);
                            (name, range)
                        }
                    });
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    path = before.map(|(text, at)| (text + ":", at));
                }
                // The name of a macro; `!=` is none.
                TokenTree::Punct(punct)
                    if punct.as_char() == '!' && punct.spacing() == Spacing::Alone => {}
                TokenTree::Group(group) => {
                    match (group.delimiter(), before) {
                        (Delimiter::Brace, Some((text, at))) => {
                            self.tokens(&text, group, at.start);
                        }
                        // A call.
                        (Delimiter::Parenthesis, _) => {}
                        (_, before) => self.alone(before),
                    }
                    self.paths(group.stream());
                }
                _ => self.alone(before),
            }
        }
        self.alone(path);
    }

    /// A path among tokens that nothing follows which could be its fields.
    fn alone(&mut self, path: Option<(String, Range<usize>)>) {
        if let Some((text, range)) = path.filter(|(text, _)| !text.ends_with(':')) {
            self.name(ListForm::Tokens, text, range, Braces::Absent);
        }
    }

    fn tokens(&mut self, path: &str, group: &proc_macro2::Group, start: usize) {
        let inner: Vec<_> = group.stream().into_iter().collect();
        let is = |at: usize, wanted: char| matches!(inner.get(at), Some(proc_macro2::TokenTree::Punct(p)) if p.as_char() == wanted);
        // `..` behind the last comma; `0..=5` is a value.
        let has_rest = (0..inner.len())
            .any(|at| is(at, '.') && is(at + 1, '.') && (at == 0 || is(at - 1, ',')));
        let range = start..group.span_close().byte_range().end + self.base;
        let open = group.span_open().byte_range().end + self.base;
        let inside = open..group.span_close().byte_range().start + self.base;
        let list = self.list(ListForm::Tokens, path.to_owned(), range, inside, has_rest);
        self.found.push(list);
    }
}

/// What `matches!` and its like take: a value, a pattern, perhaps a guard and a message.
struct Matches {
    value: Expr,
    pattern: Pat,
    rest: Vec<Expr>,
}

impl Parse for Matches {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let value = input.parse()?;
        input.parse::<Token![,]>()?;
        let pattern = Pat::parse_multi_with_leading_vert(input)?;
        let mut rest = Vec::new();
        if input.peek(Token![if]) {
            input.parse::<Token![if]>()?;
            rest.push(input.parse()?);
        }
        while input.peek(Token![,]) {
            input.parse::<Token![,]>()?;
            if !input.is_empty() {
                rest.push(input.parse()?);
            }
        }
        Ok(Self {
            value,
            pattern,
            rest,
        })
    }
}
