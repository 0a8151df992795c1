//! What becomes of the handle that a spawn gives: awaited, aborted, handed on, or dropped.

use super::program::{FnRef, Program};
use super::scope::Env;
use crate::index::{Code, FnCode, Kind};
use crate::note::Outcome;

/// What becomes of the handle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The code that spawned waits for it, or ends it: how, and the offset where.
    Joined(String, usize),
    /// It goes to who called, or into a value that outlives the function: how.
    HandedOn(String, usize),
    /// Nobody keeps it.
    Dropped,
}

/// How often a handle is followed into a function that it is given to.
const DEPTH: usize = 3;

/// The fate of the handle of the spawn `site`, which stands in `env` in `code`.
///
/// `wrapper` is the function that it calls, and whether that waits for the work itself.
#[allow(clippy::too_many_arguments, reason = "a site is all of these")]
pub fn fate(
    program: &Program<'_, '_>,
    function: &FnRef,
    code: &FnCode,
    site: &Code,
    on: Option<&Code>,
    is_set: bool,
    wrapper: Option<(&FnRef, bool)>,
    env: &Env<'_>,
) -> Outcome<Fate> {
    if is_set && let Some(set) = on.map(Code::bare) {
        let name = match &set.kind {
            Kind::Path(name) => name.as_str(),
            Kind::Field(_, field) => field.as_str(),
            _ => return Ok(Fate::Dropped),
        };
        return follow(program, function, code, name, site.range.start, DEPTH);
    }
    let mut below = site;
    // What awaits an `async` wrapper waits for its return, not for the work.
    let mut returns_later = matches!(wrapper, Some((wrapper, false)) if wrapper.fact().is_async);
    for above in env.above.iter().rev() {
        match &above.kind {
            Kind::Await(_) if returns_later => {
                if wrapper.is_some_and(|(wrapper, _)| wrapper.fact().output.is_empty()) {
                    return Ok(Fate::Dropped);
                }
                returns_later = false;
            }
            Kind::Await(_) => {
                return Ok(Fate::Joined("awaited".to_owned(), above.range.start));
            }
            Kind::Method(method) if is_same(&method.on, below) => {
                if method.name == "join" {
                    return Ok(Fate::Joined("joined".to_owned(), above.range.start));
                }
            }
            // `handles.push(tokio::spawn(…))`, `timeout(limit, tokio::spawn(…))`.
            Kind::Method(method)
                if matches!(method.name.as_str(), "push" | "push_back" | "insert") =>
            {
                return match list_name(&method.on) {
                    Some(name) => follow(program, function, code, name, site.range.start, DEPTH),
                    None => Ok(Fate::HandedOn("kept".to_owned(), above.range.start)),
                };
            }
            Kind::Call(..)
            | Kind::Method(_)
            | Kind::Macro(..)
            | Kind::Try(_)
            | Kind::Reference(_)
            | Kind::Cast(..)
            | Kind::Tuple(_)
            | Kind::If(..)
            | Kind::Match(..)
            | Kind::Closure(..) => {}
            Kind::Block(parts, true) if parts.last().is_some_and(|last| is_same(last, below)) => {}
            Kind::Let(of) => {
                return match of.binding.names.as_slice() {
                    [name] => follow(program, function, code, name, site.range.start, DEPTH),
                    _ => Ok(Fate::Dropped),
                };
            }
            Kind::Struct(path, ..) => {
                return Ok(Fate::HandedOn(
                    format!("kept in `{path}`"),
                    above.range.start,
                ));
            }
            Kind::Return(_) => {
                return Ok(Fate::HandedOn("returned".to_owned(), above.range.start));
            }
            Kind::Assign(target, _) => {
                return match target.bare().name() {
                    Some("_") => Ok(Fate::Dropped),
                    Some(name) => follow(program, function, code, name, site.range.start, DEPTH),
                    None => Ok(Fate::HandedOn("kept".to_owned(), above.range.start)),
                };
            }
            _ => return Ok(Fate::Dropped),
        }
        below = above;
    }
    // The value of the function itself.
    let is_value = code.has_value && code.body.last().is_some_and(|last| is_same(last, below));
    Ok(if is_value && !function.fact().output.is_empty() {
        Fate::HandedOn("returned".to_owned(), site.range.start)
    } else {
        Fate::Dropped
    })
}

fn is_same(a: &Code, b: &Code) -> bool {
    std::ptr::eq(a, b)
}

fn list_name(code: &Code) -> Option<&str> {
    code.bare().name()
}

