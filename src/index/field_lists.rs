//! Lists of named fields: where a struct or a variant is declared, built and taken apart.
//!
//! What has no fields yet stands there by its name alone, `TaskSpec::Ping` say: a list without
//! braces.

use std::ops::Range;
use std::sync::Arc;

use syn::punctuated::Pair;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, Pat, Token};

use super::pattern::unraw;
use super::read::{derives, parse, path_text};
use super::scopes::{Meaning, Scopes};
use crate::note::Outcome;
use crate::trivia::Sibling;
use crate::workspace::SourceFile;

/// `Path { … }` with named fields, or `Path` of what has none.
#[derive(Debug, Clone)]
pub struct FieldList {
    /// What it is a list of, as written; for a variant that is declared, `Enum::Variant`.
    pub path: String,
    /// What that means where it is written.
    pub meaning: Meaning,
    /// What it does with the fields.
    pub form: ListForm,
    /// Whether its fields stand in braces.
    pub braces: Braces,
    /// The fields.
    pub fields: Vec<ListedField>,
    /// Whether it ends in `..`, with or without a base.
    pub has_rest: bool,
    /// From the path to the closing brace; to the semicolon of a struct that has none.
    pub range: Range<usize>,
    /// Behind the opening brace, or where one would stand.
    pub open: usize,
    /// Before the closing brace, or before the semicolon.
    pub close: usize,
    /// What a struct derives, where it is declared.
    pub derives: Vec<String>,
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

/// How the fields of a list are enclosed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Braces {
    /// By braces.
    Present,
    /// By nothing: it has no fields.
    Absent,
    /// By nothing, at a place where braces need parentheses around the value: `if x == Ping {`.
    InHead,
    /// By nothing, at a place where no braces may stand: `Ping as u8`.
    Impossible,
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
        in_head: false,
    };
    lists.scopes.enter_module(None, &syntax.items);
    lists.visit_file(&syntax);
    Ok(lists.found)
}

/// Finds the lists of one file.
pub(super) struct Lists<'f> {
    file: &'f SourceFile,
    pub(super) base: usize,
    pub(super) found: Vec<FieldList>,
    scopes: Scopes<'f>,
    self_type: Option<String>,
    in_test: bool,
    in_macro: bool,
    /// Whether an opening brace would be taken for that of a block.
    in_head: bool,
}

