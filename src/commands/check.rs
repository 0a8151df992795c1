//! `check`: the rules that are kept, for CI.

use std::path::Path;

use super::Opened;
use super::files::{inside, write};
use crate::check::{self, Baseline, Checked};
use crate::cli::{Check, Common};
use crate::index::{Index, Memory};
use crate::landmarks::{Config, SpecEnum};
use crate::note::{Outcome, Refusal};
use crate::report::{self, Recording, Shell};
use crate::snapshot::{self, text};
use crate::workspace::{SourceFile, Workspace};

/// Runs the command; `true` where nothing is found.
pub(super) fn run(shell: &Shell, common: &Common, args: &Check) -> Outcome<bool> {
    let (opened, _) = super::open(shell, common, |_| ())?;
    let Opened {
        workspace,
        config,
        memory,
    } = opened;
    let baseline = args.baseline.as_deref().map(read).transpose()?;
    let (spec, index) = match super::index(&workspace, &config, memory) {
        Ok((spec, index)) => (Some(spec), index),
        // Without the enum there is still what is spawned; one that is named must be there.
        Err(e) if e.code == "no-enum" && config.get("task-spec").is_none() => {
            (None, Index::new(&workspace, Memory::default()))
        }
        Err(e) => return Err(e),
    };
    let mut checked = check::check(&index, spec.as_ref(), &config)?;
    if let (true, Some(spec)) = (args.pending, &spec) {
        pending(shell, &workspace, spec, &config)?;
    }
    if let Some(path) = &args.write_baseline {
        for note in &checked.notes {
            shell.note(note);
        }
        let recording = record(&workspace, path, &checked)?;
        report::recorded(shell, common.format, "check", &recording);
        return Ok(true);
    }
    let gone = baseline.map(|baseline| baseline.take(&mut checked.findings));
    report::check(shell, common.format, &checked, &gone.unwrap_or_default());
    let is_clean = checked.findings.is_empty();
    // The process ends here: to free a whole workspace first would only take its time.
    std::mem::forget(index);
    Ok(is_clean)
}

fn read(path: &Path) -> Outcome<Baseline> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|e| {
        Refusal::new("read", format!("cannot read the baseline `{shown}`: {e}"))
            .help("write it first: `cargo oxy-task check --write-baseline FILE`")
    })?;
    Baseline::parse(&SourceFile {
        path: shown,
        absolute: path.to_path_buf(),
        text,
    })
}

/// Writes what is found as known.
fn record(workspace: &Workspace, path: &Path, checked: &Checked) -> Outcome<Recording> {
    let path = inside(workspace, path)?;
    let mut recording = Recording::default();
    if write(workspace, &path, &Baseline::of(&checked.findings).text())? {
        recording.written.push(path);
    }
    Ok(recording)
}

/// Writes what the snapshots would be beside them, for `cargo insta review`.
fn pending(shell: &Shell, workspace: &Workspace, spec: &SpecEnum, config: &Config) -> Outcome<()> {
    let recorded = snapshot::recorded(workspace, config.snapshots())?;
    let mut count = 0;
    for of in snapshot::standing(spec, config.snapshots(), &recorded) {
        if of.is_recorded() {
            continue;
        }
        let text = text::render(&of.record, &spec.fact.name, &spec.facts.file.path);
        let path = format!("{}.new", of.path);
        write(workspace, &path, &text)?;
        shell.status("Wrote", &path);
        count += 1;
    }
    if count > 0 {
        // cargo-insta looks into the folders of packages, and nowhere else.
        let is_in_package = workspace.member_of(&format!("{}/a.snap", config.snapshots()));
        let how = match is_in_package {
            Some(_) => "review them with `cargo insta review --workspace`",
            None => {
                "accept them with `cargo oxy-task list --write-snapshot`; for `cargo insta review`, which looks into packages alone, set `snapshots` to a folder of one"
            }
        };
        shell.attention("To do", how);
    }
    Ok(())
}
