//! Enqueues root tasks, each once per idempotency key.
//!
//! A root task's id is `<tag>-<hash of the key>-<generation>`. It is the primary key of the
//! task's rows, so that of any number of simultaneous callers one inserts them; the others
//! read again and are given the id of the task that won.

use std::collections::BTreeMap;

use async_trait::async_trait;
use sea_orm::sea_query::{Expr, Func, OnConflict};
use sea_orm::ActiveValue::{% if needs_not_set %}{NotSet, Set}{% else %}Set{% endif %};
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, TransactionTrait,
};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
{% for path in imports %}
use {{ path }};
{%- endfor %}

/// When a duplicate of a task is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dedupe {
    /// While the first is queued or running; once it has ended, the next call starts anew.
    Active,
    /// For ever, however the first one ended: a failed task is not repeated either.
    Forever,
}

/// How often a caller that lost against another one reads again.
const ATTEMPTS: u32 = 8;

/// What tells one piece of work from the others of its kind.
///
/// The key is the SHA-256 of the tag and of each field in the order of the calls: its name, `=`,
/// and its value as JSON without spaces and with sorted object keys, each line ended by a line
/// feed. It is the same in every process, build and release.
#[derive(Debug, Clone)]
pub struct TaskKey {
    tag: &'static str,
    digest: Sha256,
}

impl TaskKey {
    /// The key of a task with this tag and no fields yet.
    #[must_use]
    pub fn new(tag: &'static str) -> Self {
        let mut digest = Sha256::new();
        digest.update(format!("{tag}\n"));
        Self { tag, digest }
    }

    /// Adds a field.
    ///
    /// # Errors
    ///
    /// The value has no JSON form: a path that is not UTF-8, say.
    pub fn field(mut self, name: &str, value: &impl Serialize) -> Result<Self, serde_json::Error> {
        let value = sorted(serde_json::to_value(value)?);
        self.digest.update(format!("{name}={value}\n"));
        Ok(self)
    }

    /// What the ids of all tasks with this key start with.
    #[must_use]
    pub fn prefix(&self) -> String {
        let hash = self.digest.clone().finalize();
        let mut half = [0; 16];
        half.copy_from_slice(&hash[..16]);
        format!("{}-{:032x}-", self.tag, u128::from_be_bytes(half))
    }
}

/// Whether an id is one that the gate gives to tasks with this tag.
#[must_use]
pub fn is_from_gate(id: &str, tag: &str) -> bool {
    let rest = id.strip_prefix(tag).and_then(|rest| rest.strip_prefix('-'));
    rest.and_then(|rest| rest.split_once('-'))
        .is_some_and(|(hash, generation)| hash.len() == 32 && generation.parse::<u64>().is_ok())
}

/// The value with sorted object keys, whatever order the map keeps.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<String, Value> = fields.into_iter().collect();
            fields
                .into_iter()
                .map(|(name, value)| (name, sorted(value)))
                .collect()
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        scalar => scalar,
    }
}

/// A task to enqueue, as its module describes it.
pub struct NewTask<'a> {
    /// What the run is about, in words.
    pub question: &'a str,
    /// What to do.
    pub spec: &'a {{ spec_name }},
    /// How failures are retried.
    pub policy: &'a {{ policy_name }},
{%- for (name, ty) in extra %}
    /// Written to the queue's row as it is.
    pub {{ name }}: {{ ty }},
{%- endfor %}
}

/// A root task as its rows are written.
#[derive(Debug, Clone)]
pub struct RootTask {
    /// Primary key of both rows.
    pub id: String,
    /// What the run is about, in words.
    pub question: String,
    /// The wire tag, by which recovery finds the task's branch.
    pub source_type: &'static str,
    /// The serialized spec.
    pub spec: Value,
    /// The serialized policy.
    pub policy: Value,
{%- for (name, ty) in extra %}
    /// Written to the queue's row as it is.
    pub {{ name }}: {{ ty }},
{%- endfor %}
}

/// Where the rows of root tasks are kept.
#[async_trait]
pub trait TaskRows: Send + Sync {
    /// The highest generation among the ids that start with `prefix`, and whether that task is
    /// queued or running.
    async fn newest(&self, prefix: &str) -> Result<Option<(u64, bool)>, DbErr>;

    /// Inserts the task's rows, both or none; `false` where its id is taken.
    async fn insert(&self, task: &RootTask) -> Result<bool, DbErr>;

    /// The database, where they are kept in one.
    fn database(&self) -> Option<&DatabaseConnection>;
}

/// Enqueues a task once per key and returns the id of the task that stands for it.
///
/// A duplicate never touches the rows of the first. The id is the run's id too: it is what a
/// client polls.
///
/// # Errors
///
/// The database's own, and one where the task has no JSON form.
pub async fn enqueue_once(
    rows: &impl TaskRows,
    key: &TaskKey,
    dedupe: Dedupe,
    task: NewTask<'_>,
) -> Result<String, DbErr> {
    let to_json = |e: serde_json::Error| DbErr::Custom(format!("cannot serialize the task: {e}"));
    let prefix = key.prefix();
    let mut task = RootTask {
        id: String::new(),
        question: task.question.to_owned(),
        source_type: key.tag,
        spec: serde_json::to_value(task.spec).map_err(to_json)?,
        policy: serde_json::to_value(task.policy).map_err(to_json)?,
{%- for (name, _) in extra %}
        {{ name }}: task.{{ name }},
{%- endfor %}
    };
    for _ in 0..ATTEMPTS {
        let generation = match rows.newest(&prefix).await? {
            None => 0,
            Some((generation, live)) if live || dedupe == Dedupe::Forever => {
                return Ok(format!("{prefix}{generation}"));
            }
            Some((generation, _)) => generation + 1,
        };
        task.id = format!("{prefix}{generation}");
        if rows.insert(&task).await? {
            return Ok(task.id);
        }
    }
    Err(DbErr::Custom(format!(
        "{} was taken {ATTEMPTS} times in a row",
        task.id
    )))
}

