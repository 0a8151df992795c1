//! Parses one file and writes down what is known of it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use memchr::memmem;
use proc_macro2::Span;
use quote::ToTokens;
use ra_ap_parser::{Edition, LexedStr, Step, TopEntryPoint};
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Visibility};

use super::facts::{
    ArmFact, EnumFact, FieldFact, FileFacts, FnFact, ImplFact, ItemFact, MatchFact, ModFact,
    Pattern, StringSetFact, StructFact, UseFact, VariantFact,
};
use super::nesting;
use super::pattern::unraw;
use super::{
    body::LazyBody, lookup::on_all_cores, macros, outline, outline::Part, pattern, serde_attr,
};
use crate::note::{Outcome, Refusal};
use crate::workspace::SourceFile;

/// Which matches are worth writing down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interest {
    /// Names that the enum goes by anywhere in the workspace.
    pub names: BTreeSet<String>,
    /// Its variants.
    pub variants: BTreeSet<String>,
    /// The strings that its variants have on the wire.
    pub tags: BTreeSet<String>,
}

impl Interest {
    /// Names, variants and tags.
    pub(super) fn words(&self) -> BTreeSet<&String> {
        let names = self.names.iter().chain(&self.variants);
        names.chain(&self.tags).collect()
    }

    /// The same, with the names that `text` imports variants under: `A` of `TaskSpec::Agent as A`.
    fn with_renamed(&self, text: &str) -> Cow<'_, Self> {
        let renamed = memmem::find_iter(text.as_bytes(), " as ").filter_map(|at| {
            let word = |c: char| c.is_alphanumeric() || c == '_';
            let before = &text[..at];
            let start = before.trim_end_matches(word).len();
            let name: String = text[at + 4..].chars().take_while(|c| word(*c)).collect();
            self.variants.contains(&before[start..]).then_some(name)
        });
        let renamed: BTreeSet<String> = renamed.collect();
        if renamed.is_empty() {
            return Cow::Borrowed(self);
        }
        let mut own = self.clone();
        own.variants.extend(renamed);
        Cow::Owned(own)
    }

    /// Whether a part of a function's body may hold a match that is worth writing down: one over the
    /// enum, or over the strings that stand for its variants.
    fn wants(&self, body: &Part<'_>) -> bool {
        // The set of events that end a stream is `matches!(event, "done" | "error")`.
        body.starts_with("matches")
            || body.may_match(&|name| match name.strip_prefix('"') {
                Some(text) => self.tags.contains(text.trim_end_matches('"')),
                None => self.variants.contains(name) || self.names.contains(name),
            })
    }
}

/// Whether `text` holds `name` as a whole word.
#[must_use]
pub fn mentions(text: &str, name: &str) -> bool {
    whole_words(text, name).next().is_some()
}

/// Where `name` stands in `text` as a whole word.
pub fn whole_words<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = usize> + 't {
    memmem::find_iter(text.as_bytes(), name).filter(move |&at| {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let before = text[..at].chars().next_back().is_some_and(word);
        let after = text[at + name.len()..].chars().next().is_some_and(word);
        !before && !after
    })
}

/// Parses what [`read`] left out of `files`; refuses with the place of the first syntax error.
pub fn prove(files: &[Arc<FileFacts>]) -> Outcome<()> {
    let by_path: BTreeMap<&str, &Arc<FileFacts>> =
        files.iter().map(|f| (f.file.path.as_str(), f)).collect();
    let sources = files.iter().map(|facts| &facts.file).collect();
    let proved = on_all_cores(sources, &|file| prove_one(by_path[file.path.as_str()]));
    proved.into_values().collect()
}

/// Parses what [`read`] left out of a file; refuses with the place of the first syntax error.
pub fn prove_one(facts: &FileFacts) -> Outcome<()> {
    let file = &facts.file;
    let is_block = |body: &Range<usize>| {
        let text = facts.text(body);
        is_statements(text) || syn::Block::parse_within.parse_str(text).is_ok()
    };
    if facts.unread.iter().all(is_block) {
        return Ok(());
    }
    // The parser says it with the place, or finds that only the piece does not stand alone.
    parse(file, &file.text[file.lexed_from()..]).map(drop)
}

/// Whether rust-analyzer's parser, which makes no tree and so takes a fraction of the time, finds
/// nothing to say about the statements.
fn is_statements(text: &str) -> bool {
    let lexed = LexedStr::new(Edition::LATEST, text);
    if lexed.errors().next().is_some() {
        return false;
    }
    let output = TopEntryPoint::MacroStmts.parse(&lexed.to_input(Edition::LATEST));
    !output.iter().any(|step| matches!(step, Step::Error { .. }))
}

