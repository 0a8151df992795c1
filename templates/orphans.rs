//! Rows whose status says that a task runs though none does.
//!
//! A caller may set the status before it enqueues. Where that fails, or its process dies in
//! between, there is no task that would ever write the status again.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use sea_orm::prelude::ChronoDateTimeUtc;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QuerySelect, Value,
};
{% for path in imports %}
use {{ path }};
{%- endfor %}

{% for path in own %}
use {{ path }};
{%- endfor %}

/// The rows of a domain table whose status the tasks of one kind write.
pub struct StatusTable<E: EntityTrait, S> {
    /// The wire tag of the tasks.
    pub tag: &'static str,
    /// What they write.
    pub status: S,
    /// The column that they write it into.
    pub column: E::Column,
    /// The column that tells the rows apart.
    pub key: E::Column,
    /// The column that says when a row was last changed.
    pub changed: Option<E::Column>,
    /// The row that a task writes, by its column `key`.
    pub row_of: fn(&{{ spec_name }}) -> Option<Value>,
    /// Whether tasks with another key leave a task's row alone.
    pub is_own: bool,
    /// How long a task may take.
    pub timeout: Duration,
}

impl<E: EntityTrait, S> StatusTable<E, S> {
    /// The row with this key, for a delivery of its task.
    pub fn row(&self, db: &DatabaseConnection, key: impl Into<Value>) -> StatusRow<E> {
        StatusRow {
            db: db.clone(),
            column: self.column,
            row: self.key.eq(key),
            changed: self.changed,
            is_own: self.is_own,
        }
    }
}

#[async_trait]
impl<E, S> Orphans for StatusTable<E, S>
where
    E: EntityTrait,
    E::Column: Send + Sync,
    S: StatusColumn,
    S::Value: Into<Value>,
{
    async fn fail(&self, db: &DatabaseConnection, row: Option<Value>) -> Result<u64, DbErr> {
        let now = SystemTime::now();
        let these = match (row, self.changed) {
            (Some(row), _) => self.key.eq(row),
            (None, Some(changed)) => changed.lt(ChronoDateTimeUtc::from(now - self.timeout)),
            // Nothing tells since when a row says so.
            (None, None) => return Ok(0),
        };
        let specs: Vec<serde_json::Value> = {{ tables.queue }}::Entity::find()
            .select_only()
            .column({{ tables.queue }}::Column::{{ spec_column }})
            .filter({{ tables.queue }}::Column::{{ tables.queue_status }}.is_in(["{{ tables.initial_status }}", "{{ tables.claimed_status }}"]))
            .into_tuple()
            .all(db)
            .await?;
        let mut taken = Vec::new();
        for spec in specs {
            if tag_of(&spec) != Some(self.tag) {
                continue;
            }
            // A task in the form of another release may have any row.
            let Ok(spec) = serde_json::from_value(spec) else {
                return Ok(0);
            };
            taken.extend((self.row_of)(&spec));
        }
        let failed = self.column.save_as(Expr::val(S::failed()));
        let mut update = E::update_many()
            .col_expr(self.column, failed)
            .filter(self.column.eq(S::running()))
            .filter(self.key.is_not_in(taken))
            .filter(these);
        if let Some(changed) = self.changed {
            update = update.col_expr(changed, Expr::value(ChronoDateTimeUtc::from(now)));
        }
        Ok(update.exec(db).await?.rows_affected)
    }
}

/// Writes the failure into the row of a task that could not be enqueued, if its status says that
/// the task runs and no other task has it.
pub(crate) async fn not_enqueued(rows: &impl TaskRows, table: &dyn Orphans, row: Value) {
    let Some(db) = rows.database() else {
        return;
    };
    // Where the database does not answer, the sweep finds the row later.
    if let Err(error) = table.fail(db, Some(row)).await {
        tracing::error!(%error, "cannot write the failure of a task that is not enqueued");
    }
}
