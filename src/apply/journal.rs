//! The journal of a write: what every file was and is to be, kept before the first byte is written.
//!
//! A run that ends in between leaves it behind. The next one finds each file as it was or as it was
//! to be, and takes all of them back.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::thread::ScopedJoinHandle;

use serde::{Deserialize, Serialize};

use super::state::{State, digest, sync_dir};
use crate::note::{Outcome, Refusal};
use crate::workspace::real;

/// The journal of a write that is under way.
const JOURNAL: &str = "journal.json";

/// The journal of the last one that came to its end.
const LAST: &str = "last.json";

/// The command of a journal that takes another one back.
pub const UNDO: &str = "undo";

/// What one command writes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Journal {
    /// The command's name.
    pub command: String,
    /// The variant that it was about; empty where there was none.
    pub variant: String,
    /// The variant's wire tag.
    pub tag: String,
    /// Every file.
    pub files: Vec<Entry>,
    /// Folders that are made, outer ones first.
    #[serde(default)]
    pub dirs: Vec<PathBuf>,
}

/// One file of a journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// Its path relative to the workspace root, with `/`.
    pub path: String,
    /// Where it really is: links are followed.
    #[serde(default)]
    pub absolute: PathBuf,
    /// The text before; `None` where there was no file.
    pub before: Option<String>,
    /// The text after; `None` where there is none any more.
    pub after: Option<String>,
    /// What went in, for a report.
    #[serde(default)]
    pub edits: Vec<Edit>,
    /// Whether the text before was the tool's own last write.
    #[serde(default)]
    pub was_own: bool,
    /// Whether it is written over rather than replaced, since it has other names or owners that a
    /// new file would not have.
    #[serde(default)]
    pub in_place: bool,
    /// The mode of the file before, where files have one.
    #[serde(default)]
    pub mode: Option<u32>,
}

/// What went into a file at one place.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Edit {
    /// What it is, in the words of the command line's JSON.
    pub kind: String,
    /// The line (from 1) of the text before that it went in at.
    pub line: usize,
    /// How many lines went in.
    pub lines: usize,
    /// The byte of the text before that it went in at.
    pub at: usize,
    /// How many bytes went in.
    pub inserted: usize,
    /// How many bytes from there on it took the place of.
    pub removed: usize,
}

/// How a file stands between before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    Before,
    After,
    /// Written over by half.
    Between,
    /// Somebody else wrote it.
    Other,
}

impl Journal {
    /// What `command` does to `files`; `variant` and `tag` are empty where it is about none.
    #[must_use]
    pub fn of(command: &str, variant: &str, tag: &str, files: Vec<Entry>) -> Self {
        Self {
            command: command.to_owned(),
            variant: variant.to_owned(),
            tag: tag.to_owned(),
            files,
            dirs: Vec::new(),
        }
    }

    /// The command in words: `new CloneRepository`.
    #[must_use]
    pub fn what(&self) -> String {
        format!("{} {}", self.command, self.variant)
            .trim_end()
            .to_owned()
    }

    /// Keeps the journal: from here on the write is under way.
    pub(super) fn begin(&self, state: &State) -> Outcome<()> {
        let text = serde_json::to_string(self).map_err(|e| {
            Refusal::new("state", format!("cannot keep the journal: {e}"))
                .help("paths must be UTF-8")
        })?;
        state.save(JOURNAL, &text)
    }

    /// The write has come to its end: the journal is what `undo` goes by.
    pub(super) fn end(&self, state: &State) -> Outcome<()> {
        state.rename(JOURNAL, LAST)
    }

    /// The journal of a write that was interrupted.
    ///
    /// One that is not there as a whole was not yet synced when the machine stopped, and before that
    /// no file is replaced: it says nothing that is to be taken back, and goes.
    pub(super) fn interrupted(state: &State) -> Outcome<Interrupted> {
        match load(state, JOURNAL)? {
            Loaded::Nothing => Ok(Interrupted::No),
            Loaded::Part => {
                state.forget(JOURNAL)?;
                Ok(Interrupted::BeforeIt)
            }
            Loaded::Whole(journal) => {
                journal.check_places(state)?;
                Ok(Interrupted::Within(journal))
            }
        }
    }

    /// The journal of the last write that came to its end, unless that took one back.
    pub fn last(state: &State) -> Outcome<Option<Self>> {
        match load(state, LAST)? {
            Loaded::Whole(journal) if journal.command != UNDO => Ok(Some(journal)),
            Loaded::Part => Err(unreadable(&state.path(LAST), "it ends too early")),
            _ => Ok(None),
        }
    }

