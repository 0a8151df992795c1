//! `{{ variant }}`: {{ summary }}
//!
//! [`enqueue`] is called where the work is wanted. A worker runs the work in the envelope of the
//! module above, which alone writes the task's status.
{% for group in imports %}
{% for path in group %}
use {{ path }};
{%- endfor %}
{% endfor %}
/// The wire tag: `{{ tag_key }}` of the serialized task, and the start of its id.
const TAG: &str = "{{ tag }}";

/// How long the task may take, all attempts together.
const TIMEOUT: Duration = Duration::{{ timeout }};

/// What the task is given.
#[derive(Debug, Clone)]
pub struct {{ input }}{% if fields.is_empty() %};{% else %} {
{%- for field in fields %}
{%- if field.is_secret %}
    /// Says where the secret is kept; never the secret itself.
{%- endif %}
    pub {{ field.ident }}: {{ field.ty }},
{%- endfor %}
}{% endif %}

impl {{ input }} {
    /// What makes two calls the same work.
    ///
    /// # Errors
    ///
    /// A field of the key has no JSON form.
    pub fn idempotency_key(&self) -> Result<TaskKey, serde_json::Error> {
{%- if key.is_empty() %}
        Ok(TaskKey::new(TAG))
{%- else %}
        {% if key.len() == 1 %}TaskKey::new(TAG).field("{{ key[0].name }}", &self.{{ key[0].ident }}){% else -%}
        TaskKey::new(TAG)
{%- for field in key %}
            .field("{{ field.name }}", &self.{{ field.ident }}){% if !loop.last %}?{% endif %}
{%- endfor %}
{%- endif %}
{%- endif %}
    }

{%- if is_seam %}

    /// The work itself, which is registered.
    async fn run(self, context: TaskContext) -> Result<Finished<{{ status_ty }}>, TaskError> {
        let Some(work) = WORK.get() else {
            let missing = "this program registered no work of {{ variant }}";
            return Err(TaskError::Terminal(missing.to_owned()));
        };
        work.run(self, context).await
    }
{%- else %}

    /// The work itself.
    async fn run(self, context: TaskContext) -> Result<Finished<{{ status_ty }}>, TaskError> {
        // Write the work here. It may be run again after a worker died, so that it must be safe
        // to repeat. What may succeed another time is a `TaskError::Transient`.
{%- for field in fields %}
{%- if field.is_secret %}
        // `super::secrets::resolve(&self.{{ field.ident }}).await?` gives the secret.
{%- endif %}
{%- endfor %}
        let missing = "the work of {{ variant }} is not written yet";
        context.progress(missing).await;
        Err(TaskError::Terminal(missing.to_owned()))
    }
{%- endif %}
}
{%- if is_seam %}

/// The work, which stands in a crate above this one.
#[async_trait]
pub trait Work: Send + Sync + 'static {
    /// Does it once. It may be run again after a worker died.
    ///
    /// # Errors
    ///
    /// What may succeed another time is a `TaskError::Transient`.
    async fn run(&self, input: {{ input }}, context: TaskContext) -> Result<Finished<{{ status_ty }}>, TaskError>;
}

static WORK: OnceLock<Arc<dyn Work>> = OnceLock::new();

/// Registers the work: once in a program, before it works on tasks.
///
/// # Errors
///
/// Something is registered already: then this is given back.
pub fn register(work: Arc<dyn Work>) -> Result<(), Arc<dyn Work>> {
    WORK.set(work)
}
{%- endif %}

/// Retries what failed for the moment; everything else fails at once.
#[must_use]
pub fn policy() -> {{ policy_name }} {
    {{ policy_name }} {
        {{ retry_field }}: Some({{ retry_name }} {
            {{ max_field }}: {{ retries }},
            {{ backoff_field }}: {{ backoff }},
            {{ patterns_field }}: vec![{% for pattern in patterns %}{{ pattern }}.to_owned(){% if !loop.last %}, {% endif %}{% endfor %}],
        }),
{%- if has_rest %}
        ..{{ policy_name }}::default()
{%- endif %}
    }
}

/// Enqueues the work and returns the task's id, which is its run's id too.
///
/// {{ dedupe_doc }}
{%- match status %}
{%- when Some with (status) %}
///
/// Where it fails, and the status says that the task runs, the status becomes the failure.
///
/// # Errors
///
/// Those of the key and of the database.
pub async fn enqueue(rows: &impl TaskRows, input: {{ input }}{% for (name, ty) in extra %}, {{ name }}: {{ ty }}{% endfor %}) -> Result<String, DbErr> {
    let row = input.{{ status.field }}{{ status.key_clone }}.into();
    let enqueued = insert(rows, input{% for (name, _) in extra %}, {{ name }}{% endfor %}).await;
    if enqueued.is_err() {
        not_enqueued(rows, &TABLE, row).await;
    }
    enqueued
}

