//! What the generator needs to find in a workspace, one file a landmark.
//!
//! Each landmark says how it was found, or refuses with what was looked for and the
//! configuration key that settles it. Nothing here knows a path or a signature of any
//! particular workspace.

mod ahead;
mod enqueue;
mod events;
mod executor;
mod exhaustive;
mod field_owner;
mod policy;
mod records;
mod resume;
mod root_policy;
mod scheduler;
mod spec;
mod status;
mod steps;
mod tasks;
mod worker;
mod worker_start;

use std::collections::BTreeMap;

pub use ahead::{ahead, interest};
pub use enqueue::{Column, Filled, Queue, Value};
pub use events::EventNames;
pub use executor::{Executor, Scrutinee};
pub use exhaustive::{Coverage, MatchSite, discover as find_matches, means_another, sites};
pub use field_owner::{Construction, Owner, TaskNames, constructions};
pub use policy::{Backoffs, PolicyTypes};
pub use records::{Records, RunFunction};
pub use resume::{ResumeDispatch, ResumeReading};
pub use root_policy::RootPolicy;
pub use scheduler::{Form as JobForm, Registration, Scheduler, discover as find_scheduler};
pub use spec::{SpecEnum, discover as discover_spec, field_case, wire_case};
pub use status::{Status, check as check_status, columns as status_columns, find as find_status};
pub use steps::{STEPS, Step, VariantSteps, function_around, is_test, steps};
pub use tasks::{TaskModule, modules as task_modules};
pub use worker::WorkerSite;
pub use worker_start::{Room, WorkerStart};

use crate::index::Index;
use crate::note::{Note, Outcome, Place};
use crate::pool::beside;

/// `[workspace.metadata.oxy-task]` and `--config`, merged; keys without values are absent.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Values by key; the place is that of the key in the manifest, if it came from there.
    pub values: BTreeMap<String, (String, Option<Place>)>,
    /// Event names by what they say: `started`, `progress`, `done`, `failed`, `cancelled`.
    pub events: BTreeMap<String, String>,
    /// Functions that spawn what they are given, as `crate::module::function`.
    pub spawn_wrappers: Vec<String>,
    /// Files that hold HTTP handlers beside those that are found, as patterns of paths.
    pub handlers: Vec<String>,
    /// Calls that say something about the work which makes them: the path, and the rule.
    pub evidence: Vec<(String, String)>,
}

impl Config {
    /// The value of `key`, if it is set.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(|(value, _)| value.as_str())
    }

    /// The folder of the recorded snapshots, relative to the root, with `/`.
    #[must_use]
    pub fn snapshots(&self) -> &str {
        self.get("snapshots").unwrap_or("snapshots/oxy-task")
    }

    /// Where `key` was set, if in a manifest.
    #[must_use]
    pub fn place(&self, key: &str) -> Option<Place> {
        self.values.get(key).and_then(|(_, place)| place.clone())
    }
}

/// Everything that was found.
pub struct Landmarks {
    /// The enum.
    pub spec: SpecEnum,
    /// Every match over it, the executor's included.
    pub matches: Vec<MatchSite>,
    /// The executor and its arm.
    pub executor: Executor,
    /// The queue's row, the run's row, and how they are written.
    pub queue: Queue,
    /// The policy types.
    pub policy: PolicyTypes,
    /// How events are appended and runs are ended.
    pub records: Records,
    /// What recovery dispatches on.
    pub resume: ResumeReading,
    /// Who retries root tasks.
    pub root_policy: RootPolicy,
    /// What claims tasks.
    pub workers: Vec<WorkerSite>,
    /// What starts those that stand.
    pub worker_starts: Vec<WorkerStart>,
    /// How events are called.
    pub events: EventNames,
    /// The folder of the recorded snapshots, relative to the root.
    pub snapshots: String,
    /// What is worth saying about how things were found.
    pub notes: Vec<Note>,
}

/// Finds every landmark of the workspace; the first that is missing is the refusal.
pub fn discover(index: &Index<'_>, spec: &SpecEnum, config: &Config) -> Outcome<Landmarks> {
    let mut notes = Vec::new();
    let matches = exhaustive::discover(index, spec, &mut notes)?;
    let executor = executor::discover(index, spec, &matches, config)?;
    // What works on tasks says nothing about how they come into the queue, nor the other way.
    let (of_workers, of_queue) = beside(
        || -> Outcome<_> {
            let workers = worker::discover(index, &executor)?;
            let starts = worker_start::discover(index, &workers)?;
            let mut notes = Vec::new();
            let events = events::discover(index, config, &mut notes)?;
            Ok((workers, starts, events, notes))
        },
        || -> Outcome<_> {
            let queue = enqueue::discover(index, spec, config)?;
            let policy = policy::discover(index, &queue, config)?;
            let records = records::discover(index, &queue)?;
            let resume = resume::discover(index, spec, &executor, &queue)?;
            let root_policy = root_policy::discover(index, &queue)?;
            Ok((queue, policy, records, resume, root_policy))
        },
    );
    let (queue, policy, records, resume, root_policy) = of_queue?;
    let (workers, worker_starts, events, of_events) = of_workers?;
    notes.extend(of_events);
    Ok(Landmarks {
        spec: spec.clone(),
        matches,
        executor,
        queue,
        policy,
        records,
        resume,
        root_policy,
        workers,
        worker_starts,
        events,
        snapshots: config.snapshots().to_owned(),
        notes,
    })
}
