//! The workspace as it stands: members from their manifests, files with their exact text.
//!
//! `cargo metadata --no-deps` runs while the tree is walked, because each takes about as
//! long as the other. The resolved graph is never asked for: it needs every git dependency.

mod graph;
mod manifest;
mod members;
mod reach;
mod source;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use manifest::{Manifest, lock_edge};
pub use members::{CargoOptions, Member, Target};
pub use source::SourceFile;

use crate::apply::State;
use crate::edit::FileChange;
use crate::note::{Outcome, Place, Refusal};
use crate::pool::beside;
use walk::Folders;

/// Members and files of one cargo workspace.
#[derive(Debug)]
pub struct Workspace {
    /// Absolute path of the workspace root.
    pub root: PathBuf,
    /// Members, sorted by the directory of their manifest.
    pub members: Vec<Member>,
    /// Rust files below the root, by path relative to it, with `/`.
    pub files: BTreeMap<String, Arc<SourceFile>>,
    /// The first byte that is no UTF-8 of each Rust file that is not.
    pub unreadable: Vec<Place>,
    /// Cargo's target folder: what the tool keeps lies there.
    pub target: PathBuf,
    /// Texts of other files that a change would bring.
    texts: BTreeMap<String, String>,
    /// Files that a change would remove.
    gone: BTreeSet<String>,
}

impl Workspace {
    /// Reads the workspace that `options` point at.
    ///
    /// `meanwhile` is called on the root and the files while cargo still looks for the members; what it
    /// gives is `None` where the files turn out to be others.
    ///
    /// Refuses when there is no workspace, when a manifest is broken, or when a directory
    /// cannot be read.
    pub fn read<T: Send>(
        options: &CargoOptions,
        meanwhile: impl FnOnce(&Path, &BTreeMap<String, Arc<SourceFile>>) -> T + Send,
    ) -> Outcome<(Self, Option<T>)> {
        let start = members::nearest_manifest(options)?;
        // This thread waits for cargo; those that search and parse walk.
        let ((guess, walked), metadata) = beside(
            || {
                let guess = members::guess_root(&start).map(|root| {
                    let tops = members::guess_tops(&root);
                    (root, tops)
                });
                let walked = guess.as_ref().map(|(root, tops)| {
                    walk::rust_files(root, tops, Folders::OfCode).map(|walked| {
                        let early = meanwhile(root, &walked.files);
                        (walked, early)
                    })
                });
                (guess, walked)
            },
            || members::metadata(&start, options),
        );
        let members::Metadata {
            root,
            target,
            members,
        } = metadata?;
        let (mut walked, early, tops) = match (walked, guess) {
            (Some(walked), Some((guess, tops))) if guess == root => {
                let (walked, early) = walked?;
                (walked, Some(early), tops)
            }
            _ => (walk::Walked::default(), None, BTreeSet::new()),
        };
        let mut others = members::other_tops(&members, &tops);
        let aside = std::mem::take(&mut walked.aside).into_iter();
        others.extend(
            aside.filter(|dir| {
                walked.leads_out || members.iter().any(|member| member.stands_in(dir))
            }),
        );
        if !others.is_empty() {
            let others = walk::rust_files(&root, &others, Folders::All)?;
            walked.files.extend(others.files);
            walked.unreadable.extend(others.unreadable);
        }
        let workspace = Self {
            root,
            members,
            files: walked.files,
            unreadable: walked.unreadable,
            target,
            texts: BTreeMap::new(),
            gone: BTreeSet::new(),
        };
        Ok((workspace, early))
    }

    /// The workspace that `options` point at; its files are not read.
    ///
    /// Refuses when there is no workspace, and when a manifest is broken.
    pub fn locate(options: &CargoOptions) -> Outcome<Self> {
        let start = members::nearest_manifest(options)?;
        let metadata = members::metadata(&start, options)?;
        Ok(Self {
            root: metadata.root,
            members: metadata.members,
            files: BTreeMap::new(),
            unreadable: Vec::new(),
            target: metadata.target,
            texts: BTreeMap::new(),
            gone: BTreeSet::new(),
        })
    }