pub(super) fn parse(file: &SourceFile, text: &str) -> Outcome<syn::File> {
    if let Some(at) = nesting::too_deep(text) {
        let start = at + file.lexed_from();
        let message = format!("`{}` nests deeper than can be read", file.path);
        return Err(Refusal::new("parse", message)
            .at(file.place(&(start..start + 1)))
            .help("leave the file out of the workspace"));
    }
    syn::parse_file(text).map_err(|e| {
        let start = e.span().byte_range().start + file.lexed_from();
        Refusal::new("parse", format!("`{}` does not parse: {e}", file.path))
            .at(file.place(&(start..start + 1)))
            .help("mend the syntax error, or leave the file out of the workspace")
    })
}

/// Parses `file` and gives its facts; refuses with the place where it does not parse.
///
/// Bodies of functions that hold nothing of interest are not parsed: [`prove`] looks at those.
pub fn read(file: &Arc<SourceFile>, interest: &Interest) -> Outcome<FileFacts> {
    let base = file.lexed_from();
    let lexed = &file.text[base..];
    let interest = &*interest.with_renamed(lexed);
    let unwanted = outline::unwanted(lexed, &|part| interest.wants(part));
    let syntax = parse(file, &outline::blank(lexed, &unwanted))?;
    let mut reader = Reader {
        base,
        facts: FileFacts {
            file: Arc::clone(file),
            enums: Vec::new(),
            structs: Vec::new(),
            functions: Vec::new(),
            impls: Vec::new(),
            matches: Vec::new(),
            uses: Vec::new(),
            aliases: Vec::new(),
            modules: Vec::new(),
            string_sets: Vec::new(),
            items: Vec::new(),
            opaque: Vec::new(),
            unread: unwanted
                .code
                .into_iter()
                .map(|body| body.start + base..body.end + base)
                .collect(),
            macros: Vec::new(),
        },
        interest,
        module: Vec::new(),
        current_fn: None,
        current_impl: None,
        in_test: false,
        in_const: false,
        in_macro: None,
    };
    reader.facts.items = syntax.items.iter().map(|item| reader.item(item)).collect();
    reader.visit_file(&syntax);
    let facts = reader.facts;
    drop(syntax);
    Ok(facts)
}

/// Every leaf of a `use` tree below `prefix`: its path, and the name that it brings into scope.
pub(super) fn leaves(tree: &syn::UseTree, prefix: &str, out: &mut Vec<(String, String)>) {
    let join = |name: &str| {
        if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}::{name}")
        }
    };
    match tree {
        syn::UseTree::Path(path) => leaves(&path.tree, &join(&unraw(&path.ident)), out),
        syn::UseTree::Name(name) if name.ident == "self" => {
            let last = prefix.rsplit("::").next().unwrap_or(prefix);
            out.push((prefix.to_owned(), last.to_owned()));
        }
        syn::UseTree::Name(name) => {
            let name = unraw(&name.ident);
            out.push((join(&name), name));
        }
        syn::UseTree::Rename(rename) if rename.ident == "self" => {
            out.push((prefix.to_owned(), unraw(&rename.rename)));
        }
        syn::UseTree::Rename(rename) => {
            out.push((join(&unraw(&rename.ident)), unraw(&rename.rename)));
        }
        syn::UseTree::Glob(_) => out.push((prefix.to_owned(), "*".to_owned())),
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                leaves(tree, prefix, out);
            }
        }
    }
}

/// The path without spaces and generic arguments, `r#` kept.
pub(super) fn path_text(path: &syn::Path) -> String {
    let mut text = String::new();
    if path.leading_colon.is_some() {
        text.push_str("::");
    }
    for (i, segment) in path.segments.iter().enumerate() {
        if i > 0 {
            text.push_str("::");
        }
        text.push_str(&unraw(&segment.ident));
    }
    text
}

/// Tokens with single spaces, without the ones that only make types hard to read.
pub(crate) fn tokens(node: &impl ToTokens) -> String {
    let text = node.to_token_stream().to_string();
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == ' ' {
            let before = out.chars().last().unwrap_or(' ');
            let after = chars.peek().copied().unwrap_or(' ');
            let glued = "<(&:['".contains(before) || "<>(),:;[]".contains(after);
            let arrow = before == '>' && after == '>';
            if glued || arrow {
                continue;
            }
        }
        out.push(c);
    }
    out
}

/// Whether `attributes` hold `#[cfg(test)]` or a test attribute.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        let name = path.segments.last().map(|s| s.ident.to_string());
        match name.as_deref() {
            Some("test") => true,
            Some("cfg") => attribute
                .meta
                .require_list()
                .is_ok_and(|list| list.tokens.to_string() == "test"),
            _ => false,
        }
    })
}