    /// Refuses a journal whose files are elsewhere than their paths say: it came with a workspace,
    /// or the workspace has other links now.
    fn check_places(&self, state: &State) -> Outcome<()> {
        for entry in &self.files {
            let real = real(&state.root().join(&entry.path));
            if real.ok().as_deref() != Some(&entry.absolute) {
                return Err(foreign(&state.path(JOURNAL), &entry.absolute));
            }
        }
        Ok(())
    }

    /// Whether a write may have been interrupted.
    #[must_use]
    pub fn is_open(state: &State) -> bool {
        state.path(JOURNAL).exists()
    }

    /// Brings every file into the state after. Where one cannot be, gives how many may have been, and
    /// why.
    pub(super) fn carry_out(&self, state: &State) -> Result<(), (usize, Refusal)> {
        for dir in &self.dirs {
            match fs::create_dir(dir) {
                Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
                    return Err((0, cannot(&dir.to_string_lossy(), &e)));
                }
                _ => {}
            }
        }
        let all: Vec<(&Entry, Option<&str>)> = self
            .files
            .iter()
            .map(|entry| (entry, entry.after.as_deref()))
            .collect();
        // No file is replaced before the journal outlasts the machine.
        let synced = std::thread::scope(|scope| {
            let journal = scope.spawn(|| state.sync(JOURNAL));
            prepare(&all).and(joined(journal))
        });
        synced.map_err(|refusal| (0, refusal))?;
        for (done, entry) in self.files.iter().enumerate() {
            match entry.stand() {
                Ok(Stand::Before) => {}
                Ok(_) => return Err((done, changed(&entry.path))),
                Err(refusal) => return Err((done, refusal)),
            }
            put(entry, entry.after.as_deref()).map_err(|e| {
                // What is written over may be so by half.
                let touched = usize::from(entry.in_place);
                (done + touched, cannot(&entry.path, &e))
            })?;
        }
        self.sync_dirs()
            .map_err(|refusal| (self.files.len(), refusal))
    }

    /// Brings the first `count` files into the state before, and forgets the journal.
    ///
    /// Refuses, and changes nothing, where one of them is in neither state.
    pub(super) fn take_back(&self, count: usize, state: &State) -> Outcome<()> {
        let mut written = Vec::new();
        for entry in &self.files[..count] {
            match entry.stand()? {
                Stand::Before => {}
                Stand::After | Stand::Between => written.push(entry),
                Stand::Other => return Err(self.edited_since(entry, state)),
            }
        }
        let all: Vec<(&Entry, Option<&str>)> = written
            .iter()
            .map(|entry| (*entry, entry.before.as_deref()))
            .collect();
        for entry in &self.files {
            // Most have none left. Since the journal was kept, what stands there is the tool's.
            fs::remove_file(entry.beside()).ok();
        }
        for entry in written.iter().filter(|entry| entry.before.is_some()) {
            // A folder that was empty for a moment may be gone.
            let above = entry.absolute.parent().map_or(Ok(()), fs::create_dir_all);
            above.map_err(|e| cannot(&entry.path, &e))?;
        }
        prepare(&all)?;
        for entry in &written {
            match entry.stand()? {
                Stand::Before => continue,
                Stand::After | Stand::Between => {}
                Stand::Other => {
                    fs::remove_file(entry.beside()).ok();
                    return Err(self.edited_since(entry, state));
                }
            }
            put(entry, entry.before.as_deref()).map_err(|e| cannot(&entry.path, &e))?;
        }
        for entry in &self.files {
            fs::remove_file(entry.beside()).ok();
        }
        for dir in self.dirs.iter().rev() {
            // One that holds something else stays.
            fs::remove_dir(dir).ok();
        }
        self.sync_dirs()?;
        state.note_writes(self.own_before());
        state.forget(JOURNAL)
    }

    /// What the tool's own writes were before this one.
    pub(super) fn own_before(&self) -> Vec<(String, Option<String>)> {
        let own = self.files.iter().map(|entry| {
            let before = entry.before.as_deref().filter(|_| entry.was_own);
            (entry.path.clone(), before.map(digest))
        });
        own.collect()
    }

    fn edited_since(&self, entry: &Entry, state: &State) -> Refusal {
        let (command, path) = (self.what(), &entry.path);
        let message = format!("`{command}` was interrupted, and `{path}` was edited since");
        let saved = state.path("before");
        let name = path.replace('/', "__");
        let kept = entry.before.as_ref().map(|text| {
            let file = saved.join(&name);
            let keep = || {
                fs::create_dir_all(&saved)?;
                fs::write(&file, text)
            };
            keep().map(|()| file)
        });
        let before = match kept {
            Some(Ok(file)) => format!(
                "its text from before is in `{}`: to take all files back, keep your edit elsewhere, copy that text over `{path}`",
                file.display()
            ),
            Some(Err(_)) => {
                format!("to take all files back, put `{path}` as it was before that command")
            }
            None => format!("to take all files back, move `{path}` away"),
        };
        Refusal::new("interrupted", message).help(format!(
            "{before}, and run the command again; to keep all files as they are, remove `{}`",
            state.path(JOURNAL).display()
        ))
    }

    fn sync_dirs(&self) -> Outcome<()> {
        let mut dirs: Vec<&Path> = self
            .files
            .iter()
            .filter_map(|e| e.absolute.parent())
            .collect();
        dirs.sort_unstable();
        dirs.dedup();
        dirs.retain(|dir| dir.exists());
        let sync = |dir: &&Path| match sync_dir(dir) {
            // A folder that may be written and not read cannot be opened.
            Err(e) if e.kind() != io::ErrorKind::PermissionDenied => {
                Err(cannot(&dir.to_string_lossy(), &e))
            }
            _ => Ok(()),
        };
        each_at_once(&dirs, &sync)
    }
}

