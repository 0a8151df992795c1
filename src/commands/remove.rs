//! `remove`: takes a scaffolded task out again.

use std::sync::Arc;

use super::Opened;
use super::new::Planner;
use super::proof::Proof;
use crate::apply::{self, Entry, Journal};
use crate::cli::{self, Common, Remove};
use crate::edit::FileChange;
use crate::landmarks::SpecEnum;
use crate::note::{Outcome, Refusal};
use crate::removal::{self, Asked, Edited, Removal};
use crate::report::{self, Removed, Shell};
use crate::snapshot::{self, Record, Recorded};
use crate::workspace::{SourceFile, Workspace};

/// Runs the command.
pub(super) fn run(shell: &Shell, common: &Common, args: &Remove) -> Outcome<()> {
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
    let own = own(&spec, &recorded, &args.variant)?;
    let form = &own.record.form;
    let variant = snapshot::variant_of(&spec, form).unwrap_or_else(|| form.variant.clone());
    let is_other = |of: &&Recorded| {
        of.file.path != own.file.path
            && of.record.scaffolded.is_some()
            && snapshot::variant_of(&spec, &of.record.form).is_some()
    };
    let others: Vec<&Recorded> = recorded.iter().filter(is_other).collect();
    let asked = Asked {
        workspace: &workspace,
        spec: &spec,
        variant: &variant,
        own,
        others: &others,
        edited: if args.allow_edited {
            Edited::Goes
        } else {
            Edited::Refused
        },
    };
    let located = removal::located(&asked, &index)?;
    planner.remember(index);
    let planner = std::cell::RefCell::new(planner);
    let removal = removal::removal(
        &asked,
        &located,
        &mut |workspace, record| planned(&mut planner.borrow_mut(), workspace, record),
        &mut |workspace, look| {
            let (spec, index) = planner.borrow_mut().index(workspace)?;
            look(&index, &spec)?;
            planner.borrow_mut().remember(index);
            Ok(())
        },
    )?;
    if !writing.dry_run {
        let state = workspace.state();
        let standing = standing(&removal);
        apply::check_standing(&workspace.root, &state, &standing, writing.guards())?;
        let cargo = common.cargo();
        let proof = Proof {
            shell,
            workspace: &workspace,
            depth: writing.verify,
            cargo: &cargo,
        };
        let journal = journal(&removal, &variant, &form.tag);
        let commit = || {
            let blocked = || shell.blocked();
            let written = apply::commit(&workspace.root, &state, journal.clone(), blocked)?;
            Ok(written.without_empty_folders(&workspace.root))
        };
        let packages = || packages(&workspace, &spec, &standing);
        proof.run(&packages, &commit, &|_| Ok(false))?;
    }
    report::removed(
        shell,
        common.format,
        &Removed {
            spec: &spec.fact.name,
            variant: &variant,
            tag: &form.tag,
            removal: &removal,
            applied: !writing.dry_run,
        },
    );
    Ok(())
}

/// The record of the variant; refuses one that was not scaffolded.
fn own<'r>(spec: &SpecEnum, recorded: &'r [Recorded], variant: &str) -> Outcome<&'r Recorded> {
    let is_it = |of: &&Recorded| {
        let name = snapshot::variant_of(spec, &of.record.form);
        name.map_or(of.record.form.variant == variant, |name| name == variant)
    };
    let mut of_variant = recorded.iter().filter(is_it);
    let scaffolded = of_variant.find(|of| of.record.scaffolded.is_some());
    if let Some(own) = scaffolded {
        return Ok(own);
    }
    let Some(fact) = spec.variant(variant) else {
        return Err(spec.no_variant(variant));
    };
    let message = format!("nothing records how `{variant}` was scaffolded");
    Err(Refusal::new("not-recorded", message)
        .at(spec.facts.place(&fact.name_range))
        .help("take it out by hand; `cargo oxy-task new` keeps such a record of its tasks, to be committed"))
}

/// What a recorded task lacks in a workspace.
fn planned(
    planner: &mut Planner<'_>,
    workspace: &Workspace,
    record: &Record,
) -> Outcome<Vec<FileChange>> {
    let Some(scaffolded) = &record.scaffolded else {
        return Ok(Vec::new());
    };
    let request = cli::recorded_request(&scaffolded.request)?;
    planner.plan(workspace, request)?.plan.changes()
}

/// Files that are edited, and those that go.
fn standing(removal: &Removal) -> Vec<&SourceFile> {
    let edited = removal
        .changes
        .iter()
        .filter_map(|change| change.before.as_ref());
    let all = edited.chain(&removal.gone);
    all.map(Arc::as_ref).collect()
}

fn journal(removal: &Removal, variant: &str, tag: &str) -> Journal {
    let edited = removal.changes.iter().map(Entry::of);
    let gone = removal.gone.iter().map(|file| Entry::gone(file));
    Journal::of("remove", variant, tag, edited.chain(gone).collect())
}

/// Packages whose files change, and those that name the enum.
fn packages(workspace: &Workspace, spec: &SpecEnum, files: &[&SourceFile]) -> Vec<String> {
    let naming = workspace.files.values();
    let naming = naming.filter(|file| file.text.contains(&spec.fact.name));
    let paths = naming.map(|file| file.path.as_str());
    let paths = paths.chain(files.iter().map(|file| file.path.as_str()));
    workspace.packages_of(paths.filter(|path| path.contains('/')))
}
