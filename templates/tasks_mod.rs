//! What the tasks of this folder share: the envelope around the work of each.
//!
//! A task's module holds its input, key, policy, status column and work. The envelope runs the
//! work, tries again what failed for the moment, writes the status, ends the run, and reports
//! exactly one terminal outcome, also when the work panics or is cancelled.

use std::fmt::{self, Debug};
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use sea_orm::prelude::ChronoDateTimeUtc;
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ColumnTrait, DatabaseConnection, EntityTrait, IdenStatic, QueryFilter, QuerySelect, TryGetable,
};
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
{% for path in imports %}
use {{ path }};
{%- endfor %}
{% for module in modules %}
pub mod {{ module }};
{%- endfor %}

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
pub struct Finished<S> {
    /// The answer of the run.
    pub answer: String,
    /// What the status column is to say, where that is not the usual value.
    pub status: Option<S>,
}

impl<S> Finished<S> {
    /// Work that ended as usual.
    pub fn new(answer: impl Into<String>) -> Self {
        Self {
            answer: answer.into(),
            status: None,
        }
    }
}

/// What the domain status says of a task.
pub trait StatusColumn: Send + Sync + 'static {
    /// The column's type.
    type Value: Clone + Debug + PartialEq + Send + Sync + 'static;

    /// What it says while the task runs.
    fn running() -> Self::Value;

    /// What it says when the work is done.
    fn done() -> Self::Value;

    /// What it says when the task failed or was cancelled.
    fn failed() -> Self::Value;
}

/// Where a domain status is kept. Only the envelope writes it.
#[async_trait]
pub trait StatusPort<V>: Send + Sync + 'static {
    /// What it says now; `None` where it does not tell how this very task stands.
    async fn read(&self) -> Result<Option<V>, TaskError>;

    /// Writes it. What another delivery may manage is a `TaskError::Transient`.
    async fn write(&self, value: V) -> Result<(), TaskError>;
}

/// A domain status that stands in a column.
pub struct StatusRow<E: EntityTrait> {
    /// The database.
    pub db: DatabaseConnection,
    /// The column.
    pub column: E::Column,
    /// The condition that only its row meets.
    pub row: SimpleExpr,
    /// The column that says when the row was last changed.
    pub changed: Option<E::Column>,
    /// Whether tasks with another key leave the row alone: only then it tells how an earlier
    /// delivery ended.
    pub is_own: bool,
}

impl<E: EntityTrait> StatusRow<E> {
    fn name(&self) -> String {
        format!("{}.{}", E::default().table_name(), self.column.as_str())
    }
}

#[async_trait]
impl<E, V> StatusPort<V> for StatusRow<E>
where
    E: EntityTrait,
    E::Column: Send + Sync,
    V: Into<sea_orm::Value> + TryGetable + Send + 'static,
{
    async fn read(&self) -> Result<Option<V>, TaskError> {
        if !self.is_own {
            return Ok(None);
        }
        E::find()
            .select_only()
            .column(self.column)
            .filter(self.row.clone())
            .into_tuple()
            .one(&self.db)
            .await
            .map_err(|e| TaskError::Transient(format!("cannot read {}: {e}", self.name())))
    }

    async fn write(&self, value: V) -> Result<(), TaskError> {
        let value = self.column.save_as(Expr::val(value));
        let mut update = E::update_many()
            .col_expr(self.column, value)
            .filter(self.row.clone());
        if let Some(changed) = self.changed {
            let now = ChronoDateTimeUtc::from(SystemTime::now());
            update = update.col_expr(changed, Expr::value(now));
        }
        let written = update
            .exec(&self.db)
            .await
            .map_err(|e| TaskError::Transient(format!("cannot write {}: {e}", self.name())))?;
        if written.rows_affected == 0 {
            let message = format!("{} has no row of this task", self.name());
            return Err(TaskError::Terminal(message));
        }
        Ok(())
    }
}

/// How a delivery finds its task.
#[derive(Debug)]
pub enum Begun {
    /// The work is to be done.
    Open,
    /// The task was cancelled, or its row is closed: only its end is to be recorded.
    Closed(TaskError),
    /// An earlier delivery recorded how it ended.
    Ended(Box<{{ outcome_name }}>),
}

