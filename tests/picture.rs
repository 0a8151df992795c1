//! The picture of the README: what its first command prints in a terminal, of the real binary.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::path::Path;

use anstyle_svg::Term;
use common::{CLONE, Fleet};

/// Columns of the terminal that the picture shows.
const COLUMNS: usize = 110;

/// The first command of the README, from `$` to the end of what it goes on with.
fn first_command(readme: &str) -> String {
    let (_, block) = readme.split_once("```console\n").unwrap();
    let (command, _) = block.split_once("```").unwrap();
    command.trim_end().to_owned()
}

/// The words of a command line, without the program and its line breaks.
fn arguments(command: &str) -> Vec<&str> {
    let words = command.split_whitespace().filter(|word| *word != "\\");
    words.skip_while(|word| *word != "new").collect()
}

/// The text as a terminal shows it: a line that is too long goes on in the next one, and what sets a
/// color takes no column.
fn folded(text: &str) -> String {
    let mut all = String::new();
    let mut column = 0;
    let mut is_escape = false;
    for c in text.chars() {
        match c {
            '\u{1b}' => is_escape = true,
            'm' if is_escape => is_escape = false,
            '\n' => column = 0,
            _ if is_escape => {}
            _ if column == COLUMNS => {
                all.push('\n');
                column = 1;
            }
            _ => column += 1,
        }
        all.push(c);
    }
    all
}

/// `.github/new.svg` shows what the command prints. With `INSTA_UPDATE=always` it is made anew.
#[test]
fn the_picture_is_what_the_first_command_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    assert!(readme.contains("](.github/new.svg)"), "the README shows it");
    let command = first_command(&readme);
    assert_eq!(arguments(&command), CLONE);

    let fleet = Fleet::new();
    let ran = fleet.done(&[CLONE, &["--color", "always"]].concat());
    assert!(ran.stderr.contains("\u{1b}[1m"), "{}", ran.stderr);
    let shown = folded(&format!("{command}\n{}", ran.stderr));
    let picture = Term::new().render_svg(&shown);

    let path = root.join(".github/new.svg");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&path, &picture).unwrap();
    }
    let standing = std::fs::read_to_string(&path).unwrap();
    assert!(
        standing == picture,
        "{} is stale: run `.ci/regenerate`",
        path.display()
    );
}

#[test]
fn a_long_line_goes_on_in_the_next() {
    let long = format!("\u{1b}[1m{}\u{1b}[0m", "x".repeat(COLUMNS + 1));
    let shown = format!("\u{1b}[1m{}\nx\u{1b}[0m", "x".repeat(COLUMNS));
    assert_eq!(folded(&long), shown);
    let fits = format!("{}\nx", "x".repeat(COLUMNS));
    assert_eq!(folded(&fits), fits);
}
