//! Code in the tokens of macros: arguments, the arms of `select!`, names in format strings.
//!
//! The compiler hands a macro its tokens as they are. What of them parses as an expression is
//! taken as one; of the rest, the groups are looked into and the names are kept.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::Token;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Pat};

use super::code::{Code, Kind, Let, Literal};
use super::lower::Lower;
use super::read::path_text;

/// Macros whose strings are no format strings.
const NO_FORMAT: [&str; 8] = [
    "json",
    "vec",
    "concat",
    "env",
    "include_str",
    "include",
    "matches",
    "query",
];

impl Lower {
    /// The code of a macro's call.
    pub(super) fn macro_call(&self, of: &syn::Macro) -> Kind {
        let path = path_text(&of.path);
        let name = path.rsplit("::").next().unwrap_or(&path).to_owned();
        if matches!(name.as_str(), "select" | "select_biased")
            && let Ok(arms) =
                (|input: ParseStream<'_>| self.select(input)).parse2(of.tokens.clone())
        {
            return Kind::Macro(path, arms);
        }
        let mut parts = Vec::new();
        self.pieces(of.tokens.clone(), &mut parts);
        if matches!(name.as_str(), "join" | "try_join") {
            let awaited = parts.into_iter().map(|part| Code {
                range: part.range.clone(),
                kind: Kind::Await(Box::new(part)),
            });
            return Kind::Macro(path, awaited.collect());
        }
        if !NO_FORMAT.contains(&name.as_str()) {
            let names: Vec<Code> = parts.iter().flat_map(in_format).collect();
            parts.extend(names);
        }
        Kind::Macro(path, parts)
    }

    /// The arms of `select!`: `pattern = future, if guard => body`.
    fn select(&self, input: ParseStream<'_>) -> syn::Result<Vec<Code>> {
        let mut arms = Vec::new();
        if input.peek(syn::Ident) && input.peek2(Token![;]) {
            input.parse::<syn::Ident>()?;
            input.parse::<Token![;]>()?;
        }
        while !input.is_empty() {
            let mut parts = Vec::new();
            let start = input.span();
            if input.peek(Token![else]) || (input.peek(syn::Ident) && input.peek2(Token![=>])) {
                input.parse::<TokenTree>()?;
            } else {
                let pat = Pat::parse_multi_with_leading_vert(input)?;
                input.parse::<Token![=]>()?;
                let future = self.lower(&input.parse::<Expr>()?);
                parts.push(Code {
                    range: future.range.clone(),
                    kind: Kind::Let(Box::new(Let {
                        binding: self.binding(&pat),
                        value: Some(Code {
                            range: future.range.clone(),
                            kind: Kind::Await(Box::new(future)),
                        }),
                        otherwise: None,
                    })),
                });
                if input.peek(Token![,]) {
                    input.parse::<Token![,]>()?;
                    input.parse::<Token![if]>()?;
                    parts.push(self.lower(&input.parse::<Expr>()?));
                }
            }
            input.parse::<Token![=>]>()?;
            let body = if input.peek(syn::token::Brace) {
                Expr::Block(syn::ExprBlock {
                    attrs: Vec::new(),
                    label: None,
                    block: input.parse()?,
                })
            } else {
                input.parse::<Expr>()?
            };
            parts.push(self.lower(&body));
            if input.peek(Token![,]) {
                input.parse::<Token![,]>()?;
            }
            let start = self.range(start).start;
            let end = parts.last().map_or(start, |part| part.range.end);
            arms.push(Code {
                range: start..end,
                kind: Kind::Block(parts, true),
            });
        }
        Ok(arms)
    }

    /// What of `tokens` is code, piece by piece between its commas.
    fn pieces(&self, tokens: TokenStream, out: &mut Vec<Code>) {
        let mut piece: Vec<TokenTree> = Vec::new();
        for tree in tokens {
            match &tree {
                TokenTree::Punct(punct) if matches!(punct.as_char(), ',' | ';') => {
                    self.piece(&std::mem::take(&mut piece), out);
                }
                _ => piece.push(tree),
            }
        }
        self.piece(&piece, out);
    }

    fn piece(&self, piece: &[TokenTree], out: &mut Vec<Code>) {
        if piece.is_empty() {
            return;
        }
        let whole = |trees: &[TokenTree]| -> Option<Code> {
            let tokens: TokenStream = trees.iter().cloned().collect();
            syn::parse2::<Expr>(tokens).ok().map(|e| self.lower(&e))
        };
        let is_group = |delimiter: Delimiter| matches!(piece, [TokenTree::Group(group)] if group.delimiter() == delimiter);
        if is_group(Delimiter::Brace) {
            // The object of `json!({ … })`, say, or a block.
            if let Some(code) = whole(piece) {
                out.push(code);
            } else if let [TokenTree::Group(group)] = piece {
                self.pieces(group.stream(), out);
            }
            return;
        }
        // `name = value` is an argument by name, `"key": value` an entry: the name is none.
        let cut = piece
            .windows(2)
            .position(|pair| match (&pair[0], &pair[1]) {
                (TokenTree::Ident(_), TokenTree::Punct(next)) => {
                    next.as_char() == '=' && next.spacing() == proc_macro2::Spacing::Alone
                }
                _ => false,
            });
        let cut = cut.filter(|at| {
            piece[..*at].iter().all(|tree| match tree {
                TokenTree::Ident(_) => true,
                TokenTree::Punct(punct) => punct.as_char() == '.',
                _ => false,
            })
        });
        let colon = piece.windows(2).position(|pair| {
            let is_colon = |tree: &TokenTree| {
                matches!(tree, TokenTree::Punct(p) if p.as_char() == ':'
                    && p.spacing() == proc_macro2::Spacing::Alone)
            };
            let is_joint = |tree: &TokenTree| {
                matches!(tree, TokenTree::Punct(p) if p.as_char() == ':'
                    && p.spacing() == proc_macro2::Spacing::Joint)
            };
            is_colon(&pair[1]) && !is_joint(&pair[0])
        });
        if let Some(at) = cut {
            return self.piece(&piece[at + 2..], out);
        }
        if let Some(code) = whole(piece) {
            out.push(code);
            return;
        }
        if let Some(at) = colon.filter(|at| *at == 0) {
            return self.piece(&piece[at + 2..], out);
        }
        // `%value` and `?value` of tracing.
        if let Some(TokenTree::Punct(punct)) = piece.first()
            && matches!(punct.as_char(), '%' | '?' | '@')
        {
            return self.piece(&piece[1..], out);
        }
        // `pattern => body`.
        let arrow = piece.windows(2).position(|pair| {
            matches!((&pair[0], &pair[1]), (TokenTree::Punct(a), TokenTree::Punct(b))
                if a.as_char() == '=' && b.as_char() == '>')
        });
        if let Some(at) = arrow {
            self.piece(&piece[..at], out);
            return self.piece(&piece[at + 2..], out);
        }
        self.loose(piece, out);
    }

    /// Names and groups of tokens that are no expression.
    fn loose(&self, trees: &[TokenTree], out: &mut Vec<Code>) {
        for (at, tree) in trees.iter().enumerate() {
            match tree {
                TokenTree::Group(group) => self.pieces(group.stream(), out),
                TokenTree::Ident(ident) => {
                    let is_part = at.checked_sub(1).is_some_and(|before| {
                        matches!(&trees[before], TokenTree::Punct(p) if matches!(p.as_char(), '.' | ':' | '$'))
                    });
                    if !is_part {
                        out.push(Code {
                            range: self.range(ident.span()),
                            kind: Kind::Path(ident.to_string()),
                        });
                    }
                }
                _ => {}
            }
        }
    }
}

/// The names in a format string: `{name}`, `{name:?}`, `{:width$}`.
fn in_format(part: &Code) -> Vec<Code> {
    let Kind::Literal(Literal::Text(text)) = &part.kind else {
        return Vec::new();
    };
    let mut names = Vec::new();
    let mut rest = text.as_str();
    while let Some(open) = rest.find('{') {
        rest = &rest[open + 1..];
        if let Some(after) = rest.strip_prefix('{') {
            rest = after;
            continue;
        }
        let Some(close) = rest.find('}') else {
            break;
        };
        let (name, spec) = rest[..close]
            .split_once(':')
            .unwrap_or((&rest[..close], ""));
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let widths = spec.split(['.', '<', '>', '^', '+', '#']);
        let widths = widths.filter_map(|part| {
            part.strip_suffix('$')
                .or_else(|| part.split_once('$').map(|p| p.0))
        });
        for name in std::iter::once(name.trim()).chain(widths) {
            let is_name = !name.is_empty()
                && name.chars().all(word)
                && !name.starts_with(|c: char| c.is_ascii_digit());
            if is_name {
                names.push(Code {
                    range: part.range.clone(),
                    kind: Kind::Path(name.to_owned()),
                });
            }
        }
        rest = &rest[close + 1..];
    }
    names
}
