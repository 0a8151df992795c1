//! Which calls spawn: those of tokio and std, and the workspace's own wrappers of them.

use std::collections::BTreeMap;

use super::program::{FnRef, Program};
use super::scope::Env;
use super::typer::Typer;
use super::types;
use crate::index::{Code, FnCode, Kind};
use crate::note::Outcome;

/// Functions that spawn, by their absolute paths.
const FUNCTIONS: [&str; 12] = [
    "tokio::spawn",
    "tokio::task::spawn",
    "tokio::task::spawn_blocking",
    "tokio::task::spawn_local",
    "std::thread::spawn",
    "async_std::task::spawn",
    "async_std::task::spawn_blocking",
    "smol::spawn",
    "actix_rt::spawn",
    "actix_web::rt::spawn",
    "tokio::runtime::Handle::spawn",
    "tauri::async_runtime::spawn",
];

/// Methods that spawn, where the value is one of [`SPAWNERS`].
const METHODS: [&str; 6] = [
    "spawn",
    "spawn_on",
    "spawn_blocking",
    "spawn_blocking_on",
    "spawn_local",
    "spawn_local_on",
];

/// Types whose methods spawn.
const SPAWNERS: [&str; 5] = ["JoinSet", "Handle", "Runtime", "TaskTracker", "LocalSet"];

/// Functions of the workspace that spawn what they are given, by file and index.
pub type Wrappers = BTreeMap<(String, usize), Wrapper>;

/// A function that spawns what it is given.
pub struct Wrapper {
    /// The function.
    pub function: FnRef,
    /// Whether it waits for the work.
    pub waits: bool,
}

impl Wrapper {
    fn is_method(&self, name: &str) -> bool {
        let fact = self.function.fact();
        fact.has_self && fact.name == name
    }
}

/// A call that spawns.
pub struct SpawnCall<'c> {
    /// What it spawns.
    pub work: &'c Code,
    /// The value whose method it is.
    pub on: Option<&'c Code>,
    /// Where the call starts: its path, or the method's name.
    pub start: usize,
    /// The end of what names the function.
    pub end: usize,
    /// The function, as it is known: `tokio::spawn`, `JoinSet::spawn`.
    pub function: String,
    /// The wrapper that it calls, if it is one.
    pub wrapper: Option<FnRef>,
}

/// What `code` spawns, if it is a call that does.
pub fn spawn_call<'c>(
    program: &Program<'_, '_>,
    function: &FnRef,
    of: &FnCode,
    wrappers: &Wrappers,
    configured: &[String],
    code: &'c Code,
    env: &Env<'_>,
) -> Outcome<Option<SpawnCall<'c>>> {
    match &code.kind {
        Kind::Call(callee, arguments, _) => {
            let Kind::Path(path) = &callee.kind else {
                return Ok(None);
            };
            let last = path.rsplit("::").next().unwrap_or(path);
            let made = |wrapper: Option<FnRef>, function: String| {
                let work = work_of(arguments, wrapper.as_ref())?;
                Some(SpawnCall {
                    work,
                    on: None,
                    start: callee.range.start,
                    end: callee.range.end,
                    function,
                    wrapper,
                })
            };
            let absolute = program.absolute(&function.facts, &of.uses, path);
            let known = FUNCTIONS
                .iter()
                .find(|known| absolute == **known || (path.contains("::") && path == *known));
            if let Some(known) = known {
                return Ok(made(None, (*known).to_owned()));
            }
            let is_local = env.known.iter().any(|known| known.name == path);
            if is_local {
                return Ok(None);
            }
            if configured.iter().any(|name| is_path(&absolute, name)) {
                return Ok(made(None, absolute));
            }
            // The names of wrappers are few: nothing else is resolved.
            let end = absolute.rsplit("::").next();
            if wrappers
                .values()
                .any(|wrapper| Some(wrapper.function.fact().name.as_str()) == end)
                && let Some(called) = program.called(function, &of.uses, path)?
                && wrappers.contains_key(&called.key())
            {
                return Ok(made(Some(called), last.to_owned()));
            }
            Ok(None)
        }
        Kind::Method(method) => {
            let typer = Typer {
                program,
                function,
                code: of,
            };
            let made = |function: String, wrapper: Option<FnRef>| {
                let work = work_of(&method.arguments, wrapper.as_ref())?;
                Some(SpawnCall {
                    work,
                    on: Some(&method.on),
                    start: method.name_range.start,
                    end: method.name_range.end,
                    function,
                    wrapper,
                })
            };
            let name = method.name.as_str();
            let may_wrap = wrappers.values().any(|wrapper| wrapper.is_method(name));
            let may_spawn = METHODS.contains(&name) && !method.arguments.is_empty();
            if !may_spawn && !may_wrap {
                return Ok(None);
            }
            let ty = typer.value(&env.known, &method.on)?;
            let ty = ty.as_ref().map(|ty| types::pointee(&ty.text));
            let head = ty.map(types::head);
            if may_wrap {
                let mut found = wrappers.values().filter(|wrapper| {
                    wrapper.is_method(name)
                        && wrapper.function.fact().params.len() == method.arguments.len()
                        && head.is_none_or(|head| wrapper.function.self_type() == Some(head))
                });
                if let (Some(one), None) = (found.next().map(|one| &one.function), found.next())
                    && (head.is_some()
                        || work_of(&method.arguments, Some(one)).is_some_and(is_work))
                {
                    let function = format!("{}::{name}", one.self_type().unwrap_or_default());
                    return Ok(made(function, Some(one.clone())));
                }
            }
            if !may_spawn {
                return Ok(None);
            }
            match head {
                Some(head) if SPAWNERS.contains(&head) => Ok(made(format!("{head}::{name}"), None)),
                // Whatever it is: a block that is `async` runs nowhere but where it is spawned.
                None if is_work(&method.arguments[0]) => Ok(made(format!("_::{name}"), None)),
                _ => Ok(None),
            }
        }
        _ => Ok(None),
    }
}

