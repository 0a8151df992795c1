//! The type of a value, as far as annotations, literals and the workspace's own signatures say.
//!
//! What they leave open stays open: `None` is said as unknown, never filled with what is likely.

use std::sync::Arc;

use super::outside::outside;
use super::program::{FnRef, Program};
use super::scope::{Known, Source};
use super::types::{
    self, Typed, arguments, awaited, bare, element, head, output, path, pointee, success,
};
use crate::index::{Code, FnCode, Kind, Literal, Pattern};
use crate::note::Outcome;

/// How far values are followed through other values.
const DEPTH: usize = 12;

/// Extractors of axum and wrappers whose one field is their one argument.
const WRAPPERS: [&str; 10] = [
    "State",
    "Json",
    "Path",
    "Query",
    "Extension",
    "Form",
    "Some",
    "Ok",
    "TypedHeader",
    "Reverse",
];

/// Finds types in one function.
pub struct Typer<'a, 'i, 'w> {
    /// The workspace.
    pub program: &'a Program<'i, 'w>,
    /// The function.
    pub function: &'a FnRef,
    /// Its code.
    pub code: &'a FnCode,
}

impl Typer<'_, '_, '_> {
    fn here(&self, text: impl Into<String>) -> Typed {
        Typed {
            text: text.into(),
            facts: Arc::clone(&self.function.facts),
        }
    }

    /// The type of the variable `name`, the innermost in scope.
    pub fn variable(&self, known: &[Known<'_>], name: &str) -> Outcome<Option<Typed>> {
        self.name(known, name, DEPTH)
    }

    /// The type of a value.
    pub fn value(&self, known: &[Known<'_>], code: &Code) -> Outcome<Option<Typed>> {
        self.of(known, code, DEPTH)
    }

    fn name(&self, known: &[Known<'_>], name: &str, depth: usize) -> Outcome<Option<Typed>> {
        if name == "self" {
            // A block inside of a function is of a type that is not followed.
            let of = self.function.fact().in_impl.filter(|_| !self.code.is_inner);
            let of = of.map(|of| &self.function.facts.impls[of].self_type);
            let written = self.code.self_type.as_deref().unwrap_or("Self");
            return Ok(of.map(|of| self.here(written.replace("Self", of))));
        }
        if let Some(field) = name.strip_prefix("self.") {
            let Some(own) = self.name(known, "self", depth)? else {
                return Ok(None);
            };
            return self.field(&own, field);
        }
        let Some(at) = known.iter().rposition(|known| known.name == name) else {
            return Ok(self.program.static_type(name).and_then(|(path, text)| {
                let facts = self.program.index.facts(&path).ok()?;
                Some(Typed { text, facts })
            }));
        };
        if depth == 0 {
            return Ok(None);
        }
        let of = &known[at];
        let before = &known[..of.before];
        let whole = match (&of.binding.ty, of.source) {
            (Some(ty), _)
                if !ty.contains('_')
                    || !ty
                        .split(|c: char| !c.is_alphanumeric() && c != '_')
                        .any(|w| w == "_") =>
            {
                Some(self.here(ty))
            }
            (_, Source::Value(Some(value))) => self.of(before, value, depth - 1)?,
            (_, Source::Item(over)) => {
                let over = self.of(before, over, depth - 1)?;
                over.and_then(|over| element(&over))
            }
            _ => None,
        };
        match whole {
            Some(whole) => self.part(&of.binding.pattern, name, &whole),
            None => Ok(None),
        }
    }

    /// The type of what `pattern` binds to `name` in a value of the type `whole`.
    fn part(&self, pattern: &Pattern, name: &str, whole: &Typed) -> Outcome<Option<Typed>> {
        let with = |text: &str| Typed {
            text: text.to_owned(),
            facts: Arc::clone(&whole.facts),
        };
        match pattern {
            Pattern::Name(bound, _) if bound == name => Ok(Some(whole.clone())),
            Pattern::Name(_, Some(inner)) => self.part(inner, name, whole),
            Pattern::Or(cases) => {
                for case in cases {
                    if let Some(found) = self.part(case, name, whole)? {
                        return Ok(Some(found));
                    }
                }
                Ok(None)
            }
            Pattern::Tuple(parts) => {
                let types = arguments(&whole.text);
                if types.len() != parts.len() || !bare(&whole.text).starts_with('(') {
                    return Ok(None);
                }
                for (part, ty) in parts.iter().zip(types) {
                    if let Some(found) = self.part(part, name, &with(ty))? {
                        return Ok(Some(found));
                    }
                }
                Ok(None)
            }
            Pattern::TupleStruct(path, parts) => {
                let last = path.rsplit("::").next().unwrap_or(path);
                let types = arguments(&whole.text);
                let of = head(&whole.text);
                let fits = last == of
                    || (last == "Some" && of == "Option")
                    || (matches!(last, "Ok" | "Err") && of == "Result");
                if !fits {
                    return Ok(None);
                }
                let inner = match (last, parts.as_slice()) {
                    ("Err", [part]) => types.get(1).map(|ty| (part, with(ty))),
                    (_, [part]) if WRAPPERS.contains(&last) => {
                        types.first().map(|ty| (part, with(ty)))
                    }
                    _ => None,
                };
                if let Some((part, ty)) = inner {
                    return self.part(part, name, &ty);
                }
                let Some(file) =
                    self.program
                        .type_file(&whole.facts, types::path(&whole.text), 1)?
                else {
                    return Ok(None);
                };
                let fields = file.tuple_struct(last).unwrap_or_default();
                for (part, ty) in parts.iter().zip(fields) {
                    let ty = Typed {
                        text: ty,
                        facts: Arc::clone(&file),
                    };
                    if let Some(found) = self.part(part, name, &ty)? {
                        return Ok(Some(found));
                    }
                }
                Ok(None)
            }
            Pattern::Struct(path, fields) => {
                let last = path.rsplit("::").next().unwrap_or(path);
                if last != head(&whole.text) {
                    return Ok(None);
                }
                for (field, pattern) in fields {
                    let Some(ty) = self.field(whole, field)? else {
                        continue;
                    };
                    if let Some(found) = self.part(pattern, name, &ty)? {
                        return Ok(Some(found));
                    }
                }
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// The type of a field.
    pub(super) fn field(&self, of: &Typed, field: &str) -> Outcome<Option<Typed>> {
        let ty = pointee(&of.text);
        if let Ok(at) = field.parse::<usize>() {
            if ty.starts_with('(') {
                let part = arguments(ty).get(at).map(|ty| (*ty).to_owned());
                return Ok(part.map(|text| Typed {
                    text,
                    facts: Arc::clone(&of.facts),
                }));
            }
            let file = self.program.type_file(&of.facts, path(ty), 1)?;
            return Ok(file.and_then(|file| {
                let text = file.tuple_struct(head(ty))?.into_iter().nth(at)?;
                Some(Typed { text, facts: file })
            }));
        }
        // A parameter's bound or a generic struct may stand for anything.
        let found = self.program.struct_named(&of.facts, path(ty))?;
        Ok(found.and_then(|(file, fact)| {
            let field = fact.fields.iter().find(|known| known.name == field)?;
            Some(Typed {
                text: field.ty.clone(),
                facts: file,
            })
        }))
    }

    fn of(&self, known: &[Known<'_>], code: &Code, depth: usize) -> Outcome<Option<Typed>> {
        if depth == 0 {
            return Ok(None);
        }
        let of = |code: &Code| self.of(known, code, depth - 1);
        Ok(match &code.kind {
            Kind::Path(path) if !path.contains("::") => {
                let found = self.name(known, path, depth)?;
                match found {
                    // The value of a struct without fields.
                    None if path.starts_with(char::is_uppercase)
                        && self
                            .program
                            .type_file(&self.function.facts, path, 1)?
                            .is_some() =>
                    {
                        Some(self.here(path))
                    }
                    found => found,
                }
            }
            Kind::Literal(literal) => match literal {
                Literal::Text(_) => Some(self.here("&'static str")),
                Literal::Bool => Some(self.here("bool")),
                Literal::Number(suffix) if !suffix.is_empty() => Some(self.here(suffix)),
                _ => None,
            },
            Kind::Cast(_, ty) => Some(self.here(ty)),
            Kind::Reference(inner) => of(inner)?.map(|ty| Typed {
                text: format!("&{}", ty.text),
                facts: ty.facts,
            }),
            Kind::Deref(inner) => of(inner)?.map(|ty| Typed {
                text: bare(&ty.text).to_owned(),
                facts: ty.facts,
            }),
            Kind::Await(inner) => of(inner)?.and_then(|ty| awaited(&ty)),
            Kind::Try(inner) => of(inner)?.and_then(|ty| success(&ty)),
            Kind::Field(on, field) => match (&on.kind, of(on)?) {
                (_, Some(on)) => self.field(&on, field)?,
                _ => None,
            },
            Kind::Struct(path, ..) => {
                let path = if path == "Self" {
                    self.function.self_type().unwrap_or(path)
                } else {
                    path
                };
                let last = path.rsplit("::").next().unwrap_or(path);
                let is_struct = self
                    .program
                    .type_file(&self.function.facts, path, 1)?
                    .is_some()
                    && last.starts_with(char::is_uppercase);
                is_struct.then(|| self.here(path))
            }
            Kind::Block(parts, true) => match parts.last() {
                // What is bound inside is not in scope here: only what needs none of it counts.
                Some(last) if parts.len() == 1 => of(last)?,
                _ => None,
            },
            Kind::If(_, then, Some(otherwise)) => {
                let (then, otherwise) = (of(then)?, of(otherwise)?);
                then.or(otherwise)
            }
            Kind::Match(looked_at, arms) => {
                let mut types = Vec::new();
                for arm in arms {
                    match arm.body.name() {
                        Some(name) if arm.binding.names.iter().any(|known| known == name) => {
                            if let Some(whole) = of(looked_at)? {
                                types.extend(self.part(&arm.binding.pattern, name, &whole)?);
                            }
                        }
                        _ if arm.binding.names.is_empty() => types.extend(of(&arm.body)?),
                        _ => {}
                    }
                }
                types.into_iter().next()
            }
            Kind::Tuple(parts) => {
                let types: Vec<Option<Typed>> = parts.iter().map(of).collect::<Outcome<_>>()?;
                let types: Option<Vec<Typed>> = types.into_iter().collect();
                types.map(|types| {
                    let texts: Vec<&str> = types.iter().map(|ty| ty.text.as_str()).collect();
                    self.here(format!("({})", texts.join(", ")))
                })
            }
            Kind::Macro(path, _) => match path.rsplit("::").next().unwrap_or(path) {
                "format" => Some(self.here("String")),
                "json" => Some(self.here("serde_json::Value")),
                _ => None,
            },
            Kind::Call(function, arguments, generics) => match &function.kind {
                Kind::Path(path) => {
                    self.call(known, path, arguments, generics.as_deref(), depth)?
                }
                _ => None,
            },
            Kind::Method(method) => {
                let on = of(&method.on)?;
                self.method(on.as_ref(), &method.name, method.arguments.len())?
            }
            _ => None,
        })
    }

    fn call(
        &self,
        known: &[Known<'_>],
        path: &str,
        arguments: &[Code],
        generics: Option<&str>,
        depth: usize,
    ) -> Outcome<Option<Typed>> {
        let mut parts = path.rsplit("::");
        let name = parts.next().unwrap_or(path);
        let owner = parts.next().unwrap_or_default();
        if let [argument] = arguments {
            match (owner, name) {
                ("Arc" | "Rc", "clone") => {
                    let of = self.of(known, argument, depth - 1)?;
                    return Ok(of.map(|ty| Typed {
                        text: bare(&ty.text).to_owned(),
                        facts: ty.facts,
                    }));
                }
                ("Arc" | "Rc" | "Box" | "Mutex" | "RwLock", "new") | ("", "Some") => {
                    let outer = if name == "Some" { "Option" } else { owner };
                    let of = self.of(known, argument, depth - 1)?;
                    return Ok(of.map(|ty| Typed {
                        text: format!("{outer}<{}>", ty.text),
                        facts: ty.facts,
                    }));
                }
                _ => {}
            }
        }
        if let Some(callee) = self.program.called(self.function, &self.code.uses, path)? {
            return Ok(output(&callee));
        }
        let absolute = self
            .program
            .absolute(&self.function.facts, &self.code.uses, path);
        Ok(outside(&absolute, owner, name, generics).map(|text| self.here(text)))
    }

    fn method(&self, on: Option<&Typed>, name: &str, arguments: usize) -> Outcome<Option<Typed>> {
        if let Some(on) = on {
            let with = |text: String| Typed {
                text,
                facts: Arc::clone(&on.facts),
            };
            let plain = bare(&on.text);
            let of = head(plain);
            match (of, name) {
                ("str", "to_owned" | "to_string" | "into" | "trim" | "to_lowercase") => {
                    return Ok((name != "trim").then(|| with("String".to_owned())));
                }
                (_, "clone" | "cloned" | "to_owned" | "clone_from") if arguments == 0 => {
                    return Ok(Some(with(plain.to_owned())));
                }
                ("Path" | "PathBuf", "to_path_buf" | "join") => {
                    return Ok(Some(with("PathBuf".to_owned())));
                }
                (
                    "Option" | "Result",
                    "unwrap" | "expect" | "unwrap_or" | "unwrap_or_default" | "unwrap_or_else"
                    | "ok_or" | "ok_or_else" | "map_err" | "or" | "or_else" | "ok" | "context"
                    | "with_context" | "as_ref" | "take" | "inspect_err" | "filter",
                ) => {
                    let inner = types::arguments(plain).first().map(|s| (*s).to_owned());
                    return Ok(inner.map(|inner| {
                        with(match name {
                            "unwrap" | "expect" | "unwrap_or" | "unwrap_or_default"
                            | "unwrap_or_else" => inner,
                            "ok_or" | "ok_or_else" | "map_err" | "context" | "with_context"
                            | "inspect_err" => {
                                format!("Result<{inner}, _>")
                            }
                            "or" | "or_else" | "take" | "filter" => plain.to_owned(),
                            "as_ref" => format!("{of}<&{inner}>"),
                            _ => format!("Option<{inner}>"),
                        })
                    }));
                }
                (_, "to_string") => return Ok(Some(with("String".to_owned()))),
                ("Vec", "iter" | "into_iter" | "as_slice" | "to_vec") => {
                    return Ok(Some(with(plain.to_owned())));
                }
                _ => {}
            }
        }
        let ty = on.map(|on| pointee(&on.text));
        let found = match ty {
            Some(ty) => self.program.methods(Some(ty), name, arguments)?,
            None => Vec::new(),
        };
        let outputs: Vec<Typed> = found.iter().filter_map(output).collect();
        match outputs.as_slice() {
            [] => Ok((name == "to_string" || name == "to_string_lossy")
                .then(|| self.here("String"))
                .filter(|_| name == "to_string")),
            [first, rest @ ..] if rest.iter().all(|ty| ty.text == first.text) => {
                Ok(Some(first.clone()))
            }
            _ => Ok(None),
        }
    }
}