#[async_trait]
impl TaskRows for DatabaseConnection {
    async fn newest(&self, prefix: &str) -> Result<Option<(u64, bool)>, DbErr> {
        let id = ({{ tables.run }}::Entity, {{ tables.run }}::Column::{{ tables.run_id }});
        // Of numbers, the longest are the greatest. Runs that a task started may be called after it.
        let mut ids = {{ tables.run }}::Entity::find()
            .select_only()
            .column({{ tables.run }}::Column::{{ tables.run_id }})
            .filter({{ tables.run }}::Column::{{ tables.run_id }}.starts_with(prefix))
            .order_by_desc(Expr::expr(Func::char_length(Expr::col(id))))
            .order_by_desc({{ tables.run }}::Column::{{ tables.run_id }})
            .into_tuple::<String>()
            .paginate(self, 64);
        let generation = loop {
            let Some(ids) = ids.fetch_and_next().await? else {
                return Ok(None);
            };
            let number = |id: &String| id.strip_prefix(prefix)?.parse::<u64>().ok();
            if let Some(generation) = ids.iter().find_map(number) {
                break generation;
            }
        };
        let row = {{ tables.queue }}::Entity::find_by_id(format!("{prefix}{generation}"))
            .one(self)
            .await?;
        let live = row.is_some_and(|row| matches!(row.{{ tables.status_column }}.as_str(), "{{ tables.initial_status }}" | "{{ tables.claimed_status }}"));
        Ok(Some((generation, live)))
    }

    async fn insert(&self, task: &RootTask) -> Result<bool, DbErr> {
        let txn = self.begin().await?;
        let inserted = {{ tables.run }}::Entity::insert(run_row(task))
            .on_conflict(OnConflict::column({{ tables.run }}::Column::{{ tables.run_id }}).do_nothing().to_owned())
            .exec_without_returning(&txn)
            .await?;
        if inserted == 0 {
            txn.rollback().await?;
            return Ok(false);
        }
        {{ tables.queue }}::Entity::insert(queue_row(task))
            .exec_without_returning(&txn)
            .await?;
        txn.commit().await?;
        Ok(true)
    }

    fn database(&self) -> Option<&DatabaseConnection> {
        Some(self)
    }
}

/// The run's row, as `{{ run_source }}` writes it.
fn run_row(task: &RootTask) -> {{ tables.run }}::ActiveModel {
{%- for (name, value) in run_lets %}
    let {{ name }} = {{ value }};
{%- endfor %}
    {{ tables.run }}::ActiveModel {
{%- for (name, value) in run_columns %}
        {{ name }}: {{ value }},
{%- endfor %}
    }
}

/// The queue's row, as `{{ queue_source }}` writes it.
fn queue_row(task: &RootTask) -> {{ tables.queue }}::ActiveModel {
{%- for (name, value) in queue_lets %}
    let {{ name }} = {{ value }};
{%- endfor %}
    {{ tables.queue }}::ActiveModel {
{%- for (name, value) in queue_columns %}
        {{ name }}: {{ value }},
{%- endfor %}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn prefix(tag: &'static str, value: &Value) -> String {
        TaskKey::new(tag).field("value", value).unwrap().prefix()
    }

    #[test]
    fn the_key_is_stable_and_tells_work_apart() {
        let mut backwards = serde_json::Map::new();
        backwards.insert("b".to_owned(), json!([1, null]));
        backwards.insert("a".to_owned(), json!("é\n"));
        let forwards = json!({"a": "é\n", "b": [1, null]});
        // The hash of "tag\nvalue={\"a\":\"é\\n\",\"b\":[1,null]}\n": rows that were enqueued by
        // another release must keep their key.
        assert_eq!(
            prefix("tag", &forwards),
            "tag-4f8c4d54e9f93ffbc44e0cbb48c4475b-"
        );
        assert_eq!(
            prefix("tag", &Value::Object(backwards)),
            prefix("tag", &forwards)
        );
        assert_ne!(prefix("gat", &forwards), prefix("tag", &forwards));
        assert_ne!(prefix("tag", &json!("1")), prefix("tag", &json!(1)));
    }

    #[test]
    fn only_ids_of_the_gate_are_taken_for_such() {
        let hash = "0123456789abcdef0123456789abcdef";
        let id = |id: String| is_from_gate(&id, "a_tag");
        assert!(id(format!("{}0", prefix("a_tag", &Value::Null))));
        assert!(id(format!("a_tag-{hash}-0")));
        assert!(!id(format!("other-{hash}-0")));
        assert!(!id(format!("a_tag_more-{hash}-0")));
        assert!(!id(format!("a_tag-{hash}-x")));
        assert!(!id(format!("a_tag-{hash}-0.1")));
        assert!(!id("a_tag-1-0".to_owned()));
        assert!(!id(hash.to_owned()));
    }

    #[test]
    fn a_field_cannot_stand_for_two() {
        let one = TaskKey::new("tag").field("a", &"x\nb=\"y\"").unwrap();
        let two = TaskKey::new("tag")
            .field("a", &"x")
            .unwrap()
            .field("b", &"y")
            .unwrap();
        assert_ne!(one.prefix(), two.prefix());
    }
}
