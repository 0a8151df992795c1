//! What a change brings, as it is recorded: so that it can be found, and taken out again, later.

use std::ops::Range;

use memchr::memmem;

use super::RecordedPiece;
use crate::digest::digest;
use crate::edit::{CALL_SITE, FileChange, SNAPSHOT, TextEdit, is_layout};
use crate::workspace::SourceFile;

/// The kind of a file that was made as a whole.
pub const FILE: &str = "file";

/// The kind of a line of a manifest.
pub const DEPENDENCY: &str = "dependency";

/// The kind of an edge in the lock file.
pub const LOCKFILE: &str = "lockfile";

/// The kind of a declaration of a module, and of items that a file lacked.
pub const MODULE: &str = "module";

/// Bytes of a digest: it tells a change, and guards against nobody.
const DIGEST: usize = 16;

/// What `changes` bring, beside what was brought `before`: what grows is known as it will be.
#[must_use]
pub fn brought(changes: &[FileChange], before: &[RecordedPiece]) -> Vec<RecordedPiece> {
    let mut pieces: Vec<RecordedPiece> = before.to_vec();
    for change in changes {
        let Some(standing) = &change.before else {
            made(change, changes, &mut pieces);
            continue;
        };
        // To hash a lock file takes its time: only what was made as a whole is compared.
        let is_made = |piece: &RecordedPiece, text: &str| {
            piece.kind == FILE && piece.path == change.path && piece.hash == hash(text)
        };
        let is_it = |piece: &&mut RecordedPiece| is_made(piece, &standing.text);
        if let Some(grown) = pieces.iter_mut().find(is_it) {
            grown.hash = hash(&change.after);
            continue;
        }
        // What a person had taken out of a file that was made came back.
        if pieces.iter().any(|piece| is_made(piece, &change.after)) {
            continue;
        }
        let mut new = hunks(&change.edits);
        new.retain(|hunk| hunk[0].kind != SNAPSHOT);
        grow(&mut new, standing, &change.path, &mut pieces);
        let new = new.iter();
        pieces.extend(new.filter_map(|hunk| recorded(hunk, standing, &change.path, before)));
    }
    pieces.sort();
    pieces
}

/// A file that is made, and its lines that declare others which are made with it: those go where
/// the file stays and the others do not.
fn made(change: &FileChange, changes: &[FileChange], pieces: &mut Vec<RecordedPiece>) {
    let path = &change.path;
    pieces.retain(|piece| piece.path != *path);
    pieces.push(RecordedPiece {
        path: path.clone(),
        kind: FILE.to_owned(),
        hash: hash(&change.after),
        ..RecordedPiece::default()
    });
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    for line in change.after.split_inclusive('\n') {
        let name = declared(line);
        let stands_beside = |name: &str| {
            let file = format!("{folder}/{name}.rs");
            let mut made = changes.iter().filter(|change| change.before.is_none());
            made.any(|change| change.path == file)
        };
        if name.is_some_and(stands_beside) {
            pieces.push(piece(path, MODULE, line));
        }
    }
}

/// The module that a line declares, without `r#`.
#[must_use]
pub fn declared(line: &str) -> Option<&str> {
    let line = line.trim().strip_suffix(';')?;
    let (before, name) = line.rsplit_once("mod ")?;
    let is_declaration = before.is_empty() || before.starts_with("pub");
    is_declaration.then(|| name.strip_prefix("r#").unwrap_or(name))
}

/// The edits of a file, those that make one piece together: a comma or a line end of its own belongs
/// to the edit below it, else to the one above.
fn hunks(edits: &[TextEdit]) -> Vec<Vec<TextEdit>> {
    let is_little = |edit: &TextEdit| edit.text.chars().all(is_layout) && !is_switch(edit);
    let mut hunks: Vec<Vec<TextEdit>> = Vec::new();
    for edit in edits {
        let above = hunks.last_mut().filter(|hunk| {
            let last = &hunk[hunk.len() - 1];
            last.kind == edit.kind && is_little(last) && !is_switch(edit)
        });
        match above {
            Some(hunk) => hunk.push(edit.clone()),
            None => hunks.push(vec![edit.clone()]),
        }
    }
    let mut joined: Vec<Vec<TextEdit>> = Vec::new();
    for hunk in hunks {
        let above = joined.last_mut().filter(|above| {
            above[0].kind == hunk[0].kind && hunk.iter().all(is_little) && !is_switch(&above[0])
        });
        match above {
            Some(above) => above.extend(hunk),
            None => joined.push(hunk),
        }
    }
    joined
}

/// Whether the edit takes code out: a spawn, and what only that used.
fn is_switch(edit: &TextEdit) -> bool {
    edit.kind == CALL_SITE && (edit.removed > 0 || edit.text.is_empty())
}

/// Where the hunk stands in the text before.
fn span(hunk: &[TextEdit]) -> Range<usize> {
    let last = &hunk[hunk.len() - 1];
    hunk[0].at..last.at + last.removed
}

