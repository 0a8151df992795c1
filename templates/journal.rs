//! Where the events and the end of a task are recorded: in its own run, or by a coordinator.

use std::sync::OnceLock;

use async_trait::async_trait;
{% if run_error_column.is_some() %}use sea_orm::sea_query::Expr;
{% endif %}use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter};
use serde_json::Value;
use tokio::sync::{Mutex, mpsc};
{% for path in imports %}
use {{ path }};
{%- endfor %}

{% for path in own %}
use {{ path }};
{%- endfor %}

/// The event that says that the work began.
pub(super) const STARTED: &str = "{{ events.started }}";

/// The events of which a run has one, at its end.
pub(super) const ENDS: [&str; 3] = ["{{ events.done }}", "{{ events.failed }}", "{{ events.cancelled }}"];

/// How often an event that is lost to another writer is appended before that is an error.
const TELLS: u32 = 4;

/// How a delivery finds its task.
pub(super) enum Begun {
    /// The work is to be done.
    Open,
    /// The task was cancelled, or its row is closed: only its end is to be recorded.
    Closed(TaskError),
    /// An earlier delivery recorded how it ended.
    Ended(Box<{{ outcome_name }}>),
}

/// What a delivery may still record.
pub(super) enum Hold {
    /// Everything.
    All,
    /// The end of its run, but not the status: a later task with the same key has that.
    Run,
    /// Nothing: another delivery has the task, or will have it.
    Nothing,
}

/// What a delivery records. By default as for a task whose end a coordinator records.
#[async_trait]
pub(super) trait TaskJournal: Send + Sync + 'static {
    /// Takes the run over.
    async fn begin(&self) -> Result<Begun, DbErr> {
        Ok(Begun::Open)
    }

    /// What this delivery may still record.
    async fn hold(&self) -> Result<Hold, DbErr> {
        Ok(Hold::All)
    }

    /// Whether the run has an event of one of these types.
    async fn said(&self, _event_types: &[&str]) -> Result<bool, DbErr> {
        Ok(false)
    }

    /// Appends an event.
    async fn event(&self, event_type: &str, payload: Value) -> Result<(), DbErr>;

    /// Appends an event that must not be lost, unless the run has one of `unless`: these hold it.
    async fn once(&self, event_type: &str, payload: Value, unless: &[&str]) -> Result<(), DbErr> {
        if self.said(unless).await? {
            return Ok(());
        }
        self.event(event_type, payload).await
    }

    /// Ends the run.
    async fn end(&self, _outcome: &{{ outcome_name }}) -> Result<(), DbErr> {
        Ok(())
    }
}

/// Hands events on to the worker: a coordinator knows of the task and records it.
pub(super) struct EventStream(pub(super) mpsc::Sender<(String, Value)>);

#[async_trait]
impl TaskJournal for EventStream {
    async fn event(&self, event_type: &str, payload: Value) -> Result<(), DbErr> {
        // Nobody listens when the receiver is gone; the outcome tells the end all the same.
        self.0.send((event_type.to_owned(), payload)).await.ok();
        Ok(())
    }
}

/// Records a task in its own run.
pub(super) struct RunJournal {
    db: DatabaseConnection,
    run_id: String,
    /// The queue's row as this delivery found it.
    begun: OnceLock<{{ tables.queue }}::Model>,
    /// Held while an event takes the next number.
    appending: Mutex<()>,
}

impl RunJournal {
    pub(super) fn new(db: &DatabaseConnection, run_id: &str) -> Self {
        Self {
            db: db.clone(),
            run_id: run_id.to_owned(),
            begun: OnceLock::new(),
            appending: Mutex::new(()),
        }
    }

    async fn row(&self) -> Result<{{ tables.queue }}::Model, DbErr> {
        let row = {{ tables.queue }}::Entity::find_by_id(&self.run_id)
            .one(&self.db)
            .await?;
        row.ok_or_else(|| DbErr::RecordNotFound(format!("task {}", self.run_id)))
    }

    async fn set(
        &self,
        status: &str,
        answer: Option<&str>,
        error: Option<&str>,
    ) -> Result<(), DbErr> {
        {{ end_call }}
    }
}

