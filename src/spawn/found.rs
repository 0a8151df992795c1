//! Everything that moving one site's work asks for: the call itself, what it takes with it, and
//! what else is at hand where it stands.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::captures::{Role, role_of};
use super::evidence::{Extent, Looker};
use super::machinery::Machinery;
use super::parts;
use super::program::{FnRef, Program};
use super::reach::Reach;
use super::repeats::{Repeat, repeats};
use super::scope::free;
use super::sites::{Seen, Site, sites_in};
use super::typer::Typer;
use super::types::{self, Typed};
use super::values::{DEPTH, is_fresh, loaded_by};
use super::verdict::{Judge, Judgement};
use crate::index::{Code, FileFacts, FnCode, Index, Kind, Pattern, SpawnFact};
use crate::landmarks::Config;
use crate::note::Outcome;

/// One site with all that is known of it.
#[derive(Clone)]
pub struct Found {
    /// The site.
    pub site: Site,
    /// What the guideline says of it.
    pub judgement: Judgement,
    /// Lines of the work that may not be safe to run twice.
    pub repeats: Vec<Repeat>,
    /// The call; `None` where it stands in the tokens of a macro.
    pub fact: Option<SpawnFact>,
    /// What the work takes with it.
    pub taken: Vec<Taken>,
    /// Values in scope where the call stands, the nearest first.
    pub values: Vec<Value>,
    /// Functions without parameters that the file calls, each with what it gives.
    pub givers: Vec<Giver>,
    /// Calls of the work's own body to functions of the workspace.
    pub calls: Vec<Called>,
    /// What the function makes of errors, by `.map_err(…)?`: closures that take any error that
    /// can be shown, and need nothing that is out of reach where the call stands.
    pub error_forms: Vec<ErrorForm>,
    /// What the function gives, behind an alias of its file.
    pub output: String,
    /// Imports inside of the function: path and name.
    pub uses: Vec<(String, String)>,
    /// Names that are used in the function outside of the call, each with the offset.
    pub used: Vec<(String, usize)>,
}

/// A captured variable.
#[derive(Debug, Clone)]
pub struct Taken {
    /// Its name; `self.field` for a field of `self`, `name.field` for one of a struct.
    pub name: String,
    /// Its type, every path in it absolute; `None` where it is not known.
    pub ty: Option<String>,
    /// The part that it plays.
    pub role: Role,
    /// Offset of its first use.
    pub at: usize,
    /// Whether its value is made anew at every call.
    pub is_fresh: bool,
    /// Where a secret was loaded by the value of an expression: that expression.
    pub loaded_by: Option<String>,
    /// Where the work uses it.
    pub uses: Vec<Range<usize>>,
    /// Uses whose text is the name of what a `tracing` event records.
    pub named_by: Vec<Range<usize>>,
    /// Where the work uses it as a whole, the first place.
    pub whole: Option<Range<usize>>,
    /// Whether it can be moved where it goes: it is not behind a reference or pointer.
    pub is_owned: bool,
    /// Its fields, each as if it were taken itself, where the work uses no more of it than those.
    pub parts: Vec<Taken>,
}

impl Taken {
    /// The variable that it is, or that it is a field of.
    #[must_use]
    pub fn root(&self) -> &str {
        root_of(&self.name)
    }
}

/// The variable that a place starts with.
#[must_use]
pub fn root_of(place: &str) -> &str {
    place.split('.').next().unwrap_or(place)
}

/// `.map_err(closure)?`.
#[derive(Debug, Clone)]
pub struct ErrorForm {
    /// The closure.
    pub closure: Range<usize>,
    /// What the method is called on.
    pub on: Range<usize>,
    /// Whether it stands in the site's own function.
    pub is_own: bool,
}

/// A value in scope.
#[derive(Debug, Clone)]
pub struct Value {
    /// The expression.
    pub text: String,
    /// Its type, every path in it absolute.
    pub ty: String,
}

/// A function without parameters.
#[derive(Debug, Clone)]
pub struct Giver {
    /// Its absolute path.
    pub path: String,
    /// What it gives in the end, every path in it absolute.
    pub ty: String,
    /// Whether it has to be awaited.
    pub is_async: bool,
    /// Whether it gives a `Result`.
    pub is_fallible: bool,
}

/// A call of a function of the workspace.
#[derive(Debug, Clone)]
pub struct Called {
    /// Where the call stands.
    pub range: Range<usize>,
    /// The types of its parameters, every path in them absolute.
    pub parameters: Vec<String>,
    /// Where its arguments stand.
    pub arguments: Vec<Range<usize>>,
    /// The function's name.
    pub name: String,
    /// What it gives, as it is written, behind an alias of its file.
    pub output: String,
}