/// What there is of a journal.
enum Loaded {
    Nothing,
    /// Its beginning, or as many zeros: the machine stopped before it was on the disk.
    Part,
    Whole(Journal),
}

/// What a run that was interrupted had done.
pub(super) enum Interrupted {
    /// No run was.
    No,
    /// Nothing yet.
    BeforeIt,
    /// Some of this.
    Within(Journal),
}

fn load(state: &State, name: &str) -> Outcome<Loaded> {
    let Some(text) = state.load(name)? else {
        return Ok(Loaded::Nothing);
    };
    let path = state.path(name);
    match serde_json::from_str::<Journal>(text.trim_end_matches('\0')) {
        Ok(journal) => {
            let files = journal.files.iter().map(|entry| Path::new(&entry.path));
            let outside = files.filter(|path| !is_plain(path));
            let mut outside = outside.chain(
                journal
                    .dirs
                    .iter()
                    .map(PathBuf::as_path)
                    .filter(|dir| !dir.strip_prefix(state.root()).is_ok_and(is_plain)),
            );
            match outside.next() {
                Some(outside) => Err(foreign(&path, outside)),
                None => Ok(Loaded::Whole(journal)),
            }
        }
        Err(e) if e.is_eof() => Ok(Loaded::Part),
        Err(e) => Err(unreadable(&path, &e.to_string())),
    }
}

/// Whether a relative path leads straight to something in the workspace that is no part of git's
/// own folder.
fn is_plain(path: &Path) -> bool {
    let mut parts = path.components();
    parts.all(|part| matches!(part, Component::Normal(name) if name != ".git"))
}

fn unreadable(journal: &Path, why: &str) -> Refusal {
    Refusal::new(
        "state",
        format!("`{}` cannot be read: {why}", journal.display()),
    )
    .help("another release of the tool wrote it: finish with that one, or remove the file")
}

fn foreign(journal: &Path, outside: &Path) -> Refusal {
    let message = format!(
        "`{}` speaks of `{}`, which is no file of this workspace",
        journal.display(),
        outside.display()
    );
    Refusal::new("state", message).help("nothing was written: if the target folder came with the workspace, remove that journal, and run the command again")
}

impl Entry {
    /// Where a new text goes first.
    pub(super) fn beside(&self) -> PathBuf {
        let name = self.absolute.file_name().unwrap_or_default();
        let name = format!(".{}.oxy-task", name.to_string_lossy());
        self.absolute.with_file_name(name)
    }

