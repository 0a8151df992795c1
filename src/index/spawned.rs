//! A call that spawns, as far as it matters for moving its work elsewhere: the statement that it
//! is, the form of the work, and what ends the work early.

use std::ops::Range;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::facts::{FileFacts, FnFact};
use super::pattern::unraw;
use super::read::path_text;

/// A call that spawns, in its function.
#[derive(Debug, Clone)]
pub struct SpawnFact {
    /// The whole call.
    pub call: Range<usize>,
    /// The statement that it is; `None` where it is a part of something larger.
    pub statement: Option<Statement>,
    /// What keeps the place from being one where something can be awaited.
    pub not_async: Option<&'static str>,
    /// Whether it stands in a loop.
    pub is_in_loop: bool,
    /// Whether it stands in an `async` block, which `?` leaves in place of the function.
    pub is_in_block: bool,
    /// The work.
    pub work: WorkFact,
    /// Variables that are declared with `mut`, each with the offset of its name.
    pub mutable: Vec<(String, usize)>,
    /// Variables in the order in which patterns bind them, each with the offset of its name.
    pub bound: Vec<(String, usize)>,
    /// Names that `use` declarations inside of the work bring into scope.
    pub own_uses: Vec<String>,
    /// The variables of patterns, as they are written there.
    pub patterns: Vec<PatternFact>,
    /// Imports inside of the function, outside of the work: the names of each, `*` for a glob.
    pub outer_uses: Vec<(Range<usize>, Vec<String>)>,
    /// Names of the type parameters of the function.
    pub generics: Vec<String>,
    /// Names of the items that stand inside of the function, outside of the work.
    pub items: Vec<String>,
    /// Statements `let name = value;` in any block of the function.
    pub lets: Vec<LetFact>,
}

/// A variable of a pattern.
#[derive(Debug, Clone)]
pub struct PatternFact {
    /// The variable.
    pub name: String,
    /// With its `mut` or `ref`.
    pub range: Range<usize>,
    /// Offset of the name.
    pub at: usize,
    /// Whether it stands for a field of the same name, too.
    pub is_shorthand: bool,
    /// Whether nothing but `mut` stands before it, and nothing behind.
    pub is_plain: bool,
}

/// The statement that a call is.
#[derive(Debug, Clone)]
pub struct Statement {
    /// From its first token to its semicolon.
    pub range: Range<usize>,
    /// The variable that holds the handle.
    pub handle: Option<String>,
    /// Whether it is the value of its block.
    pub is_value: bool,
    /// Whether an attribute stands before it.
    pub has_attribute: bool,
}

/// `let name = value;`.
#[derive(Debug, Clone)]
pub struct LetFact {
    /// The variable.
    pub name: String,
    /// The whole statement.
    pub range: Range<usize>,
    /// The value.
    pub value: Range<usize>,
    /// Whether the value is nothing but a place, or a clone of one.
    pub is_clone: bool,
    /// Where its block starts, in the function.
    pub block: usize,
}

/// What is spawned.
#[derive(Debug, Clone)]
pub struct WorkFact {
    /// What is handed to the call, or held by the variable that is.
    pub range: Range<usize>,
    /// Methods called on it that only follow it: `.instrument(span)`, as they are written.
    pub around: Vec<Range<usize>>,
    /// Its form.
    pub form: WorkForm,
}

/// The form of what is spawned.
#[derive(Debug, Clone)]
pub enum WorkForm {
    /// `async move { … }`.
    Async(BodyOfWork),
    /// `move || { … }`: it runs on a thread of its own.
    Blocking(BodyOfWork),
    /// `{ let a = a.clone(); async move { … } }`: what stands before the block, and its body.
    Prepared(Range<usize>, BodyOfWork),
    /// Another value that is a future.
    Future,
}

/// The body of an `async` block, or of a closure.
#[derive(Debug, Clone)]
pub struct BodyOfWork {
    /// What stands between the braces; the whole expression where there are none.
    pub inside: Range<usize>,
    /// Its last expression, where that is its value.
    pub tail: Option<Tail>,
    /// The last statement or expression.
    pub last: Option<Range<usize>>,
    /// What leaves it early, in order.
    pub returns: Vec<Return>,
    /// Whether `?` leaves it early.
    pub tries: bool,
    /// The loop at its end that nothing leaves.
    pub endless: Option<Range<usize>>,
    /// Errors that are only logged.
    pub logged: Vec<Logged>,
    /// What it gives.
    pub gives: Gives,
    /// Whether its last statement never comes to its end.
    pub never_ends: bool,
    /// Whether the tokens of a macro leave it early, where no edit reaches.
    pub returns_in_macro: bool,
}

/// What an expression gives, as far as its own text tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// Nothing: `()`.
    Unit,
    /// It never comes to its end.
    Never,
    /// A `Result`.
    Result,
    /// An `Option`.
    Option,
    /// Another value.
    Value,
    /// The text does not tell.
    Unknown,
}