/// What a delivery may still record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Everything.
    All,
    /// The end of its run, but not the status: a later task with the same key has that.
    Run,
    /// Nothing: another delivery has the task, or will have it.
    Nothing,
}

/// Where the events and the end of a task are recorded. Its errors are those of the database.
///
/// What is not overridden is as for a task whose end a coordinator records.
#[async_trait]
pub trait TaskJournal: Send + Sync + 'static {
    /// Takes the run over.
    async fn begin(&self) -> Result<Begun, String> {
        Ok(Begun::Open)
    }

    /// What this delivery may still record.
    async fn hold(&self) -> Result<Hold, String> {
        Ok(Hold::All)
    }

    /// Whether the run has an event of one of these types.
    async fn said(&self, _event_types: &[&str]) -> Result<bool, String> {
        Ok(false)
    }

    /// Appends an event.
    async fn event(&self, event_type: &str, payload: Value) -> Result<(), String>;

    /// Appends an event that must not be lost, unless the run has one of `unless`.
    async fn once(&self, event_type: &str, payload: Value, unless: &[&str]) -> Result<(), String> {
        if self.said(unless).await? {
            return Ok(());
        }
        self.event(event_type, payload).await
    }

    /// Ends the run.
    async fn end(&self, _outcome: &{{ outcome_name }}) -> Result<(), String> {
        Ok(())
    }
}

/// The event that says that the work began.
const STARTED: &str = "{{ events.started }}";

/// The events of which a run has one, at its end.
const ENDS: [&str; 3] = ["{{ events.done }}", "{{ events.failed }}", "{{ events.cancelled }}"];

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
        let told = match self.journal.hold().await {
            Ok(Hold::Nothing) => Ok(()),
            Ok(_) => {
                let payload = json!({ "message": message });
                self.journal.event("{{ events.progress }}", payload).await
            }
            Err(e) => Err(e),
        };
        if let Err(e) = told {
            tracing::warn!(error = %e, "cannot record the progress of a task");
        }
    }
}

/// Starts `work` in its envelope.
///
/// `timeout` bounds the task over all its attempts: work that hangs would keep its claim, and
/// with it the task's key, for ever.
pub(crate) fn start<S, W, F>(
    db: &DatabaseConnection,
    assignment: &{{ assignment_name }},
    tag: &str,
    status: impl StatusPort<S::Value>,
    timeout: Duration,
    work: W,
) -> {{ executing_name }}
where
    S: StatusColumn,
    W: Fn(TaskContext) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Finished<S::Value>, TaskError>> + Send + 'static,
{
    let (events, receiver) = mpsc::channel(64);
    // The coordinator of a task that another one delegated persists its events, ends its run and
    // retries it. A task from the gate does so itself: not every worker brings a coordinator.
    let is_gated = assignment.parent_task_id.is_none() && has_tag(&assignment.task_id, tag);
    let journal: Arc<dyn TaskJournal> = if is_gated {
        Arc::new(RunJournal {
            db: db.clone(),
            run_id: assignment.run_id.clone(),
            begun: OnceLock::new(),
            appending: Mutex::new(()),
        })
    } else {
        Arc::new(EventStream { events })
    };
    let policy = assignment.policy.as_ref().filter(|_| is_gated);
    let envelope = Envelope::<S> {
        journal,
        status: Box::new(status),
        retry: policy.and_then(|policy| policy.{{ retry_field }}.clone()),
        timeout,
    };
    envelope.start(receiver, work)
}

/// Whether an id is one that the gate gives to tasks with this tag.
fn has_tag(id: &str, tag: &str) -> bool {
    let rest = id.strip_prefix(tag).and_then(|rest| rest.strip_prefix('-'));
    rest.and_then(|rest| rest.split_once('-'))
        .is_some_and(|(hash, generation)| hash.len() == 32 && generation.parse::<u64>().is_ok())
}

/// The wire tag of a serialized task.
fn tag_of(spec: &Value) -> Option<&str> {
{%- if tag_key.is_empty() %}
    spec.as_str().or_else(|| Some(spec.as_object()?.keys().next()?.as_str()))
{%- else %}
    spec["{{ tag_key }}"].as_str()
{%- endif %}
}

/// Whether a queue row with this id and spec was written by the gate.
fn is_from_gate(id: &str, spec: &Value) -> bool {
    tag_of(spec).is_some_and(|tag| has_tag(id, tag))
}

