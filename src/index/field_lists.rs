//! Lists of named fields: where a struct or a variant is declared, built and taken apart.

use std::ops::Range;
use std::sync::Arc;

use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::{Pair, Punctuated};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, Pat, Token};

use super::pattern::unraw;
use super::read::{parse, path_text};
use super::scopes::{Meaning, Scopes};
use crate::note::Outcome;
use crate::trivia::Sibling;
use crate::workspace::SourceFile;

/// `Path { … }` with named fields.
#[derive(Debug, Clone)]
pub struct FieldList {
    /// What it is a list of, as written; for a variant that is declared, `Enum::Variant`.
    pub path: String,
    /// What that means where it is written.
    pub meaning: Meaning,
    /// What it does with the fields.
    pub form: ListForm,
    /// The fields.
    pub fields: Vec<ListedField>,
    /// Whether it ends in `..`, with or without a base.
    pub has_rest: bool,
    /// From the path to the closing brace.
    pub range: Range<usize>,
    /// Behind the opening brace.
    pub open: usize,
    /// Before the closing brace.
    pub close: usize,
    /// Whether it stands at the top of the file, in no module and no block.
    pub is_top: bool,
    /// Whether it stands in a macro's tokens, which rustfmt may leave as they are.
    pub in_macro: bool,
    /// Whether the module around it has a `use super::*`.
    pub sees_parent: bool,
    /// Whether it stands in a module that is compiled for tests only.
    pub is_test: bool,
}

/// What a list of fields is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListForm {
    /// Says what the fields are.
    Declaration,
    /// Gives them values.
    Value,
    /// Takes them apart.
    Pattern,
    /// Stands in the tokens of a macro that do not parse: one of the last two.
    Tokens,
}

/// One field of a list.
#[derive(Debug, Clone)]
pub struct ListedField {
    /// Its name, without `r#`.
    pub name: String,
    /// Its value, pattern or type as written; the name where it is left out.
    pub value: String,
    /// Its place in the list.
    pub sibling: Sibling,
}

/// Every list of named fields in `file`, whose module is `here`; refuses a file that does not parse.
pub(super) fn field_lists(
    file: &Arc<SourceFile>,
    here: String,
    is_crate: &dyn Fn(&str) -> bool,
) -> Outcome<Vec<FieldList>> {
    let base = file.lexed_from();
    let syntax = parse(file, &file.text[base..])?;
    let mut lists = Lists {
        file,
        base,
        found: Vec::new(),
        scopes: Scopes::new(here, is_crate),
        self_type: None,
        in_test: false,
        in_macro: false,
    };
    lists.scopes.enter_module(None, &syntax.items);
    lists.visit_file(&syntax);
    Ok(lists.found)
}

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

struct Lists<'f> {
    file: &'f SourceFile,
    base: usize,
    found: Vec<FieldList>,
    scopes: Scopes<'f>,
    self_type: Option<String>,
    in_test: bool,
    in_macro: bool,
}

impl Lists<'_> {
    fn range(&self, node: &impl Spanned) -> Range<usize> {
        let range = node.span().byte_range();
        range.start + self.base..range.end + self.base
    }

    fn push<F: Spanned>(
        &mut self,
        form: ListForm,
        path: (String, usize),
        brace: syn::token::Brace,
        pairs: impl Iterator<Item = Pair<F, Option<Range<usize>>>>,
        named: impl Fn(&F) -> Option<(String, Range<usize>)>,
        has_rest: bool,
    ) {
        let mut fields = Vec::new();
        for pair in pairs {
            let (field, comma) = pair.into_tuple();
            let Some((name, value)) = named(&field) else {
                return;
            };
            let range = self.range(&field);
            fields.push(ListedField {
                name,
                value: self.file.text[value.start + self.base..value.end + self.base].to_owned(),
                sibling: Sibling {
                    start: range.start,
                    end: range.end,
                    comma: comma.flatten().map(|comma| comma.end + self.base),
                    needs_comma: true,
                },
            });
        }
        let (open, close) = (brace.span.open(), brace.span.close());
        let (open, close) = (open.byte_range(), close.byte_range());
        let range = path.1..close.end + self.base;
        let inside = open.end + self.base..close.start + self.base;
        self.found.push(FieldList {
            fields,
            ..self.list(form, path.0, range, inside, has_rest)
        });
    }

    fn declaration(&mut self, path: String, start: usize, fields: &syn::Fields) {
        let syn::Fields::Named(fields) = fields else {
            return;
        };
        let named = |field: &&syn::Field| {
            let name = field.ident.as_ref().map(unraw)?;
            Some((name, field.ty.span().byte_range()))
        };
        let pairs = fields.named.pairs().map(with_comma);
        let form = ListForm::Declaration;
        self.push(form, (path, start), fields.brace_token, pairs, named, false);
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

    /// A list without its fields.
    fn list(
        &self,
        form: ListForm,
        path: String,
        range: Range<usize>,
        inside: Range<usize>,
        has_rest: bool,
    ) -> FieldList {
        FieldList {
            meaning: self.scopes.meaning(&path, self.self_type.as_deref()),
            path,
            form,
            fields: Vec::new(),
            has_rest,
            range,
            open: inside.start,
            close: inside.end,
            is_top: self.scopes.module().is_empty() && !self.scopes.in_block(),
            in_macro: self.in_macro,
            sees_parent: self.scopes.sees_parent(),
            is_test: self.in_test,
        }
    }

    /// Every `a::b { … }` among tokens.
    fn braces(&mut self, tokens: proc_macro2::TokenStream) {
        use proc_macro2::{Delimiter, TokenTree};
        let mut path: Option<(String, usize)> = None;
        for tree in tokens {
            match &tree {
                TokenTree::Ident(ident) => {
                    let start = ident.span().byte_range().start + self.base;
                    let name = unraw(ident);
                    path = Some(match path.take() {
                        Some((before, start)) if before.ends_with("::") => (before + &name, start),
                        _ => (name, start),
                    });
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    path = path.map(|(text, start)| (text + ":", start));
                }
                TokenTree::Group(group) => {
                    if let (Delimiter::Brace, Some((text, start))) = (group.delimiter(), &path) {
                        self.tokens(text, group, *start);
                    }
                    path = None;
                    self.braces(group.stream());
                }
                _ => path = None,
            }
        }
    }
}

