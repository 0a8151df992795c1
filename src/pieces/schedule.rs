//! What enqueues tasks at the ticks of a schedule, in `tasks/schedule.rs` of the run half: made
//! with the first task that has one. Where the workspace has a scheduler whose jobs can be read,
//! the task becomes a job of it; else it is started on a clock, beside the worker.
//!
//! ```text
//! tokio::spawn({
//!     use agentic_pipeline::executor::tasks::tidy;
//!     let db = db.clone();
//!     async move {
//!         if let Err(error) = tidy::schedule(&db, tidy::Tidy).await {
//!             tracing::error!(%error, "nothing enqueues Tidy by the clock");
//!         }
//!     }
//! });
//! ```

use std::sync::Arc;

use askama::Template;

use super::modules::bare;
use super::task_module::{duration, has_minutes};
use super::{Piece, gate, task_module, tasks_mod};
use crate::format::{Form, Fragment};
use crate::index::{FileFacts, ModFact, UseFact, whole_words};
use crate::landmarks::{JobForm, Room, Scheduler, find_scheduler};
use crate::merge::Callers;
use crate::note::{Outcome, Refusal};
use crate::plan::Plan;
use crate::render::{self, render};
use crate::request::raw;
use crate::schedule::in_six_fields;
use crate::task::Context;
use crate::types::within;
use crate::workspace::{Manifest, SourceFile};

/// The piece.
pub const PIECE: Piece = Piece {
    id: "schedule",
    about: "the clock, where a task has a schedule, and its start beside the worker",
    plan,
};

/// The module's name.
pub(super) const MODULE: &str = "schedule";

/// The crate that reads schedules.
pub(super) const CRATE: &str = "cron";

/// How long the clock sleeps at most.
const PAUSE: std::time::Duration = std::time::Duration::from_mins(1);

/// Whether the task has a schedule.
pub(super) fn is_needed(context: &Context<'_>) -> bool {
    context.task.request.schedule.is_some()
}

fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    if !is_needed(context) {
        return Ok(());
    }
    let scheduler = find_scheduler(context.index, &context.landmarks.executor)?;
    check_crate(context, &scheduler)?;
    let executor = &context.landmarks.executor;
    let path = executor.task_file(MODULE);
    let krate = executor.module.split("::").next().unwrap_or_default();
    let way = way(context, &scheduler)?;
    let text = render(&render::Clock {
        gate_path: within(krate, &gate::module(context)),
        pause: duration(PAUSE, has_minutes(context)),
        is_clock: way == Way::Clock,
    })?;
    let title = match way {
        Way::Clock => "the clock",
        Way::Job => "the ticks",
    };
    plan.draft_file(
        PIECE.id,
        title,
        &path,
        text,
        context.index.workspace.files.get(&path),
        Callers::EveryTask,
    );
    match way {
        Way::Clock => {
            own_scheduler(context, &scheduler, plan)?;
            start(context, plan)
        }
        Way::Job => register(context, &scheduler, plan),
    }
}

/// What calls the task's module at a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The clock that is generated, by way of its `schedule`.
    Clock,
    /// A job of the workspace's own scheduler, by way of its `tick`.
    Job,
}

/// The way in which the task comes to its ticks; `None` for one without a schedule.
pub(super) fn way_of(context: &Context<'_>) -> Outcome<Option<Way>> {
    if !is_needed(context) {
        return Ok(None);
    }
    let scheduler = find_scheduler(context.index, &context.landmarks.executor)?;
    way(context, &scheduler).map(Some)
}

fn way(context: &Context<'_>, scheduler: &Scheduler) -> Outcome<Way> {
    let files = &context.index.workspace.files;
    let module = files.get(&task_module::path(context));
    let has = |function: &str| module.is_some_and(|file| file.text.contains(function));
    if has(CLOCK_FN) {
        return Ok(Way::Clock);
    }
    if has(JOB_FN) || job(context, scheduler)?.is_ok() {
        return Ok(Way::Job);
    }
    Ok(Way::Clock)
}

/// What a task's module has for the clock.
const CLOCK_FN: &str = "pub async fn schedule(";

/// What it has for a scheduler.
const JOB_FN: &str = "pub async fn tick(";

