//! What somebody put into a workspace, or what the machine did to it, to trip the tool up.
//!
//! A full disk, and a permission that is missing, at each call that writes: see `crash`.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use cargo_oxy_task::apply::State;
use common::{Fleet, Ran, target};

const NEW: &[&str] = &["new", "Ping", "count:u32"];
const DRY: &[&str] = &["new", "Ping", "count:u32", "--dry-run"];
const SPEC: &str = "crates/agentic/core/src/delegation.rs";

/// The tool with a command that the test has prepared.
fn command(fleet: &Fleet, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-oxy-task"));
    command
        .args(args)
        .current_dir(fleet.path())
        .env("CARGO_TARGET_DIR", target())
        .stdin(Stdio::null());
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The tool says why not, or does it; it does not panic, hang or overflow.
fn survives(fleet: &Fleet, args: &[&str]) -> Ran {
    let start = Instant::now();
    let output = command(fleet, args).output().unwrap();
    let text = stderr(&output);
    let code = output.status.code();
    assert!(matches!(code, Some(0..=2)), "{args:?} {code:?}\n{text}");
    assert!(start.elapsed() < Duration::from_mins(2), "{args:?}");
    assert!(!text.contains("panicked"), "{text}");
    Ran {
        code: code.unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: text,
    }
}

fn refused(fleet: &Fleet, args: &[&str], code: &str) -> String {
    let ran = survives(fleet, args);
    assert_ne!(ran.code, 0, "{args:?}\n{}", ran.stderr);
    assert!(ran.stderr.contains(code), "{}", ran.stderr);
    ran.stderr
}

fn journal(fleet: &Fleet, name: &str) -> PathBuf {
    State::of(fleet.path(), &target()).path(name)
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) {
    std::os::unix::fs::symlink(to, at).unwrap();
}

#[cfg(unix)]
#[test]
fn two_ways_to_one_workspace_have_one_journal() {
    let fleet = Fleet::new();
    let before = fleet.tree();
    let dir = tempfile::tempdir().unwrap();
    let way = dir.path().join("way");
    link(fleet.path(), &way);
    let manifest = way.join("Cargo.toml");
    let mut args = NEW.to_vec();
    args.extend(["--manifest-path", manifest.to_str().unwrap()]);
    fleet.done(&args);
    assert!(fleet.tree() != before);
    fleet.done(&["undo"]);
    assert!(fleet.tree() == before);
}

#[test]
fn a_repository_in_the_workspace_is_asked_for_its_own_files() {
    let fleet = Fleet::new();
    let git = |args: &[&str]| {
        let mut all = vec!["-C", "crates/agentic/core"];
        all.extend(args);
        fleet.git(&all)
    };
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "own"]);
    fleet.write(SPEC, &(fleet.read(SPEC) + "// Not committed.\n"));
    let text = refused(&fleet, NEW, "error[dirty]");
    assert!(text.contains(SPEC), "{text}");
    git(&["commit", "--quiet", "--all", "--message", "done"]);
    fleet.done(NEW);
}

#[cfg(unix)]
#[test]
fn a_file_behind_a_link_is_guarded_where_it_is() {
    let fleet = Fleet::new();
    let manifest = "crates/agentic/runtime/Cargo.toml";
    let text = fleet.read(manifest);
    fleet.write("real/Cargo.toml", &text);
    std::fs::remove_file(fleet.path().join(manifest)).unwrap();
    let real = fleet.path().join("real/Cargo.toml");
    link(&real, &fleet.path().join(manifest));
    fleet.commit();
    fleet.write("real/Cargo.toml", &(text + "# Not committed.\n"));
    let text = refused(&fleet, common::CLONE, "error[dirty]");
    assert!(text.contains(manifest), "{text}");
    fleet.commit();
    fleet.done(common::CLONE);
    assert!(
        fleet
            .path()
            .join(manifest)
            .symlink_metadata()
            .unwrap()
            .is_symlink()
    );
}

#[test]
fn half_a_journal_does_not_block() {
    let fleet = Fleet::new();
    let path = journal(&fleet, "journal.json");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    for half in [
        "",
        "\0\0\0\0",
        "{\"command\":\"new\",\"var",
        "{\"command\":\"ne\0\0\0",
    ] {
        std::fs::write(&path, half).unwrap();
        let ran = fleet.done(&["list"]);
        let said = "interrupted before it wrote a file";
        assert!(ran.stderr.contains(said), "{half:?} {}", ran.stderr);
        assert!(!path.exists());
    }
    let last = journal(&fleet, "last.json");
    std::fs::write(&last, "{").unwrap();
    let text = refused(&fleet, &["undo"], "error[state]");
    assert!(text.contains("remove the file"), "{text}");
    fleet.done(NEW);
    // Another release's, or nobody's.
    std::fs::write(&path, "[1]").unwrap();
    let text = refused(&fleet, &["list"], "error[state]");
    assert!(text.contains("remove the file"), "{text}");
}

