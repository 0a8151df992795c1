//! Where a `use` declaration goes among those that stand.

use crate::index::{FileFacts, UseFact};
use crate::trivia::{Sibling, Spot};

/// Heads of paths that stand in groups of their own.
const OWN: [&str; 6] = ["std", "core", "alloc", "crate", "self", "super"];

/// The place for `use path;` of another crate: among its neighbours where those are sorted, else
/// behind them. `None` where the file imports nothing.
#[must_use]
pub fn spot(facts: &FileFacts, path: &str) -> Option<Spot> {
    let file = &facts.file;
    let mut declarations: Vec<&UseFact> = facts.uses.iter().filter(|of| of.is_top).collect();
    declarations.sort_by_key(|of| of.range.start);
    declarations.dedup_by_key(|of| of.range.start);
    let line_after = |end: usize| file.text[end..].find('\n').map_or(end, |n| end + n + 1);
    let mut groups: Vec<Vec<&UseFact>> = Vec::new();
    for of in declarations {
        let last = groups.last().and_then(|group| group.last());
        let continues =
            last.is_some_and(|last| line_after(last.range.end) == file.line_start(of.range.start));
        match groups.last_mut() {
            Some(group) if continues => group.push(of),
            _ => groups.push(vec![of]),
        }
    }
    let key = |of: &UseFact| key(facts.text(&of.range));
    let is_foreign = |of: &&UseFact| {
        let key = key(of);
        !OWN.contains(&key.first().map_or("", |(_, head)| head.as_str()))
    };
    let foreign = groups
        .iter()
        .position(|group| group.iter().any(|of| is_foreign(of)));
    let group = &groups[foreign.or_else(|| groups.len().checked_sub(1))?];
    let siblings: Vec<Sibling> = group
        .iter()
        .map(|of| Sibling {
            start: of.range.start,
            end: of.range.end,
            comma: None,
            needs_comma: false,
        })
        .collect();
    let is_sorted = group.windows(2).all(|pair| key(pair[0]) <= key(pair[1]));
    let own = self::key(path);
    let next = group.iter().position(|of| key(of) > own);
    Some(match next.filter(|_| is_sorted && foreign.is_some()) {
        Some(next) => Spot::before(file, &siblings, next),
        None => Spot::after(file, &siblings, siblings.len() - 1, file.text.len()),
    })
}

/// What rustfmt sorts a declaration by: its segments, a list behind every name.
fn key(text: &str) -> Vec<(bool, String)> {
    let text = text.rsplit_once("use ").map_or(text, |(_, path)| path);
    let text = text.trim().trim_end_matches(';');
    let plain: String = text.split_whitespace().collect();
    let (path, list) = match plain.find('{') {
        Some(at) => (&plain[..at], Some(&plain[at..])),
        None => (&plain[..], None),
    };
    let names = path.split("::").filter(|name| !name.is_empty());
    let names = names.map(|name| (false, name.to_owned()));
    names
        .chain(list.map(|list| (true, list.to_owned())))
        .collect()
}
