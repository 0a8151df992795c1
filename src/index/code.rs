//! The code of a function as an owned tree: what it does, in the order in which it stands there.
//!
//! It has what an analysis of spawned work asks for: calls, variables and where they are bound,
//! loops, what is awaited, and what stands in the tokens of macros. Types and attributes of
//! expressions are left out.

use std::ops::Range;

use super::facts::Pattern;

/// An expression or a statement.
#[derive(Debug, Clone)]
pub struct Code {
    /// Where it stands in the file.
    pub range: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

/// What an expression or a statement is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A variable or the path of an item, without generic arguments.
    Path(String),
    /// A literal.
    Literal(Literal),
    /// `function(arguments)`; the text is that of the path's last generic arguments.
    Call(Box<Code>, Vec<Code>, Option<String>),
    /// `value.method(arguments)`.
    Method(Box<Method>),
    /// `value.field`.
    Field(Box<Code>, String),
    /// `value.await`.
    Await(Box<Code>),
    /// `value?`.
    Try(Box<Code>),
    /// `&value`.
    Reference(Box<Code>),
    /// `*value`.
    Deref(Box<Code>),
    /// `|parameters| body`.
    Closure(Vec<Binding>, Box<Code>),
    /// `async { … }`.
    Async(Vec<Code>),
    /// `{ … }`; the flag says whether its last expression is its value.
    Block(Vec<Code>, bool),
    /// `Path { field: value, ..rest }`.
    Struct(String, Vec<(String, Code)>, Option<Box<Code>>),
    /// `let pattern = value`, as a statement or as a condition.
    Let(Box<Let>),
    /// `match value { … }`.
    Match(Box<Code>, Vec<Arm>),
    /// `if condition { … } else { … }`.
    If(Box<Code>, Box<Code>, Option<Box<Code>>),
    /// `loop { … }`.
    Loop(Vec<Code>),
    /// `while condition { … }`.
    While(Box<Code>, Vec<Code>),
    /// `for pattern in values { … }`.
    For(Binding, Box<Code>, Vec<Code>),
    /// `path!(…)`, with what of its tokens is code; names in format strings are paths too.
    Macro(String, Vec<Code>),
    /// `target = value`.
    Assign(Box<Code>, Box<Code>),
    /// `return value`.
    Return(Option<Box<Code>>),
    /// `break value`.
    Break(Option<Box<Code>>),
    /// `value as Type`.
    Cast(Box<Code>, String),
    /// `(a, b)`.
    Tuple(Vec<Code>),
    /// A function inside of this one.
    Item(Box<FnCode>),
    /// Anything else that has parts.
    Parts(Vec<Code>),
}

/// A literal, as far as its type goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// `"text"`.
    Text(String),
    /// A number with its suffix, which may be empty.
    Number(String),
    /// `true` or `false`.
    Bool,
    /// A byte, a character, a C string.
    Other,
}

/// `value.method(arguments)`.
#[derive(Debug, Clone)]
pub struct Method {
    /// The value.
    pub on: Code,
    /// The method's name.
    pub name: String,
    /// Where the name stands.
    pub name_range: Range<usize>,
    /// The arguments.
    pub arguments: Vec<Code>,
    /// Generic arguments as tokens.
    pub generics: Option<String>,
}

/// Names that a pattern brings into scope.
#[derive(Debug, Clone)]
pub struct Binding {
    /// The pattern.
    pub pattern: Pattern,
    /// The names.
    pub names: Vec<String>,
    /// The type that is written beside it, as tokens.
    pub ty: Option<String>,
}

/// `let pattern: Type = value else { … }`.
#[derive(Debug, Clone)]
pub struct Let {
    /// What it binds.
    pub binding: Binding,
    /// The value.
    pub value: Option<Code>,
    /// The block of `else`.
    pub otherwise: Option<Code>,
}

/// An arm of a `match`.
#[derive(Debug, Clone)]
pub struct Arm {
    /// What it binds.
    pub binding: Binding,
    /// Its guard.
    pub guard: Option<Code>,
    /// What it does.
    pub body: Code,
}

/// A function with its body.
#[derive(Debug, Clone)]
pub struct FnCode {
    /// Its name.
    pub name: String,
    /// Whether it takes `self`.
    pub has_self: bool,
    /// The type that is written beside `self`, as tokens: `Arc<Self>` say.
    pub self_type: Option<String>,
    /// Whether it stands in an `impl` or a module inside of a function.
    pub is_inner: bool,
    /// Its parameters but `self`.
    pub parameters: Vec<Binding>,
    /// Names of its generic parameters, each with its bounds as tokens.
    pub generics: Vec<(String, String)>,
    /// Imports inside of it: path and name.
    pub uses: Vec<(String, String)>,
    /// Its statements.
    pub body: Vec<Code>,
    /// Whether the last expression is its value.
    pub has_value: bool,
}

