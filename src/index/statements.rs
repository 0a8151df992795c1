//! The statements of a function, as far as it matters for what may stand before one of them.

use std::collections::BTreeSet;
use std::ops::Range;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::facts::{FileFacts, FnFact};
use super::pattern::unraw;
use super::read::{path_text, tokens};

/// A statement of a function's body, in no block inside of it.
#[derive(Debug, Clone, Default)]
pub struct StatementFact {
    /// From its first attribute to its end.
    pub range: Range<usize>,
    /// Paths of the functions that it calls whenever it is reached: in no block, closure or arm.
    pub calls: Vec<String>,
    /// Variables that it names, but in blocks, closures and arms which bind one of that name.
    pub names: BTreeSet<String>,
    /// Variables that it binds, in no block, closure or arm, once for each place.
    pub binds: Vec<String>,
    /// Variables that it assigns to, in blocks too.
    pub assigns: BTreeSet<String>,
    /// The variable that it declares with a type, and the type as tokens.
    pub typed: Option<(String, String)>,
}

impl FileFacts {
    /// The statements in the body of `function`, which is one of this file's, in order.
    #[must_use]
    pub fn statements(&self, function: &FnFact) -> Vec<StatementFact> {
        let Ok(parsed) = syn::parse_str::<syn::ImplItemFn>(self.text(&function.range)) else {
            return Vec::new();
        };
        let statements = parsed.block.stmts.iter();
        let read = |statement| read(statement, function.range.start);
        statements.map(read).collect()
    }
}

/// `jobs.add(Job::new(…)?).await?;`: a statement that hands what a function makes to a method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandOver {
    /// The variable whose method is called.
    pub receiver: String,
    /// What stands behind the call of the function, `?` say.
    pub of_made: String,
    /// What stands behind the call of the method, `.await?` say.
    pub of_method: String,
}

impl FileFacts {
    /// How `statement`, which is one of this file's, hands what `make` makes to `method`; `None`
    /// where it does more than that.
    #[must_use]
    pub fn hand_over(
        &self,
        statement: &StatementFact,
        method: &str,
        make: &str,
    ) -> Option<HandOver> {
        let text = self.text(&statement.range);
        let syn::Stmt::Expr(whole, Some(_)) = syn::parse_str(text).ok()? else {
            return None;
        };
        let syn::Expr::MethodCall(call) = core(&whole) else {
            return None;
        };
        let syn::Expr::Path(receiver) = &*call.receiver else {
            return None;
        };
        let made = call.args.first().filter(|_| call.args.len() == 1)?;
        let syn::Expr::Call(inner) = core(made) else {
            return None;
        };
        let is_make = matches!(&*inner.func, syn::Expr::Path(p) if path_text(&p.path) == make);
        if call.method != method || !is_make {
            return None;
        }
        let behind = |outer: &syn::Expr, inner: &dyn Spanned| {
            let (from, to) = (inner.span().byte_range().end, outer.span().byte_range().end);
            let behind = text.get(from..to)?;
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.?()".contains(c);
            let behind: String = behind.split_whitespace().collect();
            behind.chars().all(is_plain).then_some(behind)
        };
        Some(HandOver {
            receiver: unraw(receiver.path.get_ident()?),
            of_made: behind(made, inner)?,
            of_method: behind(&whole, call)?,
        })
    }
}

/// What stands in an expression before `?`, `.await`, and methods that take nothing.
fn core(expression: &syn::Expr) -> &syn::Expr {
    match expression {
        syn::Expr::Try(inner) => core(&inner.expr),
        syn::Expr::Await(inner) => core(&inner.base),
        syn::Expr::MethodCall(call) if call.args.is_empty() => core(&call.receiver),
        other => other,
    }
}

fn read(statement: &syn::Stmt, base: usize) -> StatementFact {
    let range = statement.span().byte_range();
    let mut fact = StatementFact {
        range: range.start + base..range.end + base,
        ..StatementFact::default()
    };
    if let syn::Stmt::Local(local) = statement
        && let syn::Pat::Type(typed) = &local.pat
        && let syn::Pat::Ident(ident) = &*typed.pat
    {
        fact.typed = Some((unraw(&ident.ident), tokens(&typed.ty)));
    }
    Calls(&mut fact.calls).visit_stmt(statement);
    Variables(&mut fact).visit_stmt(statement);
    fact
}

/// Finds calls that nothing stands around which may leave them out.
struct Calls<'f>(&'f mut Vec<String>);

impl<'ast> Visit<'ast> for Calls<'_> {
    fn visit_item(&mut self, _: &'ast syn::Item) {}

    fn visit_block(&mut self, _: &'ast syn::Block) {}

    fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}

    fn visit_arm(&mut self, _: &'ast syn::Arm) {}

    fn visit_expr_binary(&mut self, node: &'ast syn::ExprBinary) {
        self.visit_expr(&node.left);
        // What stands behind `&&` may never be reached.
        if !matches!(node.op, syn::BinOp::And(_) | syn::BinOp::Or(_)) {
            self.visit_expr(&node.right);
        }
    }

    fn visit_expr_call(&mut self, node: &'ast syn::ExprCall) {
        if let syn::Expr::Path(path) = &*node.func {
            self.0.push(path_text(&path.path));
        }
        visit::visit_expr_call(self, node);
    }
}

/// Finds variables.
struct Variables<'f>(&'f mut StatementFact);

