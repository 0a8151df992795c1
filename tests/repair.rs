//! `repair`: what a merge lost of recorded tasks comes again, and what it kept twice is named.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::process::Command;

use common::{CLONE, Fleet, IMPORT};
use serde_json::Value;

const SPEC: &str = "crates/agentic/core/src/delegation.rs";
const EXECUTOR: &str = "crates/agentic/pipeline/src/executor/mod.rs";
const TASKS: &str = "crates/agentic/pipeline/src/executor/tasks/mod.rs";
const MODULE: &str = "crates/agentic/pipeline/src/executor/tasks/clone_repository.rs";
const PING: &[&str] = &["new", "Ping", "count:u32"];

fn object(fleet: &Fleet, args: &[&str]) -> Value {
    let ran = fleet.tool(&[args, &["--format", "json"]].concat());
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Merges the branch; every file in conflict is taken as one side has it.
fn merge(fleet: &Fleet, branch: &str, side: &str) -> usize {
    let merged = Command::new("git")
        .args([
            "-c",
            "user.name=fleet",
            "-c",
            "user.email=fleet@example.com",
        ])
        .args(["merge", "--no-edit", branch])
        .current_dir(fleet.path())
        .output()
        .unwrap();
    assert!(!merged.status.success(), "the branches do not conflict");
    let conflicts = fleet.git(&["diff", "--name-only", "--diff-filter=U"]);
    let conflicts: Vec<&str> = conflicts.lines().collect();
    fleet.git(&[&["checkout", side, "--"], &conflicts[..]].concat());
    fleet.commit();
    conflicts.len()
}

/// The lines of every file, whatever their order; snapshots aside, which say what came in which run.
fn lines(fleet: &Fleet) -> BTreeMap<String, Vec<String>> {
    let files = fleet.tree().into_iter();
    let files = files.filter(|(path, _)| !path.starts_with("snapshots"));
    files
        .map(|(path, text)| {
            let text = String::from_utf8_lossy(&text).into_owned();
            // Where the last entry of a list stands decides who has the comma, and the empty line.
            let lines = text
                .lines()
                .map(|line| line.trim_end_matches(',').to_owned());
            let mut lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
            lines.sort();
            (path.to_string_lossy().into_owned(), lines)
        })
        .collect()
}

#[test]
fn what_a_merge_lost_comes_again() {
    let after_other = Fleet::new();
    after_other.done(PING);
    after_other.done(&[CLONE, &["--allow-dirty"]].concat());
    for side in ["--ours", "--theirs"] {
        let fleet = Fleet::new();
        let before = fleet.tree();
        fleet.git(&["branch", "other"]);
        fleet.done(PING);
        fleet.commit();
        let head = fleet.git(&["branch", "--show-current"]);
        fleet.git(&["checkout", "--quiet", "other"]);
        fleet.done(CLONE);
        fleet.commit();
        fleet.git(&["checkout", "--quiet", head.trim()]);
        assert!(merge(&fleet, "other", side) > 5);
        let merged = fleet.tree();

        let dry = object(&fleet, &["repair", "--dry-run"]);
        assert_eq!(dry["applied"], false);
        assert!(fleet.tree() == merged);
        let done = object(&fleet, &["repair"]);
        assert_eq!(done["applied"], true, "{done}");
        let lost = if side == "--ours" {
            "CloneRepository"
        } else {
            "Ping"
        };
        assert_eq!(done["repaired"][0]["variant"], lost, "{done}");
        assert_eq!(lines(&fleet), lines(&after_other), "{side}");
        if side == "--ours" {
            fleet.cargo(&[
                "check",
                "--locked",
                "--offline",
                "--all-targets",
                "--workspace",
            ]);
        }

        let again = fleet.done(&["repair"]);
        assert!(
            again
                .stderr
                .contains("nothing is missing of 2 recorded tasks"),
            "{}",
            again.stderr
        );
        // What came again is recorded: both can be taken out.
        let repaired = fleet.tree();
        fleet.done(&["undo"]);
        assert!(fleet.tree() == merged);
        fleet.done(&["repair"]);
        assert!(fleet.tree() == repaired);
        for variant in ["CloneRepository", "Ping"] {
            fleet.done(&["remove", variant, "--allow-dirty"]);
        }
        assert!(fleet.tree() == before, "{side}");
    }
}

#[test]
fn one_task_alone_is_repaired() {
    let fleet = Fleet::new();
    fleet.done(PING);
    fleet.done(&["new", "Pong", "--allow-dirty"]);
    let whole = fleet.tree();
    for path in [SPEC, EXECUTOR] {
        let text = fleet.read(path);
        fleet.write(path, &text.replace("Pong", "Gone").replace("pong", "gone"));
    }
    std::fs::remove_file(
        fleet
            .path()
            .join(MODULE.replace("clone_repository", "ping")),
    )
    .unwrap();
    fleet.replace(SPEC, "    /// Gone.\n    Gone,\n", "");
    let text = fleet.read(EXECUTOR);
    let kept = text
        .lines()
        .filter(|line| !line.to_lowercase().contains("gone"));
    let kept: String = kept.map(|line| format!("{line}\n")).collect();
    fleet.write(
        EXECUTOR,
        &kept.replace("}\n\n        }\n", "}\n        }\n"),
    );
    fleet.commit();
    let object = object(&fleet, &["repair", "Ping"]);
    assert_eq!(object["variant"], "Ping");
    assert_eq!(object["created"].as_array().unwrap().len(), 1, "{object}");
    assert!(!fleet.read(SPEC).contains("Pong"));
    fleet.done(&["repair", "Pong", "--allow-dirty"]);
    assert!(fleet.tree() == whole);
}

#[test]
fn what_stands_twice_is_named_and_nothing_is_written() {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    fleet.commit();
    let arm = "        TaskSpec::CloneRepository { .. } => \"clone_repository\",\n";
    let coordinator = "crates/agentic/runtime/src/coordinator/mod.rs";
    let edge = " \"sha2 0.11.1\",\n";
    let test = "    #[tokio::test]\n    async fn a_failure_is_told";
    assert!(!fleet.read(MODULE).contains(test));
    for (path, once, twice) in [
        (coordinator, arm, arm.repeat(2)),
        (
            coordinator,
            arm,
            format!("{arm}{}", arm.replace("\"clone", "\"the_clone")),
        ),
        (
            TASKS,
            "pub mod clone_repository;\n",
            "pub mod clone_repository;\n".repeat(2),
        ),
        (
            EXECUTOR,
            "pub mod tasks;\n",
            "pub mod tasks;\npub(crate) mod tasks;\n".to_owned(),
        ),
        (
            SPEC,
            "    /// Clone repository.\n",
            "    CloneRepository,\n    /// Clone repository.\n".to_owned(),
        ),
        ("Cargo.lock", edge, edge.repeat(2)),
    ] {
        let text = fleet.read(path);
        let at = text.find(once).unwrap();
        fleet.write(
            path,
            &format!("{}{twice}{}", &text[..at], &text[at + once.len()..]),
        );
        let tree = fleet.tree();
        let error = object(&fleet, &["repair"])["error"].clone();
        assert_eq!(error["code"], "piece-doubled", "{path}: {error}");
        assert_eq!(error["path"], path);
        let also = error["also"].as_array().unwrap();
        assert_eq!(also.len(), 1, "{error}");
        assert_eq!(also[0]["path"], path);
        assert!(also[0]["line"].as_u64() > error["line"].as_u64(), "{error}");
        assert!(fleet.tree() == tree);
        fleet.write(path, &text);
    }
    // A function of the task's module.
    let text = fleet.read(MODULE);
    fleet.write(MODULE, &format!("{text}\npub fn enqueue() {{}}\n"));
    let error = object(&fleet, &["repair", "CloneRepository"])["error"].clone();
    assert_eq!(error["code"], "piece-doubled", "{error}");
    assert_eq!(error["path"], MODULE);
}

#[test]
fn a_moved_task_is_repaired_but_for_its_site() {
    let fleet = Fleet::new();
    fleet.done(IMPORT);
    fleet.commit();
    let whole = fleet.tree();
    let again = fleet.done(&["repair"]);
    assert!(
        again.stderr.contains("nothing is missing"),
        "{}",
        again.stderr
    );
    let arm = "        TaskSpec::CloneRepository { .. } => \"clone_repository\",\n";
    fleet.replace("crates/agentic/runtime/src/coordinator/mod.rs", arm, "");
    let done = object(&fleet, &["repair", "--allow-dirty"]);
    assert_eq!(done["edits"].as_array().unwrap().len(), 1, "{done}");
    assert!(fleet.tree() == whole);

    // A registration that is lost is named; the module that runs the moved work is not made anew.
    let worker = "crates/app/src/worker.rs";
    fleet.git(&["checkout", "--quiet", "HEAD~1", "--", worker]);
    let done = object(&fleet, &["repair", "-n"]);
    assert_eq!(done["warnings"][0]["code"], "piece-gone", "{done}");
    std::fs::remove_file(fleet.path().join(MODULE)).unwrap();
    let error = object(&fleet, &["repair"])["error"].clone();
    assert_eq!(error["code"], "module-lost", "{error}");
}
