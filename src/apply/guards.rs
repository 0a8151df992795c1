//! What version control says: files with changes that are not committed are not edited.

use std::path::Path;
use std::process::Command;

use super::state::{State, digest};
use crate::edit::FileChange;
use crate::note::{Outcome, Refusal};

/// Which guards the user lifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub struct Guards {
    /// `--allow-dirty`.
    pub dirty: bool,
    /// `--allow-staged`.
    pub staged: bool,
    /// `--allow-no-vcs`.
    pub no_vcs: bool,
}

/// Refuses to edit files whose changes are not committed, as `cargo fix` does.
///
/// Files that would not be edited are nobody's business; a file that still is as the tool
/// itself left it is not dirty.
pub fn check(root: &Path, state: &State, changes: &[FileChange], guards: Guards) -> Outcome<()> {
    for change in changes.iter().filter(|change| change.before.is_none()) {
        if root.join(&change.path).exists() {
            return Err(Refusal::new(
                "file-exists",
                format!("`{}` appeared meanwhile", change.path),
            )
            .help("run the command again"));
        }
    }
    let mut git = Command::new("git");
    git.arg("-C").arg(root).args([
        "--no-optional-locks",
        "status",
        "--porcelain=v1",
        "-z",
        "--untracked-files=all",
        "--",
    ]);
    let edited: Vec<&FileChange> = changes.iter().filter(|c| c.before.is_some()).collect();
    git.args(
        edited
            .iter()
            .map(|change| format!(":(top,literal){}", prefix(root, &change.path))),
    );
    let output = match git.output() {
        Ok(output) if output.status.success() => output.stdout,
        _ if guards.no_vcs => return Ok(()),
        _ => {
            return Err(Refusal::new(
                "no-vcs",
                format!("no version control found for `{}`", root.display()),
            )
            .help("commit the workspace to git first, or pass --allow-no-vcs"));
        }
    };
    let own = state.own_writes();
    let mut dirty = Vec::new();
    let mut staged = Vec::new();
    for entry in String::from_utf8_lossy(&output).split('\0') {
        let (Some(state), Some(path)) = (entry.get(..2), entry.get(3..)) else {
            continue;
        };
        let Some(change) = edited
            .iter()
            .find(|change| path == prefix(root, &change.path))
        else {
            continue;
        };
        let text = change
            .before
            .as_ref()
            .map_or("", |before| before.text.as_str());
        if own.get(&change.path) == Some(&digest(text)) {
            continue;
        }
        let mut states = state.chars();
        let (index, tree) = (states.next().unwrap_or(' '), states.next().unwrap_or(' '));
        if index != ' ' && index != '?' && !guards.staged {
            staged.push(change.path.clone());
        }
        if tree != ' ' && !guards.dirty {
            dirty.push(change.path.clone());
        }
    }
    if dirty.is_empty() && staged.is_empty() {
        return Ok(());
    }
    let list = |files: &[String], label: &str| -> String {
        files
            .iter()
            .map(|file| format!("\n  * {file} ({label})"))
            .collect()
    };
    let flag = if dirty.is_empty() {
        "--allow-staged"
    } else {
        "--allow-dirty"
    };
    Err(Refusal::new(
        "dirty",
        format!(
            "files that would be edited have uncommitted changes:{}{}",
            list(&dirty, "dirty"),
            list(&staged, "staged")
        ),
    )
    .help(format!("commit or stash them, or pass {flag}")))
}

/// The path as git sees it: relative to the top of the repository that holds `root`.
fn prefix(root: &Path, path: &str) -> String {
    let top = root
        .ancestors()
        .find(|dir| dir.join(".git").exists())
        .unwrap_or(root);
    match root.strip_prefix(top).ok().and_then(Path::to_str) {
        Some(inside) if !inside.is_empty() => format!("{inside}/{path}"),
        _ => path.to_owned(),
    }
}
