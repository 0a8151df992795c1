//! How events are called, as the target's clients expect: read from what ends a stream.

use super::Config;
use crate::index::Index;
use crate::note::{Note, Outcome};

/// The event types of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventNames {
    /// The task begins.
    pub started: String,
    /// The work reports.
    pub progress: String,
    /// The task is done.
    pub done: String,
    /// The task failed.
    pub failed: String,
    /// The task was cancelled.
    pub cancelled: String,
    /// How they were found.
    pub how: String,
}

/// Words for each end, the usual one first.
const DONE: [&str; 5] = ["done", "completed", "finished", "succeeded", "success"];
const FAILED: [&str; 3] = ["error", "failed", "failure"];
const CANCELLED: [&str; 3] = ["cancelled", "canceled", "aborted"];

/// Reads them from the function that says which events end a stream; configuration goes first.
pub fn discover(index: &Index<'_>, config: &Config, notes: &mut Vec<Note>) -> Outcome<EventNames> {
    let mut sets = Vec::new();
    let paths = index.containing("fn is_terminal");
    index.parse_all(&paths)?;
    for path in paths {
        let facts = index.facts(&path)?;
        for set in &facts.string_sets {
            let pick = |words: &[&str]| {
                words
                    .iter()
                    .find(|word| set.values.iter().any(|value| value == *word))
                    .map(|word| (*word).to_owned())
            };
            if let (Some(done), Some(failed)) = (pick(&DONE), pick(&FAILED)) {
                let cancelled = pick(&CANCELLED);
                sets.push(((done, failed, cancelled), facts.place(&set.range)));
            }
        }
    }
    // A function that leaves cancellation out does not contradict one that names it.
    let named: Vec<&String> = sets
        .iter()
        .filter_map(|((_, _, c), _)| c.as_ref())
        .collect();
    let agree = sets
        .windows(2)
        .all(|pair| pair[0].0.0 == pair[1].0.0 && pair[0].0.1 == pair[1].0.1)
        && named.windows(2).all(|pair| pair[0] == pair[1]);
    let fullest = sets
        .iter()
        .find(|((_, _, c), _)| c.is_some())
        .or(sets.first());
    let (found, how) = match fullest.filter(|_| agree) {
        Some(((done, failed, cancelled), place)) => (
            (done.clone(), failed.clone(), cancelled.clone()),
            format!("read from what ends a stream, {place}"),
        ),
        None => (
            (DONE[0].to_owned(), FAILED[0].to_owned(), None),
            "the default names: found nothing that says which events end a stream".to_owned(),
        ),
    };
    if !agree && config.events.is_empty() {
        let mut note = Note::warning(
            "events",
            "two functions disagree about which events end a stream; the default names are used",
        )
        .help("set events = { done = \"…\", failed = \"…\", cancelled = \"…\" } in [workspace.metadata.oxy-task]");
        if let Some((_, place)) = sets.first() {
            note = note.at(place.clone());
        }
        notes.push(note);
    }
    let name = |key: &str, default: &str| {
        config
            .events
            .get(key)
            .cloned()
            .unwrap_or_else(|| default.to_owned())
    };
    Ok(EventNames {
        started: name("started", "task_started"),
        progress: name("progress", "task_progress"),
        done: name("done", &found.0),
        failed: name("failed", &found.1),
        cancelled: name("cancelled", found.2.as_deref().unwrap_or(CANCELLED[0])),
        how,
    })
}
