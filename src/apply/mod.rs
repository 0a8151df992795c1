//! Writes changes, all of them or none: guards first, then a journal, then the files.

mod guards;
mod journal;
mod state;
mod undo;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

pub use guards::{Guards, check, check_standing};
pub use journal::{Edit, Entry, Journal, UNDO};
pub use state::State;
pub use undo::undo;

use crate::edit::FileChange;
use crate::note::{Outcome, Refusal};
use crate::workspace::{SourceFile, real};
use journal::{Interrupted, cannot, changed, is_in_place, mode};
use state::{Lock, digest};

/// What was written and is not yet at its end: it can be kept, or taken back. Where neither happens,
/// since the process ends, the next run takes it back.
#[must_use]
pub struct Written {
    journal: Journal,
    state: State,
    /// What the tool's own writes are once this is kept.
    own: Vec<(String, Option<String>)>,
    /// Folders that nobody needs then, outer ones first.
    unneeded: Vec<PathBuf>,
    _lock: Lock,
}

/// Writes what `journal` says, or nothing.
///
/// `blocked` is called before a wait for another tool that writes. Refuses a file that is not as the
/// journal says it was, and one that cannot be written.
pub fn commit(
    root: &Path,
    state: &State,
    mut journal: Journal,
    blocked: impl FnOnce(),
) -> Outcome<Written> {
    let lock = state.lock(blocked)?;
    if Journal::is_open(state) {
        let message = "another run was interrupted meanwhile";
        return Err(Refusal::new("changed", message)
            .help("run the command again: it takes back first what that run had written"));
    }
    let own = state.own_writes();
    let inside = root
        .canonicalize()
        .map_err(|e| cannot(&root.to_string_lossy(), &e))?;
    let mut dirs = Vec::new();
    for entry in &mut journal.files {
        stage(root, &inside, entry, &mut dirs)?;
        let before = entry.before.as_deref().map(digest);
        entry.was_own = before.is_some_and(|digest| own.get(&entry.path) == Some(&digest));
    }
    journal.dirs = dirs;
    journal.begin(state)?;
    if let Err((count, refusal)) = journal.carry_out(state) {
        journal.take_back(count, state).map_err(halfway)?;
        return Err(refusal);
    }
    let own = journal.files.iter().map(|entry| {
        let after = entry.after.as_deref().map(digest);
        (entry.path.clone(), after)
    });
    Ok(Written {
        own: own.collect(),
        journal,
        state: state.clone(),
        unneeded: Vec::new(),
        _lock: lock,
    })
}

/// What an earlier run had left behind.
pub enum Earlier {
    /// Nothing.
    Nothing,
    /// It was still writing, and came to its end meanwhile.
    Ended,
    /// It was interrupted before it wrote anything.
    Unbegun,
    /// It was interrupted: what it had written was taken back.
    TakenBack(Journal),
}

/// What a run that was interrupted had begun to write is taken back; waits for one that is under way.
///
/// What was read of the workspace before holds only where there was nothing.
pub fn recover(state: &State, blocked: impl FnOnce()) -> Outcome<Earlier> {
    if !Journal::is_open(state) {
        return Ok(Earlier::Nothing);
    }
    let _lock = state.lock(blocked)?;
    let journal = match Journal::interrupted(state)? {
        Interrupted::No => return Ok(Earlier::Ended),
        Interrupted::BeforeIt => return Ok(Earlier::Unbegun),
        Interrupted::Within(journal) => journal,
    };
    let count = journal.files.len();
    journal.take_back(count, state).map_err(halfway)?;
    Ok(Earlier::TakenBack(journal))
}

/// Writes `back`, which takes back `last`, the last command that wrote: once it is kept there is
/// none.
pub fn take_back(
    root: &Path,
    state: &State,
    last: &Journal,
    back: Journal,
    blocked: impl FnOnce(),
) -> Outcome<Written> {
    let mut written = commit(root, state, back, blocked)?;
    written.own = last.own_before();
    written.unneeded.clone_from(&last.dirs);
    Ok(written)
}

impl Written {
    /// The same; folders of files that it removed go too once it is kept, where they are empty then.
    pub fn without_empty_folders(mut self, root: &Path) -> Self {
        let gone = self
            .journal
            .files
            .iter()
            .filter(|entry| entry.after.is_none());
        let above = gone.flat_map(|entry| entry.absolute.ancestors().skip(1));
        let inside: BTreeSet<&Path> = above.filter(|dir| is_below(dir, root)).collect();
        self.unneeded = inside.into_iter().map(Path::to_path_buf).collect();
        self
    }

