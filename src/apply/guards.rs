//! What version control says: files with changes that are not committed are not edited.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::state::{State, digest};
use crate::edit::FileChange;
use crate::note::{Outcome, Refusal};
use crate::workspace::{SourceFile, real, relative};

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
    let standing = changes.iter().filter_map(|change| change.before.as_ref());
    let standing: Vec<&SourceFile> = standing.map(AsRef::as_ref).collect();
    check_standing(root, state, &standing, guards)
}

/// Refuses to change `files`, which stand, where their own changes are not committed.
pub fn check_standing(
    root: &Path,
    state: &State,
    files: &[&SourceFile],
    guards: Guards,
) -> Outcome<()> {
    // A file behind a link, in a submodule or in a repository of its own is that one's.
    let mut repositories: BTreeMap<PathBuf, Vec<(String, &SourceFile)>> = BTreeMap::new();
    for file in files {
        let (repository, path) = repository(root, &file.path);
        repositories
            .entry(repository)
            .or_default()
            .push((path, file));
    }
    let own = state.own_writes();
    let mut dirty = Vec::new();
    let mut staged = Vec::new();
    for (repository, edited) in &repositories {
        let Some(output) = status(repository, edited) else {
            if guards.no_vcs {
                continue;
            }
            return Err(Refusal::new(
                "no-vcs",
                format!("no version control found for `{}`", repository.display()),
            )
            .help("commit the workspace to git first, or pass --allow-no-vcs"));
        };
        for entry in output.split('\0') {
            let (Some(state), Some(path)) = (entry.get(..2), entry.get(3..)) else {
                continue;
            };
            // Git names paths from the top, which may be above.
            let is_it = |own: &str| {
                path.strip_suffix(own)
                    .is_some_and(|top| top.is_empty() || top.ends_with('/'))
            };
            let found = edited.iter().filter(|(own, _)| is_it(own));
            let Some((_, file)) = found.max_by_key(|(own, _)| own.len()) else {
                continue;
            };
            if own.get(&file.path) == Some(&digest(&file.text)) {
                continue;
            }
            let mut states = state.chars();
            let (index, tree) = (states.next().unwrap_or(' '), states.next().unwrap_or(' '));
            if index != ' ' && index != '?' && !guards.staged {
                staged.push(file.path.clone());
            }
            if tree != ' ' && !guards.dirty {
                dirty.push(file.path.clone());
            }
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

/// The folder of the repository that holds a file, and the file's path in it, links followed.
fn repository(root: &Path, path: &str) -> (PathBuf, String) {
    let outer = || (root.to_path_buf(), path.to_owned());
    let Ok(file) = real(&root.join(path)) else {
        return outer();
    };
    let mut above = file.ancestors().skip(1);
    let top = above.find(|dir| dir.join(".git").exists());
    let inside = top.and_then(|top| Some((top.to_path_buf(), relative(top, &file)?)));
    // The repository may be named by the environment.
    inside.unwrap_or_else(outer)
}

/// What git says of the files; `None` where there is no git.
fn status(repository: &Path, files: &[(String, &SourceFile)]) -> Option<String> {
    let mut git = Command::new("git");
    git.arg("-C").arg(repository).args([
        "--no-optional-locks",
        "status",
        "--porcelain=v1",
        "-z",
        "--untracked-files=all",
        "--",
    ]);
    git.args(files.iter().map(|(path, _)| format!(":(literal){path}")));
    let output = git.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}