#[test]
fn a_journal_that_came_with_the_workspace_writes_nothing_elsewhere() {
    let fleet = Fleet::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let root = fleet.path().canonicalize().unwrap();
    let theirs = elsewhere.path().canonicalize().unwrap();
    let (profile, empty) = (theirs.join("profile"), theirs.join("empty"));
    std::fs::write(&profile, "own\n").unwrap();
    std::fs::create_dir(&empty).unwrap();
    let up = format!("../{}/new", theirs.file_name().unwrap().to_string_lossy());
    let entry = |path: &str, absolute: &Path, before: Option<&str>, after: Option<&str>| serde_json::json!({ "path": path, "absolute": absolute, "before": before, "after": after });
    let file = |entry: serde_json::Value, dirs: &[&Path]| {
        serde_json::json!({
            "command": "new", "variant": "Ping", "tag": "ping", "files": [entry], "dirs": dirs,
        })
        .to_string()
    };
    let evil = Some("evil\n");
    let before = fleet.tree();
    for hostile in [
        file(entry("a.rs", &profile, evil, Some("own\n")), &[]),
        file(entry("a.rs", &theirs.join("new"), evil, None), &[]),
        file(entry(&up, &theirs.join("new"), evil, None), &[]),
        file(
            entry(profile.to_str().unwrap(), &profile, evil, Some("own\n")),
            &[],
        ),
        file(entry("a.rs", &root.join("a.rs"), None, None), &[&empty]),
        file(
            entry(
                ".git/hooks/pre-commit",
                &root.join(".git/hooks/pre-commit"),
                evil,
                None,
            ),
            &[],
        ),
    ] {
        for (name, command) in [("journal.json", "list"), ("last.json", "undo")] {
            let path = journal(&fleet, name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &hostile).unwrap();
            survives(&fleet, &[command]);
            std::fs::remove_file(&path).ok();
            assert_eq!(std::fs::read_to_string(&profile).unwrap(), "own\n");
            assert!(!theirs.join("new").exists() && empty.exists(), "{hostile}");
            // Asked to, the tool takes back what the journal says of a file in the workspace.
            if command == "undo" {
                std::fs::remove_file(root.join("a.rs")).ok();
            }
            assert!(fleet.tree() == before, "{hostile}");
            assert!(!root.join(".git/hooks/pre-commit").exists());
        }
    }
    // A file that is not as the journal says is nobody's to overwrite.
    let spec = root.join(SPEC);
    let path = journal(&fleet, "journal.json");
    let hostile = file(entry(SPEC, &spec, evil, Some("something\n")), &[]);
    std::fs::write(&path, hostile).unwrap();
    refused(&fleet, &["list"], "error[interrupted]");
    assert!(fleet.tree() == before);
    std::fs::remove_file(&path).unwrap();
}

#[cfg(unix)]
#[test]
fn links_in_the_target_folder_lead_nowhere() {
    let fleet = Fleet::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let theirs = elsewhere.path().join("theirs");
    std::fs::write(&theirs, "own\n").unwrap();
    let dir = journal(&fleet, "");
    std::fs::create_dir_all(&dir).unwrap();
    for name in ["journal.json.new", "own-writes.json", "own-writes.json.new"] {
        link(&theirs, &dir.join(name));
    }
    fleet.done(NEW);
    assert_eq!(std::fs::read_to_string(&theirs).unwrap(), "own\n");
    fleet.done(&["undo"]);
    std::fs::remove_dir_all(&dir).unwrap();
    link(
        elsewhere.path(),
        dir.parent()
            .unwrap()
            .join(dir.file_name().unwrap())
            .as_path(),
    );
    let text = refused(&fleet, NEW, "error[state]");
    assert!(text.contains("is a link"), "{text}");
    std::fs::remove_file(dir.parent().unwrap().join(dir.file_name().unwrap())).unwrap();
}

