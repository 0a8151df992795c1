//! The tool is stopped, or gets an error, at a call that changes files: the next run finds the
//! workspace as it was or as it was meant to be.
//!
//! A part of the calls in each run of the tests, all of them with `OXY_TASK_FAULTS=all`.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use common::{CLONE, Fleet, IMPORT, target};

type Tree = BTreeMap<PathBuf, Vec<u8>>;

/// What happens at a call: the end of the process, no space left, an I/O error, no permission.
const FAULTS: [&str; 4] = ["kill", "28", "5", "13"];

/// How far apart the calls are that are tried, without `OXY_TASK_FAULTS=all`.
const STEP: usize = 13;

/// Builds what is preloaded.
fn shim(dir: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shim/fault.rs");
    let out = dir.join("libfault.so");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let built = Command::new(rustc)
        .args(["--edition", "2024", "--crate-type", "cdylib", "-o"])
        .args([&out, &source])
        .status()
        .unwrap();
    assert!(built.success());
    out
}

/// Runs the tool with a fault at its call number `at`; whether it came to that.
fn run(fleet: &Fleet, shim: &Path, args: &[&str], fault: &str, at: usize) -> (ExitStatus, bool) {
    let done = shim.with_file_name("done");
    std::fs::remove_file(&done).ok();
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-oxy-task"))
        .args(args)
        .current_dir(fleet.path())
        .env("CARGO_TARGET_DIR", target())
        .env("LD_PRELOAD", shim)
        .env("FAULT_IN", "cargo-oxy-task")
        .env("FAULT_AT", at.to_string())
        .env("FAULT", fault)
        .env("FAULT_DONE", &done)
        .output()
        .unwrap();
    (output.status, done.exists())
}

/// Tries the calls of `args`, which leads from `before` to `after`; `back` leads back. Gives the
/// number of calls.
fn torn(fleet: &Fleet, args: &[&str], [before, after]: [&Tree; 2], back: &[&str]) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let shim = shim(dir.path());
    let all = std::env::var("OXY_TASK_FAULTS").is_ok_and(|faults| faults == "all");
    let mut tried = 0;
    for (nth, fault) in FAULTS.into_iter().enumerate() {
        let mut at = if all {
            1
        } else {
            1 + nth * STEP / FAULTS.len()
        };
        loop {
            let (status, reached) = run(fleet, &shim, args, fault, at);
            let case = || format!("{args:?}: {fault} at call {at}");
            if fault != "kill" && *before != fleet.tree() {
                // An error that the tool lives to see is either taken back, or of no account.
                assert!(status.success(), "{}", case());
            }
            fleet.done(&["list"]);
            let tree = fleet.tree();
            assert!(tree == *before || tree == *after, "{}", case());
            if tree == *after {
                fleet.done(back);
                assert!(fleet.tree() == *before, "{}, taken back", case());
            }
            if !reached {
                assert!(status.success(), "{}", case());
                break;
            }
            tried += 1;
            at += if all { 1 } else { STEP };
        }
    }
    tried
}

#[test]
fn new_is_written_whole_or_not_at_all() {
    let fleet = Fleet::new();
    let before = fleet.tree();
    fleet.done(CLONE);
    let after = fleet.tree();
    fleet.done(&["undo"]);
    assert!(fleet.tree() == before);
    let tried = torn(&fleet, CLONE, [&before, &after], &["undo"]);
    println!("new: {tried} faults");
    assert!(tried > 20, "{tried}");
}

#[test]
fn a_migration_is_written_whole_or_not_at_all() {
    let fleet = Fleet::new();
    let before = fleet.tree();
    fleet.done(IMPORT);
    let after = fleet.tree();
    fleet.done(&["undo"]);
    assert!(fleet.tree() == before);
    let tried = torn(&fleet, IMPORT, [&before, &after], &["undo"]);
    println!("migrate-spawn: {tried} faults");
    assert!(tried > 20, "{tried}");
}

#[test]
fn remove_takes_out_all_or_nothing() {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    fleet.commit();
    let before = fleet.tree();
    let remove = ["remove", "CloneRepository"];
    fleet.done(&remove);
    let after = fleet.tree();
    fleet.done(&["undo"]);
    assert!(fleet.tree() == before);
    let tried = torn(&fleet, &remove, [&before, &after], &["undo"]);
    println!("remove: {tried} faults");
    assert!(tried > 20, "{tried}");
}

#[test]
fn what_may_not_be_opened_is_named_and_nothing_is_written() {
    let fleet = Fleet::new();
    let before = fleet.tree();
    let dir = tempfile::tempdir().unwrap();
    let shim = shim(dir.path());
    let denied = |path: &str, args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_cargo-oxy-task"))
            .args(args)
            .current_dir(fleet.path())
            .env("CARGO_TARGET_DIR", target())
            .env("LD_PRELOAD", &shim)
            .env("FAULT_IN", "cargo-oxy-task")
            .env("FAULT_AT", i64::MAX.to_string())
            .env("FAULT_DENIED", path)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{path} {args:?}\n{text}");
        assert!(text.contains(path) && !text.contains("panicked"), "{text}");
        assert!(text.contains("ermission denied"), "{text}");
        assert!(fleet.tree() == before, "{path} {args:?}");
    };
    for path in [
        "crates/agentic/core/src/delegation.rs",
        "crates/agentic/runtime/Cargo.toml",
    ] {
        denied(path, CLONE);
        denied(path, IMPORT);
    }
    denied("crates/app/src/worker.rs", &["survey"]);
}

#[test]
fn undo_takes_back_all_or_nothing() {
    let fleet = Fleet::new();
    let after = fleet.tree();
    let again = ["new", "Ping", "count:u32", "--allow-dirty"];
    fleet.done(&again);
    let before = fleet.tree();
    let tried = torn(&fleet, &["undo"], [&before, &after], &again);
    println!("undo: {tried} faults");
    assert!(tried > 20, "{tried}");
}