impl<'ast> Visit<'ast> for Lists<'_> {
    fn visit_item_mod(&mut self, node: &'ast syn::ItemMod) {
        let outer = self.in_test;
        let is_test = |attribute: &syn::Attribute| {
            attribute.path().is_ident("cfg")
                && attribute
                    .parse_args::<syn::Path>()
                    .is_ok_and(|path| path.is_ident("test"))
        };
        self.in_test |= node.attrs.iter().any(is_test);
        if let Some((_, items)) = &node.content {
            self.scopes.enter_module(Some(unraw(&node.ident)), items);
            visit::visit_item_mod(self, node);
            self.scopes.leave();
        }
        self.in_test = outer;
    }

    fn visit_block(&mut self, node: &'ast syn::Block) {
        self.scopes.enter_block(node);
        visit::visit_block(self, node);
        self.scopes.leave();
    }

    fn visit_item_impl(&mut self, node: &'ast syn::ItemImpl) {
        let of = match &*node.self_ty {
            syn::Type::Path(of) => Some(path_text(&of.path)),
            _ => None,
        };
        let outer = std::mem::replace(&mut self.self_type, of);
        visit::visit_item_impl(self, node);
        self.self_type = outer;
    }

    fn visit_attribute(&mut self, node: &'ast syn::Attribute) {
        if let syn::Meta::List(list) = &node.meta {
            self.braces(list.tokens.clone());
        }
    }

    fn visit_item_struct(&mut self, node: &'ast syn::ItemStruct) {
        let start = self.range(&node.ident).start;
        self.declaration(unraw(&node.ident), start, &node.fields);
        visit::visit_item_struct(self, node);
    }

    fn visit_item_enum(&mut self, node: &'ast syn::ItemEnum) {
        for variant in &node.variants {
            let path = format!("{}::{}", unraw(&node.ident), unraw(&variant.ident));
            let start = self.range(&variant.ident).start;
            self.declaration(path, start, &variant.fields);
        }
        visit::visit_item_enum(self, node);
    }

    fn visit_expr_struct(&mut self, node: &'ast syn::ExprStruct) {
        let named = |field: &&syn::FieldValue| match &field.member {
            syn::Member::Named(name) => Some((unraw(name), field.expr.span().byte_range())),
            syn::Member::Unnamed(_) => None,
        };
        let pairs = node.fields.pairs().map(with_comma);
        let path = (path_text(&node.path), self.range(&node.path).start);
        let has_rest = node.dot2_token.is_some();
        self.push(
            ListForm::Value,
            path,
            node.brace_token,
            pairs,
            named,
            has_rest,
        );
        visit::visit_expr_struct(self, node);
    }

    fn visit_pat_struct(&mut self, node: &'ast syn::PatStruct) {
        let named = |field: &&syn::FieldPat| match &field.member {
            syn::Member::Named(name) => Some((unraw(name), field.pat.span().byte_range())),
            syn::Member::Unnamed(_) => None,
        };
        let pairs = node.fields.pairs().map(with_comma);
        let path = (path_text(&node.path), self.range(&node.path).start);
        let (form, has_rest) = (ListForm::Pattern, node.rest.is_some());
        self.push(form, path, node.brace_token, pairs, named, has_rest);
        visit::visit_pat_struct(self, node);
    }

    fn visit_macro(&mut self, node: &'ast syn::Macro) {
        let tokens = node.tokens.clone();
        let name = node.path.segments.last().map(|s| s.ident.to_string());
        let name = name.unwrap_or_default();
        let outer = std::mem::replace(&mut self.in_macro, true);
        if name.ends_with("matches") {
            match syn::parse2::<Matches>(tokens.clone()) {
                Ok(matches) => {
                    self.visit_expr(&matches.value);
                    self.visit_pat(&matches.pattern);
                    for rest in &matches.rest {
                        self.visit_expr(rest);
                    }
                }
                Err(_) => self.braces(tokens),
            }
        } else if OF_EXPRESSIONS.contains(&name.as_str())
            && let Ok(list) = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(tokens.clone())
        {
            for value in &list {
                self.visit_expr(value);
            }
        } else {
            self.braces(tokens);
        }
        self.in_macro = outer;
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

/// A field with the range of the comma behind it, not yet shifted by what stands before the text.
fn with_comma<T>(pair: Pair<T, &Token![,]>) -> Pair<T, Option<Range<usize>>> {
    match pair {
        Pair::Punctuated(field, comma) => Pair::Punctuated(field, Some(comma.span.byte_range())),
        Pair::End(field) => Pair::End(field),
    }
}