/// What surrounds the work of one delivery.
struct Envelope<S: StatusColumn> {
    journal: Arc<dyn TaskJournal>,
    status: Box<dyn StatusPort<S::Value>>,
    retry: Option<{{ retry_name }}>,
    timeout: Duration,
}

impl<S: StatusColumn> Envelope<S> {
    fn start<W, F>(self, events: mpsc::Receiver<(String, Value)>, work: W) -> {{ executing_name }}
    where
        W: Fn(TaskContext) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Finished<S::Value>, TaskError>> + Send + 'static,
    {
        let (outcome, outcomes) = mpsc::channel(1);
        let cancel = CancellationToken::new();
        let token = cancel.clone();
        tokio::spawn(async move {
            let ended = tokio::select! {
                ended = self.run(&token, &work) => ended,
                // Nobody is left to hear the outcome; the next delivery does the work.
                () = outcome.closed() => return,
            };
            // Let go of the events first: a worker ends when both channels do.
            drop(self);
            if let Some(ended) = ended {
                outcome.send(ended).await.ok();
            }
        });
        {{ executing_name }} {
            {% if executing.events != "events" %}{{ executing.events }}: {% endif %}events,
            {% if executing.outcomes != "outcomes" %}{{ executing.outcomes }}: {% endif %}outcomes,
            {% if executing.cancel != "cancel" %}{{ executing.cancel }}: {% endif %}cancel,
{%- for field in executing.none %}
            {{ field }}: None,
{%- endfor %}
        }
    }

    /// The outcome, or `None` where the database does not answer: a delivery without an outcome
    /// keeps its claim until that is stale, and the task is delivered again.
    async fn run<W, F>(&self, cancel: &CancellationToken, work: &W) -> Option<{{ outcome_name }}>
    where
        W: Fn(TaskContext) -> F + Send + Sync,
        F: Future<Output = Result<Finished<S::Value>, TaskError>> + Send + 'static,
    {
        let ended = self.deliver(cancel, work).await;
        if let Err(e) = &ended {
            tracing::error!(error = %e, "a delivery of a task is given up");
        }
        ended.ok()
    }

    async fn deliver<W, F>(
        &self,
        cancel: &CancellationToken,
        work: &W,
    ) -> Result<{{ outcome_name }}, String>
    where
        W: Fn(TaskContext) -> F + Send + Sync,
        F: Future<Output = Result<Finished<S::Value>, TaskError>> + Send + 'static,
    {
        let closed = match self.journal.begin().await? {
            Begun::Ended(outcome) => {
                self.tell(&outcome).await?;
                return Ok(*outcome);
            }
            Begun::Closed(error) => Some(error),
            Begun::Open => None,
        };
        // An earlier delivery that began the work may have written how it ended.
        let before = if self.journal.said(&[STARTED]).await? {
            self.ended_before().await?
        } else {
            None
        };
        let result = match (before, closed) {
            (Some(Ok(finished)), _) => Ok(finished),
            (_, Some(error)) | (Some(Err(error)), None) => Err(error),
            (None, None) => match self.write_status(S::running()).await? {
                Ok(()) => {
                    self.journal.once(STARTED, json!({}), &[STARTED]).await?;
                    self.attempts(cancel, work).await
                }
                Err(e) => Err(e),
            },
        };
        self.finish(result).await
    }

    /// The end that the status tells of: it is written before everything else that ends a task.
    async fn ended_before(&self) -> Result<Option<Result<Finished<S::Value>, TaskError>>, String> {
        let value = self.status.read().await.map_err(|e| e.to_string())?;
        Ok(match value {
            Some(value) if value == S::failed() => Some(Err(TaskError::Terminal(
                "failed in an earlier delivery".to_owned(),
            ))),
            Some(value) if value != S::running() => Some(Ok(Finished {
                answer: String::new(),
                status: Some(value),
            })),
            _ => None,
        })
    }

