//! `list`: what each variant has, as it stands.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{CLONE, Fleet};
use serde_json::Value;

const MODULE: &str = "crates/agentic/pipeline/src/executor/tasks/clone_repository.rs";

/// The object of one variant.
fn listed(fleet: &Fleet, variant: &str) -> Value {
    let object: Value =
        serde_json::from_str(&fleet.done(&["list", "--format", "json"]).stdout).unwrap();
    let variants = object["variants"].as_array().unwrap();
    let mut found = variants.iter().filter(|v| v["name"] == variant);
    found.next().unwrap().clone()
}

/// What `present` says of each step, in the guideline's order.
fn steps(variant: &Value) -> Vec<Option<bool>> {
    let steps = variant["steps"].as_object().unwrap().values();
    steps.map(|step| step["present"].as_bool()).collect()
}

#[test]
fn a_scaffolded_task_has_all_seven_steps_until_one_is_taken_away() {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    let variant = listed(&fleet, "CloneRepository");
    assert_eq!(steps(&variant), [Some(true); 7]);
    assert_eq!(variant["tag"], "clone_repository");
    assert_eq!(variant["work"], false);
    let text = fleet.read(MODULE);
    for (step, line) in [
        ("enqueue", "pub async fn enqueue("),
        ("status", "pub(super) const TABLE"),
        ("idempotency", "pub fn idempotency_key("),
        ("policy", "pub fn policy("),
        ("tests", "async fn finished_work_is_done("),
    ] {
        let step = &variant["steps"][step];
        assert_eq!(step["path"], MODULE);
        let at = usize::try_from(step["line"].as_u64().unwrap()).unwrap();
        let found = text.lines().nth(at - 1).unwrap();
        assert!(found.contains(line), "{step}: {found}");
    }

    // A test that is one no more, a key that went.
    fleet.replace(
        MODULE,
        "    #[tokio::test]\n    async fn finished_work",
        "    async fn finished_work",
    );
    fleet.replace(MODULE, "pub fn idempotency_key(", "pub fn key(");
    let variant = listed(&fleet, "CloneRepository");
    let expected = [true, true, true, true, false, true, false].map(Some);
    assert_eq!(steps(&variant), expected);
}

#[test]
fn what_does_not_apply_is_said() {
    let fleet = Fleet::new();
    // Only the coordinator builds it.
    let internal = listed(&fleet, "WorkflowDecision");
    let expected = [Some(true), Some(true), None, None, None, None, Some(false)];
    assert_eq!(steps(&internal), expected);
    assert_eq!(internal["work"], Value::Null);
    // A handler builds this one, and neither gives it a key nor a policy.
    let by_hand = listed(&fleet, "Agent");
    assert_eq!(
        steps(&by_hand)[2..6],
        [Some(true), None, Some(false), Some(false)]
    );
    let site = by_hand["steps"]["enqueue"]["path"].as_str().unwrap();
    let line = by_hand["steps"]["enqueue"]["line"].as_u64().unwrap();
    let text = fleet.read(site);
    let line = text
        .lines()
        .nth(usize::try_from(line).unwrap() - 1)
        .unwrap();
    assert!(line.contains("TaskSpec::Agent"), "{line}");

    // Without --status no column is asked for.
    fleet.done(&["new", "Ping", "--allow-dirty"]);
    let expected = [true, true, true, false, true, true, true];
    let found = steps(&listed(&fleet, "Ping"));
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(*found, (at != 3).then_some(expected), "step {at}");
    }
}

#[test]
fn people_see_a_table() {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    let ran = fleet.done(&["list", "--color", "never"]);
    insta::with_settings!(
        { snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("terminal__list", format!("{}{}", ran.stdout, ran.stderr)) }
    );
    let sheet = fleet.done(&["list", "--format", "markdown"]).stdout;
    assert!(
        sheet.starts_with("| variant | tag | variant | executor |"),
        "{sheet}"
    );
    assert!(
        sheet.contains("| `CloneRepository` | `clone_repository` | yes | yes |"),
        "{sheet}"
    );
}
