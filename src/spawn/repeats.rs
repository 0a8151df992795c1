//! Lines of spawned work that leave a trace outside of it: work that is done again leaves two.

use std::collections::{BTreeMap, BTreeSet};

use super::effects::Effect;
use super::evidence::Looker;
use super::program::FnRef;
use super::questions::is_outside;
use super::sites::Seen;
use crate::note::Outcome;

/// How many functions of the workspace one call is followed through.
const FUNCTIONS: usize = 250;

/// A line that may not be safe to run twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    /// Offset of the call in the site's file.
    pub at: usize,
    /// What it does, in words.
    pub because: String,
}

/// The lines of a site's work, in order, each with what weighs most on it.
pub(super) fn repeats(looker: &Looker<'_, '_, '_>, seen: &Seen<'_, '_>) -> Outcome<Vec<Repeat>> {
    let root = looker.own(seen.function, seen.code, &[seen.work], seen.known)?;
    let mut found: Vec<(Effect, Repeat)> = Vec::new();
    for (effect, call, at) in root.effects {
        if leaves_trace(&effect, &call) {
            let because = format!("`{call}` {}", effect.about());
            found.push((effect, Repeat { at, because }));
        }
    }
    for (function, through, at) in root.calls {
        if let Some((effect, call, place)) = deep(looker, function)? {
            let because = format!("`{through}` {} ({call} at {place})", effect.about());
            found.push((effect, Repeat { at, because }));
        }
    }
    let file = &seen.function.facts;
    let mut lines: BTreeMap<usize, (Effect, Repeat)> = BTreeMap::new();
    for (effect, repeat) in found {
        let line = file.place(&(repeat.at..repeat.at)).line;
        let known = lines.get(&line);
        if known.is_none_or(|(known, _)| weight(&effect) < weight(known)) {
            lines.insert(line, (effect, repeat));
        }
    }
    Ok(lines.into_values().map(|(_, repeat)| repeat).collect())
}

/// The weightiest effect of a function or of what it calls, of those that weigh the same the nearest:
/// the effect, its call and the place.
fn deep(looker: &Looker<'_, '_, '_>, function: FnRef) -> Outcome<Option<(Effect, String, String)>> {
    let mut done = BTreeSet::new();
    let mut level = vec![function];
    let mut found: Option<(Effect, String, String)> = None;
    while !level.is_empty() && done.len() < FUNCTIONS {
        looker.read_ahead(level.iter(), &done);
        let mut next = Vec::new();
        for function in level {
            if !done.insert(function.key()) {
                continue;
            }
            let own = looker.of(&function)?;
            for (effect, call, at) in &own.effects {
                let known = found.as_ref().map(|(known, ..)| known);
                if leaves_trace(effect, call) && known.is_none_or(|of| weight(effect) < weight(of))
                {
                    let place = function.facts.place(&(*at..*at));
                    let place = format!("{}:{}", place.path, place.line);
                    found = Some((effect.clone(), call.clone(), place));
                }
            }
            next.extend(own.calls.iter().map(|(called, ..)| called.clone()));
        }
        if found.as_ref().is_some_and(|(of, ..)| weight(of) == 0) {
            break;
        }
        level = next;
    }
    Ok(found)
}

/// What leaves the process weighs most, and that there are many of something least.
fn weight(effect: &Effect) -> usize {
    match effect {
        Effect::Loop => 2,
        of if is_outside(of) => 0,
        _ => 1,
    }
}

/// Whether something outside of the process is not what it was before.
fn leaves_trace(effect: &Effect, call: &str) -> bool {
    match effect {
        // The one writer of a status writes what it was; a schedule starts what does something.
        Effect::Status | Effect::Tick => false,
        Effect::Configured(rule) => ["Q1", "Q2", "Q3"].contains(&rule.as_str()),
        Effect::Files => {
            let name = call.rsplit("::").next().unwrap_or(call);
            let only_reads = ["read", "read_to_string", "open", "sleep", "block_in_place"];
            !only_reads.contains(&name) && name != "spawn_blocking"
        }
        _ => true,
    }
}
