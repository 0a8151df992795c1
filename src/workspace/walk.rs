//! The Rust files below the root, read in parallel.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ignore::{WalkBuilder, WalkState};

use super::{SourceFile, relative};
use crate::note::{Outcome, Place, Refusal};

/// What a walk found.
#[derive(Default)]
pub(super) struct Walked {
    pub(super) files: BTreeMap<String, Arc<SourceFile>>,
    pub(super) unreadable: Vec<Place>,
}

/// Every `.rs` file in the folders `tops` of `root` that version control would not ignore.
///
/// Symbolic links are not followed, so that loops and links that lead outside do no harm.
/// Directories called `target` and `node_modules` are left out with or without an ignore file.
pub(super) fn rust_files(root: &Path, tops: &BTreeSet<String>) -> Outcome<Walked> {
    let mut tops = tops
        .iter()
        .map(|top| root.join(top))
        .filter(|top| top.symlink_metadata().is_ok_and(|meta| meta.is_dir()));
    let Some(first) = tops.next() else {
        return Ok(Walked::default());
    };
    let found = Mutex::new((Vec::new(), Vec::new()));
    let failed = Mutex::new(None);
    let mut walk = WalkBuilder::new(first);
    for top in tops {
        walk.add(top);
    }
    walk.follow_links(false)
        .ignore(false)
        .require_git(false)
        .threads(std::thread::available_parallelism().map_or(2, |n| n.get().min(4)))
        .filter_entry(|entry| {
            !(entry.file_type().is_some_and(|kind| kind.is_dir())
                && matches!(entry.file_name().to_str(), Some("target" | "node_modules")))
        })
        .build_parallel()
        .run(|| {
            Box::new(|entry| {
                let Ok(entry) = entry else {
                    return WalkState::Continue;
                };
                let path = entry.path();
                let is_rust = path.extension().is_some_and(|ext| ext == "rs")
                    && entry.file_type().is_some_and(|kind| kind.is_file());
                let Some(name) = is_rust.then(|| relative(root, path)).flatten() else {
                    return WalkState::Continue;
                };
                match std::fs::read(path) {
                    Ok(bytes) => {
                        let text = String::from_utf8(bytes);
                        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                        match text {
                            Ok(text) => {
                                let file = SourceFile {
                                    path: name.clone(),
                                    absolute: path.to_path_buf(),
                                    text,
                                };
                                found.0.push((name, Arc::new(file)));
                            }
                            Err(e) => {
                                let at = e.utf8_error().valid_up_to();
                                let file = SourceFile {
                                    path: name,
                                    absolute: path.to_path_buf(),
                                    text: String::from_utf8_lossy(e.as_bytes()).into_owned(),
                                };
                                found.1.push(file.place(&(at..at + 1)));
                            }
                        }
                        WalkState::Continue
                    }
                    Err(e) => {
                        let refusal = Refusal::new("read", format!("cannot read `{name}`: {e}"));
                        *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
                        WalkState::Quit
                    }
                }
            })
        });
    if let Some(refusal) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(refusal);
    }
    let (files, mut unreadable) = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    unreadable.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Walked {
        // A map of what is all there is built at once.
        files: files.into_iter().collect(),
        unreadable,
    })
}