/// How a job for the task is registered with the scheduler that the workspace has, or why not.
fn job<'s>(
    context: &Context<'_>,
    scheduler: &'s Scheduler,
) -> Outcome<Result<(&'s JobForm, String), String>> {
    let no = |why: &str| Ok(Err(why.to_owned()));
    let one = match scheduler {
        Scheduler::Absent => return no("there is none"),
        Scheduler::One(one) => one,
        Scheduler::Several(_) => return no("which of them is yours to say"),
    };
    let form = match &one.form {
        Ok(form) => form,
        Err(why) => return no(why),
    };
    let schedule = context.task.request.schedule.as_deref();
    if schedule.and_then(in_six_fields).is_none() {
        return no("its schedules have no year");
    }
    let reached = reach(context, &form.facts)?;
    Ok(reached.map(|tasks| (form, tasks)))
}

/// The statement that registers a job for a task.
#[derive(Template)]
#[template(path = "schedule_job.rs", escape = "none")]
struct Job<'a> {
    receiver: &'a str,
    method: &'a str,
    make: &'a str,
    of_made: &'a str,
    of_method: &'a str,
    task: Callee,
}

/// Registers the task with the workspace's scheduler, or says that a person has to.
fn register(context: &Context<'_>, scheduler: &Scheduler, plan: &mut Plan) -> Outcome<()> {
    let module = task_module::path(context);
    let task = context.task.module();
    let title = format!("job that calls `tasks::{task}::tick`");
    if let Some(path) = caller(context, &module, &task, "tick")? {
        plan.present(PIECE.id, title, &path);
        return Ok(());
    }
    match job(context, scheduler)? {
        Ok((form, tasks)) => {
            let text = render(&Job {
                receiver: &form.hand_over.receiver,
                method: form.method,
                make: &form.make,
                of_made: &form.hand_over.of_made,
                of_method: &form.hand_over.of_method,
                task: Callee::of(context, tasks, &form.room),
            })?;
            draft(plan, title, text, &form.facts, &form.room);
        }
        Err(why) => plan.open_in(
            &module,
            JOB_FN,
            format!("call `tasks::{task}::tick` from a job of the scheduler that the workspace has ({why}): until then nothing enqueues the task by the clock"),
        ),
    }
    Ok(())
}

/// Whether the task's module lacks its `schedule` still.
fn is_new(context: &Context<'_>) -> bool {
    let files = &context.index.workspace.files;
    let module = files.get(&task_module::path(context));
    module.is_none_or(|file| !file.text.contains(CLOCK_FN))
}

/// Says where the workspace has a scheduler of its own, and what would go there.
///
/// It is none that a job can be added to without a guess. So the clock is what is made, and a person
/// may choose otherwise.
fn own_scheduler(context: &Context<'_>, scheduler: &Scheduler, plan: &mut Plan) -> Outcome<()> {
    let found = match scheduler {
        Scheduler::Absent => return Ok(()),
        Scheduler::One(one) => std::slice::from_ref(&**one),
        Scheduler::Several(several) => several.as_slice(),
    };
    let (Some(last), true) = (found.last(), is_new(context)) else {
        return Ok(());
    };
    let why = job(context, scheduler)?.err().unwrap_or_default();
    let task = context.task.module();
    let input = if context.task.fields.is_empty() {
        format!("tasks::{task}::{}", task_module::input(context))
    } else {
        "input".to_owned()
    };
    let schedule = context.task.request.schedule.as_deref().unwrap_or_default();
    let job = format!("tasks::{task}::enqueue(&db, {input})");
    let register = match last.krate {
        Some(_) => format!(
            "add `{}::new_async(\"{schedule}\", move |_, _| {{ let db = db.clone(); Box::pin(async move {{ if let Err(error) = {job}.await {{ tracing::error!(%error, \"not enqueued\"); }} }}) }})` here as its neighbours are",
            last.call
                .rsplit_once("::")
                .map_or(last.call.as_str(), |(job, _)| job)
        ),
        None => format!(
            "call `{}` here as its neighbours do, with \"{schedule}\", and `{job}` as what it runs",
            last.call
        ),
    };
    let others = match found.len() {
        1 => String::new(),
        _ => format!(" (there are {} such functions)", found.len()),
    };
    plan.open_at(
        last.place.clone(),
        format!(
            "the workspace registers jobs in `{}`{others}, to which none was added ({why}): keep the task on its clock, which gives one task of a tick whatever the number of processes; or {register}, and start no `tasks::{task}::schedule`: then a tick gives one task only while the last one is queued or running",
            last.function
        ),
    );
    Ok(())
}

