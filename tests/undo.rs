//! `undo`, and what a run that was interrupted leaves behind.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::process::{Command, Stdio};

use cargo_oxy_task::apply::State;
use common::{CLONE, Fleet, target};

const SPEC: &str = "crates/agentic/core/src/delegation.rs";
const MODULE: &str = "crates/agentic/pipeline/src/executor/tasks/clone_repository.rs";

#[test]
fn what_was_written_is_taken_back_byte_for_byte() {
    let fleet = Fleet::new();
    let before = fleet.tree();
    let nothing = fleet.tool(&["undo"]);
    assert_eq!(nothing.code, 1);
    assert!(
        nothing.stderr.contains("error[nothing-to-undo]"),
        "{}",
        nothing.stderr
    );
    fleet.done(CLONE);
    let after = fleet.tree();

    // The diff is what the tree becomes.
    let dry = fleet.done(&["undo", "--dry-run"]);
    assert!(fleet.tree() == after);
    fleet.write("../undo.diff", &dry.stdout);
    fleet.git(&["apply", "--check", "../undo.diff"]);
    std::fs::remove_file(fleet.path().join("../undo.diff")).unwrap();

    let ran = fleet.done(&["undo"]);
    assert!(fleet.tree() == before);
    assert!(
        !fleet
            .path()
            .join("crates/agentic/pipeline/src/executor/tasks")
            .exists()
    );
    for part in [
        "    Restored crates/agentic/core/src/delegation.rs",
        &format!("     Removed {MODULE}"),
        "`new CloneRepository` is taken back: 14 files restored, 8 removed",
        "rows with the tag `clone_repository` would no longer decode",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    assert!(
        fleet
            .tool(&["undo"])
            .stderr
            .contains("error[nothing-to-undo]")
    );
    fleet.done(CLONE);
    assert!(fleet.tree() == after);
}

#[test]
fn changes_in_other_places_stay() {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    fleet.commit();
    let line = "//! What a task may be asked to do";
    let text = fleet.read(SPEC);
    let edited = format!("// A line above.\n{text}// A line below.\n");
    assert!(!text.contains(line));
    fleet.write(SPEC, &edited);
    let before = fleet.git(&["show", &format!("HEAD~1:{SPEC}")]);
    fleet.done(&["undo"]);
    assert_eq!(
        fleet.read(SPEC),
        format!("// A line above.\n{before}// A line below.\n")
    );
    fleet.git(&[
        "diff",
        "--quiet",
        "HEAD~1",
        "--",
        "crates/agentic/pipeline",
        "Cargo.lock",
    ]);
}

#[test]
fn what_was_edited_since_is_in_the_way() {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    let work = "// Write the work here.";
    fleet.replace(MODULE, work, "// The work.");
    fleet.replace(
        SPEC,
        "    CloneRepository {\n",
        "    CloneRepository {\n        depth: u32,\n",
    );
    let tree = fleet.tree();
    let ran = fleet.tool(&["undo", "--format", "json"]);
    assert_eq!(ran.code, 1);
    let object: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let error = &object["error"];
    assert_eq!(error["code"], "undo-edited");
    assert_eq!(error["path"], SPEC);
    let line = fleet
        .read(SPEC)
        .lines()
        .position(|l| l.contains("depth: u32"))
        .unwrap()
        + 1;
    assert_eq!(error["line"], line);
    assert_eq!(error["also"][0]["path"], MODULE);
    let line = fleet
        .read(MODULE)
        .lines()
        .position(|l| l.contains("// The work."))
        .unwrap()
        + 1;
    assert_eq!(error["also"][0]["line"], line);
    assert!(fleet.tree() == tree);
}

#[test]
fn the_object_says_what_was_taken_back() {
    let fleet = Fleet::new();
    let new = fleet.done(&[CLONE, &["--format", "json"]].concat()).stdout;
    let new: serde_json::Value = serde_json::from_str(&new).unwrap();
    let dry = fleet.done(&["undo", "-n", "--format", "json"]).stdout;
    let dry: serde_json::Value = serde_json::from_str(&dry).unwrap();
    assert_eq!(dry["applied"], false);
    assert!(
        dry["diff"]
            .as_str()
            .unwrap()
            .contains("deleted file mode 100644")
    );
    let undo = fleet.done(&["undo", "--format", "json"]).stdout;
    let undo: serde_json::Value = serde_json::from_str(&undo).unwrap();
    for (field, value) in [
        ("command", "undo"),
        ("undone", "new"),
        ("variant", "CloneRepository"),
        ("tag", "clone_repository"),
    ] {
        assert_eq!(undo[field], value);
    }
    assert_eq!(undo["applied"], true);
    assert_eq!(undo["removed"], new["created"]);
    let lines = |object: &serde_json::Value, field: &str| {
        let edits = object["edits"].as_array().unwrap().iter();
        edits.map(|edit| edit[field].as_u64().unwrap()).sum::<u64>()
    };
    assert!(lines(&new, "inserted") > 0);
    assert!(lines(&undo, "removed") >= lines(&new, "inserted"));
}

/// Lines are those of the file that is edited; what was deployed is told by what was added.
#[test]
fn lines_and_advice_are_of_what_stands() {
    let fleet = Fleet::new();
    let spec = "crates/agentic/core/src/delegation.rs";
    fleet.done(&["new", "Ping", "count:u32"]);
    fleet.write(spec, &format!("// Above.\n\n{}", fleet.read(spec)));
    let text = fleet.read(spec);
    let undo = fleet.done(&["undo", "-n", "--format", "json"]).stdout;
    let undo: serde_json::Value = serde_json::from_str(&undo).unwrap();
    let edits = undo["edits"].as_array().unwrap();
    let variant = edits.iter().find(|edit| edit["kind"] == "variant").unwrap();
    let line = usize::try_from(variant["line"].as_u64().unwrap()).unwrap();
    let rows: Vec<&str> = text.lines().skip(line - 1).take(4).collect();
    let shown = rows.join("\n");
    assert!(shown.contains("Ping"), "{line}: {shown}");
    let said = fleet.done(&["undo", "-n"]).stderr;
    assert!(said.contains("would no longer decode"), "{said}");

    fleet.commit();
    fleet.done(&["new", "Ping", "count:u32", "name:Option<String>"]);
    let said = fleet.done(&["undo", "-n"]).stderr;
    assert!(said.contains("without what the fields held"), "{said}");
}

/// A task that was added on top of another goes, the other one stays, and is no longer dirty.
#[test]
fn the_last_command_alone_is_taken_back() {
    let fleet = Fleet::new();
    fleet.done(&["new", "Ping"]);
    let with_ping = fleet.tree();
    fleet.done(&["new", "Pong"]);
    fleet.done(&["undo"]);
    assert!(fleet.tree() == with_ping);
    assert!(
        fleet
            .tool(&["undo"])
            .stderr
            .contains("error[nothing-to-undo]")
    );
    fleet.done(&["new", "Pang"]);
}

/// Modes stay, links and other names of a file go on being that.
#[cfg(unix)]
#[test]
fn files_keep_what_they_are() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let fleet = Fleet::new();
    let (spec, lib) = (
        fleet.path().join(SPEC),
        fleet.path().join("crates/agentic/runtime/src/lib.rs"),
    );
    std::fs::set_permissions(&spec, PermissionsExt::from_mode(0o640)).unwrap();
    let other = fleet.path().join("other-name.txt");
    std::fs::hard_link(&lib, &other).unwrap();
    let manifest = fleet.path().join("crates/agentic/runtime/Cargo.toml");
    std::fs::rename(&manifest, manifest.with_file_name("Real.toml")).unwrap();
    symlink("Real.toml", &manifest).unwrap();
    fleet.commit();
    let before = fleet.tree();
    for args in [CLONE, &["undo"]] {
        fleet.done(args);
        assert_eq!(spec.metadata().unwrap().mode() & 0o777, 0o640);
        assert_eq!(lib.metadata().unwrap().nlink(), 2);
        assert!(manifest.symlink_metadata().unwrap().is_symlink());
        assert_eq!(std::fs::read(&other).unwrap(), std::fs::read(&lib).unwrap());
    }
    assert!(fleet.tree() == before);
}

