//! `demo`: the real binary unpacks, scaffolds, shows, tests.
//!
//! Where the tests of the task themselves are not what is looked at, a program stands in for
//! `cargo test`.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use common::{CLONE, Fleet, Ran, target, tree_of};
use serde_json::Value;
use tempfile::TempDir;

/// The demos share one target folder, and build one after the other.
static TURN: Mutex<()> = Mutex::new(());

fn tool(dir: &Path) -> Command {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_cargo-oxy-task"));
    tool.current_dir(dir).env("CARGO_TARGET_DIR", target());
    tool
}

fn ran(tool: &mut Command) -> Ran {
    let output = tool.output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The same, with cargo itself.
fn built(tool: &mut Command) -> Ran {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let ran = ran(tool);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("test result: ok. 3 passed; 0 failed"),
        "{}",
        ran.stderr
    );
    ran
}

fn object(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {}", ran.stdout))
}

/// What `new` makes of the fleet.
fn scaffolded() -> BTreeMap<PathBuf, Vec<u8>> {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    fleet.tree()
}

/// The folder's files, cargo's target folder aside.
fn tree(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut tree = tree_of(dir);
    tree.retain(|path, _| !path.starts_with("target"));
    tree
}

/// Fails with the paths that differ.
#[track_caller]
fn same(found: &BTreeMap<PathBuf, Vec<u8>>, expected: &BTreeMap<PathBuf, Vec<u8>>) {
    let all = found.keys().chain(expected.keys());
    let differ: Vec<&PathBuf> = all
        .filter(|path| found.get(*path) != expected.get(*path))
        .collect();
    assert!(differ.is_empty(), "{differ:?}");
}