/// The statement that starts a task's schedule.
#[derive(Template)]
#[template(path = "schedule_start.rs", escape = "none")]
struct Start {
    task: Callee,
}

/// The task, as the statement that has it enqueued calls it.
struct Callee {
    /// The path of the module `tasks`.
    tasks: String,
    module: String,
    /// The variable that is a connection to the database there.
    db: String,
    input: String,
    /// Fields of the input; each is an `Option`.
    fields: Vec<String>,
    variant: String,
}

impl Callee {
    fn of(context: &Context<'_>, tasks: String, room: &Room) -> Self {
        Self {
            tasks,
            module: context.task.module(),
            db: room.db.clone(),
            input: task_module::input(context),
            fields: context.task.fields.iter().map(|(f, _)| f.ident()).collect(),
            variant: context.task.request.variant.clone(),
        }
    }
}

/// Plans the statement `text` where there is room for it in the file of `facts`.
fn draft(plan: &mut Plan, title: String, text: String, facts: &FileFacts, room: &Room) {
    let fragment = Fragment {
        form: Form::Statement,
        indent: room.indent.clone(),
        text,
    };
    let spot = room.spot.clone();
    plan.draft(PIECE.id, title, &facts.file, "schedule", fragment, spot);
}

/// Starts the task's schedule where the worker is started, or says that a person has to.
fn start(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    let module = task_module::path(context);
    let task = context.task.module();
    let title = format!("start of `tasks::{task}::schedule`");
    if let Some(path) = caller(context, &module, &task, "schedule")? {
        plan.present(PIECE.id, title, &path);
        return Ok(());
    }
    match room(context)? {
        Ok(Beside { facts, room, tasks }) => {
            let task = Callee::of(context, tasks, room);
            draft(plan, title, render(&Start { task })?, facts, room);
        }
        Err(why) => {
            if is_new(context) {
                let why = why.map_or(String::new(), |why| format!(" ({why})"));
                plan.open_in(
                    &module,
                    CLOCK_FN,
                    format!("call `tasks::{task}::schedule` where programs start, in a `tokio::spawn` beside the worker{why}: until then nothing enqueues the task by the clock"),
                );
            }
        }
    }
    Ok(())
}

/// The file outside tests that calls `function` of the task's module already.
fn caller(
    context: &Context<'_>,
    module: &str,
    task: &str,
    function: &str,
) -> Outcome<Option<String>> {
    let index = context.index;
    let by_path = format!("{task}::{function}");
    for path in index.containing(function) {
        let is_ours = |file: &Arc<SourceFile>| whole_words(&file.text, bare(task)).next().is_some();
        let names_it = index.workspace.files.get(&path).is_some_and(is_ours);
        if path == module || !names_it || index.is_for_tests(&path) {
            continue;
        }
        let facts = index.facts(&path)?;
        let imports = |import: &UseFact| import.path.ends_with(&format!("::{by_path}"));
        if whole_words(&facts.file.text, &by_path).next().is_some()
            || facts.uses.iter().any(imports)
        {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// A place where a task's schedule can be started.
struct Beside<'a> {
    facts: &'a FileFacts,
    room: &'a Room,
    /// The path of the module `tasks` there.
    tasks: String,
}

/// The one place where the task's schedule can be started; or why a person has to start it.
fn room<'a>(context: &Context<'a>) -> Outcome<Result<Beside<'a>, Option<String>>> {
    let start = match context.landmarks.worker_starts.as_slice() {
        [] => return Ok(Err(None)),
        [start] => start,
        starts => {
            let places: Vec<String> = starts.iter().map(|s| s.place.to_string()).collect();
            return Ok(Err(Some(format!("started at {}", places.join(" and ")))));
        }
    };
    let room = match &start.room {
        Ok(room) => {
            let facts = &*start.facts;
            reach(context, facts)?.map(|tasks| Beside { facts, room, tasks })
        }
        Err(why) => Err(why.clone()),
    };
    Ok(room.map_err(|why| Some(format!("started at {}: {why}", start.place))))
}

