//! A scheduler that the workspace has already: where jobs with cron expressions are registered.
//!
//! Either a crate that is known for it, or a function of the workspace that takes an expression
//! and what to run. Jobs of the first are registered by a statement whose form can be read; how the
//! second is called is a person's to say.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::worker_start::room;
use super::{Executor, Room};
use crate::index::{FileFacts, FnFact, HandOver, Index, UseFact};
use crate::note::{Outcome, Place};

/// What registers jobs by cron expressions.
pub enum Scheduler {
    /// Nothing does.
    Absent,
    /// Jobs are registered in one function.
    One(Box<Registration>),
    /// They are registered in several: the last registration of each.
    Several(Vec<Registration>),
}

/// A function that registers jobs.
pub struct Registration {
    /// Its last registration.
    pub place: Place,
    /// The function's name.
    pub function: String,
    /// The path that is called for a job.
    pub call: String,
    /// The crate that it is of, where that is not the workspace's.
    pub krate: Option<&'static str>,
    /// How a further job is registered before it, or why that cannot be read.
    pub form: Result<Form, String>,
}

/// How a job is registered, and where a further one may be.
pub struct Form {
    /// The file.
    pub facts: Arc<FileFacts>,
    /// The place, with the database there.
    pub room: Room,
    /// The function that makes a job of what gives a future.
    pub make: String,
    /// The method that a job is handed to.
    pub method: &'static str,
    /// What the job is handed to, and what stands behind both.
    pub hand_over: HandOver,
}

/// A crate whose jobs have cron expressions, and how they are made.
struct Known {
    package: &'static str,
    /// The type of a job.
    job: &'static str,
    /// Its constructors that take an expression.
    makes: &'static [&'static str],
    /// The one that takes what gives a future.
    makes_async: &'static str,
    /// The method that registers a job.
    adds: &'static str,
}

const KNOWN: [Known; 1] = [Known {
    package: "tokio-cron-scheduler",
    job: "Job",
    makes: &[
        "new",
        "new_tz",
        "new_async",
        "new_async_tz",
        "new_cron_job",
        "new_cron_job_async",
    ],
    makes_async: "new_async",
    adds: "add",
}];

/// Finds where jobs are registered outside tests.
pub fn discover(index: &Index<'_>, executor: &Executor) -> Outcome<Scheduler> {
    let mut found = Vec::new();
    for known in &KNOWN {
        of_crate(index, known, &mut found)?;
    }
    own(index, &executor.task_file("schedule"), &mut found)?;
    Ok(match found.len() {
        0 => Scheduler::Absent,
        1 => Scheduler::One(Box::new(found.swap_remove(0))),
        _ => Scheduler::Several(found),
    })
}

/// Functions that register jobs of a known crate.
fn of_crate(index: &Index<'_>, known: &Known, found: &mut Vec<Registration>) -> Outcome<()> {
    for member in &index.workspace.members {
        let mut dependencies = member.dependencies.iter().filter(|d| d.is_normal);
        let Some(dependency) = dependencies.find(|d| d.package == known.package) else {
            continue;
        };
        let name = dependency.rename.as_deref().unwrap_or(known.package);
        let krate = name.replace('-', "_");
        let mut paths = index.containing_in(member, &krate);
        paths.retain(|path| !index.is_for_tests(path));
        for path in paths {
            let facts = index.facts(&path)?;
            let path = format!("{krate}::{}", known.job);
            let imports = |u: &UseFact| {
                u.path == path && u.name == known.job || u.path == krate && u.name == "*"
            };
            let job = if facts.uses.iter().any(imports) {
                known.job.to_owned()
            } else {
                path
            };
            for function in facts.functions.iter().filter(|f| !f.is_test) {
                let adds = format!(".{}(", known.adds);
                if !facts.text(&function.range).contains(&adds) {
                    continue;
                }
                let calls = known.makes.iter().flat_map(|make| {
                    let call = format!("{job}::{make}");
                    let calls = facts.calls_of(function, &call).into_iter();
                    calls.map(move |at| (at, call.clone())).collect::<Vec<_>>()
                });
                let Some((at, call)) = calls.max() else {
                    continue;
                };
                let form = form(index, &facts, function, (at, &call), known);
                found.push(Registration {
                    form: form.map(|(room, hand_over)| Form {
                        facts: Arc::clone(&facts),
                        room,
                        make: format!("{job}::{}", known.makes_async),
                        method: known.adds,
                        hand_over,
                    }),
                    krate: Some(known.package),
                    ..registration(&facts, function, at, call)
                });
            }
        }
    }
    Ok(())
}

