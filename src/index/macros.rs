//! Matches inside macro bodies, which are only tokens to syn.
//!
//! A `match` keyword, the tokens up to the next brace group, and that group are a whole
//! expression whatever macro they stand in: Rust does not let a struct literal stand bare in
//! a scrutinee. So each such run is parsed on its own; where that fails (a `$fragment` in a
//! `macro_rules!` body, say), the place is kept for the user.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::ExprMatch;

/// What stands in a macro's tokens.
#[derive(Default)]
pub(super) struct Found {
    pub(super) matches: Vec<ExprMatch>,
    /// `match` keywords whose expression did not parse, with their tokens.
    pub(super) unparsed: Vec<(proc_macro2::Span, TokenStream)>,
}

/// Every `match` expression of `tokens` that does not stand inside another one of them.
pub(super) fn matches_in(tokens: TokenStream) -> Found {
    let mut found = Found::default();
    collect(tokens, &mut found);
    found
}

fn collect(tokens: TokenStream, found: &mut Found) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < trees.len() {
        match &trees[at] {
            TokenTree::Ident(ident) if ident == "match" => {
                let brace = trees[at..].iter().position(|tree| {
                    matches!(tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
                });
                if let Some(brace) = brace {
                    let run: TokenStream = trees[at..=at + brace].iter().cloned().collect();
                    match syn::parse2::<ExprMatch>(run.clone()) {
                        Ok(expression) => found.matches.push(expression),
                        Err(_) => found.unparsed.push((ident.span(), run)),
                    }
                    at += brace;
                }
            }
            TokenTree::Group(group) => collect(group.stream(), found),
            _ => {}
        }
        at += 1;
    }
}
