//! What the tasks of this folder share: the envelope around the work of each.
//!
//! A task's module holds its input, key, policy, status column and work. The envelope runs the
//! work, tries again what failed for the moment, writes the status, ends the run, and reports one
//! terminal outcome, also when the work panics or is cancelled. Only where the database does not
//! answer, or another delivery has the task, it reports none: then the task is delivered again.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sea_orm::{DatabaseConnection, DbErr};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
{% for path in imports %}
use {{ path }};
{%- endfor %}
{% for module in modules %}
{% if module != "journal" %}pub {% endif %}mod {{ module }};
{%- endfor %}

use journal::{Begun, ENDS, EventStream, Hold, RunJournal, STARTED, TaskJournal};

/// Why work ended without a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskError {
    /// May succeed another time: a time-out, a refused connection, HTTP 408, 425, 429 or 5xx.
    Transient(String),
    /// Fails however often it is tried: an expired token, HTTP 401, 403 or 404, invalid input.
    Terminal(String),
    /// The task was asked to stop.
    Cancelled,
}

impl TaskError {
    /// What an HTTP response of this status means: 408, 425, 429 and 5xx are transient.
    pub fn of_http_status(status: u16, message: impl Into<String>) -> Self {
        match status {
            408 | 425 | 429 | 500..=599 => Self::Transient(message.into()),
            _ => Self::Terminal(message.into()),
        }
    }
}

impl From<std::io::Error> for TaskError {
    /// Transient: what is wrong with the input itself is better checked before.
    fn from(error: std::io::Error) -> Self {
        Self::Transient(error.to_string())
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // What a policy's `{{ patterns_field }}` looks for.
            Self::Transient(message) => write!(f, "transient: {message}"),
            Self::Terminal(message) => f.write_str(message),
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}

/// What finished work gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished<V> {
    /// The answer of the run.
    pub answer: String,
    /// What the status is to say, where that is not the usual value.
    pub status: Option<V>,
}

impl<V> Finished<V> {
    /// Work that ended as usual.
    pub fn new(answer: impl Into<String>) -> Self {
        Self {
            answer: answer.into(),
            status: None,
        }
    }
}

/// What a domain status says of a task.
#[derive(Debug, Clone)]
pub struct Statuses<V> {
    /// While the task runs.
    pub running: V,
    /// When the work is done.
    pub done: V,
    /// When the task failed or was cancelled.
    pub failed: V,
}

/// Where a domain status is kept. Only the envelope writes it.
#[async_trait]
pub trait StatusPort<V>: Send + Sync + 'static {
    /// What it says now; `None` where it does not tell how this very task stands.
    async fn read(&self) -> Result<Option<V>, DbErr>;

    /// Writes it; `false` where there is nothing to write it into.
    async fn write(&self, value: V) -> Result<bool, DbErr>;
}

/// What work has at hand beside its input.
#[derive(Clone)]
pub struct TaskContext {
    journal: Arc<dyn TaskJournal>,
    /// Fires when the task is cancelled. Async work is dropped at its next await; only work that
    /// blocks a thread needs to look.
    pub cancel: CancellationToken,
}

impl TaskContext {
    /// Tells whoever follows the run how far the work is.
    pub async fn progress(&self, message: &str) {
        let payload = json!({ "message": message });
        let told = match self.journal.hold().await {
            Ok(Hold::Nothing) => Ok(()),
            Ok(_) => self.journal.event("{{ events.progress }}", payload).await,
            Err(error) => Err(error),
        };
        if let Err(error) = told {
            tracing::warn!(%error, "cannot record the progress of a task");
        }
    }
}

/// What one attempt gives.
type WorkResult<V> = Result<Finished<V>, TaskError>;

/// The work, started once for each attempt.
type Work<V> =
    dyn Fn(TaskContext) -> Pin<Box<dyn Future<Output = WorkResult<V>> + Send>> + Send + Sync;

/// A task as it is handed to a worker.
pub(crate) struct Delivery<V> {
    pub(crate) tag: &'static str,
    /// Bounds all attempts together: work that hangs would keep its claim, and with it the task's
    /// key, for ever.
    pub(crate) timeout: Duration,
    pub(crate) statuses: Statuses<V>,
    pub(crate) status: Box<dyn StatusPort<V>>,
    pub(crate) work: Box<Work<V>>,
}

