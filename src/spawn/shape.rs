//! The shape of spawned work: what tells the plumbing of a process from the work of a request.

use super::program::{FnRef, Program};
use super::scope::{Env, Known, free};
use super::typer::Typer;
use super::types;
use crate::index::{Code, FnCode, Kind, Let};
use crate::note::Outcome;

/// What is seen of how work runs, each with the offset where.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// It waits for a cancellation, a signal or a change before it does anything, or ends with it.
    pub waits: Option<usize>,
    /// It lives as long as a channel that it receives from.
    pub receives: Option<usize>,
    /// It drives a connection or a server that was made before.
    pub drives: Option<usize>,
    /// It runs a loop without an end of its own.
    pub endless: Option<usize>,
}

/// The shape of `work`, which stands in `function`: its own, and that of the functions that it
/// consists of.
pub fn shape<'c>(
    program: &Program<'_, '_>,
    function: &FnRef,
    code: &FnCode,
    work: &'c Code,
    known: &[Known<'c>],
) -> Outcome<Shape> {
    let mut shape = Shape::default();
    let captured = free(work);
    read(work, &|name| captured.contains_key(name), &mut shape);
    // `async move { worker.run().await }` is what `run` is.
    let whole = whole_calls(work);
    let mut functions = Vec::new();
    let mut refusal = Ok(());
    let typer = Typer {
        program,
        function,
        code,
    };
    let mut env = Env {
        known: known.to_vec(),
        above: Vec::new(),
    };
    env.walk(work, &mut |part, env| {
        if refusal.is_ok() && whole.iter().any(|call| std::ptr::eq(*call, part)) {
            match callee(&typer, part, env) {
                Ok(found) => functions.extend(found.map(|found| (found, part.range.start))),
                Err(e) => refusal = Err(e),
            }
        }
    });
    refusal?;
    for (function, at) in functions {
        let Some(code) = program.code(&function) else {
            continue;
        };
        let mut inner = Shape::default();
        for part in &code.body {
            read(part, &|_| false, &mut inner);
        }
        let take = |into: &mut Option<usize>, from: Option<usize>| {
            if into.is_none() && from.is_some() {
                *into = Some(at);
            }
        };
        take(&mut shape.receives, inner.receives);
        take(&mut shape.endless, inner.endless);
    }
    Ok(shape)
}

/// The function of the workspace that a call reaches, where that is sure.
fn callee(typer: &Typer<'_, '_, '_>, call: &Code, env: &Env<'_>) -> Outcome<Option<FnRef>> {
    match &call.kind {
        Kind::Call(callee, ..) => match &callee.kind {
            Kind::Path(path) => typer.program.called(typer.function, &typer.code.uses, path),
            _ => Ok(None),
        },
        Kind::Method(method) => {
            let ty = typer.value(&env.known, &method.on)?;
            let ty = ty.as_ref().map(|ty| types::pointee(&ty.text));
            let found = typer
                .program
                .methods(ty, &method.name, method.arguments.len())?;
            Ok(found.into_iter().next())
        }
        _ => Ok(None),
    }
}

/// The statements of work, without the blocks around them.
pub fn statements(work: &Code) -> Vec<&Code> {
    match &work.kind {
        Kind::Async(parts) => parts.iter().collect(),
        Kind::Block(parts, _) => {
            let Some((last, before)) = parts.split_last() else {
                return Vec::new();
            };
            if before.iter().all(|part| matches!(part.kind, Kind::Let(_))) {
                statements(last)
            } else {
                parts.iter().collect()
            }
        }
        Kind::Closure(_, body) => statements(body),
        Kind::Method(method)
            if matches!(
                method.name.as_str(),
                "instrument" | "in_current_span" | "with_subscriber"
            ) =>
        {
            statements(&method.on)
        }
        _ => vec![work],
    }
}

/// The calls that stand in the place of a whole statement of the work.
fn whole_calls(work: &Code) -> Vec<&Code> {
    let mut found = Vec::new();
    for statement in statements(work) {
        let value = match &statement.kind {
            Kind::Let(of) => of.value.as_ref(),
            Kind::If(condition, ..) => match &condition.kind {
                Kind::Let(of) => of.value.as_ref(),
                _ => Some(&**condition),
            },
            Kind::Match(of, _) => Some(&**of),
            _ => Some(statement),
        };
        let value = value.map(Code::bare);
        if let Some(value) = value.filter(|v| matches!(v.kind, Kind::Call(..) | Kind::Method(_))) {
            found.push(value);
        }
    }
    found
}

