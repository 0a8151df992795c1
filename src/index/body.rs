//! What stands in one function's body, read when somebody asks.

use std::sync::OnceLock;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::facts::{FileFacts, FnFact, ModelFact};
use super::outline::Tokens;
use super::pattern::unraw;
use super::read::path_text;

/// Facts of a function's body.
#[derive(Debug, Clone, Default)]
pub struct BodyFact {
    /// `ActiveModel { … }` literals.
    pub models: Vec<ModelFact>,
    /// Literals of other structs.
    pub literals: Vec<ModelFact>,
    /// `let name = expression;` statements at the top: name, text of the expression.
    ///
    /// The texts are those of expressions that are short by their form, `0` and `now()` say;
    /// those of others are empty.
    pub lets: Vec<(String, String)>,
    /// Calls: the callee's path and the texts of the arguments, short ones only.
    pub calls: Vec<(String, Vec<String>)>,
}

/// A body that is parsed at most once.
#[derive(Debug, Clone, Default)]
pub struct LazyBody(OnceLock<BodyFact>);

impl FileFacts {
    /// What stands in the body of `function`, which is one of this file's.
    pub fn body<'f>(&self, function: &'f FnFact) -> &'f BodyFact {
        function.body.0.get_or_init(|| {
            let text = self.text(&function.range);
            let Ok(parsed) = syn::parse_str::<syn::ImplItemFn>(text) else {
                // A function of a trait without a body of its own.
                return BodyFact::default();
            };
            let mut reader = Reader {
                text,
                base: function.range.start,
                found: BodyFact::default(),
            };
            reader.found.lets = reader.lets(&parsed.block);
            reader.visit_block(&parsed.block);
            reader.found
        })
    }

    /// Whether a literal in the body of `function` may set a field whose name holds `word` to the
    /// bare name `value`.
    #[must_use]
    pub fn may_set(&self, function: &FnFact, word: &str, value: &str) -> bool {
        let tokens = Tokens::of(self.text(&function.range));
        tokens.is_none_or(|tokens| tokens.whole().sets(word, value))
    }

    /// Where `function`, which is one of this file's, calls `path`: offsets of its first part.
    #[must_use]
    pub fn calls_of(&self, function: &FnFact, path: &str) -> Vec<usize> {
        let text = self.text(&function.range);
        if !text.contains(path) {
            return Vec::new();
        }
        let calls = Tokens::of(text).map(|tokens| tokens.whole().calls(path));
        calls
            .unwrap_or_default()
            .into_iter()
            .map(|at| function.range.start + at)
            .collect()
    }

    /// The `ActiveModel { … }` literals in the body of `function`.
    pub fn models<'f>(&self, function: &'f FnFact) -> &'f [ModelFact] {
        if self.text(&function.range).contains("ActiveModel") {
            &self.body(function).models
        } else {
            &[]
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    base: usize,
    found: BodyFact,
}

impl Reader<'_> {
    fn text_of(&self, node: &impl Spanned) -> String {
        self.text[node.span().byte_range()].to_owned()
    }

    fn short_text(&self, expression: &syn::Expr) -> String {
        let short = match expression {
            syn::Expr::Lit(_) | syn::Expr::Path(_) => true,
            syn::Expr::Call(call) => call.args.is_empty(),
            syn::Expr::MethodCall(call) => {
                call.args.is_empty() && !self.short_text(&call.receiver).is_empty()
            }
            _ => false,
        };
        if short {
            self.text_of(expression)
        } else {
            String::new()
        }
    }

    fn lets(&self, block: &syn::Block) -> Vec<(String, String)> {
        block
            .stmts
            .iter()
            .filter_map(|statement| match statement {
                syn::Stmt::Local(local) => match (&local.pat, &local.init) {
                    (syn::Pat::Ident(ident), Some(init)) if init.diverge.is_none() => {
                        Some((unraw(&ident.ident), self.short_text(&init.expr)))
                    }
                    _ => None,
                },
                _ => None,
            })
            .collect()
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    /// What stands in an item inside the body is that item's.
    fn visit_item(&mut self, _: &'ast syn::Item) {}

    fn visit_expr_struct(&mut self, node: &'ast syn::ExprStruct) {
        let is_model = node
            .path
            .segments
            .last()
            .is_some_and(|segment| segment.ident == "ActiveModel");
        let fields = node
            .fields
            .iter()
            .map(|field| {
                let name = match &field.member {
                    syn::Member::Named(ident) => unraw(ident),
                    syn::Member::Unnamed(index) => index.index.to_string(),
                };
                (name, self.text_of(&field.expr))
            })
            .collect();
        let range = node.span().byte_range();
        let fact = ModelFact {
            path: path_text(&node.path),
            range: range.start + self.base..range.end + self.base,
            fields,
            has_rest: node.dot2_token.is_some(),
        };
        if is_model {
            self.found.models.push(fact);
        } else {
            self.found.literals.push(fact);
        }
        visit::visit_expr_struct(self, node);
    }

    fn visit_expr_call(&mut self, node: &'ast syn::ExprCall) {
        if let syn::Expr::Path(path) = &*node.func {
            let args = node.args.iter().map(|arg| self.short_text(arg)).collect();
            self.found.calls.push((path_text(&path.path), args));
        }
        visit::visit_expr_call(self, node);
    }
}