impl Gives {
    /// What two ways through one expression give: both have its type.
    fn or(self, other: Self) -> Self {
        let says_less = self == Self::Never || (self == Self::Unknown && other != Self::Never);
        if says_less { other } else { self }
    }
}

/// The value of a block.
#[derive(Debug, Clone)]
pub struct Tail {
    /// The expression.
    pub range: Range<usize>,
    /// Whether it may stand as a statement without a semicolon.
    pub is_block: bool,
    /// Whether it is awaited.
    pub is_awaited: bool,
}

/// `return` or `return value`.
#[derive(Debug, Clone)]
pub struct Return {
    /// The expression.
    pub range: Range<usize>,
    /// Whether it has a value other than `()`.
    pub has_value: bool,
}

/// An error that is logged and otherwise dropped.
#[derive(Debug, Clone)]
pub struct Logged {
    /// The variable that holds it.
    pub error: Option<String>,
    /// How the log shows it; `None` where it shows a part of it, or nothing.
    pub shown: Option<Shown>,
    /// What is done about it: a block, or one expression.
    pub done: Range<usize>,
    /// Where that is a block: the end of its last statement, and whether a semicolon ends it.
    pub block: Option<(usize, bool)>,
    /// Whether nothing of the work comes after it.
    pub is_last: bool,
}

/// How a log shows an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// By `Display`.
    Display,
    /// By `Debug`.
    Debug,
}

impl FileFacts {
    /// The type parameters of the `impl` or the item at `offset`.
    #[must_use]
    pub fn generics_at(&self, offset: usize) -> Vec<String> {
        let mut items = self.items.iter();
        let item = items.find(|item| item.range.contains(&offset));
        let parsed =
            item.and_then(|item| syn::parse_str::<syn::ItemImpl>(self.text(&item.range)).ok());
        let of = parsed.iter().flat_map(|of| &of.generics.params);
        of.filter_map(generic).collect()
    }

    /// The call whose path or method name starts at `offset`, in `function`, which is one of this
    /// file's; `work` is the range of what it spawns. `None` where the call stands in the tokens of
    /// a macro.
    #[must_use]
    pub fn spawned(
        &self,
        function: &FnFact,
        offset: usize,
        work: &Range<usize>,
    ) -> Option<SpawnFact> {
        let base = function.range.start;
        let parsed = syn::parse_str::<syn::ImplItemFn>(self.text(&function.range)).ok()?;
        let local = |range: &Range<usize>| {
            range
                .start
                .checked_sub(base)
                .map(|start| start..range.end - base)
        };
        let mut find = Find {
            offset: offset.checked_sub(base)?,
            work: local(work)?,
            not_async: (!function.is_async).then_some("its function is not async"),
            call: None,
            statement: None,
            found_not_async: None,
            blocks: 0,
            block: 0,
            found_in_block: false,
            loops: 0,
            found_in_loop: false,
            found_work: None,
            mutable: Vec::new(),
            bound: Vec::new(),
            own_uses: Vec::new(),
            patterns: Vec::new(),
            outer_uses: Vec::new(),
            around: 0..0,
            items: Vec::new(),
            lets: Vec::new(),
        };
        find.visit_impl_item_fn(&parsed);
        let shift = |range: Range<usize>| range.start + base..range.end + base;
        let named = |all: Vec<(String, usize)>| {
            let all = all.into_iter();
            all.map(|(name, at)| (name, at + base)).collect()
        };
        let mut work = find.found_work?;
        work.shift(base);
        Some(SpawnFact {
            call: shift(find.call?),
            statement: find.statement.map(|statement| Statement {
                range: shift(statement.range),
                ..statement
            }),
            not_async: find.found_not_async,
            is_in_loop: find.found_in_loop,
            is_in_block: find.found_in_block,
            work,
            mutable: named(find.mutable),
            bound: named(find.bound),
            own_uses: find.own_uses,
            patterns: find
                .patterns
                .into_iter()
                .map(|of| PatternFact {
                    range: shift(of.range),
                    at: of.at + base,
                    ..of
                })
                .collect(),
            outer_uses: find
                .outer_uses
                .into_iter()
                // What a block beside it imports is not seen from the call.
                .filter(|(_, _, block)| block.contains(&find.offset))
                .map(|(range, names, _)| (shift(range), names))
                .collect(),
            generics: parsed
                .sig
                .generics
                .params
                .iter()
                .filter_map(generic)
                .collect(),
            items: find.items,
            lets: find
                .lets
                .into_iter()
                .map(|of| LetFact {
                    range: shift(of.range),
                    value: shift(of.value),
                    ..of
                })
                .collect(),
        })
    }
}