    /// How the file stands now.
    fn stand(&self) -> Outcome<Stand> {
        let now = match fs::read(&self.absolute) {
            Ok(bytes) => Some(bytes),
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                None
            }
            Err(e) if e.kind() == io::ErrorKind::IsADirectory => return Ok(Stand::Other),
            Err(e) => return Err(cannot(&self.path, &e)),
        };
        let is = |text: &Option<String>| now.as_deref() == text.as_deref().map(str::as_bytes);
        let half = |text: &Option<String>| {
            let text = text.as_deref().map(str::as_bytes);
            matches!((&now, text), (Some(now), Some(text)) if text.starts_with(now))
        };
        Ok(if is(&self.before) {
            Stand::Before
        } else if is(&self.after) {
            Stand::After
        } else if self.in_place && (half(&self.after) || half(&self.before)) {
            Stand::Between
        } else {
            Stand::Other
        })
    }
}

/// How many threads wait for the disk.
const WRITERS: usize = 8;

/// Writes every text that replaces a file beside it, synced.
fn prepare(all: &[(&Entry, Option<&str>)]) -> Outcome<()> {
    let new: Vec<(&Entry, &str)> = all
        .iter()
        .filter(|(entry, _)| !entry.in_place)
        .filter_map(|(entry, text)| Some((*entry, (*text)?)))
        .collect();
    let write = |(entry, text): &(&Entry, &str)| {
        let write = || {
            let beside = entry.beside();
            let mut file = File::create_new(&beside)?;
            file.write_all(text.as_bytes())?;
            match fs::metadata(&entry.absolute) {
                Ok(old) => keep(&file, &beside, &old)?,
                Err(e) if e.kind() == io::ErrorKind::NotFound => set_mode(&file, entry.mode)?,
                Err(e) => return Err(e),
            }
            file.sync_all()
        };
        write().map_err(|e: io::Error| cannot(&entry.path, &e))
    };
    each_at_once(&new, &write)
}

/// Does `work` for each of `all` at once: each waits for the disk, and the disk takes them together.
/// The first refusal in their order counts, whichever came first.
fn each_at_once<T: Sync>(all: &[T], work: &(dyn Fn(&T) -> Outcome<()> + Sync)) -> Outcome<()> {
    let each = all.len().div_ceil(WRITERS).max(1);
    std::thread::scope(|scope| {
        let parts = all.chunks(each);
        let threads: Vec<_> = parts
            .map(|part| scope.spawn(move || part.iter().try_for_each(work)))
            .collect();
        let done: Vec<Outcome<()>> = threads.into_iter().map(joined).collect();
        done.into_iter().collect()
    })
}

/// What a thread gave.
fn joined(thread: ScopedJoinHandle<'_, Outcome<()>>) -> Outcome<()> {
    let panicked = |_| Refusal::new("write", "a thread that writes panicked");
    thread.join().map_err(panicked)?
}

/// Gives the new file the mode and the owner of the old one.
fn keep(file: &File, beside: &Path, old: &Metadata) -> io::Result<()> {
    file.set_permissions(old.permissions())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            std::os::unix::fs::chown(beside, Some(old.uid()), Some(old.gid()))?;
        }
    }
    #[cfg(not(unix))]
    let _ = beside;
    Ok(())
}

/// The mode of a file, where files have one.
pub(super) fn mode(file: &Metadata) -> Option<u32> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        Some(file.permissions().mode())
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        None
    }
}

/// Gives a file that was removed its mode again.
fn set_mode(file: &File, mode: Option<u32>) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(mode) = mode {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(PermissionsExt::from_mode(mode))?;
    }
    #[cfg(not(unix))]
    let _ = (file, mode);
    Ok(())
}

/// Whether a file must be written over: other names lead to it, or it is somebody else's and a new
/// one would be ours.
pub(super) fn is_in_place(file: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let user = rustix::process::geteuid();
        let is_ours = user.is_root() || file.uid() == user.as_raw();
        file.nlink() > 1 || !is_ours
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        false
    }
}

/// Puts what [`prepare`] wrote in the place of the file, or writes it over, or removes it.
fn put(entry: &Entry, text: Option<&str>) -> io::Result<()> {
    match text {
        Some(text) if entry.in_place => {
            let mut file = File::create(&entry.absolute)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        }
        Some(_) => fs::rename(entry.beside(), &entry.absolute),
        None => fs::remove_file(&entry.absolute),
    }
}

pub(super) fn changed(path: &str) -> Refusal {
    Refusal::new("changed", format!("`{path}` changed while the tool ran"))
        .help("run the command again")
}

pub(super) fn cannot(path: &str, error: &io::Error) -> Refusal {
    Refusal::new("write", format!("cannot write `{path}`: {error}"))
        .help("mend the cause, and run the command again")
}
