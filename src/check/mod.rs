//! The rules that are kept: each a file, all read from the workspace alone, without a compiler.

mod baseline;
mod dedupe;
mod enqueues;
mod executor;
mod finding;
mod handler_spawns;
mod justification;
mod policy;
mod secrets;
mod status;
mod tests_of_task;
mod tokens;
mod wire;

pub use baseline::Baseline;
pub use finding::{Finding, Level, RULES};

use crate::index::Index;
use crate::landmarks::{self, Config, Landmarks, SpecEnum};
use crate::note::{Note, Outcome, Refusal};
use crate::snapshot::{Recorded, recorded};
use enqueues::Enqueues;

/// What the rules find.
#[derive(Default)]
pub struct Checked {
    /// The findings, in the order of files, lines and rules.
    pub findings: Vec<Finding>,
    /// What is worth saying, and what could not be decided.
    pub notes: Vec<Note>,
    /// Rules that could not be looked at.
    pub unchecked: Vec<&'static str>,
}

/// What the rules about variants read.
struct Reading<'a> {
    index: &'a Index<'a>,
    landmarks: &'a Landmarks,
    steps: &'a [landmarks::VariantSteps],
    enqueues: &'a Enqueues,
}

/// Rules that need more than the enum.
const OF_LANDMARKS: [&str; 5] = ["OXT002", "OXT004", "OXT005", "OXT006", "OXT007"];

/// Checks a workspace; one without the enum is checked for what it spawns alone.
pub fn check(index: &Index<'_>, spec: Option<&SpecEnum>, config: &Config) -> Outcome<Checked> {
    let mut checked = Checked::default();
    handler_spawns::check(index, config, &mut checked)?;
    let Some(spec) = spec else {
        let message = "there is no `TaskSpec` here: only what is spawned was checked";
        let note = Note::warning("unchecked", message).help(
            "name the enum with `task-spec` in [workspace.metadata.oxy-task], if there is one",
        );
        checked.notes.push(note);
        checked.unchecked = RULES.iter().map(|rule| rule.id).skip(1).collect();
        return Ok(finish(checked));
    };
    secrets::check(spec, &mut checked);
    let recorded = recorded(index.workspace, config.snapshots())?;
    of_wire(spec, config, &recorded, &mut checked);
    match landmarks::discover(index, spec, config) {
        Ok(landmarks) => of_landmarks(index, &landmarks, &mut checked)?,
        Err(refusal) => unchecked(&refusal, &mut checked),
    }
    Ok(finish(checked))
}

fn of_wire(spec: &SpecEnum, config: &Config, recorded: &[Recorded], checked: &mut Checked) {
    wire::check(spec, recorded, &mut checked.findings);
    let standing = crate::snapshot::standing(spec, config.snapshots(), recorded);
    let unknown = standing.iter().filter(|of| of.recorded.is_none()).count();
    if unknown > 0 {
        let of = format!("{unknown} of {} variants", standing.len());
        let message = format!("{of} have no recorded snapshot: OXT008 finds no change of them");
        checked.notes.push(
            Note::warning("unrecorded", message)
                .at(spec.facts.place(&spec.fact.name_range))
                .help(
                    "record them with `cargo oxy-task list --write-snapshot`, and commit the files",
                ),
        );
    }
}

fn of_landmarks(index: &Index<'_>, landmarks: &Landmarks, checked: &mut Checked) -> Outcome<()> {
    let steps = landmarks::steps(index, landmarks)?;
    let enqueues = Enqueues::read(index, landmarks)?;
    let reading = Reading {
        index,
        landmarks,
        steps: &steps,
        enqueues: &enqueues,
    };
    executor::check(&reading, checked);
    dedupe::check(&reading, checked)?;
    policy::check(&reading, checked)?;
    status::check(&reading, checked)?;
    tests_of_task::check(&reading, checked)?;
    Ok(())
}

/// Says which rules were left out, and why.
fn unchecked(refusal: &Refusal, checked: &mut Checked) {
    let message = format!(
        "{} were not checked: {}",
        OF_LANDMARKS.join(", "),
        refusal.message
    );
    let mut note = Note::warning("unchecked", message);
    note.place.clone_from(&refusal.place);
    note.help.clone_from(&refusal.help);
    checked.notes.push(note);
    checked.unchecked = OF_LANDMARKS.to_vec();
}

/// One order, whatever found what.
fn finish(mut checked: Checked) -> Checked {
    checked.findings.sort_by(|a, b| a.order().cmp(&b.order()));
    checked.findings.dedup();
    checked
}

#[cfg(test)]
mod tests {
    use super::RULES;

    #[test]
    fn every_rule_of_the_list_is_looked_at() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/check");
        let texts = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
        let texts: String = texts.collect();
        for rule in RULES {
            assert!(
                texts.contains(&format!("rule: \"{}\",", rule.id)),
                "{}",
                rule.id
            );
        }
    }
}