impl WorkFact {
    fn shift(&mut self, base: usize) {
        let move_it = |range: &mut Range<usize>| *range = range.start + base..range.end + base;
        move_it(&mut self.range);
        self.around.iter_mut().for_each(move_it);
        let body = match &mut self.form {
            WorkForm::Async(body) | WorkForm::Blocking(body) => body,
            WorkForm::Prepared(before, body) => {
                move_it(before);
                body
            }
            WorkForm::Future => return,
        };
        move_it(&mut body.inside);
        body.last.iter_mut().for_each(move_it);
        body.tail
            .iter_mut()
            .for_each(|tail| move_it(&mut tail.range));
        body.returns
            .iter_mut()
            .for_each(|of| move_it(&mut of.range));
        for of in &mut body.logged {
            move_it(&mut of.done);
            of.block = of.block.map(|(end, has_semi)| (end + base, has_semi));
        }
    }
}

/// Looks for the call.
struct Find {
    offset: usize,
    work: Range<usize>,
    not_async: Option<&'static str>,
    call: Option<Range<usize>>,
    statement: Option<Statement>,
    found_not_async: Option<&'static str>,
    blocks: usize,
    block: usize,
    found_in_block: bool,
    loops: usize,
    found_in_loop: bool,
    found_work: Option<WorkFact>,
    mutable: Vec<(String, usize)>,
    bound: Vec<(String, usize)>,
    own_uses: Vec<String>,
    patterns: Vec<PatternFact>,
    /// Imports outside of the work: the declaration, its names, the block that it stands in.
    outer_uses: Vec<(Range<usize>, Vec<String>, Range<usize>)>,
    /// The block that is looked at.
    around: Range<usize>,
    items: Vec<String>,
    lets: Vec<LetFact>,
}

impl Find {
    fn is_call(&self, expression: &syn::Expr) -> bool {
        let start = match expression {
            syn::Expr::Call(call) => call.func.span().byte_range().start,
            syn::Expr::MethodCall(call) => call.method.span().byte_range().start,
            _ => return false,
        };
        start == self.offset
    }

    fn within(&mut self, not_async: Option<&'static str>, visit: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.not_async, not_async);
        visit(self);
        self.not_async = before;
    }

    fn in_loop(&mut self, visit: impl FnOnce(&mut Self)) {
        self.loops += 1;
        visit(self);
        self.loops -= 1;
    }

    fn statement(&mut self, statement: &syn::Stmt, is_last: bool) {
        let (expression, handle, is_value, has_attribute) = match statement {
            syn::Stmt::Expr(expression, semi) => {
                let has_attribute = match expression {
                    syn::Expr::Call(of) => !of.attrs.is_empty(),
                    syn::Expr::MethodCall(of) => !of.attrs.is_empty(),
                    _ => false,
                };
                (expression, None, semi.is_none() && is_last, has_attribute)
            }
            syn::Stmt::Local(local) => {
                let Some(init) = local.init.as_ref().filter(|init| init.diverge.is_none()) else {
                    return;
                };
                let handle = match untyped(&local.pat) {
                    syn::Pat::Wild(_) => None,
                    syn::Pat::Ident(ident) if ident.subpat.is_none() => Some(unraw(&ident.ident)),
                    _ => return,
                };
                (&*init.expr, handle, false, !local.attrs.is_empty())
            }
            _ => return,
        };
        if self.is_call(expression) {
            self.statement = Some(Statement {
                range: statement.span().byte_range(),
                handle,
                is_value,
                has_attribute,
            });
        }
    }
}

impl<'ast> Visit<'ast> for Find {
    fn visit_block(&mut self, node: &'ast syn::Block) {
        for (at, statement) in node.stmts.iter().enumerate() {
            self.statement(statement, at + 1 == node.stmts.len());
        }
        let range = node.span().byte_range();
        let outer = std::mem::replace(&mut self.block, range.start);
        let around = std::mem::replace(&mut self.around, range);
        visit::visit_block(self, node);
        self.block = outer;
        self.around = around;
    }

    fn visit_local(&mut self, node: &'ast syn::Local) {
        if let (syn::Pat::Ident(ident), Some(init)) = (untyped(&node.pat), &node.init)
            && init.diverge.is_none()
        {
            self.lets.push(LetFact {
                name: unraw(&ident.ident),
                range: node.span().byte_range(),
                value: init.expr.span().byte_range(),
                is_clone: is_clone(&init.expr),
                block: self.block,
            });
        }
        visit::visit_local(self, node);
    }

    fn visit_pat_ident(&mut self, node: &'ast syn::PatIdent) {
        let at = node.ident.span().byte_range().start;
        self.bound.push((unraw(&node.ident), at));
        // A field pattern marks its own.
        if !self.patterns.iter().any(|of| of.at == at) {
            self.patterns.push(variable(node, false));
        }
        if node.mutability.is_some() {
            self.mutable.push((unraw(&node.ident), at));
        }
        visit::visit_pat_ident(self, node);
    }