    /// Runs the work until it succeeds, fails for good, or the policy is used up.
    async fn attempts<W, F>(
        &self,
        cancel: &CancellationToken,
        work: &W,
    ) -> Result<Finished<S::Value>, TaskError>
    where
        W: Fn(TaskContext) -> F + Send + Sync,
        F: Future<Output = Result<Finished<S::Value>, TaskError>> + Send + 'static,
    {
        let attempts = async {
            let mut attempt = 0;
            loop {
                let result = self.attempt(cancel, work).await;
                let Err(error) = &result else {
                    return result;
                };
                let Some(delay) = self.delay(error, attempt) else {
                    return result;
                };
                tracing::warn!(%error, attempt, "the work of a task failed and is tried again");
                attempt += 1;
                tokio::time::sleep(delay).await;
            }
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(TaskError::Cancelled),
            result = attempts => result,
            () = tokio::time::sleep(self.timeout) => {
                Err(TaskError::Transient("timed out".to_owned()))
            }
        }
    }

    /// Runs the work once, in a task of its own so that a panic is an error like others.
    async fn attempt<W, F>(
        &self,
        cancel: &CancellationToken,
        work: &W,
    ) -> Result<Finished<S::Value>, TaskError>
    where
        W: Fn(TaskContext) -> F + Send + Sync,
        F: Future<Output = Result<Finished<S::Value>, TaskError>> + Send + 'static,
    {
        // A set aborts what it holds when it is dropped: no work outlives its envelope.
        let mut running = JoinSet::new();
        running.spawn(work(TaskContext {
            journal: Arc::clone(&self.journal),
            cancel: cancel.clone(),
        }));
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
    async fn finish(
        &self,
        result: Result<Finished<S::Value>, TaskError>,
    ) -> Result<{{ outcome_name }}, String> {
        let (status, mut outcome) = match result {
            Ok(finished) => (
                finished.status.unwrap_or_else(S::done),
                {{ outcome_name }}::Done {
                    answer: finished.answer,
{%- for field in done_rest %}
                    {{ field }}: None,
{%- endfor %}
                },
            ),
            Err(TaskError::Cancelled) => (S::failed(), {{ outcome_name }}::Cancelled),
            Err(error) => (S::failed(), {{ outcome_name }}::Failed(error.to_string())),
        };
        if let Err(e) = self.write_status(status).await? {
            tracing::error!(error = %e, "the status of a task cannot be written");
            if matches!(outcome, {{ outcome_name }}::Done { .. }) {
                outcome = {{ outcome_name }}::Failed(e.to_string());
            }
        }
        self.journal.end(&outcome).await?;
        self.tell(&outcome).await?;
        Ok(outcome)
    }

    /// Tells the event of the end, unless an earlier delivery did.
    async fn tell(&self, outcome: &{{ outcome_name }}) -> Result<(), String> {
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

    /// Writes the status, unless a later task has it.
    ///
    /// The inner error is what the column itself refuses; the outer one is the database's, or
    /// says that another delivery has the task.
    async fn write_status(&self, value: S::Value) -> Result<Result<(), TaskError>, String> {
        match self.journal.hold().await? {
            Hold::Nothing => return Err("its claim was lost".to_owned()),
            Hold::Run => return Ok(Ok(())),
            Hold::All => {}
        }
        match self.status.write(value).await {
            Err(TaskError::Transient(message)) => Err(message),
            written => Ok(written),
        }
    }
}

/// Records a task in its own run.
struct RunJournal {
    db: DatabaseConnection,
    run_id: String,
    /// The queue's row as this delivery found it.
    begun: OnceLock<{{ tables.queue }}::Model>,
    /// Held while an event takes the next number.
    appending: Mutex<()>,
}

#[async_trait]
impl TaskJournal for RunJournal {
    async fn begin(&self) -> Result<Begun, String> {
        let row = self.row().await?;
        let run = {{ tables.run }}::Entity::find_by_id(self.run_id.clone())
            .one(&self.db)
            .await
            .map_err(|e| format!("cannot read run {}: {e}", self.run_id))?
            .ok_or_else(|| format!("run {} does not exist", self.run_id))?;
        let was_cancelled = match run.{{ run_status }}{{ run_status_deref }} {
            {{ some_open }}"done"{{ some_close }} => {
                return Ok(Begun::Ended(Box::new({{ outcome_name }}::Done {
                    answer: run.{{ run_answer }}.unwrap_or_default(),
{%- for field in done_rest %}
                    {{ field }}: None,
{%- endfor %}
                })));
            }
            // Others set a run to failed or cancelled too, and tell no event of it.
            {{ some_open }}"failed"{{ some_close }} if self.said(&ENDS).await? => {
                let failed = {{ outcome_name }}::Failed({{ run_error }});
                return Ok(Begun::Ended(Box::new(failed)));
            }
            {{ some_open }}"cancelled"{{ some_close }} if self.said(&ENDS).await? => {
                return Ok(Begun::Ended(Box::new({{ outcome_name }}::Cancelled)));
            }
            status => status == {{ some_open }}"cancelled"{{ some_close }},
        };
        let begun = match row.{{ tables.status_column }}.as_str() {
            "{{ tables.initial_status }}" => return Err("its claim was taken back".to_owned()),
            "cancelled" => Begun::Closed(TaskError::Cancelled),
            _ if was_cancelled => Begun::Closed(TaskError::Cancelled),
            "{{ tables.claimed_status }}" => Begun::Open,
            status => Begun::Closed(TaskError::Terminal(format!("its queue row is {status}"))),
        };
        self.begun.get_or_init(|| row);
        if matches!(begun, Begun::Open) {
            // Recovery may have failed the run while its task was queued.
            self.set("running", None, None).await?;
        }
        Ok(begun)
    }

    async fn hold(&self) -> Result<Hold, String> {
        let row = self.row().await?;
        // A task that is cancelled while it runs still ends its run.
        let is_ours = |begun: &{{ tables.queue }}::Model| {
            {% for column in claim %}row.{{ column }} == begun.{{ column }} && {% endfor %}(row.{{ tables.status_column }} == begun.{{ tables.status_column }} || row.{{ tables.status_column }} == "cancelled")
        };
        if !self.begun.get().is_some_and(is_ours) {
            return Ok(Hold::Nothing);
        }
        if row.{{ tables.status_column }} == "{{ tables.claimed_status }}" {
            return Ok(Hold::All);
        }
        let (key, own) = self.run_id.rsplit_once('-').unwrap_or_default();
        let newest = TaskRows::newest(&self.db, &format!("{key}-"))
            .await
            .map_err(|e| format!("cannot read the runs after {}: {e}", self.run_id))?;
        Ok(match newest {
            Some((newest, _)) if own.parse() != Ok(newest) => Hold::Run,
            _ => Hold::All,
        })
    }

    async fn said(&self, event_types: &[&str]) -> Result<bool, String> {
        let event = {{ tables.event }}::Entity::find()
            .filter({{ tables.event }}::Column::{{ tables.event_run }}.eq(&self.run_id))
            .filter({{ tables.event }}::Column::{{ tables.event_kind }}.is_in(event_types.iter().copied()))
            .one(&self.db)
            .await
            .map_err(|e| format!("cannot read the events of {}: {e}", self.run_id))?;
        Ok(event.is_some())
    }

    async fn once(&self, event_type: &str, payload: Value, unless: &[&str]) -> Result<(), String> {
        if self.said(unless).await? {
            return Ok(());
        }
        for _ in 0..TELLS {
            self.event(event_type, payload.clone()).await?;
            // Recovery writes events too: where one took the same number, ours is not there.
            if self.said(&[event_type]).await? {
                return Ok(());
            }
        }
        Err(format!("run {} loses its event {event_type}", self.run_id))
    }

    async fn event(&self, event_type: &str, payload: Value) -> Result<(), String> {
        let _appending = self.appending.lock().await;
        let seq = {{ max_seq_call }}
            .await
            .map_err(|e| format!("cannot read the events of {}: {e}", self.run_id))?
            + 1;
        {{ append_call }}
            .await
            .map_err(|e| format!("cannot append to the events of {}: {e}", self.run_id))
    }

    async fn end(&self, outcome: &{{ outcome_name }}) -> Result<(), String> {
        let (status, answer, error) = match outcome {
            {{ outcome_name }}::Done { answer, .. } => ("done", Some(answer.as_str()), None),
            {{ outcome_name }}::Failed(message) => ("failed", None, Some(message.as_str())),
            {{ outcome_name }}::Cancelled => ("cancelled", None, Some("cancelled")),
{%- if !other_outcomes.is_empty() %}
            {{ other_outcomes }} => return Ok(()),
{%- endif %}
        };
        self.set(status, answer, error).await?;
{%- if let Some(column) = run_error_column %}
        if error.is_none() {
            // Recovery may have failed the run while its task was at work. It leaves a run that is
            // done alone.
            {{ tables.run }}::Entity::update_many()
                .col_expr({{ tables.run }}::Column::{{ column }}, Expr::value(None::<String>))
                .filter({{ tables.run }}::Column::{{ tables.run_id }}.eq(&self.run_id))
                .exec(&self.db)
                .await
                .map_err(|e| format!("cannot clear the error of run {}: {e}", self.run_id))?;
        }
{%- endif %}
        Ok(())
    }
}

/// How often an event that must not be lost is appended before that is an error.
const TELLS: u32 = 4;

impl RunJournal {
    async fn row(&self) -> Result<{{ tables.queue }}::Model, String> {
        {{ tables.queue }}::Entity::find_by_id(self.run_id.clone())
            .one(&self.db)
            .await
            .map_err(|e| format!("cannot read task {}: {e}", self.run_id))?
            .ok_or_else(|| format!("task {} does not exist", self.run_id))
    }

    async fn set(
        &self,
        status: &str,
        answer: Option<&str>,
        error: Option<&str>,
    ) -> Result<(), String> {
        {{ end_call }}
            .await
            .map_err(|e| format!("cannot set run {} to {status}: {e}", self.run_id))
    }
}

/// Hands events on to the worker: a coordinator knows of the task and records it.
struct EventStream {
    events: mpsc::Sender<(String, Value)>,
}

#[async_trait]
impl TaskJournal for EventStream {
    async fn event(&self, event_type: &str, payload: Value) -> Result<(), String> {
        // Nobody listens when the receiver is gone; the outcome tells the end all the same.
        self.events.send((event_type.to_owned(), payload)).await.ok();
        Ok(())
    }
}
{% if has_resume %}
/// What recovery is told of a task that its queue row drives: there is nothing to resume.
///
/// The row is still queued or claimed, and a worker has it or gets it. Running the work here too
/// would run it twice, and a heartbeat from here would keep a dead worker's claim alive. Recovery
/// takes the run for failed, until a delivery begins or the task ends.
pub(crate) fn left_to_the_queue(run: &{{ tables.run }}::Model) -> String {
    format!("run {} is left to the task queue", run.id)
}
{% endif %}
#[cfg(test)]
pub(crate) mod testing {
    //! In-memory ports for the tests of tasks.

    use std::collections::BTreeMap;
    use std::sync::Mutex;
    use std::time::Duration;

    use sea_orm::DbErr;
    use {{ gate_path }}::RootTask;

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
        async fn said(&self, event_types: &[&str]) -> Result<bool, String> {
            let events = self.events.lock().unwrap();
            Ok(events.iter().any(|event| event_types.contains(&event.as_str())))
        }

        async fn event(&self, event_type: &str, _payload: Value) -> Result<(), String> {
            self.events.lock().unwrap().push(event_type.to_owned());
            Ok(())
        }

        async fn end(&self, _outcome: &{{ outcome_name }}) -> Result<(), String> {
            *self.ends.lock().unwrap() += 1;
            Ok(())
        }
    }

    /// A status in memory: everything that was written.
    pub(super) struct MemoryStatus<V>(pub(super) Arc<Mutex<Vec<V>>>);

    #[async_trait]
    impl<V: Clone + Send + 'static> StatusPort<V> for MemoryStatus<V> {
        async fn read(&self) -> Result<Option<V>, TaskError> {
            Ok(self.0.lock().unwrap().last().cloned())
        }

        async fn write(&self, value: V) -> Result<(), TaskError> {
            self.0.lock().unwrap().push(value);
            Ok(())
        }
    }