/// Inserts the task unless one with its key stands.
async fn insert(rows: &impl TaskRows, input: {{ input }}{% for (name, ty) in extra %}, {{ name }}: {{ ty }}{% endfor %}) -> Result<String, DbErr> {
{%- when None %}
///
/// # Errors
///
/// Those of the key and of the database.
pub async fn enqueue(rows: &impl TaskRows, input: {{ input }}{% for (name, ty) in extra %}, {{ name }}: {{ ty }}{% endfor %}) -> Result<String, DbErr> {
{%- endmatch %}
    let key = input
        .idempotency_key()
        .map_err(|e| DbErr::Custom(format!("cannot serialize the key of {{ variant }}: {e}")))?;
{%- if fields.is_empty() %}
    let spec = {{ spec_name }}::{{ variant_ident }};
{%- else %}
    let spec = {{ spec_name }}::{{ variant_ident }} {
{%- for field in fields %}
        {{ field.ident }}: input.{{ field.ident }},
{%- endfor %}
    };
{%- endif %}
    let task = NewTask {
        question: "{{ question }}",
        spec: &spec,
        policy: &policy(),
{%- for (name, _) in extra %}
        {{ name }},
{%- endfor %}
    };
    enqueue_once(rows, &key, Dedupe::{{ dedupe }}, task).await
}
{% if let Some(schedule) = schedule %}
/// When the work is enqueued, in UTC: second, minute, hour, day, month, day of the week.
{% if is_job %}pub {% endif %}const SCHEDULE: &str = "{{ schedule }}";
{% if is_job %}
/// Enqueues the work for the tick of its schedule that was last due, and returns the task's id.
///
/// The scheduler of every process may call it: of a tick comes one task, and none while one with
/// its key is queued or running.
///
/// # Errors
///
/// Those of the key and of the database.
pub async fn tick(rows: &impl TaskRows, input: {{ input }}{% for (name, ty) in extra %}, {{ name }}: {{ ty }}{% endfor %}) -> Result<String, DbErr> {
    due(SCHEDULE, rows, |rows| async move { enqueue(&rows, input{% for (name, _) in extra %}, {{ name }}{% endfor %}).await }).await
}
{% else %}
/// Enqueues the work at every tick of its schedule, until it is dropped.
///
/// Every process may do so: of a tick comes one task, and none while one with its key is queued
/// or running.
///
/// # Errors
///
/// The schedule is no cron expression.
pub async fn schedule(rows: &impl TaskRows, input: {{ input }}{% for (name, ty) in extra %}, {{ name }}: {{ ty }}{% endfor %}) -> Result<(), cron::error::Error> {
    every(SCHEDULE, rows, |rows| {
        let input = input.clone();
{%- for (name, _) in extra %}
        let {{ name }} = {{ name }}.clone();
{%- endfor %}
        async move { enqueue(&rows, input{% for (name, _) in extra %}, {{ name }}{% endfor %}).await }
    })
    .await
}
{% endif %}{% endif %}{% match status %}
{% when Some with (status) %}
/// The rows whose status the task writes.
pub(super) const TABLE: StatusTable<{{ status.entity }}::Entity, {{ status_ty }}> = StatusTable {
    tag: TAG,
    column: {{ status.entity }}::Column::{{ status.column_variant }},
    key: {{ status.entity }}::Column::{{ status.key_variant }},
    changed: {% if status.has_updated_at %}Some({{ status.entity }}::Column::UpdatedAt){% else %}None{% endif %},
    row_of: |spec| {
        let {{ spec_name }}::{{ variant_ident }} { {{ status.field }}, .. } = spec else {
            return None;
        };
        Some({{ status.key_value }}.into())
    },
    statuses,
    is_own: {{ status.is_own }},
    timeout: TIMEOUT,
};

/// What the task writes into `{{ status.table }}.{{ status.column }}`.
fn statuses() -> Statuses<{{ status_ty }}> {
    Statuses {
        running: {{ status.running }},
        done: {{ status.done }},
        failed: {{ status.failed }},
    }
}
{% when None %}
/// No column follows this task yet.
const STATUSES: Statuses<()> = Statuses {
    running: (),
    done: (),
    failed: (),
};

/// The place for a domain status.
struct Status;

#[async_trait]
impl StatusPort<()> for Status {
    async fn read(&self) -> Result<Option<()>, DbErr> {
        Ok(None)
    }

    async fn write(&self, (): ()) -> Result<bool, DbErr> {
        Ok(true)
    }
}
{% endmatch %}
impl {{ executor }} {
    /// Starts a delivery of [`{{ spec_name }}::{{ variant }}`].
    pub(crate) fn execute_{{ snake }}(&self, assignment: &{{ assignment_name }}, input: {{ input }}) -> {{ executing_name }} {
{%- match status %}
{%- when Some with (status) %}
        let status = TABLE.row(&self.{{ db_field }}, input.{{ status.field }}{{ status.key_clone }});
{%- when None %}
        let status = Status;
{%- endmatch %}
        let delivery = Delivery {
            tag: TAG,
            timeout: TIMEOUT,
            statuses: {{ statuses }},
            status: Box::new(status),
            work: Box::new(move |context| {
                Box::pin({% if has_secret %}super::secrets::guard({% endif %}input.clone().run(context){% if has_secret %}){% endif %})
            }),
        };
        delivery.start(&self.{{ db_field }}, assignment)
    }
}

#[cfg(test)]
mod tests {
{% if !is_seam %}    use std::sync::Arc;
{% endif %}    use std::sync::atomic::{AtomicU32, Ordering};

    use {{ outcome_path }};

    use super::super::testing::{MemoryRows, run};
    use super::*;

    fn input() -> {{ input }} {
        {{ input }}{% if !fields.is_empty() %} {
{%- for field in fields %}
            {{ field.ident }}: {{ field.sample }},
{%- endfor %}
        }{% endif %}
    }

    #[tokio::test]
    async fn finished_work_is_done() {
        let ended = run(&policy(), {{ statuses }}, |_| async { Ok(Finished::new("answer")) }).await;

        assert!(matches!(ended.outcome, {{ outcome_name }}::Done { answer, .. } if answer == "answer"));
        assert_eq!(ended.events, ["{{ events.started }}", "{{ events.done }}"]);
        assert_eq!(ended.statuses, [{{ expect_running }}, {{ expect_done }}]);
    }

    #[tokio::test]
    async fn only_what_is_transient_is_tried_again() {
        for (error, attempts) in [
            (TaskError::Terminal("401".to_owned()), 1),
            (TaskError::Transient("{{ transient_message }}".to_owned()), 1 + {{ retries }}),
        ] {
            let tried = Arc::new(AtomicU32::new(0));
            let counter = Arc::clone(&tried);
            let failure = error.clone();
            let ended = run(&policy(), {{ statuses }}, move |_| {
                counter.fetch_add(1, Ordering::Relaxed);
                let failure = failure.clone();
                async move { Err(failure) }
            })
            .await;

            assert_eq!(tried.load(Ordering::Relaxed), attempts);
            assert!(matches!(ended.outcome, {{ outcome_name }}::Failed(message) if message == error.to_string()));
            assert_eq!(ended.events, ["{{ events.started }}", "{{ events.failed }}"]);
            assert_eq!(ended.statuses, [{{ expect_running }}, {{ expect_failed }}]);
        }
    }

    #[tokio::test]
    async fn the_same_work_is_enqueued_once() {
        let rows = MemoryRows::default();
        let first = enqueue(&rows, input(){% for (_, sample) in extra_samples %}, {{ sample }}{% endfor %}).await.unwrap();
        let again = enqueue(&rows, input(){% for (_, sample) in extra_samples %}, {{ sample }}{% endfor %}).await.unwrap();
        assert_eq!((again, rows.len()), (first.clone(), 1));
        assert_eq!(rows.spec(&first)["{{ tag_key }}"], TAG);
{%- for (ident, other) in other_keys %}
        let other = {{ input }} {
            {{ ident }}: {{ other }},
            {% if fields.len() > 1 %}..input(){% endif %}
        };
        assert_ne!(enqueue(&rows, other{% for (_, sample) in extra_samples %}, {{ sample }}{% endfor %}).await.unwrap(), first);
{%- endfor %}

        rows.end(&first);
        let next = enqueue(&rows, input(){% for (_, sample) in extra_samples %}, {{ sample }}{% endfor %}).await.unwrap();
{%- if dedupe == "Active" %}
        let prefix = input().idempotency_key().unwrap().prefix();
        assert_eq!(next, format!("{prefix}1"));
{%- else %}
        assert_eq!(next, first);
{%- endif %}
    }
}
