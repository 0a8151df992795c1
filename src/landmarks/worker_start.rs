//! Where programs start the worker that stands: what has to run beside it starts there too.

use std::sync::Arc;

use super::WorkerSite;
use super::worker::Claims;
use crate::index::{FileFacts, FnFact, Index, StatementFact};
use crate::note::{Outcome, Place};
use crate::trivia::{Sibling, Spot};

/// A place outside tests that starts a worker which outlives runs.
pub struct WorkerStart {
    /// The file.
    pub facts: Arc<FileFacts>,
    /// The call.
    pub place: Place,
    /// The function that it stands in.
    pub function: String,
    /// Where a further statement may go before it, or why none may.
    pub room: Result<Room, String>,
}

/// A place for a statement in a function.
pub struct Room {
    /// Where it goes.
    pub spot: Spot,
    /// The white space that its lines start with.
    pub indent: String,
    /// The variable that is a connection to the database there.
    pub db: String,
}

/// Finds what starts the workers that stand: who calls the functions that claim in a loop, or makes
/// a worker.
pub fn discover(index: &Index<'_>, workers: &[WorkerSite]) -> Outcome<Vec<WorkerStart>> {
    let mut starts = Vec::new();
    for worker in workers.iter().filter(|worker| !worker.is_driven) {
        let (name, needle) = match &worker.claims {
            Claims::InLoop => (worker.function.as_str(), format!("{}(", worker.function)),
            Claims::Made(call) => (call.as_str(), call.clone()),
        };
        let mut paths = index.containing(&needle);
        paths.retain(|path| !index.is_for_tests(path));
        if let Claims::Made(_) = worker.claims {
            paths.retain(|path| *path == worker.place.path);
        }
        for path in paths {
            let facts = index.facts(&path)?;
            for function in facts.functions.iter().filter(|f| !f.is_test) {
                let calls = facts.calls_of(function, name);
                let is_call = |at: &usize| {
                    *at != function.name_range.start && is_it(index, &facts, *at, worker)
                };
                let Some(at) = calls.into_iter().find(is_call) else {
                    continue;
                };
                starts.push(WorkerStart {
                    place: facts.place(&(at..at + name.len())),
                    function: function.name.clone(),
                    room: room(index, &facts, function, at, name),
                    facts: Arc::clone(&facts),
                });
            }
        }
    }
    starts.dedup_by(|a, b| (&a.place.path, a.place.line) == (&b.place.path, b.place.line));
    Ok(starts)
}

/// Whether the call at `at` is of the worker, as far as its path says: a namesake in another crate
/// is not.
fn is_it(index: &Index<'_>, facts: &FileFacts, at: usize, worker: &WorkerSite) -> bool {
    if let Claims::Made(_) = worker.claims {
        return facts.file.path == worker.place.path;
    }
    let text = &facts.file.text;
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let start = text[..at].trim_end_matches(is_part).len();
    if text[..start].ends_with('.') {
        return false;
    }
    let end = at + text[at..].find('(').unwrap_or(0);
    let krate = |path: &str| path.split("::").next().unwrap_or_default().to_owned();
    let called = resolve(index, facts, text[start..end].trim_start_matches("::"));
    let own = index.module_of(&worker.place.path);
    match (called, own) {
        (Some(called), Some(own)) => krate(&called) == krate(&own),
        _ => false,
    }
}

/// What `name` means in the file, which may be that of a program without a library.
fn resolve(index: &Index<'_>, facts: &FileFacts, name: &str) -> Option<String> {
    if index.module_of(&facts.file.path).is_some() {
        return index.resolve(facts, name);
    }
    let (head, tail) = name.split_once("::").unwrap_or((name, ""));
    let import = facts.uses.iter().find(|import| import.name == head);
    let head = import.map_or(head, |import| &import.path);
    let is_own = ["crate", "self", "super"].contains(&head.split("::").next().unwrap_or(head));
    let is_path = import.is_some() || !tail.is_empty();
    (is_path && !is_own).then(|| format!("{head}::{tail}").trim_end_matches(':').to_owned())
}

/// Where a statement may go before the one in `function` that calls `name` at `at`.
pub(super) fn room(
    index: &Index<'_>,
    facts: &FileFacts,
    function: &FnFact,
    at: usize,
    name: &str,
) -> Result<Room, String> {
    let statements = facts.statements(function);
    let holds = |statement: &StatementFact| statement.range.contains(&at);
    let Some(nth) = statements.iter().position(holds) else {
        return Err("its statements cannot be read".to_owned());
    };
    let (before, rest) = statements.split_at(nth);
    let last = |path: &str| path.rsplit("::").next().unwrap_or_default().to_owned();
    let is_sure = rest[0].calls.iter().any(|path| last(path) == last(name));
    if !is_sure || !facts.file.starts_line(rest[0].range.start) {
        return Err("the worker is started in a part of a statement".to_owned());
    }
    if !function.is_async && !facts.text(&function.range).contains("tokio::spawn(") {
        return Err("the function is not async".to_owned());
    }
    let params = function.params.iter().map(|(name, ty)| (name, ty, 0));
    let typed = before
        .iter()
        .filter_map(|statement| statement.typed.as_ref());
    let known = params.chain(typed.map(|(name, ty)| (name, ty, 1)));
    let connections = known.filter(|(name, ty, binds)| {
        let ty = ty.trim_start_matches('&');
        let path = resolve(index, facts, ty);
        let is_connection = last(ty) == "DatabaseConnection"
            && path.is_some_and(|path| path.starts_with("sea_orm::"));
        let all = statements.iter().flat_map(|statement| &statement.binds);
        let is_one = all.filter(|bound| bound == name).count() == *binds
            && statements.iter().all(|s| !s.assigns.contains(*name));
        // What is named from here on was not given away before.
        let is_there = rest.iter().any(|statement| statement.names.contains(*name));
        is_connection && is_one && is_there
    });
    let connections: Vec<&String> = connections.map(|(name, ..)| name).collect();
    let [db] = connections.as_slice() else {
        return Err(format!(
            "{} variables are a `DatabaseConnection` by their type there",
            connections.len()
        ));
    };
    let siblings: Vec<Sibling> = statements
        .iter()
        .map(|of| Sibling::on_lines(&of.range))
        .collect();
    Ok(Room {
        spot: Spot::before(&facts.file, &siblings, nth),
        indent: facts.file.indent_at(rest[0].range.start).to_owned(),
        db: (*db).clone(),
    })
}