fn read(work: &Code, is_captured: &dyn Fn(&str) -> bool, shape: &mut Shape) {
    let first = statements(work)
        .into_iter()
        .find(|statement| !is_silent(statement));
    if let Some(first) = first {
        first_wait(first, is_captured, shape);
    }
    work.walk(&mut |part| match &part.kind {
        Kind::Loop(body) => {
            // What may leave a loop by itself ends when its work is done: a poll, another try.
            let mut waits = None;
            let mut receives = None;
            for part in body {
                part.walk(&mut |part| {
                    if is_wait(part) {
                        waits.get_or_insert(part.range.start);
                    }
                    if is_receive(part) {
                        receives.get_or_insert(part.range.start);
                    }
                });
            }
            if let Some(at) = waits {
                shape.waits.get_or_insert(at);
            }
            if let Some(at) = receives {
                shape.receives.get_or_insert(at);
            }
            if !leaves(body) {
                shape.endless.get_or_insert(part.range.start);
            }
        }
        Kind::While(condition, _) => {
            let mut receives = false;
            let mut waits = false;
            condition.walk(&mut |part| {
                receives |= is_receive(part);
                waits |= is_wait(part);
            });
            if receives {
                shape.receives.get_or_insert(part.range.start);
            }
            if waits {
                shape.waits.get_or_insert(part.range.start);
            }
        }
        Kind::Call(callee, ..) => {
            if let Kind::Path(path) = &callee.kind
                && ["axum::serve", "hyper::Server", "warp::serve"]
                    .iter()
                    .any(|known| path.ends_with(known))
            {
                shape.drives.get_or_insert(part.range.start);
            }
        }
        _ => {}
    });
}

/// Whether a statement only speaks or renames.
fn is_silent(statement: &Code) -> bool {
    match &statement.kind {
        Kind::Macro(..) => true,
        Kind::Let(of) => {
            let mut awaits = false;
            of.value.iter().for_each(|value| {
                value.walk(&mut |part| awaits |= matches!(part.kind, Kind::Await(_)));
            });
            !awaits
        }
        _ => false,
    }
}

/// What the first thing that work does says about it.
fn first_wait(first: &Code, is_captured: &dyn Fn(&str) -> bool, shape: &mut Shape) {
    let looked_at: &Code = match &first.kind {
        Kind::If(condition, ..) => match &condition.kind {
            Kind::Let(of) => match &**of {
                Let {
                    value: Some(value), ..
                } => value,
                _ => return,
            },
            _ => condition,
        },
        Kind::Let(of) => match &of.value {
            Some(value) => value,
            None => return,
        },
        Kind::Match(of, _) => of,
        _ => first,
    };
    let mut waits = None;
    looked_at.walk(&mut |part| {
        if is_wait(part) {
            waits.get_or_insert(part.range.start);
        }
    });
    if waits.is_some() {
        shape.waits = shape.waits.or(waits);
    }
    // `connection.await`, where it was made before: the driver of a client.
    if let Kind::Await(of) = &looked_at.kind
        && of.name().is_some_and(is_captured)
    {
        shape.drives.get_or_insert(looked_at.range.start);
    }
    if let Kind::Macro(path, parts) = &looked_at.kind
        && path.ends_with("join")
        && parts
            .iter()
            .all(|part| matches!(&part.kind, Kind::Await(of) if of.name().is_some_and(is_captured)))
        && !parts.is_empty()
    {
        shape.drives.get_or_insert(looked_at.range.start);
    }
}

/// Whether this waits for the end of something else: a token, a signal, a watched value.
fn is_wait(part: &Code) -> bool {
    match &part.kind {
        Kind::Method(method) => {
            method.arguments.is_empty()
                && matches!(
                    method.name.as_str(),
                    "cancelled" | "changed" | "cancelled_owned"
                )
        }
        Kind::Call(callee, ..) => match &callee.kind {
            Kind::Path(path) => {
                let name = path.rsplit("::").next().unwrap_or(path);
                name == "ctrl_c" || (name.contains("signal") && name.contains("shutdown"))
            }
            _ => false,
        },
        _ => false,
    }
}

fn is_receive(part: &Code) -> bool {
    matches!(&part.kind, Kind::Method(method)
        if method.name.starts_with("recv"))
}

/// Whether a loop's body has a `break` or a `return` of its own.
fn leaves(body: &[Code]) -> bool {
    fn look(part: &Code, found: &mut bool) {
        match &part.kind {
            Kind::Break(_) | Kind::Return(_) | Kind::Try(_) => *found = true,
            Kind::Closure(..) | Kind::Async(_) => {}
            Kind::Loop(_) | Kind::While(..) | Kind::For(..) => {
                part.walk(&mut |part| *found |= matches!(part.kind, Kind::Return(_)));
            }
            _ => part.parts(&mut |part| look(part, found)),
        }
    }
    let mut found = false;
    for part in body {
        look(part, &mut found);
    }
    found
}
