//! What the tool keeps of a workspace between runs, in a folder of its own in cargo's target folder.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::note::{Outcome, Refusal};

/// The folder of one workspace: several may share a target folder.
#[derive(Debug, Clone)]
pub struct State {
    dir: PathBuf,
    /// The workspace's root, without links.
    root: PathBuf,
}

/// Held while files of the workspace are written; another tool waits for its end.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Digests of the files that the tool wrote last, by path.
const OWN_WRITES: &str = "own-writes.json";

impl State {
    /// What is kept of the workspace at `root`, whose target folder is `target`.
    #[must_use]
    pub fn of(root: &Path, target: &Path) -> Self {
        // Two ways to one workspace, by a link say, lead to one lock and one journal.
        let root = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
        let workspace = digest(&root.to_string_lossy());
        Self {
            dir: target.join("oxy-task").join(workspace),
            root,
        }
    }

    /// The workspace's root, without links.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Makes the folder. The target folder may be anybody's link; what the tool made in it is none:
    /// one that came with a workspace could lead anywhere.
    pub fn make(&self) -> io::Result<()> {
        std::fs::create_dir_all(&self.dir)?;
        for dir in self.dir.ancestors().take(2) {
            if dir.symlink_metadata()?.is_symlink() {
                let message = format!("`{}` is a link", dir.display());
                return Err(io::Error::other(message));
            }
        }
        Ok(())
    }

    /// The path of what is kept under `name`.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Waits until no other tool writes; `blocked` is called before a wait.
    pub fn lock(&self, blocked: impl FnOnce()) -> Outcome<Lock> {
        let lock = || {
            self.make()?;
            let file = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(self.path("lock"))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    blocked();
                    file.lock()?;
                }
                Err(TryLockError::Error(e)) => return Err(e),
            }
            Ok(Lock { _file: file })
        };
        lock().map_err(|e| self.cannot(&e))
    }

    /// Keeps `text` under `name`, whole or not at all; also where the machine stops, once it is
    /// [synced](Self::sync).
    pub fn save(&self, name: &str, text: &str) -> Outcome<()> {
        let save = || {
            self.make()?;
            self.replace(name, text)
        };
        save().map_err(|e| self.cannot(&e))
    }

    /// A link that stands under one of the names is replaced, and not followed.
    fn replace(&self, name: &str, text: &str) -> io::Result<()> {
        let beside = self.path(&format!("{name}.new"));
        let create = || File::create_new(&beside);
        let mut file = match create() {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                std::fs::remove_file(&beside)?;
                create()?
            }
            made => made?,
        };
        file.write_all(text.as_bytes())?;
        std::fs::rename(&beside, self.path(name))
    }

    /// Makes what is kept under `name` outlast the machine.
    pub fn sync(&self, name: &str) -> Outcome<()> {
        let sync = || {
            File::open(self.path(name))?.sync_all()?;
            sync_dir(&self.dir)
        };
        sync().map_err(|e| self.cannot(&e))
    }

    /// Keeps what is kept under `from` under `to` from here on, in place of what was there.
    ///
    /// Where the machine stops soon after, the journal of a write that had come to its end may be
    /// there again: that write is taken back then, and nothing is torn.
    pub fn rename(&self, from: &str, to: &str) -> Outcome<()> {
        std::fs::rename(self.path(from), self.path(to)).map_err(|e| self.cannot(&e))
    }

    /// Keeps nothing under `name` any more; where the machine stops, as with [`Self::rename`].
    pub fn forget(&self, name: &str) -> Outcome<()> {
        match std::fs::remove_file(self.path(name)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(self.cannot(&e)),
            _ => Ok(()),
        }
    }

    /// What is kept under `name`; `None` where nothing is.
    pub fn load(&self, name: &str) -> Outcome<Option<String>> {
        match std::fs::read_to_string(self.path(name)) {
            Ok(text) => Ok(Some(text)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(self.cannot(&e)),
        }
    }

    /// Digests of the files as the tool left them, by path.
    #[must_use]
    pub fn own_writes(&self) -> BTreeMap<String, String> {
        let text = std::fs::read_to_string(self.path(OWN_WRITES)).ok();
        text.and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default()
    }

    /// Whether the tool left `path` with this text.
    #[must_use]
    pub fn is_own(&self, path: &str, text: &str) -> bool {
        self.own_writes().get(path) == Some(&digest(text))
    }

    /// Notes that the tool left each path with the text of this digest; `None` forgets one.
    pub fn note_writes(&self, writes: impl IntoIterator<Item = (String, Option<String>)>) {
        let mut own = self.own_writes();
        for (path, digest) in writes {
            match digest {
                Some(digest) => own.insert(path, digest),
                None => own.remove(&path),
            };
        }
        let text = serde_json::to_string(&own).unwrap_or_default();
        // Only a convenience: without it the next run asks for --allow-dirty.
        self.replace(OWN_WRITES, &text).ok();
    }

    fn cannot(&self, error: &io::Error) -> Refusal {
        let dir = self.dir.display();
        Refusal::new("state", format!("cannot write in `{dir}`: {error}"))
            .help("the journal of what is written stands there: mend the cause, or name another target folder in CARGO_TARGET_DIR")
    }
}

/// The digest that texts are told apart by.
#[must_use]
pub fn digest(text: &str) -> String {
    crate::digest::digest(text, 16)
}

/// Makes what was renamed in a folder last, where the system lets a folder be synced.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    match File::open(dir).and_then(|dir| dir.sync_all()) {
        Err(e) if cfg!(unix) => Err(e),
        _ => Ok(()),
    }
}