/// Names in the derives of `attributes`.
pub(super) fn derives(attributes: &[Attribute]) -> Vec<String> {
    let mut names = Vec::new();
    for attribute in attributes {
        if attribute.path().is_ident("derive") {
            let _ = attribute.parse_nested_meta(|meta| {
                if let Some(segment) = meta.path.segments.last() {
                    names.push(segment.ident.to_string());
                }
                Ok(())
            });
        }
    }
    names
}

fn table_name(attributes: &[Attribute]) -> Option<String> {
    let mut name = None;
    for attribute in attributes {
        if attribute.path().is_ident("sea_orm") {
            let _ = attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("table_name") {
                    name = Some(meta.value()?.parse::<syn::LitStr>()?.value());
                }
                Ok(())
            });
        }
    }
    name
}

/// Where a function starts, attributes aside.
fn first_of(vis: &Visibility, sig: &syn::Signature) -> Span {
    match vis {
        Visibility::Public(token) => token.span,
        Visibility::Restricted(restricted) => restricted.pub_token.span,
        Visibility::Inherited => signature_start(sig),
    }
}

/// Where a signature starts: at its first keyword.
fn signature_start(sig: &syn::Signature) -> Span {
    sig.constness
        .map(|token| token.span)
        .or(sig.asyncness.map(|token| token.span))
        .or(sig.unsafety.map(|token| token.span))
        .or(sig.abi.as_ref().map(|abi| abi.extern_token.span))
        .unwrap_or(sig.fn_token.span)
}

struct Reader<'a> {
    base: usize,
    facts: FileFacts,
    interest: &'a Interest,
    module: Vec<String>,
    current_fn: Option<usize>,
    current_impl: Option<usize>,
    in_test: bool,
    in_const: bool,
    in_macro: Option<String>,
}