    fn visit_field_pat(&mut self, node: &'ast syn::FieldPat) {
        if let (None, syn::Pat::Ident(ident)) = (&node.colon_token, &*node.pat) {
            self.patterns.push(variable(ident, true));
        }
        visit::visit_field_pat(self, node);
    }

    fn visit_expr(&mut self, node: &'ast syn::Expr) {
        if self.is_call(node) {
            self.call = Some(node.span().byte_range());
            self.found_not_async = self.not_async;
            self.found_in_block = self.blocks > 0;
            self.found_in_loop = self.loops > 0;
        }
        if self.found_work.is_none() && node.span().byte_range() == self.work {
            self.found_work = Some(work(node));
        }
        visit::visit_expr(self, node);
    }

    fn visit_expr_loop(&mut self, node: &'ast syn::ExprLoop) {
        self.in_loop(|find| visit::visit_expr_loop(find, node));
    }

    fn visit_expr_while(&mut self, node: &'ast syn::ExprWhile) {
        self.in_loop(|find| visit::visit_expr_while(find, node));
    }

    fn visit_expr_for_loop(&mut self, node: &'ast syn::ExprForLoop) {
        self.in_loop(|find| visit::visit_expr_for_loop(find, node));
    }

    fn visit_expr_closure(&mut self, node: &'ast syn::ExprClosure) {
        let not_async = (node.asyncness.is_none()).then_some("it stands in a closure");
        self.within(not_async, |find| visit::visit_expr_closure(find, node));
    }

    fn visit_expr_async(&mut self, node: &'ast syn::ExprAsync) {
        self.blocks += 1;
        self.within(None, |find| visit::visit_expr_async(find, node));
        self.blocks -= 1;
    }

    fn visit_item(&mut self, item: &'ast syn::Item) {
        let name = match item {
            syn::Item::Const(of) => &of.ident,
            syn::Item::Enum(of) => &of.ident,
            syn::Item::Fn(of) => &of.sig.ident,
            syn::Item::Static(of) => &of.ident,
            syn::Item::Struct(of) => &of.ident,
            syn::Item::Type(of) => &of.ident,
            syn::Item::Trait(of) => &of.ident,
            syn::Item::Use(of) => {
                let range = of.span().byte_range();
                if self.work.contains(&range.start) {
                    leaves(&of.tree, &mut self.own_uses);
                } else {
                    let mut names = Vec::new();
                    leaves(&of.tree, &mut names);
                    self.outer_uses.push((range, names, self.around.clone()));
                }
                return;
            }
            syn::Item::Macro(syn::ItemMacro {
                ident: Some(ident), ..
            }) => ident,
            _ => return,
        };
        if !self.work.contains(&name.span().byte_range().start) {
            self.items.push(unraw(name));
        }
    }
}

/// The names that a tree of imports brings into scope.
fn leaves(tree: &syn::UseTree, into: &mut Vec<String>) {
    match tree {
        syn::UseTree::Path(of) => leaves(&of.tree, into),
        syn::UseTree::Name(of) => into.push(unraw(&of.ident)),
        syn::UseTree::Rename(of) => into.push(unraw(&of.rename)),
        syn::UseTree::Group(of) => of.items.iter().for_each(|tree| leaves(tree, into)),
        syn::UseTree::Glob(_) => into.push("*".to_owned()),
    }
}

/// The name of a type or constant parameter.
pub(super) fn generic(of: &syn::GenericParam) -> Option<String> {
    match of {
        syn::GenericParam::Type(of) => Some(unraw(&of.ident)),
        syn::GenericParam::Const(of) => Some(unraw(&of.ident)),
        syn::GenericParam::Lifetime(_) => None,
    }
}

/// A pattern without the type that it is given.
fn untyped(pattern: &syn::Pat) -> &syn::Pat {
    match pattern {
        syn::Pat::Type(of) => &of.pat,
        other => other,
    }
}

fn variable(node: &syn::PatIdent, is_shorthand: bool) -> PatternFact {
    PatternFact {
        name: unraw(&node.ident),
        range: node.span().byte_range(),
        at: node.ident.span().byte_range().start,
        is_shorthand,
        is_plain: node.by_ref.is_none() && node.subpat.is_none(),
    }
}

/// Whether a value is a place, or a clone of one: to leave it out changes nothing.
fn is_clone(value: &syn::Expr) -> bool {
    match value {
        syn::Expr::Path(_) => true,
        syn::Expr::Field(field) => is_clone(&field.base),
        syn::Expr::Reference(of) => is_clone(&of.expr),
        syn::Expr::MethodCall(call) => {
            call.args.is_empty() && call.method == "clone" && is_clone(&call.receiver)
        }
        syn::Expr::Call(call) => {
            let is_clone_fn = matches!(&*call.func, syn::Expr::Path(path)
                if path_text(&path.path).ends_with("::clone"));
            is_clone_fn && call.args.iter().all(is_clone)
        }
        _ => false,
    }
}