impl Variables<'_> {
    /// Reads what has a scope of its own.
    fn inner(&mut self, visit: impl FnOnce(&mut Variables<'_>)) {
        let mut inner = StatementFact::default();
        visit(&mut Variables(&mut inner));
        let is_own = |name: &String| inner.binds.contains(name);
        let names = inner.names.iter().filter(|name| !is_own(name));
        self.0.names.extend(names.cloned());
        let assigned = inner.assigns.iter().filter(|name| !is_own(name)).cloned();
        self.0.assigns.extend(assigned);
    }
}

impl<'ast> Visit<'ast> for Variables<'_> {
    fn visit_item(&mut self, _: &'ast syn::Item) {}

    fn visit_block(&mut self, node: &'ast syn::Block) {
        self.inner(|inner| visit::visit_block(inner, node));
    }

    fn visit_expr_closure(&mut self, node: &'ast syn::ExprClosure) {
        self.inner(|inner| visit::visit_expr_closure(inner, node));
    }

    fn visit_arm(&mut self, node: &'ast syn::Arm) {
        self.inner(|inner| visit::visit_arm(inner, node));
    }

    fn visit_expr_path(&mut self, node: &'ast syn::ExprPath) {
        self.0.names.extend(node.path.get_ident().map(unraw));
    }

    fn visit_pat_ident(&mut self, node: &'ast syn::PatIdent) {
        self.0.binds.push(unraw(&node.ident));
        visit::visit_pat_ident(self, node);
    }

    fn visit_expr_assign(&mut self, node: &'ast syn::ExprAssign) {
        if let syn::Expr::Path(path) = &*node.left {
            self.0.assigns.extend(path.path.get_ident().map(unraw));
        }
        visit::visit_expr_assign(self, node);
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use crate::index::{self, Interest};
    use crate::workspace::SourceFile;

    #[test]
    fn a_statement_says_how_it_hands_over_what_is_made() {
        let hand_over = |statement: &str| {
            let text = format!("async fn f() {{\n    {statement}\n}}\n");
            let file = SourceFile {
                path: "a.rs".to_owned(),
                absolute: PathBuf::new(),
                text,
            };
            let facts = index::read(&Arc::new(file), &Interest::default()).unwrap();
            let statements = facts.statements(&facts.functions[0]);
            let found = facts.hand_over(&statements[0], "add", "Job::new")?;
            Some([found.receiver, found.of_made, found.of_method].join(" "))
        };
        let is = |statement: &str| hand_over(statement).unwrap_or_default();
        assert_eq!(
            is("jobs.add(Job::new(\"@daily\", |_| {})?).await?;"),
            "jobs ? .await?"
        );
        assert_eq!(
            is("jobs\n.add(Job::new(a).unwrap())\n.await\n.ok();"),
            "jobs .unwrap() .await.ok()"
        );
        assert_eq!(is("jobs.add(Job::new(a));"), "jobs  ");
        assert_eq!(is("jobs.add(Job::new(a)) /* all */ .await;"), "");
        assert_eq!(is("self.jobs.add(Job::new(a));"), "");
        assert_eq!(is("let id = jobs.add(Job::new(a));"), "");
        assert_eq!(is("jobs.add(b, Job::new(a));"), "");
        assert_eq!(is("jobs.put(Job::new(a));"), "");
        assert_eq!(is("jobs.add(Job::other(a));"), "");
    }

    #[test]
    fn statements_say_what_they_call_and_name() {
        let text = "fn f(db: Db) {
            let a: Db = db.clone();
            if g(&a) { h(); }
            let x = b && i(move |y| k(y, { let c = c; c }));
            a = j(b).await?;
        }";
        let file = SourceFile {
            path: "a.rs".to_owned(),
            absolute: PathBuf::new(),
            text: text.to_owned(),
        };
        let facts = index::read(&Arc::new(file), &Interest::default()).unwrap();
        let found = facts.statements(&facts.functions[0]);
        let calls: Vec<String> = found.iter().map(|s| s.calls.join(" ")).collect();
        assert_eq!(calls, ["", "g", "", "j"]);
        let binds: Vec<String> = found.iter().map(|s| s.binds.join(" ")).collect();
        assert_eq!(binds, ["a", "", "x", ""]);
        assert!(found[3].assigns.contains("a"));
        let named = &found[2].names;
        assert!(named.contains("b") && !named.contains("y") && !named.contains("c"));
        let typed = found[0].typed.clone();
        assert_eq!(typed, Some(("a".to_owned(), "Db".to_owned())));
        assert!(found[1].names.contains("a") && found[3].names.contains("b"));
        assert_eq!(&text[found[3].range.clone()], "a = j(b).await?;");
    }
}