impl Reader<'_> {
    fn range(&self, span: Span) -> Range<usize> {
        let range = span.byte_range();
        range.start + self.base..range.end + self.base
    }

    /// From the first attribute, else `first`, to the end of `last`.
    ///
    /// What `Spanned` gives costs a copy of every token inside: too much for whole items.
    fn between(&self, attributes: &[Attribute], first: Span, last: Span) -> Range<usize> {
        let start = attributes
            .iter()
            .find(|a| matches!(a.style, syn::AttrStyle::Outer))
            .map_or(first, |a| a.pound_token.span);
        self.range(start).start..self.range(last).end
    }

    /// The range of an item.
    fn item_range(&self, item: &syn::Item) -> Range<usize> {
        let vis = |vis: &Visibility, or: Span| match vis {
            Visibility::Public(token) => token.span,
            Visibility::Restricted(restricted) => restricted.pub_token.span,
            Visibility::Inherited => or,
        };
        match item {
            syn::Item::Fn(f) => self.fn_range(&f.attrs, first_of(&f.vis, &f.sig), &f.block),
            syn::Item::Mod(m) => {
                let last = match (&m.content, m.semi) {
                    (Some((brace, _)), _) => brace.span.close(),
                    (None, Some(semi)) => semi.span,
                    (None, None) => m.ident.span(),
                };
                self.between(&m.attrs, vis(&m.vis, m.mod_token.span), last)
            }
            syn::Item::Impl(i) => self.impl_range(i),
            syn::Item::Enum(e) => self.between(
                &e.attrs,
                vis(&e.vis, e.enum_token.span),
                e.brace_token.span.close(),
            ),
            syn::Item::Trait(t) if t.unsafety.is_none() && t.auto_token.is_none() => self.between(
                &t.attrs,
                vis(&t.vis, t.trait_token.span),
                t.brace_token.span.close(),
            ),
            syn::Item::Use(u) => {
                self.between(&u.attrs, vis(&u.vis, u.use_token.span), u.semi_token.span)
            }
            other => self.of(other),
        }
    }

    fn fn_range(&self, attributes: &[Attribute], first: Span, block: &syn::Block) -> Range<usize> {
        self.between(attributes, first, block.brace_token.span.close())
    }

    /// From a function's first keyword to its body.
    fn signature(
        &self,
        vis: &Visibility,
        sig: &syn::Signature,
        block: &syn::Block,
    ) -> Range<usize> {
        let end = self.range(block.brace_token.span.open()).start;
        self.range(first_of(vis, sig)).start..end
    }

    fn impl_range(&self, item: &syn::ItemImpl) -> Range<usize> {
        let first = item
            .defaultness
            .map(|token| token.span)
            .or(item.unsafety.map(|token| token.span))
            .unwrap_or(item.impl_token.span);
        self.between(&item.attrs, first, item.brace_token.span.close())
    }

    fn of(&self, node: &impl Spanned) -> Range<usize> {
        self.range(node.span())
    }

    fn fields(&self, fields: &syn::FieldsNamed) -> Vec<FieldFact> {
        fields
            .named
            .iter()
            .filter_map(|field| {
                Some(FieldFact {
                    name: unraw(field.ident.as_ref()?),
                    ty: tokens(&field.ty),
                    range: {
                        let first = match &field.vis {
                            Visibility::Public(token) => token.span,
                            Visibility::Restricted(restricted) => restricted.pub_token.span,
                            Visibility::Inherited => field.ident.as_ref()?.span(),
                        };
                        self.range(first).start..self.of(&field.ty).end
                    },
                    attributes: field
                        .attrs
                        .iter()
                        .filter(|attribute| !attribute.path().is_ident("doc"))
                        .map(tokens)
                        .collect(),
                    serde: serde_attr::field(&field.attrs),
                    is_pub: matches!(field.vis, Visibility::Public(_)),
                })
            })
            .collect()
    }

    fn uses(&mut self, item: &syn::ItemUse) {
        let mut out = Vec::new();
        leaves(&item.tree, "", &mut out);
        let range = self.of(item);
        let is_pub = matches!(item.vis, Visibility::Public(_));
        let is_top = self.module.is_empty() && self.current_fn.is_none();
        for (path, name) in out {
            self.facts.uses.push(UseFact {
                path,
                name,
                is_pub,
                range: range.clone(),
                is_top,
            });
        }
    }

    fn push_fn(
        &mut self,
        attributes: &[Attribute],
        vis: &Visibility,
        sig: &syn::Signature,
        range: Range<usize>,
        block: Option<&syn::Block>,
    ) -> usize {
        let mut params = Vec::new();
        let mut has_self = false;
        for input in &sig.inputs {
            match input {
                syn::FnArg::Receiver(_) => has_self = true,
                syn::FnArg::Typed(typed) => {
                    let name = match &*typed.pat {
                        syn::Pat::Ident(ident) => unraw(&ident.ident),
                        other => tokens(other),
                    };
                    params.push((name, tokens(&typed.ty)));
                }
            }
        }
        let output = match &sig.output {
            syn::ReturnType::Default => String::new(),
            syn::ReturnType::Type(_, ty) => tokens(ty),
        };
        self.facts.functions.push(FnFact {
            name: unraw(&sig.ident),
            name_range: self.range(sig.ident.span()),
            range,
            params,
            has_self,
            output,
            is_async: sig.asyncness.is_some(),
            is_const: sig.constness.is_some(),
            is_pub: matches!(vis, Visibility::Public(_)),
            is_test: self.in_test || is_test(attributes),
            module: self.module.clone(),
            in_impl: self.current_impl,
            body: LazyBody::default(),
        });
        if let Some(set) = block.and_then(|block| self.string_set(sig, block)) {
            self.facts.string_sets.push(set);
        }
        self.facts.functions.len() - 1
    }

    /// `matches!(x, "a" | "b")` as the whole body of a function that gives `bool`.
    fn string_set(&self, sig: &syn::Signature, block: &syn::Block) -> Option<StringSetFact> {
        let [
            syn::Stmt::Macro(syn::StmtMacro { mac, .. })
            | syn::Stmt::Expr(syn::Expr::Macro(syn::ExprMacro { mac, .. }), None),
        ] = block.stmts.as_slice()
        else {
            return None;
        };
        if !mac.path.is_ident("matches") {
            return None;
        }
        let pattern = mac
            .parse_body_with(|input: syn::parse::ParseStream<'_>| {
                input.parse::<syn::Expr>()?;
                input.parse::<syn::Token![,]>()?;
                syn::Pat::parse_multi_with_leading_vert(input)
            })
            .ok()?;
        let values: Vec<String> = pattern::read(&pattern)
            .strings()
            .into_iter()
            .map(str::to_owned)
            .collect();
        (!values.is_empty()).then(|| StringSetFact {
            function: unraw(&sig.ident),
            values,
            range: self.of(mac),
        })
    }

    /// Whether the pattern speaks of the enum by a path.
    fn mentions(&self, pattern: &Pattern) -> bool {
        let path = |path: &str| {
            let mut parts = path.rsplit("::");
            let last = parts.next().unwrap_or_default();
            match parts.next() {
                Some("Self") => self.self_is_enum() && self.interest.variants.contains(last),
                Some(owner) => self.interest.names.contains(owner) || self.is_local_alias(owner),
                None => self.imports_variant(last),
            }
        };
        match pattern {
            Pattern::Path(text) => path(text),
            Pattern::Name(name, inner) => {
                (inner.is_none() && self.imports_variant(name))
                    || inner.as_deref().is_some_and(|inner| self.mentions(inner))
            }
            Pattern::TupleStruct(text, parts) => {
                path(text) || parts.iter().any(|part| self.mentions(part))
            }
            Pattern::Struct(text, fields) => {
                path(text) || fields.iter().any(|(_, part)| self.mentions(part))
            }
            Pattern::Or(parts) | Pattern::Tuple(parts) => {
                parts.iter().any(|part| self.mentions(part))
            }
            _ => false,
        }
    }

    fn self_is_enum(&self) -> bool {
        self.current_impl.is_some_and(|at| {
            let ty = &self.facts.impls[at].self_type;
            let path = ty.split('<').next().unwrap_or(ty).trim_end();
            let last = path.rsplit("::").next().unwrap_or(path);
            self.interest.names.contains(last) || self.is_local_alias(last)
        })
    }

    fn is_local_alias(&self, name: &str) -> bool {
        let stands_for = |path: &str| {
            path.rsplit("::")
                .next()
                .is_some_and(|last| self.interest.names.contains(last))
        };
        self.facts
            .uses
            .iter()
            .any(|u| u.name == name && stands_for(&u.path))
            || self
                .facts
                .aliases
                .iter()
                .any(|(alias, path)| alias == name && stands_for(path))
    }

    fn imports_variant(&self, name: &str) -> bool {
        self.interest.variants.contains(name)
            && self.facts.uses.iter().any(|u| {
                let owner = if u.name == "*" {
                    Some(u.path.as_str())
                } else if u.name == name {
                    u.path.rsplit_once("::").map(|(owner, _)| owner)
                } else {
                    None
                };
                owner.is_some_and(|owner| {
                    let last = owner.rsplit("::").next().unwrap_or(owner);
                    self.interest.names.contains(last) || self.is_local_alias(last)
                })
            })
    }

    fn push_match(&mut self, node: &syn::ExprMatch) {
        let patterns: Vec<Pattern> = node
            .arms
            .iter()
            .map(|arm| self.without_renames(pattern::read(&arm.pat)))
            .collect();
        let over_enum = patterns.iter().any(|pattern| self.mentions(pattern));
        let over_text = patterns.iter().any(|pattern| !pattern.strings().is_empty());
        if !over_enum && !over_text {
            return;
        }
        let braces = node.brace_token.span;
        let arms = node
            .arms
            .iter()
            .zip(patterns)
            .map(|(arm, pattern)| {
                let pattern_range = self.of(&arm.pat);
                let body = self.of(&arm.body);
                let start = arm
                    .attrs
                    .first()
                    .map_or(pattern_range.start, |attribute| self.of(attribute).start);
                ArmFact {
                    range: start..body.end,
                    pattern,
                    pattern_range,
                    has_guard: arm.guard.is_some(),
                    body,
                    comma: arm.comma.map(|comma| self.range(comma.span).end),
                }
            })
            .collect();
        let match_start = self.range(node.match_token.span).start;
        let scrutinee = self.facts.text(&self.of(&node.expr)).to_owned();
        let gives_string = self
            .current_fn
            .map(|at| &self.facts.functions[at].output)
            .is_some_and(|output| {
                output == "&'static str" || output == "String" || output == "&str"
            });
        self.facts.matches.push(MatchFact {
            range: match_start..self.range(braces.close()).end,
            scrutinee,
            close: self.range(braces.close()).start,
            arms,
            in_fn: self.current_fn,
            in_impl: self.current_impl,
            in_macro: self.in_macro.clone(),
            is_test: self.in_test,
            gives_string,
            is_const: self.in_const,
        });
    }

    /// The pattern with the path of a variant where the file imports it under another name.
    fn without_renames(&self, pattern: Pattern) -> Pattern {
        let path = |name: String| self.renamed_variant(&name).unwrap_or(name);
        let all =
            |parts: Vec<Pattern>| parts.into_iter().map(|p| self.without_renames(p)).collect();
        match pattern {
            Pattern::Name(name, None) => match self.renamed_variant(&name) {
                Some(path) => Pattern::Path(path),
                None => Pattern::Name(name, None),
            },
            Pattern::Name(name, Some(inner)) => {
                Pattern::Name(name, Some(Box::new(self.without_renames(*inner))))
            }
            Pattern::Path(text) => Pattern::Path(path(text)),
            Pattern::Or(parts) => Pattern::Or(all(parts)),
            Pattern::Tuple(parts) => Pattern::Tuple(all(parts)),
            Pattern::TupleStruct(text, parts) => Pattern::TupleStruct(path(text), all(parts)),
            Pattern::Struct(text, fields) => {
                let fields = fields.into_iter();
                let fields = fields.map(|(name, part)| (name, self.without_renames(part)));
                Pattern::Struct(path(text), fields.collect())
            }
            other => other,
        }
    }

    /// The path of the variant that a `use … as name` of this file means, by the name of the
    /// enum where that is in scope.
    fn renamed_variant(&self, name: &str) -> Option<String> {
        if !self.interest.variants.contains(name) {
            return None;
        }
        let named = |path: &str| path.rsplit("::").next().unwrap_or(path).to_owned();
        let (owner, variant) = self.facts.uses.iter().find_map(|u| {
            let (owner, variant) = u.path.rsplit_once("::")?;
            let is_of_enum =
                self.interest.names.contains(&named(owner)) || self.is_local_alias(&named(owner));
            (u.name == name && variant != name && is_of_enum).then_some((owner, variant))
        })?;
        // An inline module does not see what the file imports.
        let is_top = self.module.is_empty();
        let in_scope = |u: &&UseFact| is_top && u.is_top && u.path == owner;
        let in_scope = self.facts.uses.iter().find(in_scope);
        let owner = in_scope.map_or(owner, |u| u.name.as_str());
        Some(format!("{owner}::{variant}"))
    }

    fn item(&self, item: &syn::Item) -> ItemFact {
        let mut inner = Vec::new();
        let mut close = None;
        let key = match item {
            syn::Item::Fn(f) => format!("fn {}", f.sig.ident),
            syn::Item::Struct(s) => format!("struct {}", s.ident),
            syn::Item::Enum(e) => format!("enum {}", e.ident),
            syn::Item::Trait(t) => format!("trait {}", t.ident),
            syn::Item::Type(t) => format!("type {}", t.ident),
            syn::Item::Const(c) => format!("const {}", c.ident),
            syn::Item::Static(s) => format!("static {}", s.ident),
            syn::Item::Use(u) => format!("use {}", tokens(&u.tree)),
            syn::Item::Macro(m) => format!("macro {}", path_text(&m.mac.path)),
            syn::Item::Mod(m) => {
                if let Some((brace, items)) = &m.content {
                    inner = items.iter().map(|item| self.item(item)).collect();
                    close = Some(self.range(brace.span.close()).start);
                }
                format!("mod {}", m.ident)
            }
            syn::Item::Impl(i) => {
                inner = i.items.iter().map(|item| self.impl_item(item)).collect();
                close = Some(self.range(i.brace_token.span.close()).start);
                match &i.trait_ {
                    Some((_, path, _)) => {
                        format!("impl {} for {}", tokens(path), tokens(&i.self_ty))
                    }
                    None => format!("impl {}", tokens(&i.self_ty)),
                }
            }
            _ => "other".to_owned(),
        };
        ItemFact {
            key,
            range: self.item_range(item),
            signature: match item {
                syn::Item::Fn(f) => Some(self.signature(&f.vis, &f.sig, &f.block)),
                _ => None,
            },
            inner,
            close,
        }
    }

    fn impl_item(&self, item: &syn::ImplItem) -> ItemFact {
        let range = match item {
            syn::ImplItem::Fn(f) if f.defaultness.is_none() => {
                self.fn_range(&f.attrs, first_of(&f.vis, &f.sig), &f.block)
            }
            other => self.of(other),
        };
        let key = match item {
            syn::ImplItem::Fn(f) => format!("fn {}", f.sig.ident),
            syn::ImplItem::Type(t) => format!("type {}", t.ident),
            syn::ImplItem::Const(c) => format!("const {}", c.ident),
            _ => "other".to_owned(),
        };
        let signature = match item {
            syn::ImplItem::Fn(f) => Some(self.signature(&f.vis, &f.sig, &f.block)),
            _ => None,
        };
        ItemFact {
            key,
            range,
            signature,
            inner: Vec::new(),
            close: None,
        }
    }

    /// Runs `inside` with the function at `at`, which has `sig`, as the current one.
    fn within_fn(&mut self, at: usize, sig: &syn::Signature, inside: impl FnOnce(&mut Self)) {
        let outer = self.current_fn.replace(at);
        let test = self.in_test;
        self.in_test = self.facts.functions[at].is_test;
        self.evaluated(sig.constness.is_some(), inside);
        self.current_fn = outer;
        self.in_test = test;
    }

    /// Runs `inside` as code that is evaluated at compile time, or is not.
    fn evaluated(&mut self, in_const: bool, inside: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.in_const, in_const);
        inside(self);
        self.in_const = outer;
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.uses(item);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        if let syn::Type::Path(path) = &*item.ty {
            self.facts
                .aliases
                .push((unraw(&item.ident), path_text(&path.path)));
        }
    }

    fn visit_file(&mut self, file: &'ast syn::File) {
        // Imports first: a match may stand above the `use` that gives its variants their names.
        for item in &file.items {
            match item {
                syn::Item::Use(item) => self.uses(item),
                syn::Item::Type(item) => self.visit_item_type(item),
                _ => {}
            }
        }
        for item in &file.items {
            if !matches!(item, syn::Item::Use(_) | syn::Item::Type(_)) {
                self.visit_item(item);
            }
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let test = is_test(&item.attrs);
        let path = item.attrs.iter().find_map(|attribute| {
            let value = &attribute.meta.require_name_value().ok()?;
            match (&value.value, value.path.is_ident("path")) {
                (
                    syn::Expr::Lit(syn::ExprLit {
                        lit: syn::Lit::Str(text),
                        ..
                    }),
                    true,
                ) => Some(text.value()),
                _ => None,
            }
        });
        let whole = match (&item.content, item.semi) {
            (Some((brace, _)), _) => brace.span.close(),
            (None, Some(semi)) => semi.span,
            (None, None) => item.ident.span(),
        };
        let first = match &item.vis {
            Visibility::Public(token) => token.span,
            Visibility::Restricted(restricted) => restricted.pub_token.span,
            Visibility::Inherited => item.mod_token.span,
        };
        self.facts.modules.push(ModFact {
            name: unraw(&item.ident),
            range: self.between(&item.attrs, first, whole),
            is_inline: item.content.is_some(),
            is_pub: matches!(item.vis, Visibility::Public(_)),
            path,
            is_test: test,
        });
        let outer = self.in_test;
        self.in_test |= test;
        self.module.push(unraw(&item.ident));
        if let Some((_, items)) = &item.content {
            for item in items {
                if let syn::Item::Use(item) = item {
                    self.uses(item);
                }
            }
            for item in items {
                if !matches!(item, syn::Item::Use(_)) {
                    self.visit_item(item);
                }
            }
        }
        self.module.pop();
        self.in_test = outer;
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        let braces = item.brace_token.span;
        let variants = item
            .variants
            .pairs()
            .map(|pair| {
                let variant = pair.value();
                let end = self.of(&variant.fields).end;
                let name_range = self.range(variant.ident.span());
                let start = variant
                    .attrs
                    .first()
                    .map_or(name_range.start, |attribute| self.of(attribute).start);
                let end = match (&variant.fields, &variant.discriminant) {
                    (_, Some((_, value))) => self.of(value).end,
                    (syn::Fields::Unit, None) => name_range.end,
                    _ => end,
                };
                let serde = serde_attr::read(&variant.attrs);
                let is_default = |a: &Attribute| a.path().is_ident("default");
                VariantFact {
                    name: unraw(&variant.ident),
                    is_unit: matches!(variant.fields, syn::Fields::Unit),
                    unit_only: if variant.discriminant.is_some() {
                        Some("a number of its own")
                    } else if variant.attrs.iter().any(is_default) {
                        Some("`#[default]`")
                    } else if serde.other {
                        Some("`#[serde(other)]`")
                    } else {
                        None
                    },
                    range: start..end,
                    name_range,
                    comma: pair.punct().map(|comma| self.range(comma.span).end),
                    fields: match &variant.fields {
                        syn::Fields::Named(named) => Some(self.fields(named)),
                        syn::Fields::Unit => Some(Vec::new()),
                        syn::Fields::Unnamed(_) => None,
                    },
                    tuple: match &variant.fields {
                        syn::Fields::Unnamed(unnamed) => {
                            let types = unnamed.unnamed.iter();
                            types.map(|field| tokens(&field.ty)).collect()
                        }
                        _ => Vec::new(),
                    },
                    serde,
                    is_cfg: variant.attrs.iter().any(|a| a.path().is_ident("cfg")),
                }
            })
            .collect();
        self.facts.enums.push(EnumFact {
            name: unraw(&item.ident),
            name_range: self.range(item.ident.span()),
            open: self.range(braces.open()).end,
            close: self.range(braces.close()).start,
            serde: serde_attr::read(&item.attrs),
            derives: derives(&item.attrs),
            variants,
            module: self.module.clone(),
            is_generic: !item.generics.params.is_empty(),
        });
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if let syn::Fields::Named(fields) = &item.fields {
            self.facts.structs.push(StructFact {
                name: unraw(&item.ident),
                name_range: self.range(item.ident.span()),
                derives: derives(&item.attrs),
                fields: self.fields(fields),
                table_name: table_name(&item.attrs),
            });
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let outer = self.current_impl;
        self.facts.impls.push(ImplFact {
            self_type: tokens(&item.self_ty),
            trait_path: item.trait_.as_ref().map(|(_, path, _)| path_text(path)),
            range: self.impl_range(item),
            is_test: self.in_test || is_test(&item.attrs),
        });
        self.current_impl = Some(self.facts.impls.len() - 1);
        visit::visit_item_impl(self, item);
        self.current_impl = outer;
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let range = self.fn_range(&item.attrs, first_of(&item.vis, &item.sig), &item.block);
        let at = self.push_fn(&item.attrs, &item.vis, &item.sig, range, Some(&item.block));
        self.within_fn(at, &item.sig, |reader| reader.visit_block(&item.block));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        let range = self.fn_range(&item.attrs, first_of(&item.vis, &item.sig), &item.block);
        let at = self.push_fn(&item.attrs, &item.vis, &item.sig, range, Some(&item.block));
        self.within_fn(at, &item.sig, |reader| reader.visit_block(&item.block));
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        let range = self.of(item);
        let at = self.push_fn(
            &item.attrs,
            &Visibility::Inherited,
            &item.sig,
            range,
            item.default.as_ref(),
        );
        if let Some(block) = &item.default {
            self.within_fn(at, &item.sig, |reader| reader.visit_block(block));
        }
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.evaluated(true, |reader| visit::visit_item_const(reader, item));
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.evaluated(true, |reader| visit::visit_item_static(reader, item));
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.evaluated(true, |reader| visit::visit_impl_item_const(reader, item));
    }

    fn visit_expr_const(&mut self, node: &'ast syn::ExprConst) {
        self.evaluated(true, |reader| visit::visit_expr_const(reader, node));
    }

    fn visit_expr_closure(&mut self, node: &'ast syn::ExprClosure) {
        self.evaluated(false, |reader| visit::visit_expr_closure(reader, node));
    }

    fn visit_expr_match(&mut self, node: &'ast syn::ExprMatch) {
        self.push_match(node);
        visit::visit_expr_match(self, node);
    }

    fn visit_macro(&mut self, node: &'ast syn::Macro) {
        let delimiters = node.delimiter.span();
        self.facts
            .macros
            .push(self.range(delimiters.open()).start..self.range(delimiters.close()).end);
        let found = macros::matches_in(node.tokens.clone());
        let outer = self.in_macro.replace(path_text(&node.path));
        let is_definition = node.path.is_ident("macro_rules");
        for expression in &found.matches {
            if is_definition {
                let over_enum = expression
                    .arms
                    .iter()
                    .any(|arm| self.mentions(&self.without_renames(pattern::read(&arm.pat))));
                if over_enum {
                    let range = self.range(expression.match_token.span);
                    self.facts
                        .opaque
                        .push((range, "in the body of a macro_rules!"));
                }
            } else {
                self.visit_expr_match(expression);
            }
        }
        for (span, run) in found.unparsed {
            let text = run.to_string();
            if self
                .interest
                .names
                .iter()
                .any(|name| text.contains(&format!("{name} ::")))
            {
                let range = self.range(span);
                self.facts
                    .opaque
                    .push((range, "in macro tokens that do not parse as an expression"));
            }
        }
        self.in_macro = outer;
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// What [`prove`] says of a file in which nothing is of interest.
    fn proven(text: &str) -> Outcome<()> {
        let file = Arc::new(SourceFile {
            path: "a.rs".to_owned(),
            absolute: PathBuf::from("/a.rs"),
            text: text.to_owned(),
        });
        let facts = read(&file, &Interest::default())?;
        assert!(!facts.unread.is_empty());
        prove(&[Arc::new(facts)])
    }

    #[test]
    fn a_body_that_nobody_reads_must_parse_too() {
        let refused = proven("fn a() {}\n\nfn b() {\n    let x = ;\n}\n").unwrap_err();
        let place = refused.place.unwrap();
        assert_eq!((place.line, place.column), (4, 13));
        assert!(proven("fn b() {\n    match x { A => B C }\n}\n").is_err());
        assert!(proven("fn b() {\n    '\\u{110000}'\n}\n").is_err());
    }

    #[test]
    fn self_is_the_enum_with_its_parameters_too() {
        let file = Arc::new(SourceFile {
            path: "a.rs".to_owned(),
            absolute: PathBuf::from("/a.rs"),
            text: "impl<L> E<L> {\n    fn a(self) -> u8 {\n        match self {\n            Self::A(_) => 1,\n        }\n    }\n}\n".to_owned(),
        });
        let interest = Interest {
            names: BTreeSet::from(["E".to_owned()]),
            variants: BTreeSet::from(["A".to_owned()]),
            ..Interest::default()
        };
        assert_eq!(read(&file, &interest).unwrap().matches.len(), 1);
    }

    #[test]
    fn a_dash_before_as_is_no_name() {
        let text = "// Ends early — as it may.\nuse a::A as B;\n";
        let interest = Interest {
            variants: BTreeSet::from(["A".to_owned()]),
            ..Interest::default()
        };
        assert!(interest.with_renamed(text).variants.contains("B"));
    }

    #[test]
    fn legal_bodies_are_proven() {
        for body in [
            "let _ = |r#async: u8| async move { r#async + 1 };",
            "let gen = 1; gen",
            "let Some(x) = y else { return };",
            "#[cfg(unix)] a!{} b![]; c!();",
            "unsafe { &raw const x };",
            "if let Some(x) = y && x > 1 {}",
            "'a: loop { break 'a }",
            "c\"text\"; br#\"\"#; 1.0e3f64; 0b1u8; x.0.1;",
        ] {
            proven(&format!("fn b() {{\n    {body}\n}}\n")).unwrap();
        }
    }
}