#[test]
fn code_that_nests_ten_thousand_times_is_no_overflow() {
    let fleet = Fleet::new();
    let n = 10_000;
    let path = "crates/agentic/core/src/deep.rs";
    fleet.write(
        "crates/agentic/core/src/lib.rs",
        &(fleet.read("crates/agentic/core/src/lib.rs") + "\npub mod deep;\n"),
    );
    let nested = |open: &str, close: &str| format!("{}1{}", open.repeat(n), close.repeat(n));
    for deep in [
        nested("(", ")"),
        nested("{", "}"),
        nested("[", "]"),
        nested("!", ""),
        nested("1 + (", ")"),
        format!("tokio::spawn(async move {{ {} }})", nested("{", "}")),
        format!("vec![{}]", nested("(", ")")),
    ] {
        let code = format!(
            "use crate::delegation::TaskSpec;\npub fn deep(_: TaskSpec) {{ let _ = {deep}; }}\n"
        );
        fleet.write(path, &code);
        survives(&fleet, DRY);
    }
    survives(&fleet, &["survey"]);
    fleet.write(
        path,
        &format!("type A = {}TaskSpec{};\n", "Box<".repeat(n), ">".repeat(n)),
    );
    let text = refused(&fleet, DRY, "error[parse]");
    assert!(text.contains("nests deeper than can be read"), "{text}");
}

#[test]
fn a_file_of_fifty_megabytes_is_read() {
    let fleet = Fleet::new();
    let line =
        "    // TaskSpec spawn( { [ \" padding that is as long as a line of code mostly is\n";
    let text = format!("fn long() {{\n{}}}\n", line.repeat(50_000_000 / line.len()));
    fleet.write("crates/agentic/core/src/long.rs", &text);
    fleet.done(DRY);
    survives(&fleet, &["survey"]);
}

#[test]
fn a_million_lines_are_read() {
    let fleet = Fleet::new();
    let function = |n: usize| {
        format!(
            "/// Number {n}.\npub fn f{n}(x: u8) -> u8 {{\n    match x {{\n        0 => {},\n        _ => x,\n    }}\n}}\n\n",
            n % 200
        )
    };
    let file: String = (0..500).map(function).collect();
    let lines = file.lines().count();
    let mut modules = fleet.read("crates/agentic/core/src/lib.rs");
    for n in 0..1_000_000_usize.div_ceil(lines) {
        fleet.write(&format!("crates/agentic/core/src/long_{n}.rs"), &file);
        modules += &format!("pub mod long_{n};\n");
    }
    fleet.write("crates/agentic/core/src/lib.rs", &modules);
    let ran = fleet.done(DRY);
    assert!(!ran.stdout.contains("long_"), "{}", ran.stdout);
    survives(&fleet, &["survey"]);
}

#[cfg(unix)]
#[test]
fn links_that_go_round_or_out_are_not_followed_to_write() {
    let fleet = Fleet::new();
    let src = fleet.path().join("crates/agentic/core/src");
    link(Path::new("round"), &src.join("round"));
    link(Path::new(".."), &src.join("up"));
    link(Path::new("nowhere.rs"), &src.join("gone.rs"));
    fleet.commit();
    let ran = fleet.done(DRY);
    assert!(!ran.stdout.contains("/up/"), "{}", ran.stdout);
    survives(&fleet, &["survey"]);
    // A file that leads out is not edited: `tests/undo.rs` has that.
}

#[test]
fn a_member_beside_the_root_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "beside/Cargo.toml",
        "[package]\nname = \"beside\"\nversion = \"0.1.0\"\nworkspace = \"../root\"\n",
    );
    write("beside/src/lib.rs", "pub enum TaskSpec { A { a: u8 } }\n");
    write(
        "root/Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"../beside\"]\n",
    );
    for args in [NEW, &["survey"], &["list"], &["doctor"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_cargo-oxy-task"))
            .args(args)
            .current_dir(dir.path().join("root"))
            .output()
            .unwrap();
        assert!(
            matches!(output.status.code(), Some(0 | 1)),
            "{args:?} {output:?}"
        );
    }
    let text = std::fs::read_to_string(dir.path().join("beside/src/lib.rs")).unwrap();
    assert_eq!(text, "pub enum TaskSpec { A { a: u8 } }\n");
}

#[test]
fn names_and_texts_of_the_command_line_are_no_paths_and_no_code() {
    let fleet = Fleet::new();
    let before = fleet.tree();
    for args in [
        &["new", "../Evil", "a:u8"][..],
        &["new", "..", "a:u8"],
        &["new", "Ping", "../a:u8"],
        &["new", "Ping", "{{a}}:u8"],
        &["new", "Ping", "a:{{u8}}"],
        &["new", "Ping", "a:u8}, Evil { b:u8"],
        &["new", "Ping", "a:u8", "--tag", "../../evil"],
        &["new", "Ping", "a:u8", "--tag", "a\"b"],
        &["new", "Ping", "a:u8", "--tag", "a\nb"],
        &["skill", "../evil.md"],
        &["skill", "crates/../../evil.md"],
    ] {
        let ran = survives(&fleet, args);
        assert_ne!(ran.code, 0, "{args:?}\n{}", ran.stdout);
        assert!(fleet.tree() == before, "{args:?}");
    }
    let doc = "{{ 7 * 7 }} {% include \"x\" %} */ \" \\ # `\nfn evil() {}\r\npub struct Evil;";
    let mut args = DRY.to_vec();
    args.extend(["--doc", doc]);
    let ran = survives(&fleet, &args);
    for line in ran.stdout.lines().filter(|line| line.starts_with('+')) {
        let code = line[1..].trim_start();
        assert!(!line.contains("49"), "{line}");
        let is_comment = code.starts_with("//");
        assert!(
            is_comment || !code.to_lowercase().contains("evil"),
            "{line}"
        );
    }
}

