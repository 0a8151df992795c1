//! Which variables are in scope at a place of a function, and which of them a piece of code uses.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::index::{Binding, Code, FnCode, Kind};

/// A variable that is in scope.
#[derive(Clone, Copy)]
pub struct Known<'c> {
    /// Its name.
    pub name: &'c str,
    /// The pattern that binds it.
    pub binding: &'c Binding,
    /// Where its value comes from.
    pub source: Source<'c>,
    /// How many variables were in scope before.
    pub before: usize,
}

/// Where the value of a variable comes from.
#[derive(Clone, Copy)]
pub enum Source<'c> {
    /// A parameter of the function.
    Parameter,
    /// A parameter of a closure.
    Closure,
    /// The value of a `let`, or what a `match` looks at.
    Value(Option<&'c Code>),
    /// An item of what a loop goes over.
    Item(&'c Code),
}

/// What is in scope at a place, and the code around it.
pub struct Env<'c> {
    /// Variables, the innermost last.
    pub known: Vec<Known<'c>>,
    /// The code around, the innermost last.
    pub above: Vec<&'c Code>,
}

impl<'c> Env<'c> {
    /// What is in scope where the body of `function` starts.
    #[must_use]
    pub fn of(function: &'c FnCode) -> Self {
        let mut env = Self {
            known: Vec::new(),
            above: Vec::new(),
        };
        for parameter in &function.parameters {
            env.bind(parameter, Source::Parameter);
        }
        env
    }

    /// Nothing in scope.
    pub(super) fn empty() -> Self {
        Self {
            known: Vec::new(),
            above: Vec::new(),
        }
    }

    fn bind(&mut self, binding: &'c Binding, source: Source<'c>) {
        let before = self.known.len();
        let names = binding.names.iter().map(|name| Known {
            name,
            binding,
            source,
            before,
        });
        self.known.extend(names);
    }

    fn inside(&mut self, of: impl FnOnce(&mut Self)) {
        let depth = self.known.len();
        of(self);
        self.known.truncate(depth);
    }

    fn all(&mut self, parts: &'c [Code], on: &mut dyn FnMut(&'c Code, &Self)) {
        for part in parts {
            self.walk(part, on);
        }
    }

    /// Calls `on` with `code` and everything inside of it, with what is in scope there.
    pub fn walk(&mut self, code: &'c Code, on: &mut dyn FnMut(&'c Code, &Self)) {
        on(code, self);
        self.above.push(code);
        match &code.kind {
            Kind::Let(of) => {
                of.value.iter().for_each(|value| self.walk(value, on));
                if let Some(otherwise) = &of.otherwise {
                    self.walk(otherwise, on);
                }
                self.bind(&of.binding, Source::Value(of.value.as_ref()));
            }
            Kind::Block(parts, _) | Kind::Async(parts) | Kind::Loop(parts) => {
                self.inside(|env| env.all(parts, on));
            }
            Kind::If(condition, then, otherwise) => {
                self.inside(|env| {
                    env.walk(condition, on);
                    env.walk(then, on);
                });
                if let Some(otherwise) = otherwise {
                    self.walk(otherwise, on);
                }
            }
            Kind::While(condition, body) => self.inside(|env| {
                env.walk(condition, on);
                env.all(body, on);
            }),
            Kind::For(binding, over, body) => {
                self.walk(over, on);
                self.inside(|env| {
                    env.bind(binding, Source::Item(over));
                    env.all(body, on);
                });
            }
            Kind::Match(of, arms) => {
                self.walk(of, on);
                for arm in arms {
                    self.inside(|env| {
                        env.bind(&arm.binding, Source::Value(Some(of)));
                        arm.guard.iter().for_each(|guard| env.walk(guard, on));
                        env.walk(&arm.body, on);
                    });
                }
            }
            Kind::Closure(parameters, body) => self.inside(|env| {
                for parameter in parameters {
                    env.bind(parameter, Source::Closure);
                }
                env.walk(body, on);
            }),
            _ => code.parts(&mut |part| self.walk(part, on)),
        }
        self.above.pop();
    }
}

/// Names that `code` uses and does not bind itself, each with the place of its first use.
///
/// A field of `self` has the name `self.field`.
#[must_use]
pub fn free(code: &Code) -> BTreeMap<String, Range<usize>> {
    let mut found: BTreeMap<String, Range<usize>> = BTreeMap::new();
    Env::empty().walk(code, &mut |part, env| {
        let Kind::Path(path) = &part.kind else {
            return;
        };
        if path.contains("::") || env.known.iter().any(|known| known.name == path) {
            return;
        }
        let field = env.above.last().and_then(|above| match &above.kind {
            Kind::Field(_, field) if path == "self" => Some(field),
            _ => None,
        });
        let name = field.map_or(path.clone(), |field| format!("self.{field}"));
        let range = found.entry(name).or_insert_with(|| part.range.clone());
        if part.range.start < range.start {
            *range = part.range.clone();
        }
    });
    found
}