/// The sites of the file at `path`; what is known of each that `is_wanted` says so of, by the range
/// of its call.
pub fn found(
    index: &Index<'_>,
    config: &Config,
    path: &str,
    is_wanted: &(dyn Fn(&Range<usize>) -> bool + Sync),
) -> Outcome<Vec<(Site, Option<Found>)>> {
    let program = Program::new(index);
    let judge = Judge {
        reach: Reach::new(&program, config),
        looker: Looker::new(&program, &config.evidence, Extent::Decision),
        machinery: Machinery::new(index, config),
    };
    sites_in(&program, &config.spawn_wrappers, path, &|site, seen| {
        let function = seen.function.fact();
        let facts = &seen.function.facts;
        let fact = facts.spawned(function, site.offset, &seen.work.range);
        // A call in a macro is known by its start alone.
        let call = fact.as_ref().map(|fact| fact.call.clone());
        if !is_wanted(&call.unwrap_or(site.offset..site.offset + 1)) {
            return Ok(None);
        }
        let judgement = judge.judge(site, seen)?;
        let repeats = repeats(&judge.looker, seen)?;
        rest(&program, site, seen, fact, judgement, repeats).map(Some)
    })
}

/// The parts that captured variables of a site play, by the types that the compiler says they have.
pub struct Roles<'i, 'w> {
    program: Program<'i, 'w>,
    facts: Arc<FileFacts>,
}

impl<'i, 'w> Roles<'i, 'w> {
    /// Looks through the workspace once.
    #[must_use]
    pub fn new(index: &'i Index<'w>, site: &Site) -> Self {
        Self {
            program: Program::new(index),
            facts: Arc::clone(&site.function.facts),
        }
    }

    /// The part that the variable `name` plays by its type, whose paths are absolute.
    pub fn by_type(&self, name: &str, ty: &str) -> Outcome<Role> {
        role_of(&self.program, &self.facts, name, ty)
    }
}

fn rest(
    program: &Program<'_, '_>,
    site: &Site,
    seen: &Seen<'_, '_>,
    fact: Option<SpawnFact>,
    judgement: Judgement,
    repeats: Vec<Repeat>,
) -> Outcome<Found> {
    let facts = &seen.function.facts;
    let typer = Typer {
        program,
        function: seen.function,
        code: seen.code,
    };
    let mut taken = Vec::new();
    for capture in &site.captures {
        let typed = typer.variable(seen.known, &capture.name)?;
        let variable = seen.known.iter().rfind(|known| known.name == capture.name);
        let loaded_by = match (capture.role, variable) {
            (Role::Secret, Some(variable)) => loaded_by(facts, seen.known, variable),
            _ => None,
        };
        let mut of = Taken {
            name: capture.name.clone(),
            ty: typed.map(|typed| absolute(program, seen.function, &typed)),
            role: capture.role,
            at: capture.at,
            is_fresh: variable.is_some_and(|of| is_fresh(seen.known, of, DEPTH)),
            loaded_by,
            uses: Vec::new(),
            named_by: Vec::new(),
            whole: None,
            is_owned: false,
            parts: Vec::new(),
        };
        parts::fill(&typer, seen, &mut of)?;
        taken.push(of);
    }
    Ok(Found {
        site: site.clone(),
        judgement,
        repeats,
        fact,
        taken,
        values: values(&typer, seen)?,
        givers: givers(program, seen.function)?,
        calls: called(program, seen)?,
        error_forms: error_forms(program, seen),
        output: output(facts, &seen.function.fact().output),
        uses: seen.code.uses.clone(),
        used: used(seen),
    })
}

/// What the function makes of errors, where any error would do; else what others of the file that
/// give the same errors make of them.
fn error_forms(program: &Program<'_, '_>, seen: &Seen<'_, '_>) -> Vec<ErrorForm> {
    let own = forms(seen.code, &|closure| {
        let is_known = |name: &String| seen.known.iter().any(|known| known.name == name);
        free(closure)
            .keys()
            .all(|name| !seen.code.binds(name) || is_known(name))
    });
    let own: Vec<ErrorForm> = own
        .into_iter()
        .filter(|form| !seen.work.range.contains(&form.closure.start))
        .collect();
    let facts = &seen.function.facts;
    let error = error_type(&output(facts, &seen.function.fact().output));
    let mut all: Vec<ErrorForm> = Vec::new();
    for (at, fact) in facts.functions.iter().enumerate() {
        let is_own = at == seen.function.at;
        if is_own
            || error.is_none()
            || fact.is_test
            || error_type(&output(facts, &fact.output)) != error
        {
            continue;
        }
        let function = FnRef {
            facts: Arc::clone(facts),
            at,
        };
        if let Some(code) = program.code(&function) {
            // Nothing but items of the file is in reach from elsewhere.
            let others = forms(&code, &|closure| {
                let binds = |name: &String| code.binds(name);
                code.is_portable(closure) && !free(closure).keys().any(binds)
            });
            let others = others.into_iter();
            all.extend(others.map(|form| ErrorForm {
                is_own: false,
                ..form
            }));
        }
    }
    own.into_iter().chain(all).collect()
}