impl<V: Clone + PartialEq + Send + Sync + 'static> Delivery<V> {
    /// Starts the work in its envelope.
    pub(crate) fn start(
        self,
        db: &DatabaseConnection,
        assignment: &{{ assignment_name }},
    ) -> {{ executing_name }} {
        let (events, receiver) = mpsc::channel(64);
        // The coordinator of a task that another one delegated persists its events, ends its run
        // and retries it. A task from the gate does so itself: not every worker brings one.
        let is_root = assignment.parent_task_id.is_none();
        let is_gated = is_root && is_from_gate(&assignment.task_id, self.tag);
        let policy = assignment.policy.as_ref().filter(|_| is_gated);
        let retry = policy.and_then(|policy| policy.{{ retry_field }}.clone());
        let journal: Arc<dyn TaskJournal> = if is_gated {
            Arc::new(RunJournal::new(db, &assignment.run_id))
        } else {
            Arc::new(EventStream(events))
        };
        let span = tracing::info_span!("task", id = assignment.task_id, tag = self.tag);
        let envelope = Envelope {
            delivery: self,
            journal,
            retry,
            cancel: CancellationToken::new(),
        };
        envelope.start(receiver, span)
    }
}

/// What surrounds the work of one delivery.
struct Envelope<V> {
    delivery: Delivery<V>,
    journal: Arc<dyn TaskJournal>,
    retry: Option<{{ retry_name }}>,
    cancel: CancellationToken,
}