/// `text`, from the offset `from` on, with the hunk in it.
fn with(hunk: &[TextEdit], text: &str, from: usize) -> String {
    let mut out = String::new();
    let mut done = 0;
    for edit in hunk {
        out.push_str(&text[done..edit.at - from]);
        out.push_str(&edit.text);
        done = edit.at + edit.removed - from;
    }
    out.push_str(&text[done..]);
    out
}

/// Takes the hunks that go into a recorded piece; it then is as it will be.
fn grow(
    hunks: &mut Vec<Vec<TextEdit>>,
    standing: &SourceFile,
    path: &str,
    pieces: &mut [RecordedPiece],
) {
    for piece in pieces.iter_mut().filter(|piece| piece.path == path) {
        let [place] = &places(piece, standing)[..] else {
            continue;
        };
        // What stands beside the piece is another one's.
        let is_inside = |hunk: &Vec<TextEdit>| {
            let span = span(hunk);
            let ends = span.end < place.end || span.end == place.end && !span.is_empty();
            place.start < span.start && ends
        };
        let inside = hunks.extract_if(.., |hunk| is_inside(hunk));
        let inside: Vec<TextEdit> = inside.flatten().collect();
        if !inside.is_empty() {
            let text = with(&inside, &standing.text[place.clone()], place.start);
            let text = text.replace("\r\n", "\n");
            piece.hash = hash(&text);
            piece.text = Some(text);
        }
    }
}

/// What the hunk is, unless it only puts back what is recorded and was lost.
fn recorded(
    hunk: &[TextEdit],
    standing: &SourceFile,
    path: &str,
    before: &[RecordedPiece],
) -> Option<RecordedPiece> {
    let kind = hunk[0].kind;
    if is_switch(&hunk[0]) {
        let text = &hunk[0].text;
        let is_bare = text.chars().all(is_layout);
        return (!is_bare).then(|| RecordedPiece {
            text: None,
            ..piece(path, kind, text)
        });
    }
    let span = span(hunk);
    let over = &standing.text[span.clone()];
    let text = with(hunk, over, span.start);
    let dependency = match kind {
        DEPENDENCY => text.split([' ', '=', '.']).next(),
        LOCKFILE => text.split('"').nth(1),
        _ => None,
    };
    let found = RecordedPiece {
        dependency: dependency.map(|name| name.trim().to_owned()),
        over: Some(over.replace("\r\n", "\n")).filter(|over| !over.is_empty()),
        within: within(kind, &standing.text[..span.start]),
        ..piece(path, kind, &text)
    };
    let recorded = before.iter().filter(|known| known.is(&found)).count();
    let stands = places(&found, standing).len();
    (stands >= recorded).then_some(found)
}

fn piece(path: &str, kind: &str, text: &str) -> RecordedPiece {
    RecordedPiece {
        path: path.to_owned(),
        kind: kind.to_owned(),
        hash: hash(text),
        text: Some(text.replace("\r\n", "\n")),
        ..RecordedPiece::default()
    }
}

/// What a piece of a manifest or of the lock file stands in, by what stands above it.
fn within(kind: &str, above: &str) -> Option<String> {
    let mut lines = above.lines().rev();
    match kind {
        DEPENDENCY => {
            let table = lines.find(|line| line.starts_with('['));
            Some(table.unwrap_or_default().trim().to_owned())
        }
        LOCKFILE => {
            let name = lines.find_map(|line| line.strip_prefix("name = "));
            Some(name.unwrap_or_default().trim().trim_matches('"').to_owned())
        }
        _ => None,
    }
}

impl RecordedPiece {
    /// Whether both are the same piece, whatever rustfmt set in it.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        let of = |piece: &Self| {
            let Self {
                path,
                kind,
                hash,
                within,
                ..
            } = piece.clone();
            (path, kind, hash, within)
        };
        of(self) == of(other)
    }
}

/// Where a piece stands in its file as it went in: at several places where its text is there several
/// times; at none where it was edited, or is none of a text.
#[must_use]
pub fn places(piece: &RecordedPiece, file: &SourceFile) -> Vec<Range<usize>> {
    let Some(text) = piece.text.as_ref().filter(|text| !text.is_empty()) else {
        return Vec::new();
    };
    let text = text.replace('\n', file.line_ending());
    let is_break = |c: char| matches!(c, '\n' | '\r');
    let found = memmem::find_iter(file.text.as_bytes(), &text).map(|at| at..at + text.len());
    let is_whole = |place: &Range<usize>| {
        let below = &file.text[place.end..];
        let ends = text.ends_with('\n') || below.is_empty() || below.starts_with(is_break);
        let starts = text.starts_with(is_break) || file.line_start(place.start) == place.start;
        // What went into a line stands anywhere in one.
        let is_part = !text.starts_with(is_break) && !text.ends_with('\n');
        is_part || ends && starts
    };
    let is_within =
        |place: &Range<usize>| piece.within == within(&piece.kind, &file.text[..place.start]);
    found.filter(is_whole).filter(is_within).collect()
}

/// The digest of a text without what rustfmt sets.
#[must_use]
pub fn hash(text: &str) -> String {
    let bare: String = text.chars().filter(|c| !is_layout(*c)).collect();
    digest(&bare, DIGEST)
}