#[async_trait]
impl TaskJournal for RunJournal {
    async fn begin(&self) -> Result<Begun, DbErr> {
        let row = self.row().await?;
        let run = {{ tables.run }}::Entity::find_by_id(&self.run_id).one(&self.db).await?;
        let run = run.ok_or_else(|| DbErr::RecordNotFound(format!("run {}", self.run_id)))?;
        // Others set a run to failed or cancelled too, and tell no event of it.
        let is_told = self.said(&ENDS).await?;
        let status = run.{{ run_status }}{{ run_status_deref }};
        let ended = match status {
            {{ some_open }}"done"{{ some_close }} => Some({{ outcome_name }}::Done {
                answer: run.{{ run_answer }}.unwrap_or_default(),
{%- for field in done_rest %}
                {{ field }}: None,
{%- endfor %}
            }),
            {{ some_open }}"failed"{{ some_close }} if is_told => {
                Some({{ outcome_name }}::Failed({{ run_error }}))
            }
            {{ some_open }}"cancelled"{{ some_close }} if is_told => Some({{ outcome_name }}::Cancelled),
            _ => None,
        };
        if let Some(outcome) = ended {
            return Ok(Begun::Ended(Box::new(outcome)));
        }
        let begun = match row.{{ tables.status_column }}.as_str() {
            "{{ tables.initial_status }}" => return Err(DbErr::Custom("its claim was taken back".to_owned())),
            "cancelled" => Begun::Closed(TaskError::Cancelled),
            _ if status == {{ some_open }}"cancelled"{{ some_close }} => Begun::Closed(TaskError::Cancelled),
            "{{ tables.claimed_status }}" => Begun::Open,
            closed => Begun::Closed(TaskError::Terminal(format!("its queue row is {closed}"))),
        };
        if matches!(begun, Begun::Open) {
            // Recovery may have failed the run while its task was queued.
            self.set("running", None, None).await?;
        }
        self.begun.get_or_init(|| row);
        Ok(begun)
    }

    async fn hold(&self) -> Result<Hold, DbErr> {
        let row = self.row().await?;
        // A task that is cancelled while it runs still ends its run.
        let is_ours = |begun: &{{ tables.queue }}::Model| {
            {% for column in claim %}row.{{ column }} == begun.{{ column }}
                && {% endfor %}(row.{{ tables.status_column }} == begun.{{ tables.status_column }} || row.{{ tables.status_column }} == "cancelled")
        };
        if !self.begun.get().is_some_and(is_ours) {
            return Ok(Hold::Nothing);
        }
        if row.{{ tables.status_column }} == "{{ tables.claimed_status }}" {
            return Ok(Hold::All);
        }
        // The key of a task that is closed is free: a later task may have it.
        let (key, own) = self.run_id.rsplit_once('-').unwrap_or_default();
        let newest = TaskRows::newest(&self.db, &format!("{key}-")).await?;
        Ok(match newest {
            Some((newest, _)) if own.parse() != Ok(newest) => Hold::Run,
            _ => Hold::All,
        })
    }

    async fn said(&self, event_types: &[&str]) -> Result<bool, DbErr> {
        let event = {{ tables.event }}::Entity::find()
            .filter({{ tables.event }}::Column::{{ tables.event_run }}.eq(&self.run_id))
            .filter({{ tables.event }}::Column::{{ tables.event_kind }}.is_in(event_types.iter().copied()))
            .one(&self.db)
            .await?;
        Ok(event.is_some())
    }

    async fn event(&self, event_type: &str, payload: Value) -> Result<(), DbErr> {
        let _appending = self.appending.lock().await;
        let seq = {{ max_seq_call }}? + 1;
        {{ append_call }}?;
        Ok(())
    }

    async fn once(&self, event_type: &str, payload: Value, unless: &[&str]) -> Result<(), DbErr> {
        // Recovery writes events too: where one took the same number, ours is not there.
        for _ in 0..TELLS {
            if self.said(unless).await? {
                return Ok(());
            }
            self.event(event_type, payload.clone()).await?;
        }
        Err(DbErr::Custom(format!(
            "run {} loses its event {event_type}",
            self.run_id
        )))
    }

    async fn end(&self, outcome: &{{ outcome_name }}) -> Result<(), DbErr> {
        match outcome {
            {{ outcome_name }}::Done { answer, .. } => self.set("done", Some(answer), None).await?,
            {{ outcome_name }}::Failed(message) => return self.set("failed", None, Some(message)).await,
            {{ outcome_name }}::Cancelled => return self.set("cancelled", None, Some("cancelled")).await,
{%- if !other_outcomes.is_empty() %}
            {{ other_outcomes }} => return Ok(()),
{%- endif %}
        }
{%- if let Some(column) = run_error_column %}
        // Recovery may have failed the run while its task was at work. It leaves a run that is
        // done alone.
        {{ tables.run }}::Entity::update_many()
            .col_expr({{ tables.run }}::Column::{{ column }}, Expr::value(None::<String>))
            .filter({{ tables.run }}::Column::{{ tables.run_id }}.eq(&self.run_id))
            .exec(&self.db)
            .await?;
{%- endif %}
        Ok(())
    }
}