/// A type that is written by an alias of its file, else the type itself.
fn output(facts: &FileFacts, ty: &str) -> String {
    let item = facts
        .items
        .iter()
        .find(|item| item.key == format!("type {}", ty.trim()));
    let alias = item.and_then(|item| facts.text(&item.range).split_once('='));
    alias.map_or_else(
        || ty.to_owned(),
        |(_, ty)| ty.trim().trim_end_matches(';').to_owned(),
    )
}

/// The error of a `Result`, without white space.
fn error_type(output: &str) -> Option<String> {
    let error = types::arguments(output).get(1).map(|ty| (*ty).to_owned())?;
    (types::head(output) == "Result").then(|| error.split_whitespace().collect())
}

/// Every `.map_err(closure)` that takes any error which can be shown, where `?` follows or it is
/// what the function gives.
fn forms(code: &FnCode, in_reach: &dyn Fn(&Code) -> bool) -> Vec<ErrorForm> {
    let mut forms = Vec::new();
    let is_last = |part: &Code| {
        code.body
            .last()
            .is_some_and(|last| last.range == part.range)
    };
    let mut look = |part: &Code| {
        let tried = match &part.kind {
            Kind::Try(tried) => tried,
            _ if code.has_value && is_last(part) => part,
            _ => return,
        };
        let Kind::Method(method) = &tried.kind else {
            return;
        };
        let [closure] = method.arguments.as_slice() else {
            return;
        };
        let Kind::Closure(parameters, body) = &closure.kind else {
            return;
        };
        let [parameter] = parameters.as_slice() else {
            return;
        };
        let [error] = parameter.names.as_slice() else {
            return;
        };
        let is_plain =
            matches!(parameter.pattern, Pattern::Name(_, None)) && parameter.ty.is_none();
        if method.name == "map_err" && is_plain && in_reach(closure) && only_shown(body, error) {
            forms.push(ErrorForm {
                closure: closure.range.clone(),
                on: method.on.range.clone(),
                is_own: true,
            });
        }
    };
    for part in &code.body {
        part.walk(&mut look);
    }
    forms
}

/// Whether every use of the variable only shows it.
fn only_shown(body: &Code, name: &str) -> bool {
    fn uses(code: &Code, name: &str, is_shown: bool, fine: &mut bool) {
        if code.name() == Some(name) {
            *fine &= is_shown;
        }
        match &code.kind {
            Kind::Macro(_, parts) => {
                for part in parts {
                    uses(part, name, true, fine);
                }
            }
            Kind::Method(method) if method.name == "to_string" => {
                uses(&method.on, name, true, fine);
            }
            Kind::Reference(of) => uses(of, name, is_shown, fine),
            _ => code.parts(&mut |part| uses(part, name, false, fine)),
        }
    }
    let mut fine = true;
    uses(body, name, false, &mut fine);
    fine
}

/// Variables that the function uses outside of the work.
fn used(seen: &Seen<'_, '_>) -> Vec<(String, usize)> {
    let mut used = Vec::new();
    for part in &seen.code.body {
        part.walk(&mut |part| {
            if let Some(name) = part.name()
                && !seen.work.range.contains(&part.range.start)
            {
                used.push((name.to_owned(), part.range.start));
            }
        });
    }
    used
}

/// Values that are in scope, and the fields of those that are structs of the workspace.
fn values(typer: &Typer<'_, '_, '_>, seen: &Seen<'_, '_>) -> Outcome<Vec<Value>> {
    let mut names = BTreeSet::new();
    let mut values = Vec::new();
    for known in seen.known.iter().rev() {
        if !names.insert(known.name) {
            continue;
        }
        let Some(typed) = typer.variable(seen.known, known.name)? else {
            continue;
        };
        values.push(Value {
            text: known.name.to_owned(),
            ty: absolute(typer.program, typer.function, &typed),
        });
        let plain = types::pointee(&typed.text);
        let of = typer
            .program
            .struct_named(&typed.facts, types::path(plain))?;
        let Some((file, of)) = of else {
            continue;
        };
        for field in &of.fields {
            let typed = Typed {
                text: field.ty.clone(),
                facts: Arc::clone(&file),
            };
            values.push(Value {
                text: format!("{}.{}", known.name, field.name),
                ty: absolute(typer.program, typer.function, &typed),
            });
        }
    }
    Ok(values)
}

