//! Where the recorded pieces of a task stand, and which of them were edited.

use std::ops::Range;
use std::sync::Arc;

use crate::index::{FileFacts, Index, Pattern};
use crate::landmarks::{SpecEnum, sites};
use crate::note::{Outcome, Place, Refusal};
use crate::snapshot::pieces::{DEPENDENCY, FILE, LOCKFILE, MODULE, declared, hash, places};
use crate::snapshot::{RecordedPiece, Scaffolded};
use crate::workspace::SourceFile;

/// A piece in a file that stands.
#[derive(Clone)]
pub struct Located {
    /// What is recorded of it.
    pub piece: RecordedPiece,
    /// Its file.
    pub file: Arc<SourceFile>,
    /// Where it stands; the whole of a file that was made.
    pub range: Range<usize>,
    /// How it stands.
    pub state: Standing,
}

/// How a piece stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// As it went in.
    Unchanged,
    /// A person changed it: this is what there is of it now.
    Edited,
    /// A person changed it, and what of that is whose cannot be said.
    Mixed,
}

/// Finds the pieces of `own`, the task of `variant`; `others` are the records of all other tasks.
///
/// A piece that is gone was taken out already. Refuses one that stands twice.
pub fn locate(
    index: &Index<'_>,
    spec: &SpecEnum,
    variant: &str,
    own: &Scaffolded,
    others: &[&Scaffolded],
) -> Outcome<Vec<Located>> {
    let mut found: Vec<Located> = Vec::new();
    let mut rest: &[RecordedPiece] = &own.pieces;
    while let Some(piece) = rest.first() {
        let same = rest.iter().take_while(|other| *other == piece).count();
        rest = &rest[same..];
        let Some(file) = index.workspace.file_if_any(&piece.path)? else {
            continue;
        };
        let located = |range: Range<usize>, state| Located {
            piece: piece.clone(),
            file: Arc::clone(&file),
            range,
            state,
        };
        if piece.kind == FILE {
            let is_as_made = hash(&bare(&file, own, others)) == piece.hash;
            let state = if is_as_made {
                Standing::Unchanged
            } else {
                Standing::Edited
            };
            found.push(located(0..file.text.len(), state));
            continue;
        }
        // A call that was switched is no longer what was recorded; whoever enqueues is a use.
        if piece.text.is_none() && piece.kind == crate::edit::CALL_SITE {
            continue;
        }
        let stands = places(piece, &file);
        if stands.len() > same {
            return Err(doubled(&file, &stands));
        }
        let missing = same - stands.len();
        found.extend(
            stands
                .into_iter()
                .map(|range| located(range, Standing::Unchanged)),
        );
        if missing > 0 {
            let known: Vec<Range<usize>> = found
                .iter()
                .filter(|of| of.file.path == file.path && of.piece.kind != FILE)
                .map(|of| of.range.clone())
                .collect();
            let tag = spec
                .variant(variant)
                .and_then(|v| spec.tags(v).into_iter().next());
            let edited = edited(
                index,
                spec,
                [variant, &tag.unwrap_or_default()],
                piece,
                &file,
            )?;
            let is_other = |(range, _): &(Range<usize>, Standing)| {
                known
                    .iter()
                    .all(|of| of.end <= range.start || range.end <= of.start)
            };
            let edited = edited.into_iter().filter(is_other).take(missing);
            found.extend(edited.map(|(range, state)| located(range, state)));
        }
    }
    Ok(found)
}

/// The text of a file that `own` made, without what the records of `others` added to it since.
pub fn bare(file: &SourceFile, own: &Scaffolded, others: &[&Scaffolded]) -> String {
    let is_here = |piece: &&RecordedPiece| piece.path == file.path && piece.kind != FILE;
    let is_others = |piece: &&RecordedPiece| !own.pieces.iter().any(|of| of.is(piece));
    let added = others.iter().flat_map(|other| &other.pieces);
    let mut gone: Vec<Range<usize>> = added
        .filter(is_here)
        .filter(is_others)
        .flat_map(|piece| places(piece, file))
        .collect();
    gone.sort_by_key(|range| range.start);
    gone.dedup();
    let mut out = String::new();
    let mut done = 0;
    for range in gone.into_iter().filter(|range| !range.is_empty()) {
        if range.start >= done {
            out.push_str(&file.text[done..range.start]);
            done = range.end;
        }
    }
    out.push_str(&file.text[done..]);
    out
}