/// Callers of the workspace's own functions that take a cron expression and what to run.
///
/// The file `clock` holds one that the tool made.
fn own(index: &Index<'_>, clock: &str, found: &mut Vec<Registration>) -> Outcome<()> {
    let mut paths = BTreeSet::new();
    for needle in ["cron", "schedule: ", "expression: "] {
        paths.extend(index.containing(needle));
    }
    let takes_work = |path: &String| {
        let file = index.workspace.files.get(path);
        file.is_some_and(|file| file.text.contains("Fn") && file.text.contains("async"))
    };
    paths.retain(|path| path != clock && takes_work(path) && !index.is_for_tests(path));
    let mut names = BTreeSet::new();
    for path in &paths {
        let facts = index.facts(path)?;
        let functions = facts.functions.iter().filter(|f| !f.is_test);
        let registers = functions.filter(|function| registers(&facts, function));
        names.extend(registers.map(|function| match function.in_impl {
            Some(at) if !function.has_self => {
                format!("{}::{}", facts.impls[at].self_type, function.name)
            }
            _ => function.name.clone(),
        }));
    }
    for name in names {
        for path in index.containing(&format!("{name}(")) {
            if path == clock || index.is_for_tests(&path) || in_tasks(&path, clock) {
                continue;
            }
            let facts = index.facts(&path)?;
            for function in facts.functions.iter().filter(|f| !f.is_test) {
                let calls = facts.calls_of(function, &name).into_iter();
                let is_given = |at: &usize| gives_expression(&facts.file.text[at + name.len()..]);
                let last = calls.filter(is_given).max();
                found.extend(last.map(|at| registration(&facts, function, at, name.clone())));
            }
        }
    }
    Ok(())
}

/// Whether the file is one of the generated modules, which call the clock.
fn in_tasks(path: &str, clock: &str) -> bool {
    let dir = clock.rsplit_once('/').map_or("", |(dir, _)| dir);
    path.strip_prefix(dir)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// Whether the function takes a cron expression and what to run at its ticks.
fn registers(facts: &FileFacts, function: &FnFact) -> bool {
    let is_text = |ty: &str| ["&str", "&'static str", "String", "impl Into<String>"].contains(&ty);
    let is_expression = |name: &str| {
        let parts: Vec<&str> = name.split('_').collect();
        parts.contains(&"cron") || ["schedule", "expression"].contains(&name)
    };
    let mut params = function.params.iter();
    let text = facts.text(&(function.name_range.end..function.range.end));
    let signature = text.split('{').next().unwrap_or_default();
    let runs = ["Fn(", "FnMut(", "AsyncFn", "Future"];
    let is_work = runs.iter().any(|word| signature.contains(word));
    is_work && params.any(|(name, ty)| is_expression(name) && is_text(ty))
}

/// Whether the arguments that `text` begins with hold a cron expression, before anything else that
/// is quoted: a namesake of the function takes none.
fn gives_expression(text: &str) -> bool {
    let statement = text.split(';').next().unwrap_or(text);
    let quoted = statement.split('"').nth(1).unwrap_or_default();
    let fields: Vec<&str> = quoted.split_whitespace().collect();
    let is_field = |field: &&str| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "*/,-?#".contains(c);
        field.chars().all(is_part)
    };
    let is_named = quoted.starts_with('@') && fields.len() == 1;
    let has_star = fields.iter().any(|field| field.starts_with('*'));
    is_named || ((5..=7).contains(&fields.len()) && has_star && fields.iter().all(is_field))
}

/// How the job that `call` makes at `at` is registered, and where a further one may be.
fn form(
    index: &Index<'_>,
    facts: &FileFacts,
    function: &FnFact,
    (at, call): (usize, &str),
    known: &Known,
) -> Result<(Room, HandOver), String> {
    let statements = facts.statements(function);
    let mut holds = statements.iter().filter(|s| s.range.contains(&at));
    let hand_over = holds.find_map(|s| facts.hand_over(s, known.adds, call));
    let Some(hand_over) = hand_over.filter(|form| form.of_method.starts_with(".await")) else {
        return Err("its last job is registered by more than one plain statement".to_owned());
    };
    let room = room(index, facts, function, at, call)
        .map_err(|why| why.replace("the worker is started", "the job is registered"))?;
    Ok((room, hand_over))
}

/// The registration at `at` in the function.
fn registration(facts: &FileFacts, function: &FnFact, at: usize, call: String) -> Registration {
    Registration {
        place: facts.place(&(at..at + call.len())),
        function: function.name.clone(),
        call,
        krate: None,
        form: Err("how it is called is yours to say".to_owned()),
    }
}
