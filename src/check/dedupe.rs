//! OXT004: a variant enqueued without dedupe on a stable key. An id that is fresh at each call is
//! none, and neither is a key that holds such a value.

use super::{Checked, Finding, Level, Reading};
use crate::check::tokens::bare;
use crate::note::{Note, Outcome, Severity};

/// Words of code that dedupes.
const KEYS: [&str; 7] = [
    "enqueue_once",
    "TaskKey",
    "idempotency_key",
    "dedup",
    "OnConflict",
    "on_conflict",
    "DO NOTHING",
];

/// Calls whose value is another one each time.
const FRESH: [&str; 8] = [
    "new_v4(",
    "now_v7(",
    "nanoid!(",
    "Ulid::new(",
    "Utc::now(",
    "Local::now(",
    "SystemTime::now(",
    "random(",
];

/// Checks every place that enqueues.
pub(super) fn check(reading: &Reading<'_>, checked: &mut Checked) -> Outcome<()> {
    let of = &reading.landmarks.spec.fact.name;
    let fresh = |code: &str| FRESH.into_iter().find(|call| code.contains(call));
    for site in &reading.enqueues.by_hand {
        if KEYS.iter().any(|key| site.code.contains(key)) {
            continue;
        }
        let name = &site.variant;
        let Some(call) = fresh(&site.code) else {
            let message = format!(
                "whether `{of}::{name}` is enqueued under a stable key cannot be told here"
            );
            let mut note = Note::warning("undecided-rule", message)
                .at(site.place.clone())
                .help("OXT004 looks for a key, and for ids that are fresh at each call");
            note.severity = Severity::Note;
            checked.notes.push(note);
            continue;
        };
        checked.findings.push(Finding {
            rule: "OXT004",
            level: Level::Warning,
            message: format!(
                "`{of}::{name}` is enqueued under an id of `{}`, which is another one at each call: the same work is queued twice",
                call.trim_end_matches('(')
            ),
            place: site.place.clone(),
            help: "derive a key from the fields that make it the same work, and insert only where no task has it".to_owned(),
            function: site.function.clone(),
            tokens: name.clone(),
        });
    }
    for module in &reading.enqueues.modules {
        let facts = reading.index.facts(&module.path)?;
        let mut functions = facts.functions.iter().filter(|f| !f.is_test);
        let key = functions.find(|f| f.name == "idempotency_key");
        let mut functions = facts.functions.iter().filter(|f| !f.is_test);
        let enqueue = functions.find(|f| f.name == "enqueue");
        let name = &module.variant;
        let (at, message) = match (key, enqueue) {
            (None, Some(enqueue)) => (
                enqueue,
                format!("`{of}::{name}` is enqueued, and its module has no `idempotency_key`"),
            ),
            (Some(key), _) => match fresh(&bare(facts.text(&key.range))) {
                Some(call) => (
                    key,
                    format!(
                        "the key of `{of}::{name}` holds a value of `{}`, which is another one at each call: nothing is ever a duplicate",
                        call.trim_end_matches('(')
                    ),
                ),
                None => continue,
            },
            (None, None) => continue,
        };
        checked.findings.push(Finding {
            rule: "OXT004",
            level: Level::Warning,
            message,
            place: facts.place(&at.name_range),
            help: "derive the key from the fields that make two calls the same work".to_owned(),
            function: at.name.clone(),
            tokens: name.clone(),
        });
    }
    Ok(())
}
