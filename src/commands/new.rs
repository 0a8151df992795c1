//! `new`: scaffolds a task.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use super::Opened;
use super::proof::Proof;
use super::write::Writer;
use crate::apply;
use crate::cli::{Common, Writing};
use crate::edit::FileChange;
use crate::format::Rustfmt;
use crate::index::{self, Index};
use crate::landmarks::{self, Config, Landmarks};
use crate::migrate::{self, Compiler, SiteRequest};
use crate::note::{Note, Outcome, Refusal};
use crate::pieces;
use crate::plan::Plan;
use crate::pool::beside;
use crate::report::{Report, Shell};
use crate::request::TaskRequest;
use crate::spawn::probe;
use crate::task::{Context, Task};
use crate::workspace::Workspace;

/// The edition that is taken until it is known.
const EDITION: &str = "2024";

/// Runs the command that asks for that; `approval`, where there is one, decides on what is planned.
pub(super) fn run(
    shell: &Shell,
    common: &Common,
    writing: &Writing,
    asked: Asked,
    approval: Option<Approval<'_>>,
) -> Outcome<()> {
    let command = asked.command();
    let done = scaffold(shell, common, writing, asked, approval)?;
    done.report(command).show(shell, common.format);
    // The process ends here: to free a whole workspace first would only take its time.
    std::mem::forget(done);
    Ok(())
}

/// Looks at what is about to be written, and refuses it or not.
pub(super) type Approval<'a> = &'a dyn Fn(&Report<'_>) -> Outcome<()>;

/// What a task is made from.
#[derive(Debug, Clone)]
pub(super) enum Asked {
    /// What the command line says of it.
    Task(Box<TaskRequest>),
    /// A site whose work it takes over.
    Site(Box<SiteRequest>),
}

impl Asked {
    /// The command that asks for it.
    fn command(&self) -> &'static str {
        match self {
            Self::Task(_) => "new",
            Self::Site(_) => "migrate-spawn",
        }
    }
}

/// What was scaffolded, or would be.
pub(super) struct Scaffolded {
    workspace: Workspace,
    /// What was read of it: freeing that takes time.
    _memory: Memory,
    planned: Planned,
    changes: Vec<FileChange>,
    applied: bool,
    proposed: bool,
}