    /// What was written stays.
    pub fn keep(mut self) -> Outcome<()> {
        self.state.note_writes(std::mem::take(&mut self.own));
        if let Err(refusal) = self.journal.end(&self.state) {
            self.roll_back()?;
            return Err(refusal);
        }
        for dir in self.unneeded.iter().rev() {
            // One that holds something else stays.
            std::fs::remove_dir(dir).ok();
        }
        Ok(())
    }

    /// Every file is as it was again.
    pub fn roll_back(self) -> Outcome<()> {
        let count = self.journal.files.len();
        self.journal.take_back(count, &self.state).map_err(halfway)
    }
}

/// Whether a folder lies below the root, links followed.
fn is_below(dir: &Path, root: &Path) -> bool {
    let root = root.canonicalize();
    root.is_ok_and(|root| dir != root && dir.starts_with(&root))
}

/// What cannot be taken back now is by the next run.
fn halfway(refusal: Refusal) -> Refusal {
    // One that names the way out itself says more.
    if refusal.code == "interrupted" {
        return refusal;
    }
    refusal.help("files are written by half: mend the cause, and run the tool again, which takes them back first")
}

/// Finds where the file really is, and that it may be written: `inside` is the root without links.
/// Collects folders that are to be made.
fn stage(root: &Path, inside: &Path, entry: &mut Entry, dirs: &mut Vec<PathBuf>) -> Outcome<()> {
    let path = root.join(&entry.path);
    // A link is followed by hand, so that what it points at is replaced and not the link.
    entry.absolute = real(&path).map_err(|e| cannot(&entry.path, &e))?;
    if !entry.absolute.starts_with(inside) {
        let message = format!("`{}` leads out of the workspace", entry.path);
        return Err(Refusal::new("outside", message)
            .help("put the file itself in the place of the link, and run the command again"));
    }
    // What the new text goes to first is nobody else's.
    let beside = entry.beside();
    if beside.symlink_metadata().is_ok() {
        let message = format!("`{}` is in the way", beside.display());
        return Err(Refusal::new("file-exists", message)
            .help("the tool writes there first: move it away, and run the command again"));
    }
    let Some(before) = &entry.before else {
        if entry.absolute.symlink_metadata().is_ok() {
            return Err(changed(&entry.path));
        }
        let above = entry.absolute.ancestors().skip(1);
        let missing: Vec<&Path> = above.take_while(|dir| !dir.exists()).collect();
        let missing = missing.into_iter().rev().map(Path::to_path_buf);
        for dir in missing {
            if !dirs.contains(&dir) {
                dirs.push(dir);
            }
        }
        return Ok(());
    };
    let read = || -> io::Result<_> {
        let text = std::fs::read(&entry.absolute)?;
        Ok((text, std::fs::metadata(&entry.absolute)?))
    };
    let (text, file) = read().map_err(|e| cannot(&entry.path, &e))?;
    if text != before.as_bytes() {
        return Err(changed(&entry.path));
    }
    if file.permissions().readonly() {
        return Err(
            Refusal::new("read-only", format!("`{}` is read-only", entry.path))
                .help("make it writable, and run the command again"),
        );
    }
    entry.in_place = is_in_place(&file);
    entry.mode = mode(&file);
    Ok(())
}

impl Entry {
    /// What a change does to its file.
    #[must_use]
    pub fn of(change: &FileChange) -> Self {
        let before = change.before.as_ref().map(|before| before.text.clone());
        let edits = change.edits.iter().enumerate().map(|(i, edit)| {
            let above = before.as_deref().and_then(|text| text.get(..edit.at));
            Edit {
                kind: edit.kind.to_owned(),
                line: above.map_or(1, |above| above.matches('\n').count() + 1),
                lines: change.inserted(i),
                at: edit.at,
                inserted: edit.text.len(),
                removed: edit.removed,
            }
        });
        let edits = edits.collect();
        Self::new(
            change.path.clone(),
            before,
            Some(change.after.clone()),
            edits,
        )
    }

    /// A file that goes.
    #[must_use]
    pub fn gone(file: &SourceFile) -> Self {
        Self::new(file.path.clone(), Some(file.text.clone()), None, Vec::new())
    }

    /// A file that is to hold `after`.
    #[must_use]
    pub fn text(path: &str, before: Option<String>, after: &str) -> Self {
        Self::new(path.to_owned(), before, Some(after.to_owned()), Vec::new())
    }

    fn new(path: String, before: Option<String>, after: Option<String>, edits: Vec<Edit>) -> Self {
        Self {
            path,
            absolute: PathBuf::new(),
            before,
            after,
            edits,
            was_own: false,
            in_place: false,
            mode: None,
        }
    }
}