/// What only follows a future: it runs as before without it, but in another span.
const FOLLOWERS: [&str; 3] = ["instrument", "in_current_span", "with_current_subscriber"];

fn work(whole: &syn::Expr) -> WorkFact {
    let range = whole.span().byte_range();
    let mut around = Vec::new();
    let mut of = whole;
    while let syn::Expr::MethodCall(call) = of
        && FOLLOWERS.iter().any(|name| call.method == name)
    {
        let from = call.receiver.span().byte_range().end;
        around.push(from..call.span().byte_range().end);
        of = &call.receiver;
    }
    around.reverse();
    let form = match unpinned(of) {
        syn::Expr::Async(block) => WorkForm::Async(body(&block.block)),
        syn::Expr::Closure(closure) if closure.inputs.is_empty() && closure.asyncness.is_none() => {
            match &*closure.body {
                syn::Expr::Block(block) => WorkForm::Blocking(body(&block.block)),
                syn::Expr::Async(block) => WorkForm::Async(body(&block.block)),
                one => {
                    let range = one.span().byte_range();
                    let mut ends = Ends::default();
                    ends.visit_expr(one);
                    WorkForm::Blocking(BodyOfWork {
                        inside: range.clone(),
                        tail: Some(tail(one)),
                        last: Some(range),
                        gives: ends.gives.or(gives(one)),
                        never_ends: false,
                        returns_in_macro: ends.in_macro,
                        returns: ends.returns,
                        tries: ends.tries,
                        endless: None,
                        logged: Vec::new(),
                    })
                }
            }
        }
        syn::Expr::Block(block) => match block.block.stmts.last() {
            Some(syn::Stmt::Expr(syn::Expr::Async(inner), None)) => {
                let from = block.block.span().byte_range().start + 1;
                let to = inner.span().byte_range().start;
                WorkForm::Prepared(from..to, body(&inner.block))
            }
            _ => WorkForm::Future,
        },
        _ => WorkForm::Future,
    };
    WorkFact {
        range,
        around,
        form,
    }
}

/// The block in `Box::pin(async { … })`.
fn unpinned(of: &syn::Expr) -> &syn::Expr {
    let syn::Expr::Call(call) = of else {
        return of;
    };
    let is_pin =
        matches!(&*call.func, syn::Expr::Path(path) if path_text(&path.path).ends_with("Box::pin"));
    match (is_pin, call.args.first()) {
        (true, Some(block @ syn::Expr::Async(_))) if call.args.len() == 1 => block,
        _ => of,
    }
}

fn body(block: &syn::Block) -> BodyOfWork {
    let mut ends = Ends::default();
    ends.visit_block(block);
    let braces = block.span().byte_range();
    let last = block.stmts.last();
    let mut logged = Vec::new();
    for (at, statement) in block.stmts.iter().enumerate() {
        let mut finder = LoggedErrors {
            found: Vec::new(),
            is_last: at + 1 == block.stmts.len(),
        };
        match statement {
            syn::Stmt::Expr(expression, _) => finder.last(expression),
            other => finder.visit_stmt(other),
        }
        logged.extend(finder.found);
    }
    BodyOfWork {
        inside: braces.start + 1..braces.end - 1,
        tail: match last {
            Some(syn::Stmt::Expr(value, None)) => Some(tail(value)),
            _ => None,
        },
        last: last.map(|last| last.span().byte_range()),
        gives: ends.gives.or(block_gives(block)),
        never_ends: block_gives(block) == Gives::Never,
        returns_in_macro: ends.in_macro,
        returns: ends.returns,
        tries: ends.tries,
        endless: match last {
            Some(syn::Stmt::Expr(syn::Expr::Loop(of), _)) => {
                (!LoopEnds::of(of).is_left).then(|| of.span().byte_range())
            }
            _ => None,
        },
        logged,
    }
}

fn tail(value: &syn::Expr) -> Tail {
    Tail {
        range: value.span().byte_range(),
        is_block: matches!(
            value,
            syn::Expr::If(_)
                | syn::Expr::Match(_)
                | syn::Expr::Block(_)
                | syn::Expr::ForLoop(_)
                | syn::Expr::While(_)
                | syn::Expr::Loop(_)
                | syn::Expr::Unsafe(_)
        ),
        is_awaited: matches!(value, syn::Expr::Await(_)),
    }
}