impl Lists<'_> {
    pub(super) fn range(&self, node: &impl Spanned) -> Range<usize> {
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

    /// `end` is where a declaration without fields ends.
    fn declaration(&mut self, path: String, start: usize, end: usize, fields: &syn::Fields) {
        let fields = match fields {
            syn::Fields::Named(fields) => fields,
            syn::Fields::Unnamed(_) => return,
            syn::Fields::Unit => {
                let name = path.rsplit("::").next().unwrap_or_default().len();
                let raw = if self.file.text[start..].starts_with("r#") {
                    2
                } else {
                    0
                };
                let open = start + raw + name;
                let close = if self.file.text[..end].ends_with(';') {
                    end - 1
                } else {
                    end
                };
                let list = self.list(ListForm::Declaration, path, start..end, open..close, false);
                self.found.push(FieldList {
                    braces: Braces::Absent,
                    ..list
                });
                return;
            }
        };
        let named = |field: &&syn::Field| {
            let name = field.ident.as_ref().map(unraw)?;
            Some((name, field.ty.span().byte_range()))
        };
        let pairs = fields.named.pairs().map(with_comma);
        let form = ListForm::Declaration;
        self.push(form, (path, start), fields.brace_token, pairs, named, false);
    }

    /// A list without its fields.
    pub(super) fn list(
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
            braces: Braces::Present,
            derives: Vec::new(),
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

    /// A name that stands for a value or a pattern without fields, if it may be one.
    pub(super) fn name(
        &mut self,
        form: ListForm,
        path: String,
        range: Range<usize>,
        braces: Braces,
    ) {
        let inside = range.end..range.end;
        let list = self.list(form, path, range, inside, false);
        let name = list.path.rsplit("::").next().unwrap_or_default();
        // Variables are in lower case, and so may be what an import calls otherwise.
        if name.starts_with(char::is_uppercase) || list.meaning.is_sure {
            self.found.push(FieldList { braces, ..list });
        }
    }

    /// Visits with `in_head` as given.
    fn headed(&mut self, in_head: bool, inside: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.in_head, in_head);
        inside(self);
        self.in_head = outer;
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
        self.headed(false, |lists| visit::visit_block(lists, node));
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
        if let syn::Meta::List(list) = &node.meta
            && !list.path.is_ident("derive")
        {
            self.paths(list.tokens.clone());
        }
    }

    fn visit_item_struct(&mut self, node: &'ast syn::ItemStruct) {
        let ident = self.range(&node.ident);
        let end = node
            .semi_token
            .map_or(ident.end, |semi| self.range(&semi).end);
        let before = self.found.len();
        self.declaration(unraw(&node.ident), ident.start, end, &node.fields);
        if let Some(list) = self.found.get_mut(before) {
            list.derives = derives(&node.attrs);
        }
        visit::visit_item_struct(self, node);
    }

    fn visit_item_enum(&mut self, node: &'ast syn::ItemEnum) {
        for variant in &node.variants {
            let path = format!("{}::{}", unraw(&node.ident), unraw(&variant.ident));
            let ident = self.range(&variant.ident);
            self.declaration(path, ident.start, ident.end, &variant.fields);
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
        self.headed(false, |lists| visit::visit_expr_struct(lists, node));
    }

    fn visit_field_value(&mut self, node: &'ast syn::FieldValue) {
        if node.colon_token.is_some() {
            visit::visit_field_value(self, node);
        }
    }

    fn visit_field_pat(&mut self, node: &'ast syn::FieldPat) {
        if node.colon_token.is_some() {
            visit::visit_field_pat(self, node);
        }
    }

    fn visit_pat(&mut self, node: &'ast syn::Pat) {
        let form = ListForm::Pattern;
        match node {
            Pat::Path(path) if path.qself.is_none() => {
                let range = self.range(path);
                self.name(form, path_text(&path.path), range, Braces::Absent);
            }
            Pat::Ident(ident)
                if ident.by_ref.is_none()
                    && ident.mutability.is_none()
                    && ident.subpat.is_none() =>
            {
                let range = self.range(&ident.ident);
                self.name(form, unraw(&ident.ident), range, Braces::Absent);
            }
            _ => visit::visit_pat(self, node),
        }
    }

    fn visit_expr_path(&mut self, node: &'ast syn::ExprPath) {
        let range = self.range(node);
        let path = path_text(&node.path);
        let (path, braces) = match &node.qself {
            None if self.in_head => (path, Braces::InHead),
            None => (path, Braces::Absent),
            // `<TaskSpec>::Ping`
            Some(of) => match &*of.ty {
                syn::Type::Path(ty) if of.position == 0 => {
                    let path = path.trim_start_matches("::");
                    (
                        format!("{}::{path}", path_text(&ty.path)),
                        Braces::Impossible,
                    )
                }
                _ => return visit::visit_expr_path(self, node),
            },
        };
        self.name(ListForm::Value, path, range, braces);
        visit::visit_expr_path(self, node);
    }

    fn visit_expr_cast(&mut self, node: &'ast syn::ExprCast) {
        let before = self.found.len();
        visit::visit_expr_cast(self, node);
        let mut value = &*node.expr;
        while let Expr::Paren(inner) = value {
            value = &inner.expr;
        }
        if let (Expr::Path(_), Some(list)) = (value, self.found.get_mut(before)) {
            list.braces = Braces::Impossible;
        }
    }

    fn visit_expr_call(&mut self, node: &'ast syn::ExprCall) {
        // What is called has no named fields.
        if !matches!(*node.func, Expr::Path(_)) {
            self.visit_expr(&node.func);
        }
        self.headed(false, |lists| {
            node.args.iter().for_each(|value| lists.visit_expr(value));
        });
    }

    fn visit_expr_method_call(&mut self, node: &'ast syn::ExprMethodCall) {
        self.visit_expr(&node.receiver);
        self.headed(false, |lists| {
            node.args.iter().for_each(|value| lists.visit_expr(value));
        });
    }

    fn visit_expr_paren(&mut self, node: &'ast syn::ExprParen) {
        self.headed(false, |lists| visit::visit_expr_paren(lists, node));
    }

    fn visit_expr_tuple(&mut self, node: &'ast syn::ExprTuple) {
        self.headed(false, |lists| visit::visit_expr_tuple(lists, node));
    }

    fn visit_expr_array(&mut self, node: &'ast syn::ExprArray) {
        self.headed(false, |lists| visit::visit_expr_array(lists, node));
    }

    fn visit_expr_repeat(&mut self, node: &'ast syn::ExprRepeat) {
        self.headed(false, |lists| visit::visit_expr_repeat(lists, node));
    }

    fn visit_expr_index(&mut self, node: &'ast syn::ExprIndex) {
        self.visit_expr(&node.expr);
        self.headed(false, |lists| lists.visit_expr(&node.index));
    }

    fn visit_expr_if(&mut self, node: &'ast syn::ExprIf) {
        self.headed(true, |lists| lists.visit_expr(&node.cond));
        self.visit_block(&node.then_branch);
        if let Some((_, other)) = &node.else_branch {
            self.headed(false, |lists| lists.visit_expr(other));
        }
    }

    fn visit_expr_while(&mut self, node: &'ast syn::ExprWhile) {
        self.headed(true, |lists| lists.visit_expr(&node.cond));
        self.visit_block(&node.body);
    }

    fn visit_expr_for_loop(&mut self, node: &'ast syn::ExprForLoop) {
        self.visit_pat(&node.pat);
        self.headed(true, |lists| lists.visit_expr(&node.expr));
        self.visit_block(&node.body);
    }

    fn visit_expr_match(&mut self, node: &'ast syn::ExprMatch) {
        self.headed(true, |lists| lists.visit_expr(&node.expr));
        self.headed(false, |lists| {
            node.arms.iter().for_each(|arm| lists.visit_arm(arm));
        });
    }

    fn visit_local(&mut self, node: &'ast syn::Local) {
        // The value before `else` may not end in a brace.
        let diverges = |init: &syn::LocalInit| init.diverge.is_some();
        let in_head = node.init.as_ref().is_some_and(diverges);
        self.headed(in_head, |lists| visit::visit_local(lists, node));
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
        let macro_was = std::mem::replace(&mut self.in_macro, true);
        self.headed(false, |lists| lists.in_tokens(node));
        self.in_macro = macro_was;
    }
}

/// A field with the range of the comma behind it, not yet shifted by what stands before the text.
fn with_comma<T>(pair: Pair<T, &Token![,]>) -> Pair<T, Option<Range<usize>>> {
    match pair {
        Pair::Punctuated(field, comma) => Pair::Punctuated(field, Some(comma.span.byte_range())),
        Pair::End(field) => Pair::End(field),
    }
}