impl<V: Clone + PartialEq + Send + Sync + 'static> Envelope<V> {
    fn start(self, events: mpsc::Receiver<(String, Value)>, span: tracing::Span) -> {{ executing_name }} {
        let (outcome, outcomes) = mpsc::channel(1);
        let cancel = self.cancel.clone();
        let work = async move {
            let ended = tokio::select! {
                ended = self.deliver() => ended,
                // Nobody is left to hear the outcome; the next delivery does the work.
                () = outcome.closed() => return,
            };
            // Let go of the events first: a worker ends when both channels do.
            drop(self);
            match ended {
                Ok(ended) => {
                    outcome.send(ended).await.ok();
                }
                // Without an outcome the claim becomes stale, and the task is delivered again.
                Err(error) => tracing::error!(%error, "a delivery of a task is given up"),
            }
        };
        tokio::spawn(work.instrument(span));
        {{ executing_name }} {
            {% if executing.events != "events" %}{{ executing.events }}: {% endif %}events,
            {% if executing.outcomes != "outcomes" %}{{ executing.outcomes }}: {% endif %}outcomes,
            {% if executing.cancel != "cancel" %}{{ executing.cancel }}: {% endif %}cancel,
{%- for field in executing.none %}
            {{ field }}: None,
{%- endfor %}
        }
    }

    /// The outcome; an error where the database does not answer, or another delivery has the task.
    async fn deliver(&self) -> Result<{{ outcome_name }}, DbErr> {
        let closed = match self.journal.begin().await? {
            Begun::Ended(outcome) => {
                self.tell(&outcome).await?;
                return Ok(*outcome);
            }
            Begun::Closed(error) => Some(error),
            Begun::Open => None,
        };
        let result = match (self.recorded().await?, closed) {
            (Some(Ok(finished)), _) => Ok(finished),
            (_, Some(error)) | (Some(Err(error)), None) => Err(error),
            (None, None) if self.write_status(&self.delivery.statuses.running).await? => {
                self.journal.once(STARTED, json!({}), &[STARTED]).await?;
                self.attempts().await
            }
            (None, None) => Err(TaskError::Terminal(NO_ROW.to_owned())),
        };
        self.finish(result).await
    }

    /// The end that the status tells of, where an earlier delivery began the work: the status is
    /// written before everything else that ends a task.
    async fn recorded(&self) -> Result<Option<WorkResult<V>>, DbErr> {
        if !self.journal.said(&[STARTED]).await? {
            return Ok(None);
        }
        let statuses = &self.delivery.statuses;
        Ok(match self.delivery.status.read().await? {
            Some(status) if status == statuses.failed => {
                let message = "failed in an earlier delivery";
                Some(Err(TaskError::Terminal(message.to_owned())))
            }
            Some(status) if status != statuses.running => Some(Ok(Finished {
                answer: String::new(),
                status: Some(status),
            })),
            _ => None,
        })
    }

    /// Runs the work until it succeeds, fails for good, or policy or time is used up.
    async fn attempts(&self) -> WorkResult<V> {
        let attempts = async {
            let mut attempt = 0;
            loop {
                let result = self.attempt().await;
                let Err(error) = &result else {
                    return result;
                };
                let Some(delay) = self.delay(error, attempt) else {
                    return result;
                };
                tracing::warn!(%error, attempt, "the work of a task is tried again");
                attempt += 1;
                tokio::time::sleep(delay).await;
            }
        };
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(TaskError::Cancelled),
            result = attempts => result,
            () = tokio::time::sleep(self.delivery.timeout) => {
                Err(TaskError::Transient("timed out".to_owned()))
            }
        }
    }

    /// Runs the work once, in a task of its own so that a panic is an error like others.
    async fn attempt(&self) -> WorkResult<V> {
        let context = TaskContext {
            journal: Arc::clone(&self.journal),
            cancel: self.cancel.clone(),
        };
        // A set aborts what it holds when it is dropped: no work outlives its envelope.
        let mut running = JoinSet::new();
        running.spawn((self.delivery.work)(context).in_current_span());
        match running.join_next().await {
            Some(Ok(result)) => result,
            Some(Err(e)) if e.is_panic() => {
                Err(TaskError::Terminal("the work panicked".to_owned()))
            }
            // The runtime is shutting down; the next delivery does the work.
            _ => std::future::pending().await,
        }
    }

    /// The pause before the next attempt, if the policy grants one.
    fn delay(&self, error: &TaskError, attempt: u32) -> Option<Duration> {
        let policy = self.retry.as_ref()?;
        if !matches!(error, TaskError::Transient(_)) || attempt >= policy.{{ max_field }} {
            return None;
        }
        let message = error.to_string();
        let patterns = &policy.{{ patterns_field }};
        let matches = patterns.is_empty() || patterns.iter().any(|p| message.contains(p));
        matches.then(|| policy.{{ backoff_field }}.{{ delay_method }}(attempt))
    }

    /// Writes the status, ends the run, tells the event: in this order, and the outcome last.
    async fn finish(&self, result: WorkResult<V>) -> Result<{{ outcome_name }}, DbErr> {
        let statuses = &self.delivery.statuses;
        let (status, mut outcome) = match result {
            Ok(Finished { answer, status }) => (
                status.unwrap_or_else(|| statuses.done.clone()),
                {{ outcome_name }}::Done {
                    answer,
{%- for field in done_rest %}
                    {{ field }}: None,
{%- endfor %}
                },
            ),
            Err(TaskError::Cancelled) => (statuses.failed.clone(), {{ outcome_name }}::Cancelled),
            Err(error) => (
                statuses.failed.clone(),
                {{ outcome_name }}::Failed(error.to_string()),
            ),
        };
        if !self.write_status(&status).await? {
            tracing::error!("{NO_ROW}");
            if matches!(outcome, {{ outcome_name }}::Done { .. }) {
                outcome = {{ outcome_name }}::Failed(NO_ROW.to_owned());
            }
        }
        self.journal.end(&outcome).await?;
        self.tell(&outcome).await?;
        Ok(outcome)
    }

    /// Writes the status unless a later task has it; `false` where it has no row.
    async fn write_status(&self, value: &V) -> Result<bool, DbErr> {
        match self.journal.hold().await? {
            Hold::All => self.delivery.status.write(value.clone()).await,
            Hold::Run => Ok(true),
            Hold::Nothing => Err(DbErr::Custom("its claim was lost".to_owned())),
        }
    }

    /// Tells the event of the end, unless an earlier delivery did.
    async fn tell(&self, outcome: &{{ outcome_name }}) -> Result<(), DbErr> {
        let (event_type, payload) = match outcome {
            {{ outcome_name }}::Done { answer, .. } => ("{{ events.done }}", json!({ "answer": answer })),
            {{ outcome_name }}::Cancelled => ("{{ events.cancelled }}", json!({ "message": "cancelled" })),
            {{ outcome_name }}::Failed(message) => ("{{ events.failed }}", json!({ "message": message })),
{%- if !other_outcomes.is_empty() %}
            {{ other_outcomes }} => return Ok(()),
{%- endif %}
        };
        self.journal.once(event_type, payload, &ENDS).await
    }
}