impl FnCode {
    /// Whether the function binds a variable of that name anywhere.
    #[must_use]
    pub fn binds(&self, name: &str) -> bool {
        let has = |binding: &Binding| binding.names.iter().any(|own| own == name);
        let mut found = self.parameters.iter().any(has);
        for part in &self.body {
            part.walk(&mut |part| {
                found |= match &part.kind {
                    Kind::Let(of) => has(&of.binding),
                    Kind::For(binding, ..) => has(binding),
                    Kind::Match(_, arms) => arms.iter().any(|arm| has(&arm.binding)),
                    Kind::Closure(parameters, _) => parameters.iter().any(has),
                    _ => false,
                };
            });
        }
        found
    }

    /// Whether `code`, a part of the function, means the same in another function of its file, as far
    /// as its variables do: it names nothing of `self`, and nothing that the function imports for
    /// itself.
    #[must_use]
    pub fn is_portable(&self, code: &Code) -> bool {
        let imports = |path: &str| {
            let head = path.split("::").next().unwrap_or(path);
            self.uses.iter().any(|(_, name)| name == head)
        };
        let mut names = Vec::new();
        let mut found = true;
        code.walk(&mut |part| match &part.kind {
            Kind::Path(path) => names.push(path.clone()),
            Kind::Macro(path, _) => found &= !imports(path),
            _ => {}
        });
        found
            && names.iter().all(|path| {
                let is_own = path == "self" || path.split("::").next() == Some("Self");
                !is_own && !imports(path)
            })
    }
}

impl Code {
    /// Calls `on` with each direct part, in order.
    pub fn parts<'c>(&'c self, on: &mut dyn FnMut(&'c Code)) {
        match &self.kind {
            Kind::Path(_) | Kind::Literal(_) | Kind::Item(_) => {}
            Kind::Call(function, arguments, _) => {
                on(function);
                arguments.iter().for_each(on);
            }
            Kind::Method(method) => {
                on(&method.on);
                method.arguments.iter().for_each(on);
            }
            Kind::Field(of, _)
            | Kind::Await(of)
            | Kind::Try(of)
            | Kind::Reference(of)
            | Kind::Deref(of)
            | Kind::Closure(_, of)
            | Kind::Cast(of, _) => on(of),
            Kind::Async(parts)
            | Kind::Block(parts, _)
            | Kind::Loop(parts)
            | Kind::Macro(_, parts)
            | Kind::Tuple(parts)
            | Kind::Parts(parts) => parts.iter().for_each(on),
            Kind::Struct(_, fields, rest) => {
                for (_, value) in fields {
                    on(value);
                }
                if let Some(rest) = rest {
                    on(rest);
                }
            }
            Kind::Let(of) => {
                of.value.iter().for_each(&mut *on);
                of.otherwise.iter().for_each(on);
            }
            Kind::Match(of, arms) => {
                on(of);
                for arm in arms {
                    arm.guard.iter().for_each(&mut *on);
                    on(&arm.body);
                }
            }
            Kind::If(condition, then, otherwise) => {
                on(condition);
                on(then);
                if let Some(otherwise) = otherwise {
                    on(otherwise);
                }
            }
            Kind::While(condition, body) => {
                on(condition);
                body.iter().for_each(on);
            }
            Kind::For(_, over, body) => {
                on(over);
                body.iter().for_each(on);
            }
            Kind::Assign(target, value) => {
                on(target);
                on(value);
            }
            Kind::Return(value) | Kind::Break(value) => {
                if let Some(value) = value {
                    on(value);
                }
            }
        }
    }

    /// Calls `on` with this and everything inside of it; functions inside are left out.
    pub fn walk<'c>(&'c self, on: &mut dyn FnMut(&'c Code)) {
        on(self);
        self.parts(&mut |part| part.walk(on));
    }

    /// The name, where this is a variable or an item named by one word.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Path(path) if !path.contains("::") => Some(path),
            _ => None,
        }
    }

    /// The same without references, `clone()`, `?`, `.await` and what only wraps a value.
    #[must_use]
    pub fn bare(&self) -> &Code {
        match &self.kind {
            Kind::Reference(of) | Kind::Try(of) | Kind::Await(of) | Kind::Deref(of) => of.bare(),
            Kind::Method(method)
                if method.arguments.is_empty()
                    && matches!(
                        method.name.as_str(),
                        "clone" | "to_owned" | "as_ref" | "as_mut" | "cloned"
                    ) =>
            {
                method.on.bare()
            }
            Kind::Call(function, arguments, _) if arguments.len() == 1 => match &function.kind {
                Kind::Path(path) if path.ends_with("Arc::clone") || path == "Some" => {
                    arguments[0].bare()
                }
                _ => self,
            },
            Kind::Block(parts, true) if parts.len() == 1 => parts[0].bare(),
            _ => self,
        }
    }
}
