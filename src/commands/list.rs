//! `list`: every variant, and which of the seven steps each has; the review sheet of one; and the
//! snapshots of all.

use super::Opened;
use super::files::write;
use crate::check;
use crate::cli::{Common, Format, List};
use crate::index::Index;
use crate::landmarks::{self, Config, SpecEnum};
use crate::note::{Outcome, Refusal};
use crate::report::{self, Recording, Sheet, Shell};
use crate::snapshot::{self, text};
use crate::workspace::Workspace;

/// Runs the command.
pub(super) fn run(shell: &Shell, common: &Common, args: &List) -> Outcome<()> {
    let (opened, _) = super::open(shell, common, |_| ())?;
    let Opened {
        workspace,
        config,
        memory,
    } = opened;
    let (spec, index) = super::index(&workspace, &config, memory)?;
    if args.write_snapshot {
        let recording = record(&workspace, &spec, &config)?;
        report::recorded(shell, common.format, "list", &recording);
        return Ok(());
    }
    if let Some(variant) = &args.variant
        && spec.variant(variant).is_none()
    {
        return Err(spec.no_variant(variant));
    }
    let landmarks = landmarks::discover(&index, &spec, &config)?;
    let mut variants = landmarks::steps(&index, &landmarks)?;
    if let Some(variant) = &args.variant {
        variants.retain(|of| of.name == *variant);
        if common.format == Format::Markdown
            && let [of] = variants.as_slice()
        {
            let sheet = sheet(&index, &spec, &config, of)?;
            shell.product(&sheet);
            return Ok(());
        }
    }
    report::list(shell, common.format, &variants);
    Ok(())
}

/// The review sheet of a variant as it stands.
fn sheet(
    index: &Index<'_>,
    spec: &SpecEnum,
    config: &Config,
    variant: &landmarks::VariantSteps,
) -> Outcome<String> {
    let workspace = index.workspace;
    let recorded = snapshot::recorded(workspace, config.snapshots())?;
    let standing = snapshot::standing(spec, config.snapshots(), &recorded);
    let Some(of) = standing.iter().find(|of| of.variant.name == variant.name) else {
        return Ok(String::new());
    };
    let mut findings = check::check(index, Some(spec), config)?.findings;
    let about = format!("{}::{}", spec.fact.name, variant.name);
    findings.retain(|of| of.function == about || of.tokens == variant.name);
    let read = |path: &str| {
        let file = workspace.read_if_any(path).ok().flatten();
        file.map(|file| file.text)
    };
    Ok(report::sheet(&Sheet {
        variant,
        standing: of,
        findings: &findings,
        read: &read,
    }))
}

/// Records the wire form of every variant.
fn record(workspace: &Workspace, spec: &SpecEnum, config: &Config) -> Outcome<Recording> {
    let recorded = snapshot::recorded(workspace, config.snapshots())?;
    let mut recording = Recording::default();
    for of in snapshot::standing(spec, config.snapshots(), &recorded) {
        if !of.is_recorded() {
            let text = text::render(&of.record, &spec.fact.name, &spec.facts.file.path);
            write(workspace, &of.path, &text)?;
            recording.written.push(of.path.clone());
            // What was pending is accepted with that.
            let pending = format!("{}.new", of.path);
            let is_it = workspace.read_if_any(&pending)?;
            if is_it.is_some_and(|pending| pending.text == text) {
                remove(workspace, &pending)?;
                recording.removed.push(pending);
            }
        }
        // The record of the same variant under the tag that it had before.
        let name = &of.variant.name;
        let is_old = |known: &&snapshot::Recorded| {
            known.record.form.variant == *name && known.file.path != of.path
        };
        for old in recorded.iter().filter(is_old) {
            let path = &old.file.path;
            remove(workspace, path)?;
            recording.removed.push(path.clone());
        }
    }
    Ok(recording)
}

fn remove(workspace: &Workspace, path: &str) -> Outcome<()> {
    std::fs::remove_file(workspace.root.join(path))
        .map_err(|e| Refusal::new("write", format!("cannot remove `{path}`: {e}")))
}
