//! From syn's tree of a function to its [`Code`].

use std::ops::Range;

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, Pat, Stmt};

use super::code::{Arm, Binding, Code, FnCode, Kind, Let, Literal, Method};
use super::facts::{FileFacts, FnFact};
use super::pattern::{self, unraw};
use super::read::{leaves, path_text, tokens};

impl FileFacts {
    /// The code of `function`, which is one of this file's; `None` for one without a body.
    #[must_use]
    pub fn code(&self, function: &FnFact) -> Option<FnCode> {
        let parsed = syn::parse_str::<syn::ImplItemFn>(self.text(&function.range)).ok()?;
        let lower = Lower {
            base: function.range.start,
        };
        Some(lower.function(&parsed.sig, &parsed.block))
    }

    /// The types of the fields of the tuple struct `name`, where this file declares it.
    #[must_use]
    pub fn tuple_struct(&self, name: &str) -> Option<Vec<String>> {
        let text = &self.file.text;
        let start = super::whole_words(text, name).find(|at| {
            let before = text[..*at].trim_end();
            before.ends_with("struct") && before.len() < *at
        })?;
        let open = start + name.len();
        let open = match text[open..].find(['(', '{', ';'])? {
            at if text[open + at..].starts_with('(') => open + at,
            _ => return None,
        };
        let mut depth = 0_usize;
        let end = text[open..].char_indices().find_map(|(at, c)| {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            (depth == 0).then_some(open + at + 1)
        })?;
        let fields = syn::parse_str::<syn::FieldsUnnamed>(&text[open..end]).ok()?;
        Some(fields.unnamed.iter().map(|f| tokens(&f.ty)).collect())
    }
}

/// Makes code of what was parsed from a text that stands at `base` in its file.
pub(super) struct Lower {
    pub(super) base: usize,
}

impl Lower {
    fn function(&self, sig: &syn::Signature, block: &syn::Block) -> FnCode {
        let (body, has_value) = self.block(block);
        let parameters = sig.inputs.iter().filter_map(|input| match input {
            syn::FnArg::Typed(typed) => Some(Binding {
                ty: Some(tokens(&typed.ty)),
                ..self.binding(&typed.pat)
            }),
            syn::FnArg::Receiver(_) => None,
        });
        let mut generics: Vec<(String, String)> = sig
            .generics
            .type_params()
            .map(|param| (unraw(&param.ident), tokens(&param.bounds)))
            .collect();
        for predicate in sig.generics.where_clause.iter().flat_map(|w| &w.predicates) {
            if let syn::WherePredicate::Type(predicate) = predicate {
                generics.push((tokens(&predicate.bounded_ty), tokens(&predicate.bounds)));
            }
        }
        let mut uses = Uses(Vec::new());
        uses.visit_block(block);
        let receiver = sig.receiver();
        let typed = receiver.filter(|receiver| receiver.colon_token.is_some());
        FnCode {
            name: unraw(&sig.ident),
            has_self: receiver.is_some(),
            self_type: typed.map(|receiver| tokens(&receiver.ty)),
            is_inner: false,
            parameters: parameters.collect(),
            generics,
            uses: uses.0,
            body,
            has_value,
        }
    }

    pub(super) fn range(&self, span: Span) -> Range<usize> {
        let range = span.byte_range();
        range.start + self.base..range.end + self.base
    }

    /// What a pattern binds.
    pub(super) fn binding(&self, pat: &Pat) -> Binding {
        let mut names = Names(Vec::new());
        names.visit_pat(pat);
        let ty = match pat {
            Pat::Type(typed) => Some(tokens(&typed.ty)),
            _ => None,
        };
        Binding {
            pattern: pattern::read(pat),
            names: names.0,
            ty,
        }
    }

    fn block(&self, block: &syn::Block) -> (Vec<Code>, bool) {
        let has_value = matches!(block.stmts.last(), Some(Stmt::Expr(_, None)));
        let statements = block.stmts.iter();
        (
            statements.filter_map(|s| self.statement(s)).collect(),
            has_value,
        )
    }