/// Why a task fails whose status cannot be written.
const NO_ROW: &str = "the status of the task has no row";
{% if has_resume %}
/// What recovery is told of a task that its queue row drives: there is nothing to resume.
///
/// The row is still queued or claimed, and a worker has it or gets it. Running the work here too
/// would run it twice, and a heartbeat from here would keep a dead worker's claim alive. Recovery
/// takes the run for failed, until a delivery begins or the task ends.
pub(crate) fn left_to_the_queue(run: &{{ run }}::Model) -> String {
    format!("run {} is left to the task queue", run.id)
}
{% endif %}
#[cfg(test)]
pub(crate) mod testing {
    //! In-memory ports for the tests of tasks.

    use std::collections::BTreeMap;
    use std::sync::Mutex;
{% for path in testing_imports %}
    use {{ path }};
{%- endfor %}

    use super::*;

    /// The rows of root tasks, and which of them have ended.
    #[derive(Default)]
    pub(crate) struct MemoryRows {
        rows: Mutex<BTreeMap<String, (Value, bool)>>,
    }

    impl MemoryRows {
        pub(crate) fn len(&self) -> usize {
            self.rows.lock().unwrap().len()
        }

        pub(crate) fn spec(&self, id: &str) -> Value {
            self.rows.lock().unwrap()[id].0.clone()
        }

        pub(crate) fn end(&self, id: &str) {
            self.rows.lock().unwrap().get_mut(id).unwrap().1 = false;
        }
    }

    #[async_trait]
    impl TaskRows for MemoryRows {
        async fn newest(&self, prefix: &str) -> Result<Option<(u64, bool)>, DbErr> {
            let rows = self.rows.lock().unwrap();
            Ok(rows
                .iter()
                .filter_map(|(id, row)| Some((id.strip_prefix(prefix)?.parse().ok()?, row.1)))
                .max_by_key(|(generation, _)| *generation))
        }

        async fn insert(&self, task: &RootTask) -> Result<bool, DbErr> {
            let mut rows = self.rows.lock().unwrap();
            if rows.contains_key(&task.id) {
                return Ok(false);
            }
            rows.insert(task.id.clone(), (task.spec.clone(), true));
            Ok(true)
        }

        fn database(&self) -> Option<&DatabaseConnection> {
            None
        }
    }

    /// A run in memory.
    #[derive(Default)]
    pub(super) struct MemoryJournal {
        pub(super) events: Mutex<Vec<String>>,
        pub(super) ends: Mutex<usize>,
    }

    #[async_trait]
    impl TaskJournal for MemoryJournal {
        async fn said(&self, event_types: &[&str]) -> Result<bool, DbErr> {
            let events = self.events.lock().unwrap();
            Ok(events
                .iter()
                .any(|event| event_types.contains(&event.as_str())))
        }

        async fn event(&self, event_type: &str, _payload: Value) -> Result<(), DbErr> {
            self.events.lock().unwrap().push(event_type.to_owned());
            Ok(())
        }

        async fn end(&self, _outcome: &{{ outcome_name }}) -> Result<(), DbErr> {
            *self.ends.lock().unwrap() += 1;
            Ok(())
        }
    }

    /// A status in memory: everything that was written.
    pub(super) struct MemoryStatus<V>(pub(super) Arc<Mutex<Vec<V>>>);

    #[async_trait]
    impl<V: Clone + Send + 'static> StatusPort<V> for MemoryStatus<V> {
        async fn read(&self) -> Result<Option<V>, DbErr> {
            Ok(self.0.lock().unwrap().last().cloned())
        }

