//! Status columns that tasks write, and the rows that wait for a task which does not exist.
//!
//! A caller may set the status before it enqueues. Where that fails, or its process dies in
//! between, there is no task that would ever write the status again.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use sea_orm::prelude::ChronoDateTimeUtc;
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QuerySelect, TryGetable,
    UpdateMany, Value,
};
{% for path in imports %}
use {{ path }};
{%- endfor %}

{% for path in own %}
use {{ path }};
{%- endfor %}

/// The rows of a domain table whose status the tasks of one kind write.
pub struct StatusTable<E: EntityTrait, V> {
    /// The wire tag of the tasks.
    pub tag: &'static str,
    /// The column.
    pub column: E::Column,
    /// The column that tells the rows apart.
    pub key: E::Column,
    /// The column that says when a row was last changed.
    pub changed: Option<E::Column>,
    /// The row that a task writes, by its column `key`.
    pub row_of: fn(&{{ spec_name }}) -> Option<Value>,
    /// What it says of a task.
    pub statuses: fn() -> Statuses<V>,
    /// Whether tasks with another key leave a task's row alone: only then it tells how an earlier
    /// delivery ended.
    pub is_own: bool,
    /// How long a task may take.
    pub timeout: Duration,
}

impl<E: EntityTrait, V: Into<Value>> StatusTable<E, V> {
    /// The row with this key, for a delivery of its task.
    pub fn row(&'static self, db: &DatabaseConnection, key: impl Into<Value>) -> StatusRow<E, V> {
        StatusRow {
            table: self,
            db: db.clone(),
            row: self.key.eq(key),
        }
    }

    fn update(&self, value: V, rows: SimpleExpr) -> UpdateMany<E> {
        let value = self.column.save_as(Expr::val(value));
        let mut update = E::update_many().col_expr(self.column, value).filter(rows);
        if let Some(changed) = self.changed {
            let now = ChronoDateTimeUtc::from(SystemTime::now());
            update = update.col_expr(changed, Expr::value(now));
        }
        update
    }
}

/// The status of one task.
pub struct StatusRow<E: EntityTrait, V: 'static> {
    table: &'static StatusTable<E, V>,
    db: DatabaseConnection,
    row: SimpleExpr,
}

#[async_trait]
impl<E, V> StatusPort<V> for StatusRow<E, V>
where
    E: EntityTrait,
    E::Column: Send + Sync,
    V: Into<Value> + TryGetable + Send + 'static,
{
    async fn read(&self) -> Result<Option<V>, DbErr> {
        if !self.table.is_own {
            return Ok(None);
        }
        let column = E::find().select_only().column(self.table.column);
        column
            .filter(self.row.clone())
            .into_tuple()
            .one(&self.db)
            .await
    }

    async fn write(&self, value: V) -> Result<bool, DbErr> {
        let update = self.table.update(value, self.row.clone());
        Ok(update.exec(&self.db).await?.rows_affected > 0)
    }
}

#[async_trait]
impl<E, V> Orphans for StatusTable<E, V>
where
    E: EntityTrait,
    E::Column: Send + Sync,
    V: Into<Value> + Send,
{
    async fn fail(&self, db: &DatabaseConnection, row: Option<Value>) -> Result<u64, DbErr> {
        let these = match (row, self.changed) {
            (Some(row), _) => self.key.eq(row),
            (None, Some(changed)) => {
                changed.lt(ChronoDateTimeUtc::from(SystemTime::now() - self.timeout))
            }
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
        let Statuses {
            running, failed, ..
        } = (self.statuses)();
        let waiting = self.column.eq(running).and(self.key.is_not_in(taken));
        let update = self.update(failed, waiting.and(these));
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
