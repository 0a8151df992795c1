//! The end of tasks that no worker ends any more.
//!
//! A row that was claimed too often is dead, and a worker of a release that does not know a task
//! fails its row: in both cases the run and the status column go on saying that the task runs.

{% if heartbeat.is_some() %}use std::time::{Duration, SystemTime};

{% endif %}use async_trait::async_trait;
{% if heartbeat.is_some() %}use sea_orm::prelude::ChronoDateTimeUtc;
{% endif %}use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, Value};
{% for path in imports %}
use {{ path }};
{%- endfor %}

{% for path in own %}
use {{ path }};
{%- endfor %}

/// The wire tag of a serialized task.
pub(super) fn tag_of(spec: &serde_json::Value) -> Option<&str> {
{%- if tag_key.is_empty() %}
    spec.as_str().or_else(|| Some(spec.as_object()?.keys().next()?.as_str()))
{%- else %}
    spec["{{ tag_key }}"].as_str()
{%- endif %}
}

{% if heartbeat.is_some() %}/// How long a worker that still ends its cancelled task may have been silent.
const ALIVE: Duration = Duration::{{ alive }};

{% endif %}/// Rows of the domain whose status says that a task runs though none does.
#[async_trait]
pub trait Orphans: Sync {
    /// Writes the failure into `row`, or into every row that has said so for longer than a task
    /// may take; never into one whose task is queued or running. Gives the number of rows.
    async fn fail(&self, db: &DatabaseConnection, row: Option<Value>) -> Result<u64, DbErr>;
}

/// The tables of the tasks that write a status.
const TABLES: &[&dyn Orphans] = &[{% if let Some(module) = table %}&super::{{ module }}::TABLE{% endif %}];

impl {{ executor }} {
    /// Ends every task whose row is closed and whose run does not say how it ended, and the rows of
    /// the domain that wait for a task that does not exist.
    ///
    /// The work is not done: the envelope finds the row closed and writes the failure. Call it
    /// where the program starts, and from time to time. Gives the number of tasks and rows that it
    /// ended.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn end_dead_tasks(&self) -> Result<u64, DbErr> {
        let run = Expr::col(({{ tables.event }}::Entity, {{ tables.event }}::Column::{{ tables.event_run }}));
        let event = Expr::col(({{ tables.event }}::Entity, {{ tables.event }}::Column::{{ tables.event_kind }}));
        let told = Query::select()
            .expr(Expr::value(1))
            .from({{ tables.event }}::Entity)
            .and_where(run.equals(({{ tables.queue }}::Entity, {{ tables.queue }}::Column::{{ tables.queue_id }})))
            .and_where(event.is_in(ENDS))
            .to_owned();
        let rows = {{ tables.queue }}::Entity::find()
            .filter({{ tables.queue }}::Column::{{ tables.queue_status }}.is_not_in(["{{ tables.initial_status }}", "{{ tables.claimed_status }}"]))
            .filter(Expr::exists(told).not())
            .all(&self.{{ db_field }})
            .await?;
        let mut ended = 0;
        for row in rows {
{%- if let Some(heartbeat) = heartbeat %}
            let is_alive = |at| at > ChronoDateTimeUtc::from(SystemTime::now() - ALIVE);
            if row.{{ tables.status_column }} == "cancelled" && row.{{ heartbeat }}.is_some_and(is_alive) {
                continue;
            }
{%- endif %}
            let {{ tables.queue }}::Model {
                {{ id_column }}{% if id_column != "id" %}: id{% endif %}, {{ spec_column }}{% if spec_column != "spec" %}: spec{% endif %}, ..
            } = row;
            if !tag_of(&spec).is_some_and(|tag| is_from_gate(&id, tag)) {
                continue;
            }
            // A release that knows the task ends it.
            let Ok(spec) = serde_json::from_value::<{{ spec_name }}>(spec) else {
                continue;
            };
            let assignment = {{ assignment_name }} {
{%- for (name, value) in assignment %}
                {{ name }}{% if name != value %}: {{ value }}{% endif %},
{%- endfor %}
            };
            match self.{{ method }}(assignment).await {
                Ok(mut task) => ended += u64::from(task.{{ outcomes }}.recv().await.is_some()),
                Err(error) => tracing::warn!(error, "a dead task cannot be ended"),
            }
        }
        for table in TABLES {
            ended += table.fail(&self.{{ db_field }}, None).await?;
        }
        Ok(ended)
    }
}