    /// `path`, an absolute one of a file that need not exist yet, relative to the root, with `/`;
    /// `None` where it leads out.
    #[must_use]
    pub fn inside(&self, path: &Path) -> Option<String> {
        // The root is what cargo says, which may name the same folder by another way.
        relative(&self.root.canonicalize().ok()?, &real(path).ok()?)
    }

    /// What the tool keeps of this workspace.
    #[must_use]
    pub fn state(&self) -> State {
        State::of(&self.root, &self.target)
    }

    /// The workspace as it would be with `changes`: nothing is written.
    #[must_use]
    pub fn with(&self, changes: &[FileChange]) -> Self {
        let mut after = Self {
            root: self.root.clone(),
            members: self.members.clone(),
            files: self.files.clone(),
            unreadable: self.unreadable.clone(),
            target: self.target.clone(),
            texts: self.texts.clone(),
            gone: self.gone.clone(),
        };
        for change in changes {
            after.gone.remove(&change.path);
            if change.path.ends_with(".rs") {
                let file = SourceFile {
                    path: change.path.clone(),
                    absolute: self.root.join(&change.path),
                    text: change.after.clone(),
                };
                after.files.insert(change.path.clone(), Arc::new(file));
            } else {
                after
                    .texts
                    .insert(change.path.clone(), change.after.clone());
            }
        }
        after.members = members::with(&after.members, &after.texts);
        after
    }

    /// The workspace as it would be with `changes`, which take something out, and without the files
    /// `gone`: nothing is written.
    #[must_use]
    pub fn without(&self, changes: &[FileChange], gone: &[Arc<SourceFile>]) -> Self {
        let mut after = self.with(changes);
        for file in gone {
            after.files.remove(&file.path);
            after.texts.remove(&file.path);
            after.gone.insert(file.path.clone());
        }
        let manifests = changes.iter().filter_map(|change| {
            let before = change.before.as_ref()?;
            Some((change.path.as_str(), [before.text.as_str(), &change.after]))
        });
        members::without(&mut after.members, manifests);
        after
    }

    /// The member that `path` (relative to the root) belongs to: the one with the longest
    /// directory that holds it.
    #[must_use]
    pub fn member_of(&self, path: &str) -> Option<&Member> {
        self.members
            .iter()
            .filter(|member| member.holds(path))
            .max_by_key(|member| member.dir.len())
    }

    /// The names of the packages that `paths` belong to, in order, each once.
    #[must_use]
    pub fn packages_of<'p>(&self, paths: impl Iterator<Item = &'p str>) -> Vec<String> {
        let members = paths.filter_map(|path| self.member_of(path));
        let names: BTreeSet<String> = members.map(|member| member.name.clone()).collect();
        names.into_iter().collect()
    }

    /// The edition that most members have.
    #[must_use]
    pub fn usual_edition(&self) -> &str {
        let count = |edition: &str| self.members.iter().filter(|m| m.edition == edition).count();
        let editions = self.members.iter().map(|member| member.edition.as_str());
        editions
            .max_by_key(|edition| count(edition))
            .unwrap_or("2024")
    }

    /// The member called `name`.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// Reads a file that is no Rust source: a manifest, the lock file.
    pub fn read_text(&self, path: &str) -> Outcome<SourceFile> {
        let absolute = self.root.join(path);
        let text = match self.texts.get(path) {
            Some(text) => text.clone(),
            None => std::fs::read_to_string(&absolute)
                .map_err(|e| Refusal::new("read", format!("cannot read `{path}`: {e}")))?,
        };
        Ok(SourceFile {
            path: path.to_owned(),
            absolute,
            text,
        })
    }

    /// Reads a file that need not be there; `None` where it is not.
    pub fn read_if_any(&self, path: &str) -> Outcome<Option<SourceFile>> {
        let is_there = self.texts.contains_key(path) || self.exists(path);
        is_there.then(|| self.read_text(path)).transpose()
    }

    /// The file at `path`, Rust or not, if it stands.
    pub fn file_if_any(&self, path: &str) -> Outcome<Option<Arc<SourceFile>>> {
        if let Some(file) = self.files.get(path) {
            return Ok(Some(Arc::clone(file)));
        }
        Ok(self.read_if_any(path)?.map(Arc::new))
    }

    /// Whether the path (relative to the root) exists.
    #[must_use]
    pub fn exists(&self, path: &str) -> bool {
        !self.gone.contains(path) && self.root.join(path).exists()
    }
}

