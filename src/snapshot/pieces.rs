//! What a change brings, as it is recorded: so that it can be taken out again later.

use super::RecordedPiece;
use crate::digest::digest;
use crate::edit::{FileChange, is_layout};

/// The kind of a file that was made as a whole.
const FILE: &str = "file";

/// Bytes of a digest: it tells a change, and guards against nobody.
const DIGEST: usize = 16;

/// What `changes` bring, beside what was brought `before`: a file that grows is known as it will be.
#[must_use]
pub fn brought(changes: &[FileChange], before: &[RecordedPiece]) -> Vec<RecordedPiece> {
    let mut pieces: Vec<RecordedPiece> = before.to_vec();
    for change in changes {
        let Some(standing) = &change.before else {
            pieces.push(piece(change, FILE, &change.after, None));
            continue;
        };
        // To hash a lock file takes its time: only what was made as a whole is compared.
        let is_file = |piece: &&mut RecordedPiece| piece.kind == FILE && piece.path == change.path;
        let is_it =
            |piece: &&mut RecordedPiece| is_file(piece) && piece.hash == hash(&standing.text);
        if let Some(grown) = pieces.iter_mut().find(is_it) {
            grown.hash = hash(&change.after);
            continue;
        }
        for edit in &change.edits {
            if edit.text.chars().all(is_layout) {
                continue;
            }
            let dependency = match edit.kind {
                "dependency" => edit.text.split([' ', '=', '.']).next(),
                "lockfile" => edit.text.split('"').nth(1),
                _ => None,
            };
            let dependency = dependency.map(|name| name.trim().to_owned());
            pieces.push(piece(change, edit.kind, &edit.text, dependency));
        }
    }
    pieces.sort();
    pieces.dedup();
    pieces
}

fn piece(change: &FileChange, kind: &str, text: &str, dependency: Option<String>) -> RecordedPiece {
    RecordedPiece {
        path: change.path.clone(),
        kind: kind.to_owned(),
        hash: hash(text),
        dependency,
    }
}

/// The digest of a text without what rustfmt sets.
#[must_use]
pub fn hash(text: &str) -> String {
    let bare: String = text.chars().filter(|c| !is_layout(*c)).collect();
    digest(&bare, DIGEST)
}
