//! Takes back what the last command wrote, and nothing that came after it.

use std::ops::Range;
use std::path::Path;

use similar::{DiffOp, DiffTag, TextDiff};

use super::journal::{Edit, Entry, Journal, UNDO};
use crate::note::{Outcome, Place, Refusal};
use crate::workspace::SourceFile;

/// The journal that takes back `last`: every place that it wrote is as it was before, and what else
/// changed in the same files stays.
///
/// Refuses where one of those places is not as `last` left it, with each.
pub fn undo(root: &Path, last: &Journal) -> Outcome<Journal> {
    let mut files = Vec::new();
    let mut edited: Vec<(Place, String)> = Vec::new();
    for entry in &last.files {
        let now = read(root, &entry.path)?;
        if now == entry.before {
            continue;
        }
        match taken_back(entry, now.as_deref()) {
            // Its piece is gone already, by hand say.
            Ok(text) if text == now => {}
            Ok(text) => {
                let edits = where_they_are(entry, now.as_deref());
                files.push(Entry::new(entry.path.clone(), now, text, edits));
            }
            Err((line, what)) => {
                edited.push((place(root, &entry.path, now.as_deref(), line), what));
            }
        }
    }
    if let Some((place, what)) = edited.first().cloned() {
        let message = format!("`{}` {what}", place.path);
        let mut refusal = Refusal::new("undo-edited", message).at(place).help(format!(
            "put back what was there after `{}`, or take its pieces out by hand",
            last.what()
        ));
        for (place, what) in edited.into_iter().skip(1) {
            refusal = refusal.and(place, what);
        }
        return Err(refusal);
    }
    if files.is_empty() {
        let message = format!("nothing of what `{}` wrote is here", last.what());
        return Err(Refusal::new("nothing-to-undo", message)
            .help("it may be on another branch, or was taken out by hand"));
    }
    Ok(Journal::of(UNDO, &last.variant, &last.tag, files))
}

fn read(root: &Path, path: &str) -> Outcome<Option<String>> {
    match std::fs::read_to_string(root.join(path)) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Refusal::new("read", format!("cannot read `{path}`: {e}"))
            .help("mend the cause, and run the command again")),
    }
}

/// The text of the file `now` without what the entry wrote; else the line (from 1) that stands in the
/// way, and what is the matter there.
fn taken_back(entry: &Entry, now: Option<&str>) -> Result<Option<String>, (usize, String)> {
    let edited = |line| (line, "was edited where the command wrote".to_owned());
    match (&entry.before, &entry.after, now) {
        (_, after, now) if after.as_deref() == now => Ok(entry.before.clone()),
        (Some(before), Some(after), Some(now)) => {
            let pieces = pieces(entry, before, after);
            without(&pieces, before, after, now)
                .map(Some)
                .map_err(edited)
        }
        (None, Some(after), Some(now)) => {
            let hunks = hunks(after, now);
            let first = hunks.first().map_or(0, |hunk| hunk.now.start);
            Err(edited(first + 1))
        }
        (_, _, None) => Err((1, "is gone".to_owned())),
        (_, None, Some(_)) => Err((1, "is there again".to_owned())),
    }
}

/// The edits of `entry` with the lines at which they stand in the file `now`.
fn where_they_are(entry: &Entry, now: Option<&str>) -> Vec<Edit> {
    let (Some(after), Some(now)) = (&entry.after, now) else {
        return entry.edits.clone();
    };
    let hunks = hunks(after, now);
    let (mut inserted, mut removed) = (0, 0);
    let edits = entry.edits.iter().map(|edit| {
        let at = (edit.at + inserted).saturating_sub(removed);
        inserted += edit.inserted;
        removed += edit.removed;
        let above = after.get(..at).unwrap_or_default();
        let row = above.matches('\n').count();
        let moved = hunks.iter().filter(|hunk| hunk.after.start < row);
        let (gone, come) = moved.fold((0, 0), |(gone, come), hunk| {
            (gone + hunk.after.len(), come + hunk.now.len())
        });
        Edit {
            line: (row + 1 + come).saturating_sub(gone),
            ..edit.clone()
        }
    });
    edits.collect()
}