    /// How a task ended.
    pub(crate) struct Ended<V> {
        pub(crate) outcome: {{ outcome_name }},
        pub(crate) events: Vec<String>,
        pub(crate) statuses: Vec<V>,
    }

    /// Runs `work` in the envelope of a task with this status and policy, without its pauses.
    ///
    /// Panics unless the task ends with exactly one outcome and ends its run once.
    pub(crate) async fn run<S, W, F>(policy: &{{ policy_name }}, work: W) -> Ended<S::Value>
    where
        S: StatusColumn,
        W: Fn(TaskContext) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Finished<S::Value>, TaskError>> + Send + 'static,
    {
        let journal = Arc::new(MemoryJournal::default());
        let written = Arc::new(Mutex::new(Vec::new()));
        let retry = policy.{{ retry_field }}.clone().map(|retry| {{ retry_name }} {
            {{ backoff_field }}: {{ backoff_name }}::{{ fixed_variant }} { {{ fixed_field }}: 0 },
            ..retry
        });
        let envelope = Envelope::<S> {
            journal: journal.clone(),
            status: Box::new(MemoryStatus(Arc::clone(&written))),
            retry,
            timeout: Duration::from_secs(5),
        };
        let mut task = envelope.start(mpsc::channel(1).1, work);
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

    use super::testing::{MemoryJournal, MemoryStatus, run};
    use super::*;

    /// A status that cannot be read wrongly.
    struct Status;

    impl StatusColumn for Status {
        type Value = &'static str;

        fn running() -> &'static str {
            "running"
        }

        fn done() -> &'static str {
            "done"
        }