/// The functions without parameters that the file's functions call.
fn givers(program: &Program<'_, '_>, from: &FnRef) -> Outcome<Vec<Giver>> {
    let mut givers: Vec<Giver> = Vec::new();
    for (at, fact) in from.facts.functions.iter().enumerate() {
        if fact.is_test {
            continue;
        }
        let function = FnRef {
            facts: Arc::clone(&from.facts),
            at,
        };
        let Some(code) = program.code(&function) else {
            continue;
        };
        let mut paths = BTreeSet::new();
        for part in &code.body {
            part.walk(&mut |part| {
                if let Kind::Call(callee, arguments, _) = &part.kind
                    && let (Kind::Path(path), true) = (&callee.kind, arguments.is_empty())
                {
                    paths.insert(path.clone());
                }
            });
        }
        for path in paths {
            let Some(called) = program.called_through(&function, &code.uses, &path)? else {
                continue;
            };
            let absolute_path = program.absolute(&function.facts, &code.uses, &path);
            let Some(typed) = types::output(&called) else {
                continue;
            };
            let is_async = called.fact().is_async;
            let typed = if is_async {
                types::awaited(&typed).unwrap_or(typed)
            } else {
                typed
            };
            let inner = types::success(&typed).filter(|_| types::head(&typed.text) == "Result");
            let giver = Giver {
                path: absolute_path,
                is_async,
                is_fallible: inner.is_some(),
                ty: absolute(program, &called, &inner.unwrap_or(typed)),
            };
            if !givers.iter().any(|known| known.path == giver.path) {
                givers.push(giver);
            }
        }
    }
    Ok(givers)
}

/// Calls of the work itself.
fn called(program: &Program<'_, '_>, seen: &Seen<'_, '_>) -> Outcome<Vec<Called>> {
    let mut calls = Vec::new();
    seen.work.walk(&mut |part| {
        if let Kind::Call(callee, arguments, _) = &part.kind
            && let Kind::Path(path) = &callee.kind
        {
            calls.push((part.range.clone(), path.clone(), arguments));
        }
    });
    let mut found = Vec::new();
    for (range, path, arguments) in calls {
        let Some(function) = program.called_through(seen.function, &seen.code.uses, &path)? else {
            continue;
        };
        let fact = function.fact();
        let typed = |text: &String| Typed {
            text: text.clone(),
            facts: Arc::clone(&function.facts),
        };
        found.push(Called {
            range,
            parameters: fact
                .params
                .iter()
                .map(|(_, ty)| absolute(program, &function, &typed(ty)))
                .collect(),
            arguments: arguments.iter().map(|of| of.range.clone()).collect(),
            name: fact.name.clone(),
            output: output(&function.facts, &fact.output),
        });
    }
    Ok(found)
}

/// Names that need no path.
const PRELUDE: [&str; 24] = [
    "String", "Vec", "Option", "Result", "Box", "bool", "char", "str", "u8", "u16", "u32", "u64",
    "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64", "dyn", "impl",
];

/// The type with every path in it absolute, as far as imports say what a name means.
pub(super) fn absolute(program: &Program<'_, '_>, function: &FnRef, typed: &Typed) -> String {
    let uses = program
        .code(function)
        .filter(|_| Arc::ptr_eq(&typed.facts, &function.facts))
        .map(|code| code.uses.clone())
        .unwrap_or_default();
    let text: String = typed.text.replace(" :: ", "::");
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(start) = rest.find(|c: char| c.is_alphabetic() || c == '_') {
        out.push_str(&rest[..start]);
        let is_lifetime = rest[..start].ends_with('\'');
        let word = &rest[start..];
        let len = word.find(|c| !is_part(c)).unwrap_or(word.len());
        let word = word[..len].trim_end_matches(':');
        if is_lifetime || PRELUDE.contains(&word) || word == "mut" {
            out.push_str(word);
        } else {
            let absolute = program.absolute(&typed.facts, &uses, word);
            // A path that starts at a module of the file itself.
            let head = absolute.split("::").next().unwrap_or_default();
            let is_child = typed.facts.modules.iter().any(|of| of.name == head);
            let module = program.index.module_of(&typed.facts.file.path);
            match module.filter(|_| is_child) {
                Some(module) => out.push_str(&format!("{module}::{absolute}")),
                None => out.push_str(&absolute),
            }
        }
        rest = &rest[start + word.len()..];
    }
    out.push_str(rest);
    out
}