/// The fate of what the variable `name` holds from the offset `after` on.
fn follow(
    program: &Program<'_, '_>,
    function: &FnRef,
    code: &FnCode,
    name: &str,
    after: usize,
    depth: usize,
) -> Outcome<Fate> {
    let mut env = Env::of(code);
    let mut joined: Option<(String, usize)> = None;
    let mut handed: Option<(String, usize)> = None;
    let mut given: Vec<(Code, usize, bool)> = Vec::new();
    let mut lists: Vec<String> = Vec::new();
    let is_it = |code: &Code| match &code.bare().kind {
        Kind::Path(path) => path == name,
        Kind::Field(_, field) => field == name,
        _ => false,
    };
    let mut on = |part: &Code, env: &Env<'_>| {
        let is_later = part.range.end > after;
        // What another task awaits, the function that spawned does not.
        let in_task = env
            .above
            .iter()
            .any(|above| matches!(above.kind, Kind::Async(_)) && above.range.start > after);
        if in_task {
            if matches!(&part.kind, Kind::Await(of) if is_it(of)) {
                handed.get_or_insert(("awaited by another task".to_owned(), part.range.start));
            }
            return;
        }
        let first = |slot: &mut Option<(String, usize)>, how: &str| {
            slot.get_or_insert_with(|| (how.to_owned(), part.range.start));
        };
        match &part.kind {
            Kind::Await(of) if is_later && is_it(of) => first(&mut joined, "awaited"),
            Kind::Method(method) if is_later && is_it(&method.on) => match method.name.as_str() {
                "join" | "join_next" | "join_all" | "join_next_with_id" | "try_join_next"
                | "wait" => first(&mut joined, "joined"),
                "abort" | "abort_all" | "shutdown" => first(&mut joined, "aborted"),
                "into_iter" | "drain" | "iter_mut" if awaits_items(env) => {
                    first(&mut joined, "awaited");
                }
                _ => {}
            },
            Kind::For(_, over, body) if is_later => {
                let mut uses = false;
                over.walk(&mut |part| uses |= is_it(part));
                let mut awaits = false;
                for part in body {
                    part.walk(&mut |part| awaits |= matches!(&part.kind, Kind::Await(_)) || matches!(&part.kind, Kind::Method(m) if m.name == "join" || m.name == "abort"));
                }
                if uses && awaits {
                    first(&mut joined, "awaited");
                }
            }
            Kind::Call(callee, arguments, _) if is_later => {
                if let Some(at) = arguments.iter().position(is_it) {
                    let callee = match &callee.kind {
                        Kind::Path(path) => path.as_str(),
                        _ => "",
                    };
                    let last = callee.rsplit("::").next().unwrap_or(callee);
                    let is_awaited = env
                        .above
                        .last()
                        .is_some_and(|above| matches!(above.kind, Kind::Await(_)));
                    if matches!(
                        last,
                        "join_all" | "try_join_all" | "timeout" | "select" | "select_all"
                    ) && is_awaited
                    {
                        first(&mut joined, "awaited");
                    } else if matches!(last, "Some" | "Ok") {
                        first(&mut handed, "kept");
                    } else if last != "drop" {
                        given.push((part.clone(), at, is_awaited));
                    }
                }
            }
            Kind::Method(method) if is_later => {
                if let Some(at) = method.arguments.iter().position(is_it) {
                    if matches!(method.name.as_str(), "push" | "push_back" | "insert") {
                        match list_name(&method.on) {
                            Some(list) if list != name => lists.push(list.to_owned()),
                            _ => first(&mut handed, "kept"),
                        }
                    } else {
                        let is_awaited = env
                            .above
                            .last()
                            .is_some_and(|above| matches!(above.kind, Kind::Await(_)));
                        given.push((part.clone(), at, is_awaited));
                    }
                }
            }
            Kind::Struct(path, fields, _)
                if is_later && fields.iter().any(|(_, value)| is_it(value)) =>
            {
                first(&mut handed, &format!("kept in `{path}`"));
            }
            Kind::Return(Some(of)) if is_later && is_it(of) => first(&mut handed, "returned"),
            Kind::Tuple(parts) if is_later && parts.iter().any(is_it) => {
                first(&mut handed, "handed on");
            }
            _ => {}
        }
    };
    for part in &code.body {
        env.walk(part, &mut on);
    }
    if let Some((how, at)) = joined {
        return Ok(Fate::Joined(how, at));
    }
    if let Some(last) = code.body.last()
        && code.has_value
        && is_it(last)
    {
        return Ok(Fate::HandedOn("returned".to_owned(), last.range.start));
    }
    for list in lists {
        let fate = if depth == 0 {
            Fate::Dropped
        } else {
            follow(program, function, code, &list, after, depth - 1)?
        };
        if fate != Fate::Dropped {
            return Ok(fate);
        }
    }
    for (call, at, is_awaited) in given {
        if let Some(fate) = inside(program, function, code, &call, at, is_awaited, depth)? {
            return Ok(fate);
        }
    }
    Ok(match handed {
        Some((how, at)) => Fate::HandedOn(how, at),
        None => Fate::Dropped,
    })
}

/// The fate of a handle that is the argument `at` of `call`, where its function is known.
fn inside(
    program: &Program<'_, '_>,
    function: &FnRef,
    code: &FnCode,
    call: &Code,
    at: usize,
    is_awaited: bool,
    depth: usize,
) -> Outcome<Option<Fate>> {
    let (name, callee) = match &call.kind {
        Kind::Call(callee, ..) => match &callee.kind {
            Kind::Path(path) => (path.clone(), program.called(function, &code.uses, path)?),
            _ => return Ok(None),
        },
        Kind::Method(method) => {
            let found = program.methods(None, &method.name, method.arguments.len())?;
            (method.name.clone(), found.into_iter().next())
        }
        _ => return Ok(None),
    };
    let handed = Fate::HandedOn(format!("handed to `{name}`"), call.range.start);
    let Some(callee) = callee.filter(|_| depth > 0) else {
        // Who is given the handle and waited for has it in hand as long as the caller does.
        let how = format!("handed to `{name}`, which is awaited,");
        let joined = Fate::Joined(how, call.range.start);
        return Ok(Some(if is_awaited { joined } else { handed }));
    };
    let Some(inner) = program.code(&callee) else {
        return Ok(Some(handed));
    };
    let Some(parameter) = inner.parameters.get(at).and_then(|p| p.names.first()) else {
        return Ok(Some(handed));
    };
    Ok(Some(
        match follow(program, &callee, &inner, parameter, 0, depth - 1)? {
            Fate::Joined(how, _) => Fate::Joined(
                format!("handed to `{name}`, where it is {how},"),
                call.range.start,
            ),
            _ => handed,
        },
    ))
}

/// Whether the code around goes over items and awaits them.
fn awaits_items(env: &Env<'_>) -> bool {
    env.above
        .iter()
        .rev()
        .take(4)
        .any(|above| matches!(above.kind, Kind::Await(_)))
}