    fn statement(&self, statement: &Stmt) -> Option<Code> {
        match statement {
            Stmt::Local(local) => {
                let value = local.init.as_ref().map(|init| self.lower(&init.expr));
                let otherwise = local.init.as_ref().and_then(|init| init.diverge.as_ref());
                let kind = Kind::Let(Box::new(Let {
                    binding: self.binding(&local.pat),
                    value,
                    otherwise: otherwise.map(|(_, block)| self.lower(block)),
                }));
                Some(self.of(statement, kind))
            }
            Stmt::Item(syn::Item::Fn(function)) => {
                let code = self.function(&function.sig, &function.block);
                Some(self.of(statement, Kind::Item(Box::new(code))))
            }
            Stmt::Item(item) => {
                let mut functions = Vec::new();
                self.items(std::slice::from_ref(item), &mut functions);
                (!functions.is_empty()).then(|| self.of(statement, Kind::Parts(functions)))
            }
            Stmt::Expr(expression, _) => Some(self.lower(expression)),
            Stmt::Macro(of) => Some(self.of(statement, self.macro_call(&of.mac))),
        }
    }

    /// The functions in the blocks and modules among `items`.
    fn items(&self, items: &[syn::Item], out: &mut Vec<Code>) {
        let mut push = |sig: &syn::Signature, block: &syn::Block| {
            let code = FnCode {
                is_inner: true,
                ..self.function(sig, block)
            };
            out.push(self.of(block, Kind::Item(Box::new(code))));
        };
        for item in items {
            match item {
                syn::Item::Fn(f) => push(&f.sig, &f.block),
                syn::Item::Impl(of) => {
                    for item in &of.items {
                        if let syn::ImplItem::Fn(f) = item {
                            push(&f.sig, &f.block);
                        }
                    }
                }
                syn::Item::Trait(of) => {
                    for item in &of.items {
                        if let syn::TraitItem::Fn(syn::TraitItemFn {
                            sig,
                            default: Some(block),
                            ..
                        }) = item
                        {
                            push(sig, block);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn of(&self, node: &impl Spanned, kind: Kind) -> Code {
        Code {
            range: self.range(node.span()),
            kind,
        }
    }

    fn boxed(&self, expression: &Expr) -> Box<Code> {
        Box::new(self.lower(expression))
    }

    fn all<'e>(&self, expressions: impl IntoIterator<Item = &'e Expr>) -> Vec<Code> {
        expressions.into_iter().map(|e| self.lower(e)).collect()
    }

    /// The code of an expression.
    pub(super) fn lower(&self, expression: &Expr) -> Code {
        let kind = match expression {
            Expr::Path(path) => Kind::Path(path_text(&path.path)),
            Expr::Lit(of) => Kind::Literal(match &of.lit {
                syn::Lit::Str(text) => Literal::Text(text.value()),
                syn::Lit::Int(number) => Literal::Number(number.suffix().to_owned()),
                syn::Lit::Float(number) => Literal::Number(number.suffix().to_owned()),
                syn::Lit::Bool(_) => Literal::Bool,
                _ => Literal::Other,
            }),
            Expr::Call(call) => {
                let generics = match &*call.func {
                    Expr::Path(path) => {
                        let mut segments = path.path.segments.iter().rev();
                        segments.find_map(|segment| match &segment.arguments {
                            syn::PathArguments::AngleBracketed(of) => Some(tokens(&of.args)),
                            _ => None,
                        })
                    }
                    _ => None,
                };
                Kind::Call(self.boxed(&call.func), self.all(&call.args), generics)
            }
            Expr::MethodCall(call) => Kind::Method(Box::new(Method {
                on: self.lower(&call.receiver),
                name: unraw(&call.method),
                name_range: self.range(call.method.span()),
                arguments: self.all(&call.args),
                generics: call.turbofish.as_ref().map(|of| tokens(&of.args)),
            })),
            Expr::Field(field) => {
                let name = match &field.member {
                    syn::Member::Named(name) => unraw(name),
                    syn::Member::Unnamed(index) => index.index.to_string(),
                };
                Kind::Field(self.boxed(&field.base), name)
            }
            Expr::Await(of) => Kind::Await(self.boxed(&of.base)),
            Expr::Try(of) => Kind::Try(self.boxed(&of.expr)),
            Expr::Reference(of) => Kind::Reference(self.boxed(&of.expr)),
            Expr::Unary(of) if matches!(of.op, syn::UnOp::Deref(_)) => {
                Kind::Deref(self.boxed(&of.expr))
            }
            Expr::Closure(of) => {
                let inputs = of.inputs.iter().map(|pat| self.binding(pat)).collect();
                let body = self.boxed(&of.body);
                match of.asyncness {
                    None => Kind::Closure(inputs, body),
                    Some(_) => {
                        let range = body.range.clone();
                        let kind = Kind::Async(vec![*body]);
                        Kind::Closure(inputs, Box::new(Code { range, kind }))
                    }
                }
            }
            Expr::Async(of) => Kind::Async(self.block(&of.block).0),
            Expr::Block(of) => {
                let (parts, has_value) = self.block(&of.block);
                Kind::Block(parts, has_value)
            }
            Expr::Unsafe(of) => {
                let (parts, has_value) = self.block(&of.block);
                Kind::Block(parts, has_value)
            }
            Expr::TryBlock(of) => Kind::Block(self.block(&of.block).0, false),
            Expr::Struct(of) => {
                let fields = of.fields.iter().map(|field| {
                    let name = match &field.member {
                        syn::Member::Named(name) => unraw(name),
                        syn::Member::Unnamed(index) => index.index.to_string(),
                    };
                    (name, self.lower(&field.expr))
                });
                let rest = of.rest.as_ref().map(|rest| self.boxed(rest));
                Kind::Struct(path_text(&of.path), fields.collect(), rest)
            }
            Expr::Let(of) => Kind::Let(Box::new(Let {
                binding: self.binding(&of.pat),
                value: Some(self.lower(&of.expr)),
                otherwise: None,
            })),
            Expr::Match(of) => {
                let arms = of.arms.iter().map(|arm| Arm {
                    binding: self.binding(&arm.pat),
                    guard: arm.guard.as_ref().map(|(_, guard)| self.lower(guard)),
                    body: self.lower(&arm.body),
                });
                Kind::Match(self.boxed(&of.expr), arms.collect())
            }
            Expr::If(of) => {
                let (then, has_value) = self.block(&of.then_branch);
                let then = self.of(&of.then_branch, Kind::Block(then, has_value));
                let otherwise = of.else_branch.as_ref().map(|(_, e)| self.boxed(e));
                Kind::If(self.boxed(&of.cond), Box::new(then), otherwise)
            }
            Expr::Loop(of) => Kind::Loop(self.block(&of.body).0),
            Expr::While(of) => Kind::While(self.boxed(&of.cond), self.block(&of.body).0),
            Expr::ForLoop(of) => {
                let body = self.block(&of.body).0;
                Kind::For(self.binding(&of.pat), self.boxed(&of.expr), body)
            }
            Expr::Macro(of) => self.macro_call(&of.mac),
            Expr::Assign(of) => Kind::Assign(self.boxed(&of.left), self.boxed(&of.right)),
            Expr::Return(of) => Kind::Return(of.expr.as_ref().map(|e| self.boxed(e))),
            Expr::Break(of) => Kind::Break(of.expr.as_ref().map(|e| self.boxed(e))),
            Expr::Cast(of) => Kind::Cast(self.boxed(&of.expr), tokens(&of.ty)),
            Expr::Tuple(of) => Kind::Tuple(self.all(&of.elems)),
            Expr::Paren(of) => return self.lower(&of.expr),
            Expr::Group(of) => return self.lower(&of.expr),
            Expr::Array(of) => Kind::Parts(self.all(&of.elems)),
            Expr::Binary(of) => Kind::Parts(vec![self.lower(&of.left), self.lower(&of.right)]),
            Expr::Index(of) => Kind::Parts(vec![self.lower(&of.expr), self.lower(&of.index)]),
            Expr::Range(of) => {
                let ends = [&of.start, &of.end].into_iter().flatten();
                Kind::Parts(ends.map(|end| self.lower(end)).collect())
            }
            Expr::Repeat(of) => Kind::Parts(vec![self.lower(&of.expr), self.lower(&of.len)]),
            Expr::Unary(of) => Kind::Parts(vec![self.lower(&of.expr)]),
            Expr::Yield(of) => Kind::Parts(of.expr.iter().map(|e| self.lower(e)).collect()),
            _ => Kind::Parts(Vec::new()),
        };
        self.of(expression, kind)
    }
}

/// Names that a pattern binds, each once: the cases of `a | b` bind the same.
struct Names(Vec<String>);

impl Visit<'_> for Names {
    fn visit_pat_ident(&mut self, ident: &syn::PatIdent) {
        let name = unraw(&ident.ident);
        // What starts with a capital is a constant or a variant that was imported.
        let is_binding = ident.subpat.is_some()
            || ident.by_ref.is_some()
            || !name.starts_with(char::is_uppercase);
        if is_binding && !self.0.contains(&name) {
            self.0.push(name);
        }
        visit::visit_pat_ident(self, ident);
    }

    fn visit_expr(&mut self, _: &Expr) {}
}

/// Imports in a function's body.
struct Uses(Vec<(String, String)>);

impl Visit<'_> for Uses {
    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        leaves(&item.tree, "", &mut self.0);
    }
}