/// What a block gives.
fn block_gives(block: &syn::Block) -> Gives {
    match block.stmts.last() {
        Some(syn::Stmt::Expr(value, None)) => gives(value),
        Some(syn::Stmt::Expr(value, Some(_))) if gives(value) == Gives::Never => Gives::Never,
        Some(syn::Stmt::Macro(of)) if of.semi_token.is_none() => macro_gives(&of.mac),
        Some(syn::Stmt::Macro(of)) if macro_gives(&of.mac) == Gives::Never => Gives::Never,
        _ => Gives::Unit,
    }
}

/// What an expression gives, as far as its own text tells.
fn gives(value: &syn::Expr) -> Gives {
    match value {
        syn::Expr::If(of) => match &of.else_branch {
            Some((_, other)) => block_gives(&of.then_branch).or(gives(other)),
            None => Gives::Unit,
        },
        syn::Expr::Match(of) => {
            let arms = of.arms.iter().map(|arm| gives(&arm.body));
            arms.fold(Gives::Never, Gives::or)
        }
        syn::Expr::Block(of) if of.label.is_none() => block_gives(&of.block),
        syn::Expr::Unsafe(of) => block_gives(&of.block),
        syn::Expr::Paren(of) => gives(&of.expr),
        syn::Expr::Loop(of) => loop_gives(of),
        syn::Expr::ForLoop(_) | syn::Expr::While(_) | syn::Expr::Assign(_) => Gives::Unit,
        syn::Expr::Tuple(of) if of.elems.is_empty() => Gives::Unit,
        syn::Expr::Return(_) | syn::Expr::Break(_) | syn::Expr::Continue(_) => Gives::Never,
        syn::Expr::Macro(of) => macro_gives(&of.mac),
        syn::Expr::Lit(_) | syn::Expr::Tuple(_) | syn::Expr::Struct(_) => Gives::Value,
        syn::Expr::Path(of) if of.path.is_ident("None") => Gives::Option,
        syn::Expr::Call(call) => match &*call.func {
            syn::Expr::Path(path) => match path_text(&path.path).split("::").next() {
                Some("Ok" | "Err" | "Result" | "anyhow") => Gives::Result,
                Some("Some") => Gives::Option,
                _ => Gives::Unknown,
            },
            _ => Gives::Unknown,
        },
        syn::Expr::MethodCall(call) => match call.method.to_string().as_str() {
            "map_err" | "ok_or" | "ok_or_else" => Gives::Result,
            "ok" | "err" => Gives::Option,
            "is_ok" | "is_err" | "is_some" | "is_none" | "to_string" | "len" => Gives::Value,
            _ => Gives::Unknown,
        },
        _ => Gives::Unknown,
    }
}

/// What a loop gives: a value where a `break` has one, and nothing at all where none leaves it.
fn loop_gives(of: &syn::ExprLoop) -> Gives {
    LoopEnds::of(of).gives
}

/// What ends a loop.
struct LoopEnds {
    /// Loops between the loop and what is looked at.
    depth: usize,
    label: Option<syn::Ident>,
    /// What its own `break`s give.
    gives: Gives,
    /// Whether anything leaves it: a `break` of its own or with a label, a `return`, a `?`.
    is_left: bool,
}

impl LoopEnds {
    fn of(of: &syn::ExprLoop) -> Self {
        let mut ends = Self {
            depth: 0,
            label: of.label.as_ref().map(|label| label.name.ident.clone()),
            gives: Gives::Never,
            is_left: false,
        };
        ends.visit_block(&of.body);
        ends
    }

    fn within(&mut self, visit: impl FnOnce(&mut Self)) {
        self.depth += 1;
        visit(self);
        self.depth -= 1;
    }
}

impl<'ast> Visit<'ast> for LoopEnds {
    fn visit_expr_break(&mut self, node: &'ast syn::ExprBreak) {
        let is_own = match &node.label {
            Some(label) => Some(&label.ident) == self.label.as_ref(),
            None => self.depth == 0,
        };
        if is_own {
            let given = node.expr.as_ref().map_or(Gives::Unit, |of| gives(of));
            self.gives = self.gives.or(given);
        }
        self.is_left |= is_own || node.label.is_some();
        visit::visit_expr_break(self, node);
    }

    fn visit_expr_return(&mut self, node: &'ast syn::ExprReturn) {
        self.is_left = true;
        visit::visit_expr_return(self, node);
    }

    fn visit_expr_try(&mut self, node: &'ast syn::ExprTry) {
        self.is_left = true;
        visit::visit_expr_try(self, node);
    }

    fn visit_macro(&mut self, of: &'ast syn::Macro) {
        // The tokens of `select!` may leave it.
        let text = of.tokens.to_string();
        if text.contains("break") {
            self.gives = self.gives.or(Gives::Unit);
            self.is_left = true;
        }
        self.is_left |= text.contains("return");
    }

    fn visit_expr_loop(&mut self, node: &'ast syn::ExprLoop) {
        self.within(|ends| visit::visit_expr_loop(ends, node));
    }