fn git(dir: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(args)
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that it says to try next, the folder's first.
fn next(stderr: &str) -> Vec<String> {
    let lines = stderr.lines();
    let lines = lines.skip_while(|line| !line.starts_with("    Try next "));
    lines
        .map(|line| {
            let command = line[13..].split("  # ").next().unwrap();
            command.trim().to_owned()
        })
        .collect()
}

#[test]
fn it_shows_and_proves_a_task_and_what_it_names_next_works() {
    let outer = tempfile::tempdir().unwrap();
    let ran = built(tool(outer.path()).args(["demo", "--color", "never"]));
    let dir = outer.path().join("oxy-task-demo");
    same(&tree(&dir), &scaffolded());
    assert_eq!(std::fs::read_dir(outer.path()).unwrap().count(), 1);

    // The diff is what was done.
    let fleet = Fleet::new();
    let diff = outer.path().join("demo.diff");
    std::fs::write(&diff, &ran.stdout).unwrap();
    fleet.git(&["apply", "--check", diff.to_str().unwrap()]);
    fleet.git(&["apply", diff.to_str().unwrap()]);
    same(&tree(&dir), &fleet.tree());

    // One commit, and the edits of the scaffold on top.
    assert_eq!(git(&dir, &["rev-list", "--count", "HEAD"]).trim(), "1");
    assert_eq!(git(&dir, &["diff", "--name-only"]).lines().count(), 14);
    let new = git(&dir, &["status", "--porcelain", "--untracked-files=all"]);
    assert_eq!(new.lines().filter(|l| l.starts_with("??")).count(), 8);

    for part in [
        "    Unpacked 90 files of a workspace into `oxy-task-demo`",
        "       Added `TaskSpec::CloneRepository` in crates/agentic/core/src/delegation.rs",
        "     Testing `cargo test --locked --lib --package agentic-pipeline ::clone_repository::`",
        "    Finished `CloneRepository` stands in `oxy-task-demo`, and its 3 tests pass",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    let next = next(&ran.stderr);
    assert_eq!(next[0], "cd oxy-task-demo");
    let commands = next
        .iter()
        .filter_map(|c| c.strip_prefix("cargo oxy-task "));
    let commands: Vec<&str> = commands.collect();
    assert_eq!(commands.len(), 6, "{next:?}");
    for command in commands {
        let ran = self::ran(tool(&dir).args(command.split(' ')));
        assert_eq!(ran.code, 0, "{command}: {}", ran.stderr);
        if command == "undo" {
            same(&tree(&dir), &Fleet::new().tree());
            assert_eq!(git(&dir, &["status", "--porcelain"]), "");
        }
    }
}

/// In a repository that ignores everything and a cargo workspace that globs.
#[test]
fn it_works_inside_another_workspace_and_repository() {
    let outer = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| std::fs::write(outer.path().join(path), text).unwrap();
    write("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n");
    write(".gitignore", "*\n");
    git(outer.path(), &["init", "--quiet"]);
    let before = tree(outer.path());
    let ran = built(
        tool(outer.path())
            .args(["oxy-task", "demo", "crates/a demo", "--format", "json"])
            .env("GIT_DIR", outer.path().join(".git")),
    );
    let dir = outer.path().join("crates/a demo");
    same(&tree(&dir), &scaffolded());
    let object = object(&ran);
    for (field, value) in [
        ("command", Value::from("demo")),
        ("variant", Value::from("CloneRepository")),
        ("tag", Value::from("clone_repository")),
        ("dir", Value::from(dir.to_str().unwrap())),
        ("applied", Value::from(true)),
        ("repository", Value::from(true)),
        ("files", serde_json::json!({ "created": 8, "edited": 14 })),
        ("tests", serde_json::json!({ "passed": 3, "failed": 0 })),
    ] {
        assert_eq!(object[field], value, "{field}");
    }
    assert_eq!(object["created"].as_array().unwrap().len(), 8);
    assert_eq!(object.get("error"), None);
    assert_eq!(next(&ran.stderr)[0], "cd 'crates/a demo'");
    std::fs::remove_dir_all(outer.path().join("crates")).unwrap();
    same(&tree(outer.path()), &before);
    assert_eq!(git(outer.path(), &["rev-list", "--all"]), "");
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// Of the machine there is what compiles and links, and nothing else.
    #[test]
    fn it_needs_no_git() {
        let outer = tempfile::tempdir().unwrap();
        let bin = tempfile::tempdir().unwrap();
        for name in ["cc", "ld", "as", "ar"] {
            let path = std::env::var_os("PATH").unwrap();
            let found = std::env::split_paths(&path).map(|dir| dir.join(name));
            if let Some(program) = found.into_iter().find(|path| path.is_file()) {
                symlink(program, bin.path().join(name)).unwrap();
            }
        }
        let toolchain = Path::new(env!("CARGO")).parent().unwrap();
        let path = std::env::join_paths([toolchain, bin.path()]).unwrap();
        let ran = built(tool(outer.path()).args(["demo", "x"]).env("PATH", path));
        let dir = outer.path().join("x");
        same(&tree(&dir), &scaffolded());
        assert!(!dir.join(".git").exists());
        let without = "     Without a git repository around it: git is missing, or failed";
        assert!(ran.stderr.contains(without), "{}", ran.stderr);
        for command in next(&ran.stderr) {
            if let Some(command) = command.strip_prefix("cargo oxy-task ") {
                let ran = self::ran(tool(&dir).args(command.split(' ')));
                assert_eq!(ran.code, 0, "{command}: {}", ran.stderr);
            }
        }
    }

    /// A cargo whose `test` is not one: it says what it was asked, and `sum` of tests that ran.
    fn stand_in(sum: &str, code: u8) -> (TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cargo");
        let script = format!(
            "#!/bin/sh\nif [ \"$1\" = test ]; then\n  echo \"asked: $*, in $CARGO_TARGET_DIR\"\n  \
             echo '{sum}'\n  exit {code}\nfi\nexec '{}' \"$@\"\n",
            env!("CARGO")
        );
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        (dir, path)
    }

    #[test]
    fn tests_that_fail_are_told_and_the_workspace_stays() {
        for (sum, passed, failed, message) in [
            (
                "test result: FAILED. 2 passed; 1 failed; 0 ignored",
                2,
                1,
                "1 generated tests fail",
            ),
            ("", 0, 0, "cargo could not run the generated tests"),
        ] {
            let outer = tempfile::tempdir().unwrap();
            let (_bin, cargo) = stand_in(sum, 101);
            let mut tool = tool(outer.path());
            tool.args(["demo", "--format", "json"]).env("CARGO", &cargo);
            let ran = ran(&mut tool);
            assert_eq!(ran.code, 1);
            let object = object(&ran);
            assert_eq!(object["applied"], true);
            assert_eq!(object["tests"]["passed"], passed);
            assert_eq!(object["tests"]["failed"], failed);
            assert_eq!(object["error"]["code"], "demo-tests");
            assert_eq!(object["error"]["message"], message);
            let help = "the workspace and its task are left in `oxy-task-demo`";
            assert!(ran.stderr.contains(message), "{}", ran.stderr);
            assert!(ran.stderr.contains(help), "{}", ran.stderr);
            same(&tree(&outer.path().join("oxy-task-demo")), &scaffolded());
        }
    }

    #[test]
    fn a_success_without_tests_is_none() {
        let outer = tempfile::tempdir().unwrap();
        let (_bin, cargo) = stand_in("test result: ok. 0 passed; 0 failed", 0);
        let ran = ran(tool(outer.path()).arg("demo").env("CARGO", &cargo));
        assert_eq!(ran.code, 1);
        assert!(
            ran.stderr.contains("no generated test was found"),
            "{}",
            ran.stderr
        );
    }

    /// The diff is the product; what says how it goes is not asked for.
    #[test]
    fn quiet_is_the_diff_and_what_cargo_says() {
        let outer = tempfile::tempdir().unwrap();
        let (_bin, cargo) = stand_in("test result: ok. 3 passed; 0 failed", 0);
        let mut tool = tool(outer.path());
        tool.args(["demo", "-q", "--offline", "--locked", "--color", "always"]);
        let ran = ran(tool.env("CARGO", &cargo));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let asked = format!(
            "asked: test --locked --lib --package agentic-pipeline --offline --quiet \
             ::clone_repository::, in {}\ntest result: ok. 3 passed; 0 failed\n",
            target().display()
        );
        assert_eq!(ran.stderr, asked);
        assert!(ran.stdout.contains("\u{1b}[32m+ \"uuid\",\u{1b}[0m\n"));
        let plain = self::ran(
            Command::new(env!("CARGO_BIN_EXE_cargo-oxy-task"))
                .current_dir(outer.path())
                .args(["demo", "plain", "-q"])
                .env("CARGO_TARGET_DIR", target())
                .env("CARGO", &cargo)
                .env("NO_COLOR", "1"),
        );
        assert!(!plain.stdout.contains('\u{1b}'));
        assert!(plain.stdout.contains("\n+ \"uuid\",\n"));
    }

    /// Settings that would put the target folder elsewhere do not count in the demo.
    #[test]
    fn nothing_is_written_elsewhere() {
        let (outer, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let settings = "[build]\ntarget-dir = \"shared\"\n";
        std::fs::write(home.path().join("config.toml"), settings).unwrap();
        let (_bin, cargo) = stand_in("test result: ok. 3 passed; 0 failed", 0);
        let run = |dir: &Path, args: &[&str]| {
            let mut tool = tool(dir);
            tool.args(args)
                .env_remove("CARGO_TARGET_DIR")
                .env("CARGO_HOME", home.path())
                .env("CARGO", &cargo);
            let ran = ran(&mut tool);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            ran
        };
        let dir = outer.path().join("d");
        let ran = run(outer.path(), &["demo", "d"]);
        let in_target = format!("in {}\n", dir.join("target").display());
        assert!(ran.stderr.contains(&in_target), "{}", ran.stderr);
        // What comes later finds the same folder, and with it what was written.
        run(&dir, &["undo"]);
        assert_eq!(git(&dir, &["status", "--porcelain"]), "");
        assert_eq!(std::fs::read_dir(outer.path()).unwrap().count(), 1);
        let at_home = std::fs::read_dir(home.path()).unwrap();
        let at_home: Vec<_> = at_home.map(|e| e.unwrap().file_name()).collect();
        assert!(!at_home.iter().any(|name| name == "shared"), "{at_home:?}");
    }
}

#[test]
fn a_folder_that_holds_something_is_refused() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("oxy-task-demo");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join(".mine"), "mine").unwrap();
    let before = tree(outer.path());
    let refused = ran(tool(outer.path()).args(["demo", "--format", "json"]));
    assert_eq!(refused.code, 1);
    let error = &object(&refused)["error"];
    assert_eq!(error["code"], "demo-dir");
    assert_eq!(error["message"], "`oxy-task-demo` is not empty");
    let help = error["help"].as_str().unwrap();
    assert!(help.contains("name a new folder"), "{help}");
    assert!(
        refused.stderr.starts_with("error[demo-dir]: "),
        "{}",
        refused.stderr
    );
    same(&tree(outer.path()), &before);

    // A file is no folder, and a workspace of one's own is not what it is about.
    let file = ran(tool(outer.path()).args(["demo", "oxy-task-demo/.mine"]));
    assert_eq!(file.code, 1);
    assert!(file.stderr.contains("error[demo-dir]"), "{}", file.stderr);
    let fleet = ran(tool(outer.path()).args(["demo", "x", "--manifest-path", "Cargo.toml"]));
    assert_eq!(fleet.code, 2);
    same(&tree(outer.path()), &before);
}

/// A folder that was made goes again; one that stood, empty, is empty again.
#[test]
fn a_failure_on_the_way_leaves_nothing() {
    let outer = tempfile::tempdir().unwrap();
    std::fs::create_dir(outer.path().join("stood")).unwrap();
    for dir in ["stood", "made/of/several"] {
        let wrong = "task-spec=agentic-core::delegation::Nothing";
        let refused = ran(tool(outer.path()).args(["demo", dir, "--config", wrong]));
        assert_eq!(refused.code, 1, "{}", refused.stderr);
        assert!(
            refused.stderr.contains("    Unpacked 90 files"),
            "{}",
            refused.stderr
        );
        assert_eq!(refused.stdout, "");
        let left = std::fs::read_dir(outer.path()).unwrap();
        let left: Vec<_> = left.map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["stood"]);
        let inside = std::fs::read_dir(outer.path().join("stood")).unwrap();
        assert_eq!(inside.count(), 0);
    }
}