        fn failed() -> &'static str {
            "failed"
        }
    }

    /// The outcome and the statuses of a delivery after one that wrote `written` and died.
    async fn redelivered(written: &[&'static str], timeout: Duration) -> ({{ outcome_name }}, Vec<&'static str>) {
        let journal = MemoryJournal::default();
        journal.events.lock().unwrap().push("{{ events.started }}".to_owned());
        let written = Arc::new(Mutex::new(written.to_vec()));
        let envelope = Envelope::<Status> {
            journal: Arc::new(journal),
            status: Box::new(MemoryStatus(Arc::clone(&written))),
            retry: None,
            timeout,
        };
        let work = |_| std::future::pending();
        let mut task = envelope.start(mpsc::channel(1).1, work);
        let outcome = task.{{ executing.outcomes }}.recv().await.expect("an outcome");
        let written = written.lock().unwrap().clone();
        (outcome, written)
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

    #[test]
    fn only_ids_of_the_gate_are_taken_for_such() {
        let hash = "0123456789abcdef0123456789abcdef";
        let spec = json!({ {% if tag_key.is_empty() %}"a_tag": {}{% else %}"{{ tag_key }}": "a_tag"{% endif %} });
        assert!(is_from_gate(&format!("a_tag-{hash}-0"), &spec));
        for id in [
            format!("other-{hash}-0"),
            format!("a_tag_more-{hash}-0"),
            format!("a_tag-{hash}-x"),
            format!("a_tag-{hash}-0.1"),
            "a_tag-1-0".to_owned(),
            hash.to_owned(),
        ] {
            assert!(!is_from_gate(&id, &spec), "{id}");
        }
    }

    #[tokio::test]
    async fn work_that_hangs_ends_at_its_deadline() {
        let (outcome, statuses) = redelivered(&["running"], Duration::from_millis(20)).await;
        assert!(matches!(outcome, {{ outcome_name }}::Failed(message) if message == "transient: timed out"));
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
        run::<Status, _, _>(&policy, move |_| {
            *counter.lock().unwrap() += 1;
            async { Err(TaskError::Terminal("after transient: 401".to_owned())) }
        })
        .await;

        assert_eq!(*tried.lock().unwrap(), 1);
    }

    #[tokio::test]
    async fn a_panic_is_a_failure() {
        let work = |_| async { panic!("of the work") };
        let ended = run::<Status, _, _>(&{{ policy_name }}::default(), work).await;

        assert!(matches!(ended.outcome, {{ outcome_name }}::Failed(message) if message == "the work panicked"));
        assert_eq!(ended.statuses, ["running", "failed"]);
        assert_eq!(ended.events, ["{{ events.started }}", "{{ events.failed }}"]);
    }

    #[tokio::test]
    async fn a_cancelled_task_ends_as_cancelled() {
        let work = |context: TaskContext| async move {
            context.cancel.cancel();
            std::future::pending().await
        };
        let ended = run::<Status, _, _>(&{{ policy_name }}::default(), work).await;

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
        let ended = run::<Status, _, _>(&{{ policy_name }}::default(), work).await;

        assert!(matches!(ended.outcome, {{ outcome_name }}::Done { answer, .. } if answer == "answer"));
        assert_eq!(ended.statuses, ["running", "other"]);
        assert_eq!(
            ended.events,
            ["{{ events.started }}", "{{ events.progress }}", "{{ events.done }}"]
        );
    }
}