    fn visit_expr_while(&mut self, node: &'ast syn::ExprWhile) {
        self.within(|ends| visit::visit_expr_while(ends, node));
    }

    fn visit_expr_for_loop(&mut self, node: &'ast syn::ExprForLoop) {
        self.within(|ends| visit::visit_expr_for_loop(ends, node));
    }

    fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}

    fn visit_expr_async(&mut self, _: &'ast syn::ExprAsync) {}
}

/// What a macro gives, by its name.
fn macro_gives(of: &syn::Macro) -> Gives {
    let path = path_text(&of.path);
    match path.rsplit("::").next().unwrap_or(&path) {
        "panic" | "unreachable" | "todo" | "unimplemented" | "bail" => Gives::Never,
        "format" | "vec" => Gives::Value,
        _ if log(of).is_some() => Gives::Unit,
        _ => Gives::Unknown,
    }
}

/// Finds what leaves a block early, but not what leaves something inside of it.
struct Ends {
    returns: Vec<Return>,
    tries: bool,
    in_macro: bool,
    /// What the values that it is left with are.
    gives: Gives,
}

impl Default for Ends {
    fn default() -> Self {
        Self {
            returns: Vec::new(),
            tries: false,
            in_macro: false,
            gives: Gives::Never,
        }
    }
}

impl<'ast> Visit<'ast> for Ends {
    fn visit_expr_return(&mut self, node: &'ast syn::ExprReturn) {
        let has_value = node.expr.as_ref().is_some_and(
            |value| !matches!(&**value, syn::Expr::Tuple(tuple) if tuple.elems.is_empty()),
        );
        let given = node.expr.as_ref().map_or(Gives::Unit, |of| gives(of));
        self.gives = self.gives.or(given);
        self.returns.push(Return {
            range: node.span().byte_range(),
            has_value,
        });
        visit::visit_expr_return(self, node);
    }

    fn visit_macro(&mut self, of: &'ast syn::Macro) {
        let text = of.tokens.to_string();
        self.in_macro |= super::read::whole_words(&text, "return").next().is_some();
    }

    fn visit_expr_try(&mut self, node: &'ast syn::ExprTry) {
        self.tries = true;
        visit::visit_expr_try(self, node);
    }

    fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}

    fn visit_expr_async(&mut self, _: &'ast syn::ExprAsync) {}

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

/// Finds errors that are logged and dropped.
struct LoggedErrors {
    found: Vec<Logged>,
    is_last: bool,
}

impl LoggedErrors {
    /// An expression with nothing behind it, where the work's last statement is meant.
    fn last(&mut self, expression: &syn::Expr) {
        match expression {
            syn::Expr::If(of) => {
                self.condition(of);
                // What stands inside is not the last thing unless the whole is.
                let mut inner = Self {
                    found: Vec::new(),
                    is_last: false,
                };
                visit::visit_expr_if(&mut inner, of);
                self.found.extend(inner.found);
            }
            syn::Expr::Match(of) => {
                for arm in &of.arms {
                    if let Some(error) = error_of(&arm.pat) {
                        self.done(error, &arm.body);
                    }
                }
                let mut inner = Self {
                    found: Vec::new(),
                    is_last: false,
                };
                visit::visit_expr(&mut inner, &of.expr);
                for arm in &of.arms {
                    inner.visit_expr(&arm.body);
                }
                self.found.extend(inner.found);
            }
            other => {
                let was_last = std::mem::replace(&mut self.is_last, false);
                self.visit_expr(other);
                self.is_last = was_last;
            }
        }
    }

    fn condition(&mut self, of: &syn::ExprIf) {
        if let syn::Expr::Let(condition) = &*of.cond
            && of.else_branch.is_none()
            && let Some(error) = error_of(&condition.pat)
        {
            let only_logs = only_logs(&of.then_branch.stmts);
            if let Some(shown) = only_logs {
                self.found.push(Logged {
                    shown: shown_by(&shown, error.as_deref()),
                    error,
                    done: of.then_branch.span().byte_range(),
                    block: end_of(&of.then_branch),
                    is_last: self.is_last,
                });
            }
        }
    }

    fn done(&mut self, error: Option<String>, body: &syn::Expr) {
        let shown = match body {
            syn::Expr::Block(block) => only_logs(&block.block.stmts),
            syn::Expr::Macro(of) => log(&of.mac).map(|text| vec![text]),
            _ => None,
        };
        if let Some(shown) = shown {
            self.found.push(Logged {
                shown: shown_by(&shown, error.as_deref()),
                error,
                done: body.span().byte_range(),
                block: match body {
                    syn::Expr::Block(block) => end_of(&block.block),
                    _ => None,
                },
                is_last: self.is_last,
            });
        }
    }
}

impl<'ast> Visit<'ast> for LoggedErrors {
    fn visit_expr_if(&mut self, node: &'ast syn::ExprIf) {
        self.condition(node);
        visit::visit_expr_if(self, node);
    }

    fn visit_expr_match(&mut self, node: &'ast syn::ExprMatch) {
        for arm in &node.arms {
            if let Some(error) = error_of(&arm.pat) {
                self.done(error, &arm.body);
            }
        }
        visit::visit_expr_match(self, node);
    }

    fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}

    fn visit_expr_async(&mut self, _: &'ast syn::ExprAsync) {}

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

/// The variable of `Err(variable)`; `Some(None)` where it holds the error in no variable.
#[allow(
    clippy::option_option,
    reason = "the outer says whether it is an error at all"
)]
fn error_of(pattern: &syn::Pat) -> Option<Option<String>> {
    let syn::Pat::TupleStruct(of) = pattern else {
        return None;
    };
    if path_text(&of.path).rsplit("::").next() != Some("Err") {
        return None;
    }
    Some(match of.elems.first() {
        Some(syn::Pat::Ident(ident)) => Some(unraw(&ident.ident)),
        _ => None,
    })
}

