//! Takes back what the last command wrote, and nothing that came after it.

use std::path::Path;

use similar::{DiffTag, TextDiff};

use super::journal::{Entry, Journal, UNDO};
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
            Ok(text) => files.push(Entry::new(
                entry.path.clone(),
                now,
                text,
                entry.edits.clone(),
            )),
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
    Ok(Journal {
        command: UNDO.to_owned(),
        variant: last.variant.clone(),
        tag: last.tag.clone(),
        files,
        dirs: Vec::new(),
    })
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
    let edited = || "was edited where the command wrote".to_owned();
    match (&entry.before, &entry.after, now) {
        (_, after, now) if after.as_deref() == now => Ok(entry.before.clone()),
        (Some(before), Some(after), Some(now)) => match diffy::merge(after, before, now) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err((first_in_the_way(after, before, now), edited())),
        },
        (None, Some(after), Some(now)) => Err((first_change(after, now), edited())),
        (_, _, None) => Err((1, "is gone".to_owned())),
        (_, None, Some(_)) => Err((1, "is there again".to_owned())),
    }
}

/// The line (from 1) of `now` with the first difference from `after`.
fn first_change(after: &str, now: &str) -> usize {
    let same = after.lines().zip(now.lines()).take_while(|(a, b)| a == b);
    same.count() + 1
}

/// The line (from 1) of `now` with the first difference from `after` that touches one between
/// `before` and `after`.
fn first_in_the_way(after: &str, before: &str, now: &str) -> usize {
    let since = TextDiff::from_lines(after, now);
    let ours = TextDiff::from_lines(after, before);
    let changed = |op: &&similar::DiffOp| op.tag() != DiffTag::Equal;
    let touches = |op: &&similar::DiffOp| {
        let range = op.old_range();
        ours.ops().iter().filter(changed).any(|own| {
            let own = own.old_range();
            range.start <= own.end && own.start <= range.end
        })
    };
    let mut in_the_way = since.ops().iter().filter(changed).filter(touches);
    in_the_way.next().map_or(1, |op| op.new_range().start + 1)
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

    fn entry(before: Option<&str>, after: Option<&str>) -> Entry {
        let own = |text: Option<&str>| text.map(str::to_owned);
        Entry::new("a.rs".to_owned(), own(before), own(after), Vec::new())
    }

    #[test]
    fn what_changed_elsewhere_stays() {
        let entry = entry(Some(BEFORE), Some(AFTER));
        let back = |now: &str| taken_back(&entry, Some(now));
        assert_eq!(back(AFTER), Ok(Some(BEFORE.to_owned())));
        let elsewhere = "first\na\nb\nnew\nc\nd\n";
        assert_eq!(back(elsewhere), Ok(Some("first\na\nb\nc\nd\n".to_owned())));
    }

    #[test]
    fn what_was_edited_where_the_command_wrote_is_in_the_way() {
        let edited = |entry: &Entry, now: Option<&str>| taken_back(entry, now).unwrap_err();
        let both = entry(Some(BEFORE), Some(AFTER));
        assert_eq!(edited(&both, Some("a\nb\nnewer\nc\nd\ne\n")).0, 3);
        assert_eq!(edited(&both, Some("0\na\nb\nnew\nmore\nc\nd\ne\n")).0, 5);
        assert_eq!(edited(&both, None).1, "is gone");
        let made = entry(None, Some(AFTER));
        assert_eq!(taken_back(&made, Some(AFTER)), Ok(None));
        assert_eq!(edited(&made, Some("a\nb\nnew\nc\nD\ne\n")).0, 5);
        let gone = entry(Some(BEFORE), None);
        assert_eq!(taken_back(&gone, None), Ok(Some(BEFORE.to_owned())));
        assert_eq!(edited(&gone, Some("x")).1, "is there again");
    }
}