/// Whole lines that the command changed, as bytes of the text before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    before: Range<usize>,
    after: Range<usize>,
}

/// The places that the entry wrote, in order, with unwritten lines between any two. One of the whole
/// file where its edits do not lead from one text to the other.
fn pieces(entry: &Entry, before: &str, after: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let (mut inserted, mut removed) = (0, 0);
    for edit in &entry.edits {
        let start = (edit.at + inserted).saturating_sub(removed);
        let (inside, gone) = (
            start..start + edit.inserted,
            edit.at..edit.at + edit.removed,
        );
        inserted += edit.inserted;
        removed += edit.removed;
        let whole = whole_lines(after, &inside);
        let (lead, tail) = (inside.start - whole.start, whole.end - inside.end);
        let piece = Piece {
            before: gone.start.saturating_sub(lead)..gone.end + tail,
            after: whole,
        };
        match pieces.last_mut() {
            Some(last) if piece.after.start <= last.after.end => {
                last.after.end = last.after.end.max(piece.after.end);
                last.before.end = last.before.end.max(piece.before.end);
            }
            _ => pieces.push(piece),
        }
    }
    let undone = replaced(&pieces, before, after, Clone::clone);
    if undone.as_deref() == Some(before) {
        return pieces;
    }
    vec![Piece {
        before: 0..before.len(),
        after: 0..after.len(),
    }]
}

/// The lines that `range` stands in; none around one that begins and ends with a line.
fn whole_lines(text: &str, range: &Range<usize>) -> Range<usize> {
    let is_start = |at: usize| at == 0 || text.as_bytes().get(at - 1) == Some(&b'\n');
    let start = text.get(..range.start).and_then(|above| above.rfind('\n'));
    let start = start.map_or(0, |at| at + 1).min(range.start);
    let end = if is_start(range.end) && range.end > start {
        range.end
    } else {
        let below = text.get(range.end..).and_then(|below| below.find('\n'));
        below.map_or(text.len(), |at| range.end + at + 1)
    };
    start..end
}

/// `text` with what stood before in the place of each piece; `place` says where a piece of the text
/// after stands there.
fn replaced(
    pieces: &[Piece],
    before: &str,
    text: &str,
    place: impl Fn(&Range<usize>) -> Range<usize>,
) -> Option<String> {
    let mut out = String::new();
    let mut done = 0;
    for piece in pieces {
        let range = place(&piece.after);
        out.push_str(text.get(done..range.start)?);
        out.push_str(before.get(piece.before.clone())?);
        done = range.end;
    }
    out.push_str(text.get(done..)?);
    Some(out)
}

/// Lines that differ between two texts.
struct Hunk {
    /// Of the text after.
    after: Range<usize>,
    /// Of the text now.
    now: Range<usize>,
    /// How far it could as well be said to be further up and down: the lines there are the same.
    slack: (usize, usize),
}