/// The refusal of a piece that stands at several places.
fn doubled(file: &SourceFile, places: &[Range<usize>]) -> Refusal {
    let place = |range: &Range<usize>| shown(file, range);
    let message = format!(
        "`{}` holds the same piece {} times",
        file.path,
        places.len()
    );
    let mut refusal = Refusal::new("piece-doubled", message)
        .at(place(&places[0]))
        .help("take all but one out by hand: a merge kept both sides");
    for range in &places[1..] {
        refusal = refusal.and(place(range), "and here");
    }
    refusal
}

/// The first line of a range that holds anything.
pub fn shown(file: &SourceFile, range: &Range<usize>) -> Place {
    let text = &file.text[range.clone()];
    let start = range.start + (text.len() - text.trim_start().len());
    file.place(&(start..range.end.max(start)))
}

/// What stands of a piece that is not there as it went in.
fn edited(
    index: &Index<'_>,
    spec: &SpecEnum,
    [variant, tag]: [&str; 2],
    piece: &RecordedPiece,
    file: &SourceFile,
) -> Outcome<Vec<(Range<usize>, Standing)>> {
    let text = piece.text.as_deref().unwrap_or_default();
    let whole = |range: Range<usize>| (lines(file, range, text), Standing::Edited);
    Ok(match piece.kind.as_str() {
        // Where somebody keeps it in another form, it is somebody's.
        DEPENDENCY | LOCKFILE => Vec::new(),
        "variant" => {
            let of = spec.variant(variant);
            let range = of.map(|of| of.range.start..of.comma.unwrap_or(of.range.end));
            range.map(whole).into_iter().collect()
        }
        "executor_arm" | "match_arm" => {
            let facts = index.facts(&piece.path)?;
            let arms = arms(&facts, spec, variant);
            arms.into_iter().map(whole).collect()
        }
        "resume_branch" => {
            let facts = index.facts(&piece.path)?;
            let all = facts.matches.iter().flat_map(|of| &of.arms);
            let of_tag = all.filter(|arm| arm.pattern == Pattern::Text(tag.to_owned()));
            of_tag
                .map(|arm| whole(arm.range.start..arm.comma.unwrap_or(arm.range.end)))
                .collect()
        }
        MODULE if declared(text.trim()).is_some() => {
            let name = declared(text.trim());
            let mut at = 0;
            let mut found = Vec::new();
            for line in file.text.split_inclusive('\n') {
                if declared(line) == name {
                    found.push((at..at + line.len(), Standing::Edited));
                }
                at += line.len();
            }
            found
        }
        // What begins as it did may be it; more is not known.
        _ => {
            let first = text.lines().find(|line| !line.trim().is_empty());
            let first = first.map(str::trim).unwrap_or_default();
            let found: Vec<usize> = if first.len() > 3 {
                file.text.match_indices(first).map(|(at, _)| at).collect()
            } else {
                Vec::new()
            };
            match found[..] {
                [at] => vec![(at..at + first.len(), Standing::Mixed)],
                _ => Vec::new(),
            }
        }
    })
}

/// The arms of matches over the enum that are for the variant alone.
fn arms(facts: &Arc<FileFacts>, spec: &SpecEnum, variant: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for site in sites(facts, spec) {
        for (index, arm) in site.fact.arms.iter().enumerate() {
            if site.variants_of(index, spec) == [variant] {
                found.push(arm.range.start..arm.comma.unwrap_or(arm.range.end));
            }
        }
    }
    found
}

/// The lines of an item, with the empty one above where it went in with one.
fn lines(file: &SourceFile, range: Range<usize>, recorded: &str) -> Range<usize> {
    let text = &file.text;
    let end = text[range.end..]
        .find('\n')
        .map_or(text.len(), |n| range.end + n + 1);
    let rest = text[range.end..end].trim();
    if !file.starts_line(range.start) || !(rest.is_empty() || rest.starts_with("//")) {
        return range;
    }
    let start = file.line_start(range.start);
    let above = start.checked_sub(1).map_or(start, |at| file.line_start(at));
    let has_blank = recorded.starts_with("\n\n") && text[above..start].trim().is_empty();
    (if has_blank { above } else { start })..end
}
