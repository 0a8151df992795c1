//! `explain`, `completions` and `man`: what is printed without a workspace.
#![allow(missing_docs, clippy::unwrap_used)]

use std::process::{Command, Output};

fn tool(args: &[&str]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_cargo-oxy-task"))
        .args(args)
        .current_dir(dir.path())
        .output()
        .unwrap()
}

#[test]
fn a_code_is_explained_outside_of_any_workspace() {
    let output = tool(&["explain", "two-enqueues"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("Several functions insert a task into a table.\n\n    [workspace"));
    let json = tool(&["explain", "two-enqueues", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["code"], "two-enqueues");
    assert_eq!(json["text"], text.trim());

    let unknown = tool(&["explain", "two-enqueue"]);
    assert_eq!(unknown.status.code(), Some(2));
    let stderr = String::from_utf8(unknown.stderr).unwrap();
    assert!(
        stderr.contains("error[code]: there is no code `two-enqueue`"),
        "{stderr}"
    );
    assert!(stderr.contains("two-enqueues"), "{stderr}");
}

#[test]
fn shells_and_man_are_served() {
    for (shell, part) in [
        ("bash", "complete -F _cargo__oxy__task"),
        ("zsh", "#compdef cargo-oxy-task"),
        ("fish", "complete -c cargo-oxy-task"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion:arg-completer[cargo-oxy-task]"),
    ] {
        let output = tool(&["completions", shell]);
        assert!(output.status.success(), "{shell}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(part), "{shell}: {text}");
        assert!(text.contains("dry-run"), "{shell}");
    }
    assert_eq!(tool(&["completions", "csh"]).status.code(), Some(2));
    let man = String::from_utf8(tool(&["man"]).stdout).unwrap();
    assert!(man.contains(".TH CARGO-OXY-TASK 1"), "{man}");
    assert!(man.contains(".SH UNDO\n"), "{man}");
}