/// What changed between `after` and `now`.
fn hunks(after: &str, now: &str) -> Vec<Hunk> {
    let (old, new) = (lines(after), lines(now));
    let diff = TextDiff::from_slices(&old, &new);
    let changed = diff.ops().iter().filter(|op| op.tag() != DiffTag::Equal);
    changed
        .map(|op| {
            let (after, now) = (op.old_range(), op.new_range());
            let slack = match op {
                DiffOp::Delete { .. } => slack(&old, &after),
                DiffOp::Insert { .. } => slack(&new, &now),
                _ => (0, 0),
            };
            Hunk { after, now, slack }
        })
        .collect()
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// How far the block could be moved up and down among `lines` with the same outcome.
fn slack(lines: &[&str], block: &Range<usize>) -> (usize, usize) {
    let up = (1..=block.start).take_while(|n| lines[block.start - n] == lines[block.end - n]);
    let down =
        (0..lines.len() - block.end).take_while(|n| lines[block.start + n] == lines[block.end + n]);
    (up.count(), down.count())
}

/// `now` without the pieces; else the line (from 1) of the first change since that may touch one.
///
/// A piece that is gone as a whole, with nothing in its place, was taken out by hand.
fn without(pieces: &[Piece], before: &str, after: &str, now: &str) -> Result<String, usize> {
    let hunks = hunks(after, now);
    let row = |at: usize| lines(&after[..at]).len();
    let mut left = Vec::new();
    for piece in pieces {
        let rows = row(piece.after.start)..row(piece.after.end);
        let mut touching = hunks.iter().filter(|hunk| {
            let (up, down) = hunk.slack;
            hunk.after.start - up <= rows.end && rows.start <= hunk.after.end + down
        });
        let Some(hunk) = touching.next() else {
            left.push(piece.clone());
            continue;
        };
        let (up, down) = hunk.slack;
        let starts = hunk.after.start - up..=hunk.after.start + down;
        let is_gone = hunk.after.len() == rows.len() && starts.contains(&rows.start);
        let is_nothing_else = hunk.now.is_empty() && piece.before.is_empty();
        if !(is_gone && is_nothing_else && touching.next().is_none()) {
            return Err(hunk.now.start + 1);
        }
    }
    // A piece that is left stands as far from where it stood as what changed above it says.
    let (old, new) = (lines(after), lines(now));
    let size = |lines: &[&str]| lines.iter().map(|line| line.len()).sum::<usize>();
    let place = |range: &Range<usize>| {
        let (mut gone, mut come) = (0, 0);
        for hunk in hunks
            .iter()
            .filter(|hunk| hunk.after.start < row(range.start))
        {
            gone += size(&old[hunk.after.clone()]);
            come += size(&new[hunk.now.clone()]);
        }
        range.start + come - gone..range.end + come - gone
    };
    replaced(&left, before, now, place).ok_or(1)
}

fn place(root: &Path, path: &str, now: Option<&str>, line: usize) -> Place {
    let file = SourceFile {
        path: path.to_owned(),
        absolute: root.join(path),
        text: now.unwrap_or_default().to_owned(),
    };
    let lines = file.text.split_inclusive('\n');
    let at: usize = lines.take(line.saturating_sub(1)).map(str::len).sum();
    let end = file.text[at..]
        .find('\n')
        .map_or(file.text.len(), |n| at + n);
    file.place(&(at..end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "a\nb\nc\nd\ne\n";
    const AFTER: &str = "a\nb\nnew\nc\nd\ne\n";

    /// An entry of which the last argument says what went in where: offset, length, and how much
    /// it took the place of.
    fn entry(before: Option<&str>, after: Option<&str>, edits: &[[usize; 3]]) -> Entry {
        let own = |text: Option<&str>| text.map(str::to_owned);
        let edits = edits.iter().map(|&[at, inserted, removed]| Edit {
            at,
            inserted,
            removed,
            ..Edit::default()
        });
        let edits = edits.collect();
        Entry::new("a.rs".to_owned(), own(before), own(after), edits)
    }

    #[test]
    fn what_changed_elsewhere_stays() {
        let entry = entry(Some(BEFORE), Some(AFTER), &[[4, 4, 0]]);
        let back = |now: &str| taken_back(&entry, Some(now));
        assert_eq!(back(AFTER), Ok(Some(BEFORE.to_owned())));
        let elsewhere = "first\na\nb\nnew\nc\nd\n";
        assert_eq!(back(elsewhere), Ok(Some("first\na\nb\nc\nd\n".to_owned())));
        // Taken out by hand.
        assert_eq!(
            back("a\nb\nc\nd\nE\n"),
            Ok(Some("a\nb\nc\nd\nE\n".to_owned()))
        );
    }

    #[test]
    fn what_was_edited_where_the_command_wrote_is_in_the_way() {
        let edited = |entry: &Entry, now: Option<&str>| taken_back(entry, now).unwrap_err();
        let both = entry(Some(BEFORE), Some(AFTER), &[[4, 4, 0]]);
        assert_eq!(edited(&both, Some("a\nb\nnewer\nc\nd\ne\n")).0, 3);
        assert_eq!(edited(&both, Some("0\na\nb\nnew\nmore\nc\nd\ne\n")).0, 5);
        assert_eq!(edited(&both, None).1, "is gone");
        let made = entry(None, Some(AFTER), &[]);
        assert_eq!(taken_back(&made, Some(AFTER)), Ok(None));
        assert_eq!(edited(&made, Some("a\nb\nnew\nc\nD\ne\n")).0, 5);
        let gone = entry(Some(BEFORE), None, &[]);
        assert_eq!(taken_back(&gone, None), Ok(Some(BEFORE.to_owned())));
        assert_eq!(edited(&gone, Some("x")).1, "is there again");
    }

    /// What went in begins like what it stands above: a diff may take either for what is new.
    #[test]
    fn lines_that_are_the_same_are_told_apart() {
        let own = "#[derive(Debug)]\n#[serde(x)]\nstruct B;\n";
        let new = "#[derive(Debug)]\n#[serde(x)]\nstruct A;\n\n";
        let before = format!("use a;\n\n{own}");
        let after = format!("use a;\n\n{new}{own}");
        let entry = entry(Some(&before), Some(&after), &[[8, new.len(), 0]]);
        let back = |now: &str| taken_back(&entry, Some(now)).map_err(|(line, _)| line);
        assert_eq!(back(&after), Ok(Some(before.clone())));
        // The edit is in the new item, then in the own one next to it, then further down.
        assert_eq!(back(&after.replacen("Debug", "Clone", 1)), Err(3));
        assert_eq!(
            back(&format!("use a;\n\n{new}{}", own.replace("Debug", "Clone"))),
            Err(7)
        );
        let below = format!("use a;\n\n{new}{}", own.replace("B;", "B {}"));
        assert_eq!(back(&below), Ok(Some(before.replace("B;", "B {}"))));
    }

    #[test]
    fn one_of_two_that_are_the_same_is_not_taken_for_the_other() {
        let (before, after) = ("x\nsame\ny\n", "x\nsame\nsame\ny\n");
        let entry = entry(Some(before), Some(after), &[[2, 5, 0]]);
        // Whichever of them somebody took out, the other one stays.
        let one = "x\nsame\ny\n0\n";
        assert_eq!(taken_back(&entry, Some(one)), Ok(Some(one.to_owned())));
        assert!(taken_back(&entry, Some("x\nsame\nsame\nsame\ny\n")).is_err());
    }

    #[test]
    fn a_part_of_a_line_is_taken_back() {
        let (before, after) = ("match a { A => b }\nc\n", "match a { A => b, D => e }\nc\n");
        let entry = entry(Some(before), Some(after), &[[16, 8, 0]]);
        let back = |now: &str| taken_back(&entry, Some(now)).map_err(|(line, _)| line);
        assert_eq!(back(after), Ok(Some(before.to_owned())));
        assert_eq!(back(&format!("{after}d")), Ok(Some(format!("{before}d"))));
        assert_eq!(back(&format!("// Now.\n{after}")), Err(1));
        assert_eq!(back("match a { A => bb, D => e }\nc\n"), Err(1));
    }

    #[test]
    fn a_file_whose_edits_are_not_known_is_taken_back_whole_or_not() {
        let entry = entry(Some("a\r\nb"), Some("a\r\nx\r\nb"), &[]);
        assert_eq!(
            taken_back(&entry, Some("a\r\nx\r\nb")),
            Ok(Some("a\r\nb".to_owned()))
        );
        assert_eq!(
            taken_back(&entry, Some("a\r\nx\r\nb\r\n")).unwrap_err().0,
            3
        );
    }
}
