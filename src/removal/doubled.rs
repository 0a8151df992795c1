//! What a merge that kept both sides left of a recorded task twice.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::locate::shown;
use crate::index::{FileFacts, Index, ItemFact};
use crate::landmarks::{SpecEnum, sites};
use crate::note::{Outcome, Refusal};
use crate::snapshot::Record;
use crate::snapshot::pieces::{FILE, MODULE, declared, places};
use crate::workspace::SourceFile;

/// Refuses a task of which something stands twice, with each place.
pub fn check(index: &Index<'_>, spec: &SpecEnum, record: &Record) -> Outcome<()> {
    let variant = record.form.variant.as_str();
    let pieces = record.scaffolded.as_ref().map(|of| of.pieces.as_slice());
    let mut twice: Vec<(Arc<SourceFile>, Range<usize>)> = Vec::new();
    let mut add = |file: &Arc<SourceFile>, ranges: Vec<Range<usize>>| {
        twice.extend(ranges.into_iter().map(|range| (Arc::clone(file), range)));
    };
    let of_name = spec.fact.variants.iter().filter(|of| of.name == variant);
    let of_name: Vec<_> = of_name.map(|of| of.name_range.clone()).collect();
    if of_name.len() > 1 {
        add(&spec.facts.file, of_name);
    }
    for piece in pieces.unwrap_or_default() {
        let Some(at) = index.workspace.file_if_any(&piece.path)? else {
            continue;
        };
        let recorded = pieces.unwrap_or_default().iter();
        let recorded = recorded.filter(|other| *other == piece).count();
        let stands = places(piece, &at);
        if stands.len() > recorded {
            add(&at, stands);
        }
        if !piece.path.ends_with(".rs") {
            continue;
        }
        let facts = index.facts(&piece.path)?;
        match piece.kind.as_str() {
            FILE => items(&facts.items, &mut |ranges| add(&at, ranges)),
            MODULE => {
                let name = piece.text.as_deref().and_then(|text| declared(text.trim()));
                let of_name = facts
                    .modules
                    .iter()
                    .filter(|of| Some(of.name.as_str()) == name);
                let of_name: Vec<_> = of_name.map(|of| of.range.clone()).collect();
                if of_name.len() > 1 {
                    add(&at, of_name);
                }
            }
            _ => arms(&facts, spec, variant, &mut |ranges| add(&at, ranges)),
        }
    }
    twice.sort_by(|(a, of_a), (b, of_b)| (&a.path, of_a.start).cmp(&(&b.path, of_b.start)));
    let places: Vec<_> = twice
        .iter()
        .map(|(file, range)| shown(file, range))
        .collect();
    let mut places = places.into_iter();
    let Some(first) = places.next() else {
        return Ok(());
    };
    let message = format!("what belongs to `{variant}` stands twice");
    let mut known = vec![(first.path.clone(), first.line)];
    let mut refusal = Refusal::new("piece-doubled", message)
        .at(first)
        .help("a merge kept both sides: take one of each out by hand, and run the command again; nothing was written");
    for place in places {
        if !known.contains(&(place.path.clone(), place.line)) {
            known.push((place.path.clone(), place.line));
            refusal = refusal.and(place, "and here");
        }
    }
    Err(refusal)
}

/// Items of one name beside each other, which do not compile.
fn items(all: &[ItemFact], add: &mut dyn FnMut(Vec<Range<usize>>)) {
    let mut by_key: BTreeMap<&str, Vec<Range<usize>>> = BTreeMap::new();
    for item in all {
        let is_named = [
            "fn ", "struct ", "enum ", "mod ", "const ", "static ", "trait ", "type ",
        ];
        if is_named.iter().any(|word| item.key.starts_with(word)) {
            by_key
                .entry(&item.key)
                .or_default()
                .push(item.range.clone());
        }
        items(&item.inner, add);
    }
    by_key
        .into_values()
        .filter(|ranges| ranges.len() > 1)
        .for_each(add);
}

/// Arms of one match that are for the variant alone, and take all of it.
fn arms(
    facts: &Arc<FileFacts>,
    spec: &SpecEnum,
    variant: &str,
    add: &mut dyn FnMut(Vec<Range<usize>>),
) {
    for site in sites(facts, spec) {
        let arms = site.fact.arms.iter().enumerate();
        let own = arms.filter(|(i, arm)| !arm.has_guard && site.variants_of(*i, spec) == [variant]);
        let mut by_pattern: BTreeMap<String, Vec<Range<usize>>> = BTreeMap::new();
        for (_, arm) in own {
            let pattern: String = facts.text(&arm.pattern_range).split_whitespace().collect();
            by_pattern
                .entry(pattern)
                .or_default()
                .push(arm.pattern_range.clone());
        }
        let doubled = by_pattern.into_values().filter(|ranges| ranges.len() > 1);
        doubled.for_each(&mut *add);
    }
}