#[test]
fn quoted_source_does_not_speak_to_the_terminal() {
    let fleet = Fleet::new();
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m";
    let text = fleet.read(SPEC);
    fleet.write(
        SPEC,
        &(text + &format!("\nfn a() {{ let b = \"{evil}\" \"{evil}\" }}\n")),
    );
    let check = |ran: &Ran| {
        for text in [&ran.stdout, &ran.stderr] {
            let bad = text.contains(['\u{1b}', '\u{7}', '\u{9b}']);
            assert!(!bad, "{text:?}");
        }
    };
    check(&survives(&fleet, DRY));
    check(&survives(&fleet, &["list"]));
    let site = "crates/app/src/evil.rs";
    fleet.write(
        site,
        &format!("fn a() {{ tokio::spawn(async move {{ say(\"{evil}\").await; }}); }}\n"),
    );
    check(&survives(&fleet, &["survey"]));
    // Where colours may be, the source still brings none of its own.
    for args in [
        &["survey", "--color", "always"][..],
        &["list", "--color", "always"],
    ] {
        let ran = survives(&fleet, args);
        for text in [&ran.stdout, &ran.stderr] {
            let bad = text.contains("\u{1b}]") || text.contains("\u{1b}[2J");
            assert!(!bad && !text.contains(['\u{7}', '\u{9b}']), "{text:?}");
        }
    }
    check(&survives(&fleet, &["new", evil, "a:u8"]));
}

#[test]
fn programs_that_are_not_there_are_named() {
    let fleet = Fleet::new();
    let nowhere = "/nowhere/program";
    for (name, args) in [
        ("CARGO", DRY),
        ("CARGO", &["survey"][..]),
        ("CARGO", &["new", "Ping", "count:u32", "--verify", "check"]),
        ("RUSTC", DRY),
        ("RUSTFMT", DRY),
    ] {
        let output = command(&fleet, args).env(name, nowhere).output().unwrap();
        let text = stderr(&output);
        assert!(
            matches!(output.status.code(), Some(0 | 1)),
            "{name} {args:?}\n{text}"
        );
        assert!(
            output.status.success() || text.contains("help"),
            "{name} {args:?}\n{text}"
        );
    }
}

#[test]
fn a_closed_pipe_ends_the_output_only() {
    let fleet = Fleet::new();
    for args in [DRY, &["survey"], &["list", "--format", "json"], &["man"]] {
        let mut child = command(&fleet, args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let text = stderr(&output);
        assert!(
            output.status.success() && !text.contains("panicked"),
            "{args:?}\n{text}"
        );
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_at_any_time_leaves_all_or_nothing() {
    let fleet = Fleet::new();
    let before = fleet.tree();
    fleet.done(NEW);
    let after = fleet.tree();
    fleet.done(&["undo"]);
    for wait in [5, 40, 80, 120, 160, 200, 260, 320] {
        let mut child = command(&fleet, NEW)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .stderr(Stdio::null())
            .status()
            .unwrap();
        child.wait().unwrap();
        fleet.done(&["list"]);
        let tree = fleet.tree();
        assert!(tree == before || tree == after, "after {wait} ms");
        if tree == after {
            fleet.done(&["undo"]);
        }
    }
}

#[cfg(unix)]
#[test]
fn what_may_not_be_read_or_written_is_said() {
    use std::os::unix::fs::PermissionsExt;

    let fleet = Fleet::new();
    let set = |path: &str, mode: u32| {
        let path = fleet.path().join(path);
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    };
    let before = fleet.tree();
    // The superuser may write whatever its mode is; the tool still refuses what says read-only.
    set(SPEC, 0o444);
    refused(&fleet, NEW, "error[read-only]");
    assert!(fleet.tree() == before);
    set(SPEC, 0o644);
    let is_superuser = std::fs::read_dir("/root").is_ok();
    if !is_superuser {
        set("crates/agentic/core/src", 0o555);
        refused(&fleet, NEW, "error[write]");
        set("crates/agentic/core/src", 0o755);
        set(SPEC, 0o000);
        refused(&fleet, NEW, "error[read]");
        set(SPEC, 0o644);
    }
    assert!(fleet.tree() == before);
}
