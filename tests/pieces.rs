//! What each piece writes, as snapshots: a change of a template shows as a diff in `snapshots/`.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{CLONE, Fleet};

/// The diff of each file of a dry run, as `(path, hunks)`.
fn hunks(fleet: &Fleet, args: &[&str]) -> Vec<(String, String)> {
    let mut args = args.to_vec();
    args.extend(["--dry-run", "--quiet"]);
    let diff = fleet.done(&args).stdout;
    diff.split("diff --git a/")
        .skip(1)
        .map(|file| {
            let path = file.split(' ').next().unwrap().to_owned();
            let start = file.find("@@").unwrap();
            (path, file[start..].to_owned())
        })
        .collect()
}

fn snapshot(name: &str, text: &str) {
    insta::with_settings!(
        { snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!(name, text) }
    );
}

#[test]
fn the_first_task() {
    for (path, hunks) in hunks(&Fleet::new(), CLONE) {
        let piece = match path.as_str() {
            path if path.ends_with("core/src/delegation.rs") => "variant",
            path if path.ends_with("executor/mod.rs") => "executor_arm",
            path if path.ends_with("task_gate.rs") => "gate",
            path if path.ends_with("tasks/mod.rs") => "tasks_mod",
            path if path.ends_with("clone_repository.rs") => "task_module",
            path if path.ends_with("dead_letters.rs") => "dead_letters",
            path if path.ends_with("tasks/journal.rs") => "journal",
            path if path.ends_with("tasks/secrets.rs") => "secrets",
            path if path.ends_with("tasks/status_table.rs") => "status_table",
            path if path.ends_with("queue_tests.rs") => "gate_test",
            path if path.ends_with("coordinator/mod.rs") => "arms",
            path if path.ends_with("Cargo.lock") => "dependencies",
            _ => continue,
        };
        snapshot(&format!("{piece}__clone_repository"), &hunks);
    }
}

#[test]
fn a_task_without_fields_or_status() {
    for (path, hunks) in hunks(
        &Fleet::new(),
        &["new", "Ping", "--dedupe", "forever", "--timeout", "90s"],
    ) {
        if path.ends_with("tasks/ping.rs") {
            snapshot("task_module__ping", &hunks);
        }
    }
}

#[test]
fn the_review_sheet() {
    let fleet = Fleet::new();
    let mut args = CLONE.to_vec();
    args.extend(["--dry-run", "--format", "markdown"]);
    let sheet = fleet.done(&args).stdout;
    snapshot(
        "markdown__clone_repository",
        sheet.split("<details>").next().unwrap(),
    );
}

#[test]
fn what_is_said_on_the_terminal() {
    let fleet = Fleet::new();
    let mut args = CLONE.to_vec();
    args.extend(["--dry-run", "--color", "never"]);
    snapshot("terminal__clone_repository", &fleet.done(&args).stderr);
    snapshot(
        "terminal__doctor",
        &fleet.done(&["doctor", "--color", "never"]).stdout,
    );
}