impl Scaffolded {
    /// What there is to report, in the name of `command`.
    pub(super) fn report(&self, command: &'static str) -> Report<'_> {
        Report {
            command,
            task: &self.planned.task,
            landmarks: &self.planned.landmarks,
            plan: &self.planned.plan,
            changes: &self.changes,
            applied: self.applied,
            proposed: self.proposed,
        }
    }

    /// The workspace.
    pub(super) fn workspace(&self) -> &Workspace {
        &self.workspace
    }
}

/// Plans the task, and writes it where that is asked for; nothing of the outcome is shown.
pub(super) fn scaffold(
    shell: &Shell,
    common: &Common,
    writing: &Writing,
    asked: Asked,
    approval: Option<Approval<'_>>,
) -> Outcome<Scaffolded> {
    writing.check()?;
    let command = asked.command();
    // rustfmt takes about as long to start as the plan takes to be made.
    let start = |root: &Path, edition: &str| Rustfmt::new(root, edition).started();
    let (opened, early) = super::open(shell, common, |root| start(root, EDITION))?;
    let Opened {
        workspace,
        config,
        memory,
    } = opened;
    let mut memory = Memory {
        read: memory,
        formatted: BTreeMap::new(),
    };
    let asked = match asked {
        Asked::Site(mut site) => {
            site.path = super::migrate::below_root(&workspace, &site.path)?;
            Asked::Site(site)
        }
        Asked::Task(request) => Asked::Task(request),
    };
    let edition = workspace.usual_edition();
    let early = early.filter(|rustfmt| rustfmt.edition() == edition);
    let mut rustfmt = early.unwrap_or_else(|| start(&workspace.root, edition));
    let cargo = common.cargo();
    let compiler = |package: &str, path: &str, work: Range<usize>, names: &[String]| {
        probe::types(&probe::Question {
            workspace: &workspace,
            package,
            path,
            work,
            names,
            cargo: &cargo,
            program: None,
            progress: &|verb, object| shell.status(verb, object),
        })
    };
    let mut planned = plan(
        &workspace,
        &config,
        asked,
        &compiler,
        &mut rustfmt,
        &mut memory,
    )?;
    let mut changes = planned.plan.changes()?;
    let (mut applied, mut proposed) = (false, false);
    let state = workspace.state();
    let guards = writing.guards();
    let writes = !writing.dry_run && !planned.plan.is_complete();
    // git is another process: while it looks for changes that are not committed, so do we for
    // what a second run would add.
    let checked = std::thread::scope(|scope| {
        let root = &workspace.root;
        let checked = writes.then(|| scope.spawn(|| apply::check(root, &state, &changes, guards)));
        // What is only shown needs no proof that a second run finds nothing to add; while the
        // tool is tested it gets one all the same.
        if !writing.dry_run || cfg!(debug_assertions) {
            converges(
                &workspace,
                &config,
                &planned.task.request,
                &changes,
                &mut rustfmt,
                &mut memory,
            )?;
        }
        Ok(checked.map(std::thread::ScopedJoinHandle::join))
    })?;
    if let Some(checked) = checked {
        checked.map_err(|_| Refusal::new("no-vcs", "the thread that runs git panicked"))??;
        if let Some(approval) = approval {
            approval(&Report {
                command,
                task: &planned.task,
                landmarks: &planned.landmarks,
                plan: &planned.plan,
                changes: &changes,
                applied,
                proposed,
            })?;
            proposed = true;
        }
        Writer {
            proof: Proof {
                shell,
                workspace: &workspace,
                depth: writing.verify,
                cargo: &cargo,
            },
            command,
            state: &state,
            guards,
        }
        .write(&mut planned, &mut changes)?;
        applied = true;
    }
    Ok(Scaffolded {
        workspace,
        _memory: memory,
        planned,
        changes,
        applied,
        proposed,
    })
}

/// A request with its plan.
pub(super) struct Planned {
    pub(super) task: Task,
    pub(super) landmarks: Landmarks,
    pub(super) plan: Plan,
}

/// Plans requests on workspaces that are nearly the same.
pub(super) struct Planner<'a> {
    config: &'a Config,
    rustfmt: Rustfmt,
    memory: Memory,
}

impl<'a> Planner<'a> {
    /// A planner for a workspace and what becomes of it; `read` is what was read of it.
    pub(super) fn new(workspace: &Workspace, config: &'a Config, read: index::Memory) -> Self {
        Self {
            config,
            rustfmt: Rustfmt::new(&workspace.root, workspace.usual_edition()).started(),
            memory: Memory {
                read,
                formatted: BTreeMap::new(),
            },
        }
    }

    /// What `request` comes to on the workspace.
    pub(super) fn plan(&mut self, workspace: &Workspace, request: TaskRequest) -> Outcome<Planned> {
        let asked = Asked::Task(Box::new(request));
        let nothing = |_: &str, _: &str, _: Range<usize>, _: &[String]| Ok(BTreeMap::new());
        let Self {
            config,
            rustfmt,
            memory,
        } = self;
        plan(workspace, config, asked, &nothing, rustfmt, memory)
    }

    /// Proves that `request` lacks nothing once `changes` are made.
    pub(super) fn converges(
        &mut self,
        workspace: &Workspace,
        request: &TaskRequest,
        changes: &[FileChange],
    ) -> Outcome<()> {
        let Self {
            config,
            rustfmt,
            memory,
        } = self;
        converges(workspace, config, request, changes, rustfmt, memory)
    }

    /// The enum, and an index of the workspace.
    pub(super) fn index<'w>(
        &mut self,
        workspace: &'w Workspace,
    ) -> Outcome<(landmarks::SpecEnum, index::Index<'w>)> {
        super::index(
            workspace,
            self.config,
            std::mem::take(&mut self.memory.read),
        )
    }

    /// Keeps what an index read.
    pub(super) fn remember(&mut self, index: Index<'_>) {
        self.memory.read = index.into_memory();
    }
}

/// What a second plan on nearly the same files need not do again.
#[derive(Default)]
struct Memory {
    read: index::Memory,
    formatted: BTreeMap<String, String>,
}

