//! A folder that reads as the workspace does, but for one file.
//!
//! Folders of code are real ones, so that a `..` in `#[path]` or `include_str!` stays in the
//! mirror; everything else is linked.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use super::scratch::cannot;
use crate::note::Outcome;
use crate::workspace::{Member, Workspace};

/// Makes the mirror of `workspace` for `member` at `tree`, where `path` has the text `changed`.
pub(super) fn make(
    workspace: &Workspace,
    member: &Member,
    path: &str,
    changed: &str,
    tree: &Path,
) -> Outcome<()> {
    let own = workspace.files.keys().filter(|path| member.holds(path));
    let roots = member.targets.iter().map(|target| &target.root);
    let files = own.chain(roots).map(String::as_str).chain([path]);
    let mirror = Mirror {
        workspace,
        folders: files.flat_map(folders).collect(),
        path,
        changed,
    };
    mirror.folder("", tree).map_err(|e| cannot(tree, &e))
}

/// The folders above a file, without the root.
fn folders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

struct Mirror<'a> {
    workspace: &'a Workspace,
    /// Paths of the folders that are real ones.
    folders: BTreeSet<&'a str>,
    path: &'a str,
    changed: &'a str,
}

impl Mirror<'_> {
    /// Makes the folder `dir` of the workspace at `to`.
    fn folder(&self, dir: &str, to: &Path) -> io::Result<()> {
        std::fs::create_dir(to)?;
        for entry in std::fs::read_dir(self.workspace.root.join(dir))? {
            let entry = entry?;
            let (from, name) = (entry.path(), entry.file_name());
            let path = match name.to_str() {
                Some(name) if dir.is_empty() => name.to_owned(),
                Some(name) => format!("{dir}/{name}"),
                // No path of the set: cargo names no such file.
                None => String::new(),
            };
            let to = to.join(&name);
            if path == self.path {
                std::fs::write(to, self.changed)?;
            } else if self.folders.contains(path.as_str()) {
                self.folder(&path, &to)?;
            } else if from != self.workspace.target {
                // The mirror itself stands in the target folder.
                link(&from, &to)?;
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(from, to)
}

#[cfg(windows)]
fn link(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        std::os::windows::fs::symlink_dir(from, to)
    } else {
        std::os::windows::fs::symlink_file(from, to)
    }
}
