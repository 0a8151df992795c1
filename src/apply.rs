//! Writes the changes: guards first, then every file beside the old one, then all renames.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

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
pub fn check(root: &Path, target: &Path, changes: &[FileChange], guards: Guards) -> Outcome<()> {
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
    let own = last_write(root, target);
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
        if own.get(&change.path) == Some(&hash(text)) {
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

/// What [`commit`] put in place of, so that it can be put back.
pub struct Written {
    root: PathBuf,
    target: PathBuf,
    files: Vec<(PathBuf, Option<String>)>,
    dirs: Vec<PathBuf>,
    record: BTreeMap<String, u64>,
}

/// Writes every change, or none: new contents go beside the old and are renamed into place;
/// when one cannot be, those before it are put back.
pub fn commit(root: &Path, target: &Path, changes: &[FileChange]) -> Outcome<Written> {
    let mut written = Written {
        root: root.to_path_buf(),
        target: target.to_path_buf(),
        files: Vec::new(),
        dirs: Vec::new(),
        record: BTreeMap::new(),
    };
    let mut staged: Vec<(PathBuf, PathBuf)> = Vec::new();
    for change in changes {
        match stage(&mut written, change) {
            Ok(pair) => staged.push(pair),
            Err(refusal) => {
                written.remove_dirs();
                return Err(refusal);
            }
        }
    }
    if let Err(refusal) = write_beside(&staged, changes) {
        for (beside, _) in &staged {
            std::fs::remove_file(beside).ok();
        }
        written.remove_dirs();
        return Err(refusal);
    }
    for ((beside, path), change) in staged.iter().zip(changes) {
        if let Err(e) = std::fs::rename(beside, path) {
            for (beside, _) in &staged {
                std::fs::remove_file(beside).ok();
            }
            let refusal = cannot(&change.path, &e);
            written.roll_back()?;
            return Err(refusal);
        }
        let before = change.before.as_ref().map(|before| before.text.clone());
        written.files.push((path.clone(), before));
        written
            .record
            .insert(change.path.clone(), hash(&change.after));
    }
    written.remember();
    Ok(written)
}

/// How many files are written at once: each waits for the disk, and the disk takes them together.
const WRITERS: usize = 8;

/// Writes the new contents beside the old ones, synced, with their permissions.
fn write_beside(staged: &[(PathBuf, PathBuf)], changes: &[FileChange]) -> Outcome<()> {
    let write = |(beside, path): &(PathBuf, PathBuf), change: &FileChange| {
        let mut file = std::fs::File::create(beside)?;
        file.write_all(change.after.as_bytes())?;
        if change.before.is_some() {
            file.set_permissions(std::fs::metadata(path)?.permissions())?;
        }
        file.sync_all()
    };
    let write = |(names, change): (&(PathBuf, PathBuf), &FileChange)| {
        write(names, change).map_err(|e| cannot(&change.path, &e))
    };
    let each = staged.len().div_ceil(WRITERS).max(1);
    let parts = staged.chunks(each).zip(changes.chunks(each));
    std::thread::scope(|scope| {
        let writers: Vec<_> = parts
            .map(|(staged, changes)| {
                scope.spawn(move || staged.iter().zip(changes).try_for_each(write))
            })
            .collect();
        // The first refusal in the order of the files counts, whichever came first.
        let done: Vec<Outcome<()>> = writers
            .into_iter()
            .map(|writer| {
                let panicked = |_| Refusal::new("write", "a thread that writes panicked");
                writer.join().map_err(panicked)?
            })
            .collect();
        done.into_iter().collect()
    })
}

/// Where the new contents of a file go first, and where from there. Refuses a file that cannot be
/// replaced; makes the folders of one that is new.
fn stage(written: &mut Written, change: &FileChange) -> Outcome<(PathBuf, PathBuf)> {
    let path = written.root.join(&change.path);
    // A link is followed by hand, so that what it points at is replaced and not the link.
    let path = path.canonicalize().unwrap_or(path);
    let dir = path.parent().unwrap_or(&written.root).to_path_buf();
    if let Some(before) = &change.before {
        let now = std::fs::read_to_string(&path).map_err(|e| cannot(&change.path, &e))?;
        if now != before.text {
            return Err(Refusal::new(
                "changed",
                format!("`{}` changed while the tool ran", change.path),
            )
            .help("run the command again"));
        }
        let permissions = std::fs::metadata(&path)
            .map_err(|e| cannot(&change.path, &e))?
            .permissions();
        if permissions.readonly() {
            return Err(
                Refusal::new("read-only", format!("`{}` is read-only", change.path))
                    .help("make it writable, and run the command again"),
            );
        }
    } else {
        written
            .make_dirs(&dir)
            .map_err(|e| cannot(&change.path, &e))?;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = dir.join(format!(".{name}.oxy-task-{}", std::process::id()));
    Ok((beside, path))
}

fn cannot(path: &str, error: &std::io::Error) -> Refusal {
    Refusal::new("write", format!("cannot write `{path}`: {error}"))
        .help("nothing was changed; mend the cause and run the command again")
}

impl Written {
    /// Puts every file back as it was before.
    pub fn roll_back(&mut self) -> Outcome<()> {
        for (path, before) in self.files.drain(..).rev() {
            let done = match before {
                Some(text) => std::fs::write(&path, text),
                None => std::fs::remove_file(&path),
            };
            done.map_err(|e| {
                Refusal::new(
                    "roll-back",
                    format!("cannot put `{}` back: {e}", path.display()),
                )
                .help("`git checkout` the file")
            })?;
        }
        self.remove_dirs();
        self.record.clear();
        Ok(())
    }

    fn make_dirs(&mut self, dir: &Path) -> std::io::Result<()> {
        let missing: Vec<&Path> = dir.ancestors().take_while(|dir| !dir.exists()).collect();
        for dir in missing.into_iter().rev() {
            std::fs::create_dir(dir)?;
            self.dirs.push(dir.to_path_buf());
        }
        Ok(())
    }

    fn remove_dirs(&mut self) {
        for dir in self.dirs.drain(..).rev() {
            std::fs::remove_dir(dir).ok();
        }
    }

    /// Keeps what was written, so that a file which is still so does not count as dirty.
    fn remember(&self) {
        let mut record = last_write(&self.root, &self.target);
        record.extend(self.record.clone());
        let text = serde_json::to_string(&record).unwrap_or_default();
        // Only a convenience: without it the next run asks for --allow-dirty.
        if std::fs::create_dir_all(
            record_file(&self.root, &self.target)
                .parent()
                .unwrap_or(&self.target),
        )
        .is_ok()
        {
            std::fs::write(record_file(&self.root, &self.target), text).ok();
        }
    }
}

/// A file for each workspace: several may share a target folder.
fn record_file(root: &Path, target: &Path) -> PathBuf {
    let workspace = hash(&root.to_string_lossy());
    target.join(format!("oxy-task/{workspace:016x}/last-write.json"))
}

fn last_write(root: &Path, target: &Path) -> BTreeMap<String, u64> {
    std::fs::read_to_string(record_file(root, target))
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default()
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
