//! The Rust files below the root, read in parallel.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::{WalkBuilder, WalkState};
use rayon::ThreadPool;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::{SourceFile, reach, relative};
use crate::note::{Outcome, Place, Refusal};
use crate::pool::pool;

/// What a walk found.
#[derive(Default)]
pub(super) struct Walked {
    pub(super) files: BTreeMap<String, Arc<SourceFile>>,
    pub(super) unreadable: Vec<Place>,
    /// Folders that were not listed, since nothing seemed to lead into them.
    pub(super) aside: Vec<String>,
    /// Whether code may lead somewhere that no `mod` does.
    pub(super) leads_out: bool,
}

/// Which folders of a package are listed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Folders {
    /// All of them.
    All,
    /// Those that its code can stand in.
    OfCode,
}

/// Every `.rs` file in the folders `tops` of `root` that version control would not ignore.
///
/// In a repository the ignore files above it do not count; without one all of them do.
/// Of a package that is the folder of something else too, `folders` says what is listed.
/// Symbolic links are not followed, so that loops and links that lead outside do no harm.
/// Directories called `target` and `node_modules` are left out with or without an ignore file.
pub(super) fn rust_files(
    root: &Path,
    tops: &BTreeSet<String>,
    folders: Folders,
) -> Outcome<Walked> {
    let mut tops = tops
        .iter()
        .map(|top| root.join(top))
        .filter(|top| top.symlink_metadata().is_ok_and(|meta| meta.is_dir()));
    let Some(first) = tops.next() else {
        return Ok(Walked::default());
    };
    let (listed, aside) = listed(root, first, tops, folders);
    let one = |path: &PathBuf| read(root, path);
    let found: Vec<Outcome<Read>> = match pool() {
        Some(pool) => pool.install(|| listed.par_iter().filter_map(one).collect()),
        None => listed.iter().filter_map(one).collect(),
    };
    let mut walked = Walked::default();
    let mut files = Vec::with_capacity(found.len());
    for read in found {
        match read? {
            Read::Text { file, leads_out } => {
                walked.leads_out |= leads_out;
                files.push((file.path.clone(), Arc::new(file)));
            }
            Read::NotText(place) => walked.unreadable.push(place),
        }
    }
    // A map of what is all there is built at once.
    walked.files = files.into_iter().collect();
    walked.unreadable.sort_by(|a, b| a.path.cmp(&b.path));
    walked.aside = aside;
    Ok(walked)
}

/// The Rust files below `first` and `others`, and the folders that were left aside.
fn listed(
    root: &Path,
    first: PathBuf,
    others: impl Iterator<Item = PathBuf>,
    folders: Folders,
) -> (Vec<PathBuf>, Vec<String>) {
    let aside = Arc::new(Mutex::new(Vec::new()));
    let mut walk = WalkBuilder::new(first);
    for top in others {
        walk.add(top);
    }
    walk.follow_links(false)
        .ignore(false)
        .require_git(root.ancestors().any(|dir| dir.join(".git").exists()))
        .filter_entry({
            let (root, aside) = (root.to_path_buf(), Arc::clone(&aside));
            move |entry| {
                if !entry.file_type().is_some_and(|kind| kind.is_dir()) {
                    return true;
                }
                if matches!(entry.file_name().to_str(), Some("target" | "node_modules")) {
                    return false;
                }
                let is_top = entry.depth() == 0;
                if folders == Folders::All || is_top || !reach::is_aside(&root, entry.path()) {
                    return true;
                }
                let mut aside = aside.lock().unwrap_or_else(PoisonError::into_inner);
                aside.extend(relative(&root, entry.path()));
                false
            }
        });
    let files = Mutex::new(Vec::new());
    let threads = pool().map_or(1, ThreadPool::current_num_threads);
    // The walk of several threads looks for ignore files among the names that it lists; that of
    // one asks the file system for each.
    walk.threads(threads).build_parallel().run(|| {
        Box::new(|entry| {
            if let Ok(entry) = entry
                && entry.path().extension().is_some_and(|ext| ext == "rs")
                && entry.file_type().is_some_and(|kind| kind.is_file())
            {
                let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
                files.push(entry.into_path());
            }
            WalkState::Continue
        })
    });
    let files = files.into_inner().unwrap_or_else(PoisonError::into_inner);
    let aside = std::mem::take(&mut *aside.lock().unwrap_or_else(PoisonError::into_inner));
    (files, aside)
}

/// A Rust file that was read.
enum Read {
    /// It is text.
    Text {
        file: SourceFile,
        /// What [`reach::leads_out`] says.
        leads_out: bool,
    },
    /// It is not: where its first byte stands that is no UTF-8.
    NotText(Place),
}

/// Reads the Rust file `path`, if it has a name that can be told.
fn read(root: &Path, path: &Path) -> Option<Outcome<Read>> {
    let name = relative(root, path)?;
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) => {
            let refusal = Refusal::new("read", format!("cannot read `{name}`: {e}"));
            return Some(Err(refusal));
        }
    };
    let file = |text| SourceFile {
        path: name,
        absolute: path.to_path_buf(),
        text,
    };
    Some(Ok(match String::from_utf8(bytes) {
        Ok(text) => Read::Text {
            leads_out: reach::leads_out(&text),
            file: file(text),
        },
        Err(e) => {
            let at = e.utf8_error().valid_up_to();
            let file = file(String::from_utf8_lossy(e.as_bytes()).into_owned());
            Read::NotText(file.place(&(at..at + 1)))
        }
    }))
}