/// The path of the module `tasks` in a file from which the task is to be enqueued with nothing but
/// the database at hand; or why it cannot be.
fn reach(context: &Context<'_>, from: &FileFacts) -> Outcome<Result<String, String>> {
    let Context {
        index,
        landmarks,
        task,
    } = *context;
    let workspace = index.workspace;
    let executor = &landmarks.executor;
    let no = |why: &str| Ok(Err(why.to_owned()));
    let is_given = task.fields.iter().any(|(field, _)| !field.is_option());
    if is_given || !landmarks.queue.extra.is_empty() || !keeps_form(context)? {
        return no("what the task is given there is yours to say");
    }
    let wanted = format!("{}::tasks", executor.module);
    let is_private = |m: &ModFact| {
        let is_on_the_way = m.name == "tasks" || raw(&m.name) == task.module();
        is_on_the_way && !m.is_pub
    };
    let mut on_the_way = executor.facts.modules.clone();
    let inner = tasks_mod::path(context);
    if workspace.files.contains_key(&inner) {
        on_the_way.extend(index.facts(&inner)?.modules.iter().cloned());
    }
    let is_public = !on_the_way.iter().any(is_private)
        && index.public_path(&executor.module, "tasks")?.as_ref() == Some(&wanted);
    let (Some(member), true) = (workspace.member_of(&from.file.path), is_public) else {
        return no("the module of tasks is not public");
    };
    let depends = |package: &str| {
        let mut all = member.dependencies.iter();
        all.find(|d| d.is_normal && d.package == package)
    };
    let tail = wanted.split_once("::").map_or("", |(_, tail)| tail);
    let krate = match depends(&executor.package) {
        Some(dependency) => match &dependency.rename {
            Some(name) => name.replace('-', "_"),
            None => wanted.replace(&format!("::{tail}"), ""),
        },
        None if member.name == executor.package => {
            // A program of the package has a `crate` of its own.
            if member.targets.iter().any(|t| t.is_bin) {
                return no("it may stand in a program beside the library of the tasks");
            }
            "crate".to_owned()
        }
        None => {
            return no(&format!(
                "`{}` does not depend on `{}`",
                member.name, executor.package
            ));
        }
    };
    for needed in ["tokio", "tracing"] {
        if depends(needed).is_none_or(|d| d.rename.is_some()) {
            return no(&format!("`{}` does not depend on `{needed}`", member.name));
        }
    }
    Ok(Ok(format!("{krate}::{tail}")))
}

/// Whether the task's module, where it stands, is as far as its start goes as the tool writes it.
fn keeps_form(context: &Context<'_>) -> Outcome<bool> {
    let path = task_module::path(context);
    if !context.index.workspace.files.contains_key(&path) {
        return Ok(true);
    }
    let facts = context.index.facts(&path)?;
    let input = task_module::input(context);
    let known = |name: &String| context.task.fields.iter().any(|(f, _)| f.name == *name);
    let own = facts.structs.iter().filter(|s| s.name == input);
    let mut fields = own.flat_map(|s| &s.fields);
    let is_clock = |name: &str| ["schedule", "tick"].contains(&name);
    let mut clocks = facts.functions.iter().filter(|f| is_clock(&f.name));
    Ok(fields.all(|field| known(&field.name))
        && clocks.all(|f| f.is_pub && f.is_async && f.params.len() == 2))
}

/// Refuses where no crate that reads cron expressions is at hand.
fn check_crate(context: &Context<'_>, scheduler: &Scheduler) -> Outcome<()> {
    let workspace = context.index.workspace;
    let executor = &context.landmarks.executor;
    let member = workspace.member(&executor.package);
    let depends = member.is_some_and(|member| member.depends_on(CRATE));
    let root = Manifest::parse(workspace.read_text("Cargo.toml")?)?;
    if depends || root.get(&["workspace", "dependencies", CRATE]).is_some() {
        return Ok(());
    }
    let at = match scheduler {
        Scheduler::Absent => String::new(),
        Scheduler::One(one) => format!(", at {}", one.place),
        Scheduler::Several(several) => several
            .last()
            .map_or(String::new(), |last| format!(", at {} say", last.place)),
    };
    let package = &executor.package;
    let message =
        format!("the lock file holds no `{CRATE}` for `{package}` to read a schedule with");
    Err(Refusal::new("no-scheduler", message)
        .at(executor.facts.place(&(0..1)))
        .help(format!(
            "run `cargo add --package {package} {CRATE}`, and try again; or leave --schedule out, and call the task's `enqueue` from the scheduler that you have{at}"
        )))
}