/// The tokens of a block's log lines, where it does nothing else.
fn only_logs(statements: &[syn::Stmt]) -> Option<Vec<String>> {
    if statements.is_empty() {
        return None;
    }
    statements
        .iter()
        .map(|statement| match statement {
            syn::Stmt::Macro(of) => log(&of.mac),
            syn::Stmt::Expr(syn::Expr::Macro(of), _) => log(&of.mac),
            _ => None,
        })
        .collect()
}

fn log(of: &syn::Macro) -> Option<String> {
    let path = path_text(&of.path);
    let name = path.rsplit("::").next().unwrap_or(&path);
    let is_log = matches!(
        name,
        "error" | "warn" | "info" | "debug" | "trace" | "eprintln" | "println"
    );
    is_log.then(|| of.tokens.to_string())
}

/// Where the last statement of a block ends, and whether a semicolon ends it.
fn end_of(block: &syn::Block) -> Option<(usize, bool)> {
    let last = block.stmts.last()?;
    let has_semi = match last {
        syn::Stmt::Macro(of) => {
            of.semi_token.is_some() || matches!(of.mac.delimiter, syn::MacroDelimiter::Brace(_))
        }
        syn::Stmt::Expr(_, semi) => semi.is_some(),
        _ => true,
    };
    Some((last.span().byte_range().end, has_semi))
}

/// How log lines show the variable as a whole.
fn shown_by(logs: &[String], error: Option<&str>) -> Option<Shown> {
    let error = error?;
    let all = logs.join(",") + ",";
    let compact: String = all.chars().filter(|c| !c.is_whitespace()).collect();
    let braced = format!("{{{error}:");
    let specs = compact.match_indices(&braced);
    let specs: Vec<&str> = specs
        .filter_map(|(at, _)| compact[at + braced.len()..].split('}').next())
        .collect();
    let has = |form: String| compact.contains(&form);
    // What stands for the whole variable among the arguments.
    let is_argument = has(format!(",{error},")) || has(format!(",&{error},"));
    let is_display = has(format!("%{error},"))
        || has(format!("{{{error}}}"))
        || has(format!("{error}.to_string()"))
        || specs.iter().any(|spec| !spec.ends_with('?'))
        || (is_argument && (has("{}".to_owned()) || has("{:#}".to_owned())));
    let is_debug = has(format!("?{error},"))
        || !specs.is_empty()
        || (is_argument && (has("{:?}".to_owned()) || has("{:#?}".to_owned())));
    match (is_display, is_debug) {
        (true, _) => Some(Shown::Display),
        (false, true) => Some(Shown::Debug),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use crate::index::{self, Interest};
    use crate::workspace::SourceFile;

    #[test]
    fn imports_count_where_the_call_sees_them() {
        let text = "async fn f() {
    use a::Own;
    let row = { use a::Beside; load().await };
    {
        use a::Around;
        spawn(async move { use a::Inside; row.go().await });
    }
}
";
        let file = SourceFile {
            path: "a.rs".to_owned(),
            absolute: PathBuf::new(),
            text: text.to_owned(),
        };
        let facts = index::read(&Arc::new(file), &Interest::default()).unwrap();
        let call = text.find("spawn(").unwrap();
        let work = text.find("async move").unwrap()..text.find(" });").unwrap() + 2;
        let fact = facts.spawned(&facts.functions[0], call, &work).unwrap();
        let outer = fact.outer_uses.iter().flat_map(|(_, names)| names);
        assert_eq!(outer.collect::<Vec<_>>(), ["Own", "Around"]);
        assert_eq!(fact.own_uses, ["Inside"]);
    }
}