        async fn write(&self, value: V) -> Result<bool, DbErr> {
            self.0.lock().unwrap().push(value);
            Ok(true)
        }
    }

    /// How a task ended.
    pub(crate) struct Ended<V> {
        pub(crate) outcome: {{ outcome_name }},
        pub(crate) events: Vec<String>,
        pub(crate) statuses: Vec<V>,
    }

    /// Runs `work` in the envelope of a task with this policy and status, without its pauses.
    ///
    /// Panics unless the task ends with exactly one outcome and ends its run once.
    pub(crate) async fn run<V, W, F>(
        policy: &{{ policy_name }},
        statuses: Statuses<V>,
        work: W,
    ) -> Ended<V>
    where
        V: Clone + PartialEq + Send + Sync + 'static,
        W: Fn(TaskContext) -> F + Send + Sync + 'static,
        F: Future<Output = WorkResult<V>> + Send + 'static,
    {
        let journal = Arc::new(MemoryJournal::default());
        let written = Arc::new(Mutex::new(Vec::new()));
        let retry = policy.{{ retry_field }}.clone().map(|retry| {{ retry_name }} {
            {{ backoff_field }}: {{ backoff_name }}::{{ fixed_variant }} { {{ fixed_field }}: 0 },
            ..retry
        });
        let envelope = Envelope {
            delivery: Delivery {
                tag: "tag",
                timeout: Duration::from_secs(5),
                statuses,
                status: Box::new(MemoryStatus(Arc::clone(&written))),
                work: Box::new(move |context| Box::pin(work(context))),
            },
            journal: journal.clone(),
            retry,
            cancel: CancellationToken::new(),
        };
        let mut task = envelope.start(mpsc::channel(1).1, tracing::Span::none());
        let limit = Duration::from_secs(10);
        let outcome = tokio::time::timeout(limit, task.{{ executing.outcomes }}.recv())
            .await
            .expect("an outcome in time")
            .expect("an outcome");
        assert!(task.{{ executing.outcomes }}.recv().await.is_none(), "a second outcome");
        assert_eq!(*journal.ends.lock().unwrap(), 1, "ends of the run");
        let events = journal.events.lock().unwrap().clone();
        let statuses = written.lock().unwrap().clone();
        Ended {
            outcome,
            events,
            statuses,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
{% for path in tests_imports %}
    use {{ path }};
{%- endfor %}

    use super::testing::{MemoryJournal, MemoryStatus, run};
    use super::*;

    const STATUSES: Statuses<&str> = Statuses {
        running: "running",
        done: "done",
        failed: "failed",
    };

    /// The outcome of a delivery whose work hangs.
    async fn delivered(
        journal: impl TaskJournal,
        status: impl StatusPort<&'static str>,
        timeout: Duration,
    ) -> Option<{{ outcome_name }}> {
        let envelope = Envelope {
            delivery: Delivery {
                tag: "tag",
                timeout,
                statuses: STATUSES,
                status: Box::new(status),
                work: Box::new(|_| Box::pin(std::future::pending())),
            },
            journal: Arc::new(journal),
            retry: None,
            cancel: CancellationToken::new(),
        };
        let mut task = envelope.start(mpsc::channel(1).1, tracing::Span::none());
        task.{{ executing.outcomes }}.recv().await
    }

    /// The outcome and the statuses of a delivery after one that wrote `written` and died.
    async fn redelivered(
        written: &[&'static str],
        timeout: Duration,
    ) -> ({{ outcome_name }}, Vec<&'static str>) {
        let journal = MemoryJournal::default();
        journal.events.lock().unwrap().push(STARTED.to_owned());
        let written = Arc::new(Mutex::new(written.to_vec()));
        let status = MemoryStatus(Arc::clone(&written));
        let outcome = delivered(journal, status, timeout)
            .await
            .expect("an outcome");
        let written = written.lock().unwrap().clone();
        (outcome, written)
    }

    /// A claim that was lost.
    struct Lost;

    #[async_trait]
    impl TaskJournal for Lost {
        async fn hold(&self) -> Result<Hold, DbErr> {
            Ok(Hold::Nothing)
        }

        async fn event(&self, event_type: &str, _payload: Value) -> Result<(), DbErr> {
            panic!("{event_type} of a lost claim")
        }
    }

    /// A status without a row.
    struct NoRow;

    #[async_trait]
    impl StatusPort<&'static str> for NoRow {
        async fn read(&self) -> Result<Option<&'static str>, DbErr> {
            Ok(None)
        }

        async fn write(&self, _value: &'static str) -> Result<bool, DbErr> {
            Ok(false)
        }
    }

    #[tokio::test]
    async fn a_lost_claim_has_no_outcome() {
        let status = MemoryStatus(Arc::default());
        let written = Arc::clone(&status.0);
        let outcome = delivered(Lost, status, Duration::from_secs(50)).await;
        assert!(outcome.is_none(), "{outcome:?}");
        assert!(written.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_status_without_a_row_is_a_failure() {
        let journal = MemoryJournal::default();
        let outcome = delivered(journal, NoRow, Duration::from_secs(50)).await;
        assert!(matches!(outcome, Some({{ outcome_name }}::Failed(message)) if message == NO_ROW));
    }

    #[tokio::test]
    async fn what_an_earlier_delivery_ended_is_not_done_again() {
        let long = Duration::from_secs(50);
        let (outcome, statuses) = redelivered(&["running", "done"], long).await;
        assert!(matches!(outcome, {{ outcome_name }}::Done { .. }));
        assert_eq!(statuses, ["running", "done", "done"]);

        let (outcome, statuses) = redelivered(&["running", "failed"], long).await;
        assert!(matches!(outcome, {{ outcome_name }}::Failed(_)));
        assert_eq!(statuses, ["running", "failed", "failed"]);
    }

    #[test]
    fn what_may_succeed_another_time_is_transient() {
        let is_transient = |status| {
            let error = TaskError::of_http_status(status, "no answer");
            matches!(error, TaskError::Transient(_))
        };
        for status in [408, 425, 429, 500, 503, 599] {
            assert!(is_transient(status), "{status}");
        }
        for status in [400, 401, 403, 404, 422, 600] {
            assert!(!is_transient(status), "{status}");
        }
        let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert!(matches!(reset.into(), TaskError::Transient(_)));
    }

    #[tokio::test]
    async fn work_that_hangs_ends_at_its_deadline() {
        let (outcome, statuses) = redelivered(&["running"], Duration::from_millis(20)).await;
        assert!(
            matches!(outcome, {{ outcome_name }}::Failed(message) if message == "transient: timed out")
        );
        assert_eq!(statuses, ["running", "running", "failed"]);
    }

    #[tokio::test]
    async fn a_failure_that_speaks_of_a_transient_one_is_not_tried_again() {
        let policy = {{ policy_name }} {
            {{ retry_field }}: Some({{ retry_name }} {
                {{ max_field }}: 3,
                {{ backoff_field }}: {{ backoff_name }}::{{ fixed_variant }} { {{ fixed_field }}: 0 },
                {{ patterns_field }}: Vec::new(),
            }),
{%- if has_rest %}
            ..{{ policy_name }}::default()
{%- endif %}
        };
        let tried = Arc::new(Mutex::new(0));
        let counter = Arc::clone(&tried);
        run(&policy, STATUSES, move |_| {
            *counter.lock().unwrap() += 1;
            async { Err(TaskError::Terminal("after transient: 401".to_owned())) }
        })
        .await;

        assert_eq!(*tried.lock().unwrap(), 1);
    }

    #[tokio::test]
    async fn a_panic_is_a_failure() {
        let work = |_| async { panic!("of the work") };
        let ended = run(&{{ policy_name }}::default(), STATUSES, work).await;

        assert!(
            matches!(ended.outcome, {{ outcome_name }}::Failed(message) if message == "the work panicked")
        );
        assert_eq!(ended.statuses, ["running", "failed"]);
        assert_eq!(ended.events, ["{{ events.started }}", "{{ events.failed }}"]);
    }

    #[tokio::test]
    async fn a_cancelled_task_ends_as_cancelled() {
        let work = |context: TaskContext| async move {
            context.cancel.cancel();
            std::future::pending().await
        };
        let ended = run(&{{ policy_name }}::default(), STATUSES, work).await;

        assert!(matches!(ended.outcome, {{ outcome_name }}::Cancelled));
        assert_eq!(ended.statuses, ["running", "failed"]);
        assert_eq!(ended.events, ["{{ events.started }}", "{{ events.cancelled }}"]);
    }

    #[tokio::test]
    async fn work_chooses_its_own_status_and_reports_progress() {
        let work = |context: TaskContext| async move {
            context.progress("half of it").await;
            Ok(Finished {
                answer: "answer".to_owned(),
                status: Some("other"),
            })
        };
        let ended = run(&{{ policy_name }}::default(), STATUSES, work).await;

        assert!(matches!(ended.outcome, {{ outcome_name }}::Done { answer, .. } if answer == "answer"));
        assert_eq!(ended.statuses, ["running", "other"]);
        assert_eq!(ended.events, ["{{ events.started }}", "{{ events.progress }}", "{{ events.done }}"]);
    }
}
