//! `repair`: plans recorded tasks again, and adds what is missing.

use super::Opened;
use super::new::{Planned, Planner};
use super::proof::Proof;
use super::write::packages;
use crate::apply::{self, Entry, Journal};
use crate::cli::{self, Common, Repair};
use crate::edit::{self, CALL_SITE, FileChange};
use crate::landmarks::SpecEnum;
use crate::note::{Note, Outcome, Refusal};
use crate::removal::doubled;
use crate::report::{self, Repaired, Shell};
use crate::request::TaskRequest;
use crate::snapshot::pieces::places;
use crate::snapshot::{self, Record, Recorded};
use crate::suggest;
use crate::workspace::Workspace;

/// Runs the command: all tasks or none.
pub(super) fn run(shell: &Shell, common: &Common, args: &Repair) -> Outcome<()> {
    let writing = &args.writing;
    writing.check()?;
    let (opened, _) = super::open(shell, common, |_| ())?;
    let Opened {
        workspace,
        config,
        memory,
    } = opened;
    let mut planner = Planner::new(&workspace, &config, memory);
    let (spec, index) = planner.index(&workspace)?;
    let recorded = snapshot::recorded(&workspace, config.snapshots())?;
    let chosen = chosen(&spec, &recorded, args.variant.as_deref())?;
    for of in &chosen {
        doubled::check(&index, &spec, &of.record)?;
    }
    planner.remember(index);
    let mut after = workspace.with(&[]);
    let mut changes: Vec<FileChange> = Vec::new();
    let mut tasks: Vec<Planned> = Vec::new();
    let mut requests: Vec<TaskRequest> = Vec::new();
    for of in &chosen {
        let scaffolded = of.record.scaffolded.clone().unwrap_or_default();
        let request = cli::recorded_request(&scaffolded.request)?;
        let mut planned = planner.plan(&after, request.clone())?;
        let brings = planned.plan.changes()?;
        keeps_work(of, &planned, &brings)?;
        after = after.with(&brings);
        for change in brings {
            join(&mut changes, change)?;
        }
        planned.plan.notes.extend(lost(&after, &of.record)?);
        tasks.push(planned);
        requests.push(request);
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    for request in &requests {
        planner.converges(&workspace, request, &changes)?;
    }
    let applied = !writing.dry_run && !changes.is_empty();
    if applied {
        let state = workspace.state();
        apply::check(&workspace.root, &state, &changes, writing.guards())?;
        let cargo = common.cargo();
        let proof = Proof {
            shell,
            workspace: &workspace,
            depth: writing.verify,
            cargo: &cargo,
        };
        let files = changes.iter().map(Entry::of).collect();
        let [name, tag] = match tasks.as_slice() {
            [one] => [&*one.task.request.variant, &*one.task.tag],
            _ => ["", ""],
        };
        let journal = Journal::of("repair", name, tag, files);
        let commit = || {
            let blocked = || shell.blocked();
            apply::commit(&workspace.root, &state, journal.clone(), blocked)
        };
        let packages = || {
            let landmarks = tasks.last().map(|of| &of.landmarks);
            landmarks.map_or_else(Vec::new, |of| packages(&workspace, of, &changes))
        };
        proof.run(&packages, &commit, &|_| Ok(false))?;
    }
    let tasks: Vec<_> = tasks.iter().map(|of| (&of.task, &of.plan)).collect();
    report::repaired(
        shell,
        common.format,
        &Repaired {
            tasks: &tasks,
            changes: &changes,
            applied,
        },
    );
    Ok(())
}

/// The records that are planned again; refuses a variant of which there is none.
fn chosen<'r>(
    spec: &SpecEnum,
    recorded: &'r [Recorded],
    variant: Option<&str>,
) -> Outcome<Vec<&'r Recorded>> {
    let scaffolded = recorded.iter().filter(|of| of.record.scaffolded.is_some());
    let Some(variant) = variant else {
        return Ok(scaffolded.collect());
    };
    let is_it = |of: &&Recorded| of.record.form.variant == variant;
    let chosen: Vec<&Recorded> = scaffolded.clone().filter(is_it).collect();
    if chosen.is_empty() {
        let message = format!("nothing records how `{variant}` was scaffolded");
        let known = scaffolded.map(|of| of.record.form.variant.as_str());
        let is_misspelt = spec.variant(variant).is_none();
        let meant = is_misspelt.then(|| suggest::did_you_mean(variant, known));
        let help = meant.flatten().unwrap_or_else(|| {
            "run the `cargo oxy-task new` that made it once more: it adds what is missing"
                .to_owned()
        });
        return Err(Refusal::new("not-recorded", message)
            .at(spec.facts.place(&spec.fact.name_range))
            .help(help));
    }
    Ok(chosen)
}

/// Refuses a task whose work was moved from a spawn and whose module is gone: a new one would not
/// know that work.
fn keeps_work(of: &Recorded, planned: &Planned, changes: &[FileChange]) -> Outcome<()> {
    let pieces = of.record.scaffolded.iter().flat_map(|of| &of.pieces);
    let Some(site) = pieces.clone().find(|piece| piece.kind == CALL_SITE) else {
        return Ok(());
    };
    let module = planned.task.module();
    let module = planned
        .landmarks
        .executor
        .task_file(module.trim_start_matches("r#"));
    let mut made = changes.iter().filter(|change| change.before.is_none());
    if !made.any(|change| change.path == module) {
        return Ok(());
    }
    let variant = &of.record.form.variant;
    let message = format!(
        "`{module}` is gone, by which `{variant}` runs the work that was moved in `{}`",
        site.path
    );
    Err(Refusal::new("module-lost", message)
        .at(of.file.place(&(0..3)))
        .help("take that file back from version control, and run the command again"))
}

/// Adds a change to those that were planned before it.
fn join(changes: &mut Vec<FileChange>, change: FileChange) -> Outcome<()> {
    match changes.iter_mut().find(|known| known.path == change.path) {
        Some(known) => *known = edit::compose(known, change)?,
        None => changes.push(change),
    }
    Ok(())
}

/// What is recorded of a task that was moved, and is neither there nor planned by a request alone.
fn lost(workspace: &Workspace, record: &Record) -> Outcome<Vec<Note>> {
    let mut notes = Vec::new();
    for piece in record.scaffolded.iter().flat_map(|of| &of.pieces) {
        let is_of_site = matches!(piece.kind.as_str(), "registration" | CALL_SITE);
        if !is_of_site || piece.text.is_none() {
            continue;
        }
        let file = workspace.file_if_any(&piece.path)?;
        if file.is_some_and(|file| !places(piece, &file).is_empty()) {
            continue;
        }
        let (variant, path) = (&record.form.variant, &piece.path);
        let what = piece.kind.replace('_', " ");
        let message = format!("a {what} of `{variant}` is not in `{path}` as it was recorded");
        notes.push(
            Note::warning("piece-gone", message)
                .help("look whether a merge lost it; a request alone does not bring it back"),
        );
    }
    Ok(notes)
}
