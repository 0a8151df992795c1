//! A name that there is not: the message asks for the one that was most likely meant.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::fmt::Write;

use common::{CLONE, Fleet};

/// Command lines with one word misspelt, each with what is asked for.
const MISSPELT: &[(&str, &str)] = &[
    ("nwe Ping", "a similar subcommand exists: 'new'"),
    (
        "list --wrtie-snapshot",
        "a similar argument exists: '--write-snapshot'",
    ),
    ("list --format jsn", "a similar value exists: 'json'"),
    ("completions zhs", "a similar value exists: 'zsh'"),
    ("explain two-enqueue", "did you mean `two-enqueues`?"),
    ("list CloneRepo", "did you mean `CloneRepository`?"),
    ("remove clone_repository", "did you mean `CloneRepository`?"),
    ("repair CloneRepositroy", "did you mean `CloneRepository`?"),
    ("new Sync slug:String --key slgu", "did you mean `slug`?"),
    (
        "new Sync id:Uuid --status workspace.status",
        "did you mean `workspaces`?",
    ),
    (
        "new Sync id:Uuid --status git_namespace.status",
        "did you mean `git_namespaces`?",
    ),
    (
        "new Sync id:Uuid --status workspaces.stauts",
        "did you mean `status`?",
    ),
    (
        "new Sync workspace_id:Uuid --status workspaces.status@workspaceid",
        "did you mean `workspace_id`?",
    ),
    (
        "new Sync id:Uuid --status workspaces.status:runing=Cloning",
        "did you mean `running`?",
    ),
    (
        "new Sync id:Uuid --status workspaces.status:running=cloning",
        "did you mean `Cloning`?",
    ),
    ("list --config handler=[]", "did you mean `handlers`?"),
    (
        "list --config events={progres='y'}",
        "did you mean `progress`?",
    ),
    (
        "migrate-spawn crates/app/src/server/api/onboarding.rs:124 --as Import --type clone_uri=String",
        "did you mean `clone_url`?",
    ),
];

#[test]
fn a_name_that_is_misspelt_is_asked_about() {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    fleet.commit();
    let before = fleet.tree();
    let mut all = String::new();
    for (line, asked) in MISSPELT {
        let args: Vec<&str> = line.split(' ').collect();
        let ran = fleet.tool(&args);
        assert_ne!(ran.code, 0, "{line}");
        assert!(ran.stderr.contains(asked), "{line}\n{}", ran.stderr);
        let kept = |line: &&str| {
            line.starts_with("error") || line.contains("help:") || line.contains("tip:")
        };
        writeln!(all, "$ cargo oxy-task {line}").unwrap();
        for said in ran.stderr.lines().filter(kept) {
            writeln!(all, "{}", said.trim_end()).unwrap();
        }
        all.push('\n');
    }
    assert_eq!(fleet.tree(), before);
    insta::with_settings!(
        { snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("suggest__messages", all) }
    );
}

#[test]
fn nothing_is_asked_where_nothing_is_near() {
    let fleet = Fleet::new();
    for line in [
        "frobnicate",
        "explain frobnicate",
        "list Frobnicate",
        "remove Frobnicate",
        "repair Frobnicate",
        "new Sync slug:String --key other",
        "new Sync id:Uuid --status orders.status",
        "new Sync id:Uuid --status workspaces.ready",
        "new Sync id:Uuid --status workspaces.status@owner",
        "new Sync id:Uuid --status workspaces.status:waiting=Ready",
        "new Sync id:Uuid --status workspaces.status:running=Busy",
        "list --config frobnicate=1",
        // A variant that stands is not misspelt: it is not recorded.
        "repair Workflow",
    ] {
        let args: Vec<&str> = line.split(' ').collect();
        let ran = fleet.tool(&args);
        assert_ne!(ran.code, 0, "{line}");
        let asks = ran.stderr.contains("did you mean") || ran.stderr.contains("similar");
        assert!(!asks, "{line}\n{}", ran.stderr);
    }
}
