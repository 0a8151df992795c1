//! What the command line says of itself: its help fits a screen and shows an example, and the manual and
//! the completions name all that there is. Snapshots hold the texts, so that a stale one is seen.
#![allow(missing_docs, clippy::unwrap_used)]

use std::process::Command;

/// Lines of a screen.
const LINES: usize = 40;

/// Columns of a screen.
const COLUMNS: usize = 100;

/// What the tool prints on a screen that wide.
fn said(args: &[&str]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-oxy-task"))
        .args(args)
        .current_dir(dir.path())
        .env("COLUMNS", COLUMNS.to_string())
        .env_remove("CARGO_TERM_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}\n{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Every command, as the help lists them; the help of the help is clap's.
fn commands() -> Vec<String> {
    let help = said(&["-h"]);
    let (_, list) = help.split_once("\nCommands:\n").unwrap();
    let names = list.lines().take_while(|line| !line.is_empty());
    let names = names.map(|line| line.split_whitespace().next().unwrap().to_owned());
    let all: Vec<String> = names.filter(|name| name != "help").collect();
    assert!(all.len() >= 15, "{all:?}");
    all
}

/// The options that a help shows.
fn options(help: &str) -> Vec<String> {
    let words = help.lines().filter_map(|line| {
        let line = line.strip_prefix("  ")?.trim_start();
        let rest = line
            .strip_prefix("--")
            .or_else(|| line.split_once(", --").map(|of| of.1))?;
        line.starts_with('-').then_some(rest)
    });
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let names = words.map(|rest| rest.split(|c| !is_name(c)).next().unwrap().to_owned());
    names.collect()
}

/// Shows a text of the command line as a snapshot.
fn snapshot(name: &str, text: &str) {
    insta::with_settings!(
        { snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!(name, text) }
    );
}

#[test]
fn a_short_help_fits_a_screen_and_shows_an_example() {
    let mut wrong = Vec::new();
    let mut all = vec![String::new()];
    all.extend(commands());
    for command in &all {
        let mut args: Vec<&str> = command.split_whitespace().collect();
        args.push("-h");
        let help = said(&args);
        let lines = help.lines().count();
        let columns = help.lines().map(|line| line.chars().count()).max();
        if lines > LINES || columns > Some(COLUMNS) {
            wrong.push(format!(
                "`{command} -h` takes {lines} lines, {columns:?} columns"
            ));
        }
        let example = format!("\nExample:\n  cargo oxy-task {command}");
        if !help.contains(&example) {
            wrong.push(format!("`{command} -h` shows no example"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The long help says all that the short one does, and shows the example too.
#[test]
fn a_long_help_leaves_nothing_out() {
    for command in commands() {
        let short = said(&[&command, "-h"]);
        let long = said(&[&command, "--help"]);
        let named = options(&long);
        assert!(named.len() >= 9, "{command}: {named:?}");
        for option in options(&short) {
            assert!(
                named.contains(&option),
                "`{command} --help` lacks --{option}"
            );
        }
        assert!(long.contains("\nExample:\n  cargo oxy-task "), "{command}");
    }
}

/// An example names no option that there is not.
#[test]
fn the_options_of_an_example_are_those_of_its_command() {
    let mut seen = 0;
    for command in commands() {
        let long = said(&[&command, "--help"]);
        let known = options(&long);
        let (_, example) = long.split_once("\nExample:\n").unwrap();
        let words = example.split_whitespace();
        for option in words.filter_map(|word| word.strip_prefix("--")) {
            assert!(
                known.iter().any(|name| name == option),
                "{command}: --{option}"
            );
            seen += 1;
        }
    }
    assert!(seen > 5, "{seen}");
}

#[test]
fn the_helps_are_as_recorded() {
    snapshot("help__cargo_oxy_task", &said(&["-h"]));
    for command in commands() {
        let name = format!("help__{}", command.replace('-', "_"));
        snapshot(&name, &said(&[&command, "-h"]));
    }
}

/// The manual and the completions of fish, which say an option a line: what they hold is what other shells
/// are told, in the form that is read best.
#[test]
fn the_manual_and_the_completions_are_as_recorded() {
    let manual = said(&["man"]);
    let version = env!("CARGO_PKG_VERSION");
    snapshot("man__cargo_oxy_task", &manual.replace(version, "<version>"));
    snapshot("completions__fish", &said(&["completions", "fish"]));
}

#[test]
fn every_shell_is_told_every_command_and_option() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = said(&["completions", shell]);
        for command in commands() {
            assert!(script.contains(&command), "{shell}: {command}");
            for option in options(&said(&[&command, "--help"])) {
                assert!(script.contains(&option), "{shell}: {command} --{option}");
            }
        }
    }
}