/// The path without links; of what does not exist yet, that of the folder above which does.
pub(crate) fn real(path: &Path) -> io::Result<PathBuf> {
    let mut above = path
        .ancestors()
        .filter(|dir| dir.symlink_metadata().is_ok());
    let above = above.next().unwrap_or(path);
    let real = above.canonicalize()?;
    Ok(match path.strip_prefix(above) {
        Ok(rest) if !rest.as_os_str().is_empty() => real.join(rest),
        _ => real,
    })
}

/// `path` relative to `root`, with `/`; `None` when it is not below it.
pub(crate) fn relative(root: &Path, path: &Path) -> Option<String> {
    let relative = path.strip_prefix(root).ok()?;
    let parts: Option<Vec<&str>> = relative.iter().map(|part| part.to_str()).collect();
    Some(parts?.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The Rust files that are read of a workspace with a web front end, beside `core`'s library.
    fn files_read(core: &str, others: &[(&str, &str)]) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let package = |name: &str| format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\n");
        let root = "[workspace]\nresolver = \"3\"\nmembers = [\"core\", \"web\"]\n";
        let web = package("web") + "\n[lib]\npath = \"lib.rs\"\n";
        let core_manifest = package("core");
        let files = [
            ("Cargo.toml", root),
            ("core/Cargo.toml", &core_manifest),
            ("core/src/lib.rs", core),
            ("web/Cargo.toml", &web),
            ("web/lib.rs", "// Nothing to see.\n"),
            ("web/views/button/a.rs", "pub struct A;\n"),
        ];
        for (name, text) in files.iter().chain(others) {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let options = CargoOptions {
            manifest_path: Some(dir.path().join("Cargo.toml")),
            flags: vec!["--offline".to_owned()],
        };
        let (workspace, _) = Workspace::read(&options, |_, _| ()).unwrap();
        workspace.files.into_keys().collect()
    }

    #[test]
    fn folders_without_code_are_not_read() {
        assert_eq!(files_read("", &[]), ["core/src/lib.rs", "web/lib.rs"]);
    }

    #[test]
    fn what_version_control_ignores_is_not_read() {
        let ignored = [
            (".gitignore", "core/src/made/\n"),
            ("core/.gitignore", "*_gen.rs\n!kept_gen.rs\n"),
            ("core/src/made/a.rs", ""),
            ("core/src/deep/a_gen.rs", ""),
            ("core/src/deep/kept_gen.rs", ""),
            ("core/src/target/a.rs", ""),
            ("core/src/.hidden/a.rs", ""),
        ];
        let read = files_read("", &ignored);
        let kept = ["core/src/deep/kept_gen.rs", "core/src/lib.rs", "web/lib.rs"];
        assert_eq!(read, kept);
    }

    #[test]
    fn a_folder_that_a_path_leads_into_is_read() {
        let core = "#[path = \"../../web/views/button/a.rs\"]\nmod a;\n";
        let all = ["core/src/lib.rs", "web/lib.rs", "web/views/button/a.rs"];
        assert_eq!(files_read(core, &[]), all);
    }

    #[test]
    fn a_member_in_a_folder_without_other_code_is_read() {
        // Cargo counts what a member depends on by a path as a member.
        let b = "[package]\nname = \"b\"\nversion = \"0.1.0\"\n";
        let core = "[package]\nname = \"core\"\nversion = \"0.1.0\"\n\n\
                    [dependencies]\nb = { path = \"../web/views/b\" }\n";
        let read = files_read(
            "",
            &[
                ("core/Cargo.toml", core),
                ("web/views/b/Cargo.toml", b),
                ("web/views/b/src/lib.rs", ""),
            ],
        );
        let with_b = [
            "core/src/lib.rs",
            "web/lib.rs",
            "web/views/b/src/lib.rs",
            "web/views/button/a.rs",
        ];
        assert_eq!(read, with_b);
    }
}
