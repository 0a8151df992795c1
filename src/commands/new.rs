//! `new`: scaffolds a task.

use std::collections::{BTreeMap, BTreeSet};

use super::Opened;
use crate::apply::{self, Guards};
use crate::cli::{Common, Writing};
use crate::edit::FileChange;
use crate::format::Rustfmt;
use crate::index;
use crate::landmarks::{self, Config, Coverage, Landmarks};
use crate::note::{Outcome, Refusal};
use crate::pieces;
use crate::plan::Plan;
use crate::report::{Report, Shell};
use crate::request::TaskRequest;
use crate::task::{Context, Task};
use crate::verify::{Depth, Verifier};
use crate::workspace::Workspace;

/// Runs the command.
pub(super) fn run(
    shell: &Shell,
    common: &Common,
    writing: &Writing,
    request: TaskRequest,
) -> Outcome<()> {
    if writing.dry_run && writing.verify != Depth::None {
        return Err(Refusal::usage(
            "verify",
            "--dry-run writes nothing that --verify could prove",
        )
        .help("leave one of the two out"));
    }
    let Opened {
        workspace,
        config,
        memory,
    } = super::open(common)?;
    let mut memory = Memory {
        read: memory,
        formatted: BTreeMap::new(),
    };
    let mut rustfmt = Rustfmt::new(&workspace.root, workspace.usual_edition()).started();
    let planned = plan(&workspace, &config, request, &mut rustfmt, &mut memory)?;
    let changes = planned.plan.changes()?;
    let mut applied = false;
    // What is only shown needs no proof that a second run finds nothing to add; while the tool
    // is tested it gets one all the same.
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
    if !writing.dry_run && !planned.plan.is_complete() {
        let target = workspace.target.clone();
        let guards = Guards {
            dirty: writing.allow_dirty,
            staged: writing.allow_staged || writing.allow_dirty,
            no_vcs: writing.allow_no_vcs,
        };
        apply::check(&workspace.root, &target, &changes, guards)?;
        write(
            shell,
            common,
            writing.verify,
            &workspace,
            &planned.landmarks,
            &changes,
        )?;
        applied = true;
    }
    Report {
        command: "new",
        task: &planned.task,
        landmarks: &planned.landmarks,
        plan: &planned.plan,
        changes: &changes,
        applied,
    }
    .show(shell, common.format);
    // The process ends here: to free a whole workspace first would only take its time.
    std::mem::forget((workspace, memory, planned, changes));
    Ok(())
}

/// A request with its plan.
struct Planned {
    task: Task,
    landmarks: Landmarks,
    plan: Plan,
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
    request: TaskRequest,
    rustfmt: &mut Rustfmt,
    memory: &mut Memory,
) -> Outcome<Planned> {
    let read = std::mem::take(&mut memory.read);
    let (spec, index) = super::index(workspace, config, read)?;
    let mut notes = Vec::new();
    let task = Task::resolve(&index, &spec, request, &mut notes)?;
    let landmarks = landmarks::discover(&index, spec, config)?;
    notes.extend(landmarks.notes.iter().cloned());
    let mut plan = pieces::plan(&Context {
        index: &index,
        landmarks: &landmarks,
        task: &task,
    })?;
    notes.append(&mut plan.notes);
    notes.sort_by_key(|note| note.code != "new-edge");
    plan.notes = notes;
    let member = workspace.member(&landmarks.executor.package);
    rustfmt.set_edition(member.map_or("2024", |member| member.edition.as_str()));
    let edited = plan.edited().into_iter().map(|path| index.facts(path));
    let edited = edited.collect::<Outcome<Vec<_>>>()?;
    // rustfmt is another process: while it works, so do we.
    let (finished, proved) = std::thread::scope(|scope| {
        let proved = scope.spawn(|| index::prove(&edited));
        (plan.finish(rustfmt, &mut memory.formatted), proved.join())
    });
    finished?;
    proved.map_err(|_| Refusal::new("parse", "the thread that parses panicked"))??;
    memory.read = index.into_memory();
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
    let planned = plan(&after, config, request.clone(), rustfmt, memory)?;
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

fn write(
    shell: &Shell,
    common: &Common,
    depth: Depth,
    workspace: &Workspace,
    landmarks: &Landmarks,
    changes: &[FileChange],
) -> Outcome<()> {
    if depth == Depth::None {
        apply::commit(&workspace.root, &workspace.target, changes)?;
        return Ok(());
    }
    let cargo = common.cargo();
    let verifier = Verifier {
        root: &workspace.root,
        packages: packages(workspace, landmarks, changes),
        cargo: &cargo,
    };
    shell.status(
        "Checking",
        &format!("{} as before the change", verifier.packages.join(", ")),
    );
    let before = verifier.check()?;
    if !before.errors.is_empty() {
        shell.attention(
            "Before",
            &format!("{} errors stand that do not count", before.errors.len()),
        );
    }
    let mut written = apply::commit(&workspace.root, &workspace.target, changes)?;
    shell.status("Checking", "the same with the change");
    let after = match verifier.check() {
        Ok(after) => after,
        Err(refusal) => {
            written.roll_back()?;
            return Err(refusal);
        }
    };
    let errors = after.beyond(&before);
    if !errors.is_empty() {
        let shown = errors.join("\n");
        written.roll_back()?;
        return Err(Refusal::new("verify", format!("the result does not compile; every file was put back\n{shown}"))
            .help("a match that rustc names (E0004) and the tool did not see needs its arm by hand; anything else is a bug of the tool"));
    }
    if depth == Depth::Test {
        shell.status("Testing", &verifier.packages.join(", "));
        let (passed, failed, output) = verifier.test()?;
        if !passed {
            written.roll_back()?;
            let (before_passed, known, _) = verifier.test()?;
            let new: Vec<&String> = failed.difference(&known).collect();
            if before_passed || failed.is_empty() || !new.is_empty() {
                return Err(Refusal::new(
                    "verify",
                    format!("tests fail; every file was put back\n{output}"),
                )
                .help("the tests above fail only with the change"));
            }
            shell.attention(
                "Before",
                &format!("{} tests fail that failed before", known.len()),
            );
            apply::commit(&workspace.root, &workspace.target, changes)?;
        }
    }
    Ok(())
}

/// Packages whose files change, and those that match over the enum.
fn packages(workspace: &Workspace, landmarks: &Landmarks, changes: &[FileChange]) -> Vec<String> {
    let matching = landmarks
        .matches
        .iter()
        .filter(|site| site.coverage != Coverage::Undecided(""))
        .map(|site| site.facts.file.path.as_str());
    let names: BTreeSet<String> = changes
        .iter()
        .map(|change| change.path.as_str())
        .filter(|path| path.contains('/'))
        .chain(matching)
        .filter_map(|path| workspace.member_of(path))
        .map(|member| member.name.clone())
        .collect();
    names.into_iter().collect()
}