fn plan(
    workspace: &Workspace,
    config: &Config,
    asked: Asked,
    compiler: &Compiler<'_>,
    rustfmt: &mut Rustfmt,
    memory: &mut Memory,
) -> Outcome<Planned> {
    let read = std::mem::take(&mut memory.read);
    let (spec, index) = super::index(workspace, config, read)?;
    let mut notes = Vec::new();
    let request = match asked {
        Asked::Task(request) => *request,
        Asked::Site(asked) => {
            let (landmarks, site) = beside(
                || landmarks::discover(&index, &spec, config),
                || migrate::site(&index, config, &asked),
            );
            let (landmarks, site) = (landmarks?, site?);
            let (request, migration) = migrate::derive(&index, &landmarks, site, &asked, compiler)?;
            let mut task = Task::resolve(&index, &spec, request, &mut notes)?;
            task.migration = Some(migration);
            let found = (task, landmarks, notes);
            let planned = plan_on(&index, found, rustfmt, memory)?;
            memory.read = index.into_memory();
            return Ok(planned);
        }
    };
    // One thread finds the landmarks; this one looks at what was asked for.
    let (landmarks, task) = beside(
        || landmarks::discover(&index, &spec, config),
        || Task::resolve(&index, &spec, request, &mut notes),
    );
    let found = (task?, landmarks?, notes);
    let planned = plan_on(&index, found, rustfmt, memory)?;
    memory.read = index.into_memory();
    Ok(planned)
}

/// Plans on what is read of the workspace, and proves the files that the plan edits.
fn plan_on(
    index: &Index<'_>,
    (mut task, landmarks, mut notes): (Task, Landmarks, Vec<Note>),
    rustfmt: &mut Rustfmt,
    memory: &mut Memory,
) -> Outcome<Planned> {
    let workspace = index.workspace;
    if let Some((key, place)) = pieces::standing_key(index, &landmarks.executor, &task)? {
        if task.request.key.as_ref().is_some_and(|asked| *asked != key) {
            notes.push(Note::left_alone("--key", place));
        }
        task.key = key;
    }
    notes.extend(landmarks.notes.iter().cloned());
    let mut plan = pieces::plan(&Context {
        index,
        landmarks: &landmarks,
        task: &task,
    })?;
    notes.append(&mut plan.notes);
    notes.sort_by_key(|note| note.code != "new-edge");
    plan.notes = notes;
    let member = workspace.member(&landmarks.executor.package);
    rustfmt.set_edition(member.map_or(EDITION, |member| member.edition.as_str()));
    let edited: BTreeSet<&str> = plan.edited().into_iter().collect();
    let edited = edited.into_iter().map(|path| index.facts(path));
    let edited = edited.collect::<Outcome<Vec<_>>>()?;
    // rustfmt is another process: while it works, so do we.
    let (proved, finished) = beside(
        || index::prove(&edited),
        || plan.finish(rustfmt, &mut memory.formatted),
    );
    finished?;
    proved?;
    Ok(Planned {
        task,
        landmarks,
        plan,
    })
}

/// Plans again on the files as they would be: every edited file must parse, and nothing may be
/// missing any more.
fn converges(
    workspace: &Workspace,
    config: &Config,
    request: &TaskRequest,
    changes: &[FileChange],
    rustfmt: &mut Rustfmt,
    memory: &mut Memory,
) -> Outcome<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let after = workspace.with(changes);
    let request = Asked::Task(Box::new(request.clone()));
    // A request asks the compiler nothing.
    let nothing = |_: &str, _: &str, _: Range<usize>, _: &[String]| Ok(BTreeMap::new());
    let planned = plan(&after, config, request, &nothing, rustfmt, memory)?;
    if planned.plan.is_complete() {
        return Ok(());
    }
    let missing: Vec<String> = planned
        .plan
        .steps
        .iter()
        .filter(|step| step.state == crate::plan::State::Pending)
        .map(|step| format!("{} in {}", step.title, step.path))
        .collect();
    Err(Refusal::new(
        "not-convergent",
        format!("a second run would still add: {}", missing.join(", ")),
    )
    .help("this is a bug of the tool; nothing was written"))
}