/// Whether a configured name, `package::module::function`, is the absolute path of a function.
fn is_path(absolute: &str, name: &str) -> bool {
    name.replace('-', "_") == absolute
}

/// Whether this is an `async` block, one that ends in one, or a closure over one.
fn is_work(code: &Code) -> bool {
    match &code.kind {
        Kind::Async(_) => true,
        Kind::Block(parts, true) => parts.last().is_some_and(is_work),
        Kind::Method(method) => is_work(&method.on),
        Kind::Closure(_, body) => is_work(body),
        _ => false,
    }
}

/// The argument that is spawned: of a wrapper the one in the place of its parameter for work.
fn work_of<'c>(arguments: &'c [Code], wrapper: Option<&FnRef>) -> Option<&'c Code> {
    let Some(wrapper) = wrapper else {
        return match arguments {
            [one] => Some(one),
            several => several
                .iter()
                .find(|argument| is_work(argument))
                .or(several.first()),
        };
    };
    let at = wrapper
        .fact()
        .params
        .iter()
        .position(|(_, ty)| is_work_type(ty, wrapper));
    at.and_then(|at| arguments.get(at)).or(arguments.last())
}

fn is_work_type(ty: &str, function: &FnRef) -> bool {
    let is_bound = |bounds: &str| {
        ["Future", "FnOnce", "FnMut", "Fn("]
            .iter()
            .any(|word| bounds.contains(word))
    };
    if is_bound(ty) {
        return true;
    }
    let text = function.facts.text(&function.fact().range);
    let signature = text.split('{').next().unwrap_or(text);
    crate::index::whole_words(signature, ty).any(|at| {
        let rest = signature[at + ty.len()..].trim_start();
        rest.strip_prefix(':').is_some_and(|bounds| {
            let end = bounds.find(['\n', '{']).unwrap_or(bounds.len());
            is_bound(bounds[..end].split("->").next().unwrap_or_default())
        })
    })
}

/// Whether a function whose spawned work is `work` only hands on a parameter of its own: a future
/// that is awaited, or a closure that is called, whatever happens.
#[must_use]
pub fn hands_on(code: &FnCode, function: &FnRef, work: &Code) -> bool {
    let names: Vec<&str> = code
        .parameters
        .iter()
        .filter(|parameter| {
            let ty = parameter.ty.as_deref().unwrap_or_default();
            let generic = code.generics.iter().filter(|(name, _)| name == ty);
            let is_bound = |bounds: &str| {
                ["Future", "FnOnce", "FnMut", "Fn("]
                    .iter()
                    .any(|word| bounds.contains(word))
            };
            is_bound(ty)
                || generic.clone().any(|(_, bounds)| is_bound(bounds))
                || is_work_type(ty, function)
        })
        .flat_map(|parameter| parameter.names.iter().map(String::as_str))
        .collect();
    if names.is_empty() {
        return false;
    }
    let mut found = false;
    unconditional(work, &mut |part| {
        found |= part.name().is_some_and(|name| names.contains(&name));
    });
    found
}

/// Calls `on` with what of `code` is evaluated whenever it runs.
fn unconditional<'c>(code: &'c Code, on: &mut dyn FnMut(&'c Code)) {
    on(code);
    match &code.kind {
        Kind::If(of, ..) | Kind::Match(of, _) => unconditional(of, on),
        Kind::Let(of) => of.value.iter().for_each(|value| unconditional(value, on)),
        Kind::Macro(..) | Kind::While(..) | Kind::For(..) | Kind::Loop(_) | Kind::Item(_) => {}
        _ => code.parts(&mut |part| unconditional(part, on)),
    }
}