/// Two tools at once: one waits for the other.
#[test]
fn two_tools_write_one_after_the_other() {
    let fleet = Fleet::new();
    let start = |variant: &str| {
        Command::new(env!("CARGO_BIN_EXE_cargo-oxy-task"))
            .args(["new", variant, "--allow-dirty"])
            .current_dir(fleet.path())
            .env("CARGO_TARGET_DIR", target())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let both = [start("Ping"), start("Pong")];
    let ended = both.map(|tool| tool.wait_with_output().unwrap());
    let done = ended
        .iter()
        .filter(|output| output.status.success())
        .count();
    for output in ended.iter().filter(|output| !output.status.success()) {
        // It had read the files before the other one wrote them.
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains("error[changed]"), "{stderr}");
    }
    assert!(done >= 1);
    let listed = fleet.done(&["list"]).stdout;
    let there = ["Ping", "Pong"]
        .iter()
        .filter(|name| listed.contains(**name))
        .count();
    assert_eq!(there, done, "{listed}");
}

/// A run that was killed is taken back by a command that only reads, which then shows what stands.
#[test]
fn a_command_that_reads_takes_an_interrupted_write_back() {
    let fleet = Fleet::new();
    fleet.done(&["new", "Ping"]);
    let with_ping = fleet.tree();
    fleet.done(&["new", "Pong"]);
    let state = fleet.done(&["undo", "--dry-run", "--format", "json"]);
    assert!(state.stdout.contains("Pong"));
    // As if the process had ended before the journal did.
    let last = State::of(fleet.path(), &target()).path("last.json");
    std::fs::rename(&last, last.with_file_name("journal.json")).unwrap();
    let ran = fleet.done(&["list"]);
    assert!(
        ran.stderr
            .contains("warning[interrupted]: `new Pong` was interrupted"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stdout.contains("Ping") && !ran.stdout.contains("Pong"),
        "{}",
        ran.stdout
    );
    assert!(fleet.tree() == with_ping);

    // Where a file was edited since, nothing is touched and the way out is said.
    fleet.done(&["new", "Pong"]);
    std::fs::rename(&last, last.with_file_name("journal.json")).unwrap();
    fleet.replace(SPEC, "    /// Pong.\n", "    /// Pong!\n");
    let tree = fleet.tree();
    let ran = fleet.tool(&["new", "Pang"]);
    assert_eq!(ran.code, 1);
    for part in [
        "error[interrupted]",
        SPEC,
        "its text from before is in",
        "journal.json",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    assert!(fleet.tree() == tree);
    std::fs::remove_file(last.with_file_name("journal.json")).unwrap();
    fleet.done(&["list"]);
}

/// Nothing outside of the workspace is written, nor what is somebody's own beside a file.
#[cfg(unix)]
#[test]
fn what_leads_out_of_the_workspace_is_refused() {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir().unwrap();
    let manifest = "crates/agentic/runtime/Cargo.toml";
    let fleet = Fleet::new();
    let real = outside.path().join("Cargo.toml");
    std::fs::rename(fleet.path().join(manifest), &real).unwrap();
    symlink(&real, fleet.path().join(manifest)).unwrap();
    fleet.commit();
    let before = std::fs::read(&real).unwrap();
    let tree = fleet.tree();
    let ran = fleet.tool(CLONE);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("error[outside]"), "{}", ran.stderr);
    assert_eq!(std::fs::read(&real).unwrap(), before);
    assert!(fleet.tree() == tree);

    let fleet = Fleet::new();
    let victim = outside.path().join("victim");
    std::fs::write(&victim, "Mine.").unwrap();
    let beside = fleet
        .path()
        .join("crates/agentic/core/src/.delegation.rs.oxy-task");
    symlink(&victim, &beside).unwrap();
    fleet.commit();
    let ran = fleet.tool(CLONE);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("is in the way"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "Mine.");
    assert!(beside.symlink_metadata().unwrap().is_symlink());
}

/// What was taken out by hand, or is on another branch, is not undone.
#[test]
fn what_is_not_here_is_not_taken_back() {
    let fleet = Fleet::new();
    fleet.git(&["branch", "other"]);
    fleet.done(&["new", "Ping"]);
    fleet.commit();
    let head = fleet.git(&["branch", "--show-current"]);
    fleet.git(&["checkout", "--quiet", "other"]);
    let ran = fleet.tool(&["undo"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("nothing of what `new Ping` wrote is here"),
        "{}",
        ran.stderr
    );
    fleet.git(&["checkout", "--quiet", head.trim()]);
    fleet.done(&["undo"]);
}
