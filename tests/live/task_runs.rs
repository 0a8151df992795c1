//! A scaffolded task on a real database, driven by the fleet's standing worker.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use agentic_core::delegation::{TaskAssignment, TaskOutcome, TaskSpec};
use agentic_pipeline::PipelineTaskExecutor;
use agentic_pipeline::executor::tasks::clone_repository::{self, CloneRepository};
use agentic_pipeline::executor::tasks::status_table::StatusTable;
use agentic_pipeline::executor::tasks::{StatusPort, Statuses};
use agentic_runtime::crud;
use agentic_runtime::entity::task_queue;
use agentic_runtime::standing::{StandingOptions, WhenIdle, run_standing_worker};
use agentic_runtime::state::RuntimeState;
use agentic_runtime::testing::test_db;
use agentic_runtime::worker::{ExecutingTask, TaskExecutor};
use entity::workspaces::{self, WorkspaceStatus};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, DatabaseConnection, EntityTrait};
use sea_orm_migration::MigratorTrait;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

async fn database() -> (DatabaseConnection, Uuid) {
    let db = test_db().await;
    migration::Migrator::up(&db, None).await.unwrap();
    let id = Uuid::new_v4();
    let now = chrono::Utc::now().fixed_offset();
    workspaces::ActiveModel {
        id: Set(id),
        name: Set("w".to_owned()),
        git_namespace_id: Set(None),
        git_remote_url: Set(None),
        path: Set(None),
        status: Set(WorkspaceStatus::Cloning),
        error: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
    }
    .insert(&db)
    .await
    .unwrap();
    (db, id)
}

fn input(workspace_id: Uuid, branch: &str) -> CloneRepository {
    CloneRepository {
        clone_url: format!("https://example.com/{workspace_id}"),
        branch: branch.to_owned(),
        target_dir: "somewhere".into(),
        workspace_id,
        auth_token_ref: "secret-1".to_owned(),
    }
}

async fn drain(db: &DatabaseConnection) -> u64 {
    let executor = Arc::new(PipelineTaskExecutor {
        db: db.clone(),
        workspace: std::env::temp_dir(),
    });
    let options = StandingOptions {
        when_idle: WhenIdle::Return,
        ..StandingOptions::default()
    };
    let state = Arc::new(RuntimeState::new());
    run_standing_worker(db.clone(), executor, state, options, CancellationToken::new()).await
}

async fn status(db: &DatabaseConnection, id: Uuid) -> WorkspaceStatus {
    let row = workspaces::Entity::find_by_id(id).one(db).await.unwrap();
    row.unwrap().status
}

async fn events(db: &DatabaseConnection, id: &str) -> Vec<String> {
    let events = crud::get_all_events(db, id).await.unwrap();
    events.into_iter().map(|event| event.event_type).collect()
}

#[tokio::test]
async fn many_callers_enqueue_one_task_that_runs_once() {
    let (db, workspace) = database().await;
    let callers: Vec<_> = (0..16)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move { clone_repository::enqueue(&db, input(workspace, "ok")).await })
        })
        .collect();
    let mut ids = Vec::new();
    for caller in callers {
        ids.push(caller.await.unwrap().unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");

    assert_eq!(drain(&db).await, 1);
    assert_eq!(status(&db, workspace).await, WorkspaceStatus::Ready);
    let run = crud::get_run(&db, &ids[0]).await.unwrap().unwrap();
    assert_eq!(run.task_status.as_deref(), Some("done"));
    assert_eq!(run.answer.as_deref(), Some("cloned"));
    assert_eq!(run.source_type.as_deref(), Some("clone_repository"));
    let row = crud::get_queue_entry(&db, &ids[0]).await.unwrap().unwrap();
    assert_eq!(row.queue_status, "completed");
    assert_eq!(events(&db, &ids[0]).await, ["task_started", "task_progress", "done"]);

    // Once it has ended, the same work is enqueued anew. Runs that it started are not taken for its
    // own, however many there are.
    for child in 0..70 {
        let child = format!("{}-step-{child}", ids[0]);
        crud::insert_run(&db, &child, "q", None, "agent", None).await.unwrap();
    }
    let next = clone_repository::enqueue(&db, input(workspace, "ok")).await.unwrap();
    assert_eq!(next, format!("{}1", ids[0].strip_suffix('0').unwrap()));
    assert_eq!(drain(&db).await, 1);
    assert_eq!(events(&db, &next).await, ["task_started", "task_progress", "done"]);
}

#[tokio::test]
async fn a_failure_and_a_panic_end_the_run_and_the_status() {
    for (branch, message) in [("401", "401"), ("panic", "the work panicked")] {
        let (db, workspace) = database().await;
        let id = clone_repository::enqueue(&db, input(workspace, branch)).await.unwrap();
        assert_eq!(drain(&db).await, 1);
        assert_eq!(status(&db, workspace).await, WorkspaceStatus::Failed);
        let run = crud::get_run(&db, &id).await.unwrap().unwrap();
        assert_eq!(run.task_status.as_deref(), Some("failed"));
        assert_eq!(run.error_message.as_deref(), Some(message));
        let row = crud::get_queue_entry(&db, &id).await.unwrap().unwrap();
        assert_eq!(row.queue_status, "failed");
        assert_eq!(events(&db, &id).await, ["task_started", "error"]);
    }
}

#[tokio::test]
async fn a_network_blip_is_tried_again_within_the_claim() {
    let (db, workspace) = database().await;
    let id = clone_repository::enqueue(&db, input(workspace, "blip")).await.unwrap();
    let start = Instant::now();
    assert_eq!(drain(&db).await, 1);
    let retry = clone_repository::policy().retry.unwrap();
    let delays = retry.backoff.delay_for_attempt(0) + retry.backoff.delay_for_attempt(1);
    let elapsed = start.elapsed();
    assert!(elapsed >= delays && elapsed < 2 * delays, "{elapsed:?} for {delays:?}");
    assert_eq!(status(&db, workspace).await, WorkspaceStatus::Ready);
    let row = crud::get_queue_entry(&db, &id).await.unwrap().unwrap();
    assert_eq!((row.queue_status.as_str(), row.claim_count), ("completed", 1));
}

/// A server that starts while the task waits takes the run for dead; the row tells the truth.
#[tokio::test]
async fn a_restart_while_the_task_waits_changes_nothing_in_the_end() {
    let (db, workspace) = database().await;
    let id = clone_repository::enqueue(&db, input(workspace, "ok")).await.unwrap();
    let executor = Arc::new(PipelineTaskExecutor {
        db: db.clone(),
        workspace: std::env::temp_dir(),
    });
    let state = Arc::new(RuntimeState::new());
    agentic_pipeline::recovery::recover_active_runs(db.clone(), state, executor)
        .await
        .unwrap();
    let again = clone_repository::enqueue(&db, input(workspace, "ok")).await.unwrap();
    assert_eq!(again, id, "the row is still queued: nothing is enqueued anew");
    assert_eq!(drain(&db).await, 1);
    assert_eq!(status(&db, workspace).await, WorkspaceStatus::Ready);
    let run = crud::get_run(&db, &id).await.unwrap().unwrap();
    assert_eq!(run.task_status.as_deref(), Some("done"));
}

/// Puts a task into the state in which a worker that died left it.
async fn left_by_a_dead_worker(db: &DatabaseConnection, id: &str, workspace: Uuid) {
    let started = serde_json::json!({});
    crud::insert_event(db, id, 0, "task_started", &started, 0).await.unwrap();
    let row = workspaces::ActiveModel {
        id: Set(workspace),
        status: Set(WorkspaceStatus::Ready),
        ..Default::default()
    };
    row.update(db).await.unwrap();
}

/// The status is written first of all that ends a task: what it tells is not done again.
#[tokio::test]
async fn a_worker_that_died_after_the_status_does_not_cause_the_work_again() {
    let (db, workspace) = database().await;
    let id = clone_repository::enqueue(&db, input(workspace, "ok")).await.unwrap();
    left_by_a_dead_worker(&db, &id, workspace).await;
    assert_eq!(drain(&db).await, 1);
    assert_eq!(status(&db, workspace).await, WorkspaceStatus::Ready);
    let run = crud::get_run(&db, &id).await.unwrap().unwrap();
    assert_eq!(run.task_status.as_deref(), Some("done"));
    // Without the progress that the work reports.
    assert_eq!(events(&db, &id).await, ["task_started", "done"]);
}

/// A row that tasks with other keys write too does not say how this task ended.
#[tokio::test]
async fn a_shared_row_is_not_read() {
    const fn table(is_own: bool) -> StatusTable<workspaces::Entity, WorkspaceStatus> {
        StatusTable {
            tag: "tag",
            column: workspaces::Column::Status,
            key: workspaces::Column::Id,
            changed: None,
            row_of: |_| None,
            statuses: || Statuses {
                running: WorkspaceStatus::Cloning,
                done: WorkspaceStatus::Ready,
                failed: WorkspaceStatus::Failed,
            },
            is_own,
            timeout: Duration::ZERO,
        }
    }
    static OWN: StatusTable<workspaces::Entity, WorkspaceStatus> = table(true);
    static SHARED: StatusTable<workspaces::Entity, WorkspaceStatus> = table(false);
    let (db, workspace) = database().await;
    let status = OWN.row(&db, workspace).read().await.unwrap();
    assert_eq!(status, Some(WorkspaceStatus::Cloning));
    assert_eq!(SHARED.row(&db, workspace).read().await.unwrap(), None);
    // What is no row cannot be written.
    let written = OWN.row(&db, Uuid::new_v4()).write(WorkspaceStatus::Ready).await;
    assert!(!written.unwrap());
}

/// The event of the end is told by the next delivery where only it was lost.
#[tokio::test]
async fn a_worker_that_died_after_the_run_ended_leaves_the_event_to_the_next() {
    let (db, workspace) = database().await;
    let id = clone_repository::enqueue(&db, input(workspace, "ok")).await.unwrap();
    left_by_a_dead_worker(&db, &id, workspace).await;
    crud::transition_run(&db, &id, "done", None, Some("cloned"), None).await.unwrap();
    assert_eq!(drain(&db).await, 1);
    assert_eq!(events(&db, &id).await, ["task_started", "done"]);
    let row = crud::get_queue_entry(&db, &id).await.unwrap().unwrap();
    assert_eq!(row.queue_status, "completed");
}

/// A failure that was told is not tried again, and keeps its message.
#[tokio::test]
async fn a_worker_that_died_after_a_failure_does_not_cause_the_work_again() {
    let (db, workspace) = database().await;
    let id = clone_repository::enqueue(&db, input(workspace, "401")).await.unwrap();
    assert_eq!(drain(&db).await, 1);
    let row = task_queue::ActiveModel {
        task_id: Set(id.clone()),
        queue_status: Set("queued".to_owned()),
        ..Default::default()
    };
    row.update(&db).await.unwrap();
    assert_eq!(drain(&db).await, 1);
    let run = crud::get_run(&db, &id).await.unwrap().unwrap();
    assert_eq!(run.task_status.as_deref(), Some("failed"));
    assert_eq!(run.error_message.as_deref(), Some("401"));
    assert_eq!(events(&db, &id).await, ["task_started", "error"]);
    let row = crud::get_queue_entry(&db, &id).await.unwrap().unwrap();
    assert_eq!(row.queue_status, "failed");
}

fn executor(db: &DatabaseConnection) -> PipelineTaskExecutor {
    PipelineTaskExecutor {
        db: db.clone(),
        workspace: std::env::temp_dir(),
    }
}

/// Starts a delivery as a worker of another process would that has just claimed the row.
async fn deliver(db: &DatabaseConnection, row: &task_queue::Model) -> ExecutingTask {
    let assignment = TaskAssignment {
        task_id: row.task_id.clone(),
        parent_task_id: None,
        run_id: row.run_id.clone(),
        spec: serde_json::from_value(row.spec.clone()).unwrap(),
        policy: None,
    };
    executor(db).execute(assignment).await.unwrap()
}

/// Starts a delivery and waits until its work has begun.
async fn begin(db: &DatabaseConnection, row: &task_queue::Model) -> ExecutingTask {
    let task = deliver(db, row).await;
    while events(db, &row.run_id).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    task
}

/// A worker that lost its claim, to the queue, another delivery or the dead letters, changes
/// nothing: also where what drives it tells it to stop.
#[tokio::test]
async fn a_late_delivery_changes_nothing() {
    for (queue_status, claim_count) in [("queued", 1), ("claimed", 1), ("claimed", 2), ("dead", 1)] {
        for is_stopped in [false, true] {
            let (db, workspace) = database().await;
            let id = clone_repository::enqueue(&db, input(workspace, "late")).await.unwrap();
            let row = crud::claim_task(&db, "first").await.unwrap().unwrap();
            let mut late = begin(&db, &row).await;
            // The row is taken away while the work goes on. A claim by itself always has a time
            // of its own; the count may start anew where a task is queued again.
            let mut row: task_queue::ActiveModel = row.into();
            row.queue_status = Set(queue_status.to_owned());
            row.claim_count = Set(claim_count);
            row.claimed_at = Set(match queue_status {
                "claimed" => Some(chrono::Utc::now().fixed_offset()),
                _ => None,
            });
            row.update(&db).await.unwrap();
            if is_stopped {
                late.cancel.cancel();
            }
            assert!(late.outcomes.recv().await.is_none(), "no outcome of a lost claim");
            assert_eq!(status(&db, workspace).await, WorkspaceStatus::Cloning);
            assert_eq!(events(&db, &id).await, ["task_started"]);
            let run = crud::get_run(&db, &id).await.unwrap().unwrap();
            assert_eq!(run.task_status.as_deref(), Some("running"));
        }
    }
}

/// A worker that stalled before it began, and whose claim was taken back, does not begin.
#[tokio::test]
async fn a_delivery_of_a_queued_row_does_not_begin() {
    let (db, workspace) = database().await;
    let id = clone_repository::enqueue(&db, input(workspace, "ok")).await.unwrap();
    let row = crud::get_queue_entry(&db, &id).await.unwrap().unwrap();
    assert!(deliver(&db, &row).await.outcomes.recv().await.is_none());
    assert!(events(&db, &id).await.is_empty());
    assert_eq!(drain(&db).await, 1);
    assert_eq!(status(&db, workspace).await, WorkspaceStatus::Ready);
}

/// A task that was cancelled and enqueued again at once: the first ends its own run and leaves
/// the status to the second.
#[tokio::test]
async fn a_cancelled_task_with_a_successor_ends_its_run_only() {
    let (db, workspace) = database().await;
    let id = clone_repository::enqueue(&db, input(workspace, "late")).await.unwrap();
    let row = crud::claim_task(&db, "first").await.unwrap().unwrap();
    let mut first = begin(&db, &row).await;
    crud::cancel_queued_task(&db, &id).await.unwrap();
    let next = clone_repository::enqueue(&db, input(workspace, "late")).await.unwrap();
    assert_ne!(next, id);
    first.cancel.cancel();
    let outcome = first.outcomes.recv().await;
    assert!(matches!(outcome, Some(TaskOutcome::Cancelled)), "{outcome:?}");
    assert_eq!(status(&db, workspace).await, WorkspaceStatus::Cloning);
    assert_eq!(events(&db, &id).await, ["task_started", "cancelled"]);
    let run = crud::get_run(&db, &id).await.unwrap().unwrap();
    assert_eq!(run.task_status.as_deref(), Some("cancelled"));
    assert_eq!(drain(&db).await, 1);
    assert_eq!(status(&db, workspace).await, WorkspaceStatus::Ready);
}

/// A task that runs on a worker which sees that its row was cancelled.
#[tokio::test]
async fn a_running_task_that_is_cancelled_ends_cancelled() {
    let (db, workspace) = database().await;
    let id = clone_repository::enqueue(&db, input(workspace, "hangs")).await.unwrap();
    let draining = tokio::spawn({
        let db = db.clone();
        async move { drain(&db).await }
    });
    while events(&db, &id).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    crud::cancel_queued_task(&db, &id).await.unwrap();
    // The worker is alive: the end is its own to write.
    assert_eq!(executor(&db).end_dead_tasks().await.unwrap(), 0);
    assert_eq!(draining.await.unwrap(), 1);
    assert_eq!(status(&db, workspace).await, WorkspaceStatus::Failed);
    assert_eq!(events(&db, &id).await, ["task_started", "cancelled"]);
    let run = crud::get_run(&db, &id).await.unwrap().unwrap();
    assert_eq!(run.task_status.as_deref(), Some("cancelled"));
    assert_eq!(executor(&db).end_dead_tasks().await.unwrap(), 0);
}

/// Whoever cancels a task that waits may write that into its run; the sweep does the rest.
#[tokio::test]
async fn a_task_that_is_cancelled_while_it_waits_gets_its_status() {
    let (db, workspace) = database().await;
    let id = clone_repository::enqueue(&db, input(workspace, "ok")).await.unwrap();
    crud::cancel_queued_task(&db, &id).await.unwrap();
    crud::transition_run(&db, &id, "cancelled", None, None, Some("by a user")).await.unwrap();
    assert_eq!(drain(&db).await, 0);
    assert_eq!(executor(&db).end_dead_tasks().await.unwrap(), 1);
    assert_eq!(status(&db, workspace).await, WorkspaceStatus::Failed);
    assert_eq!(events(&db, &id).await, ["cancelled"]);
}

/// A server that starts while the work goes on takes the run for dead, and leaves its reason.
#[tokio::test]
async fn a_restart_while_the_task_runs_leaves_no_error() {
    let (db, workspace) = database().await;
    let id = clone_repository::enqueue(&db, input(workspace, "late")).await.unwrap();
    let row = crud::claim_task(&db, "first").await.unwrap().unwrap();
    let mut task = begin(&db, &row).await;
    let state = Arc::new(RuntimeState::new());
    let recovering = Arc::new(executor(&db));
    let recovered = agentic_pipeline::recovery::recover_active_runs(db.clone(), state, recovering);
    assert_eq!(recovered.await.unwrap().refused, 1);
    let run = crud::get_run(&db, &id).await.unwrap().unwrap();
    assert!(run.error_message.is_some());
    let outcome = task.outcomes.recv().await;
    assert!(matches!(outcome, Some(TaskOutcome::Done { .. })), "{outcome:?}");
    let run = crud::get_run(&db, &id).await.unwrap().unwrap();
    assert_eq!((run.task_status.as_deref(), run.error_message), (Some("done"), None));
}

/// Nothing waits for a work that panicked.
#[tokio::test]
async fn a_panic_is_a_failure_at_once() {
    let (db, workspace) = database().await;
    clone_repository::enqueue(&db, input(workspace, "panic")).await.unwrap();
    let row = crud::claim_task(&db, "first").await.unwrap().unwrap();
    let start = Instant::now();
    let outcome = deliver(&db, &row).await.outcomes.recv().await;
    assert!(matches!(outcome, Some(TaskOutcome::Failed(_))), "{outcome:?}");
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(status(&db, workspace).await, WorkspaceStatus::Failed);
}

/// With the queue's defaults: three claims.
#[tokio::test]
async fn a_task_whose_workers_die_three_times_is_dead_and_says_so() {
    let (db, workspace) = database().await;
    let id = clone_repository::enqueue(&db, input(workspace, "hangs")).await.unwrap();
    for claim in 1..=3 {
        let row = crud::claim_task(&db, "dies").await.unwrap().unwrap();
        assert_eq!(row.claim_count, claim);
        drop(begin(&db, &row).await);
        assert_eq!(crud::reap_stale_tasks(&db).await.unwrap(), 0, "not stale yet");
        let mut row: task_queue::ActiveModel = row.into();
        let before = chrono::Utc::now() - Duration::from_secs(61);
        row.last_heartbeat = Set(Some(before.fixed_offset()));
        row.update(&db).await.unwrap();
        assert_eq!(crud::reap_stale_tasks(&db).await.unwrap(), 1);
    }
    let row = crud::get_queue_entry(&db, &id).await.unwrap().unwrap();
    assert_eq!(row.queue_status, "dead");
    assert_eq!(status(&db, workspace).await, WorkspaceStatus::Cloning);
    assert_eq!(executor(&db).end_dead_tasks().await.unwrap(), 1);
    assert_eq!(status(&db, workspace).await, WorkspaceStatus::Failed);
    assert_eq!(events(&db, &id).await, ["task_started", "error"]);
}

/// What the work panics with may hold a secret: it stands in no row.
#[tokio::test]
async fn the_text_of_a_panic_is_recorded_nowhere() {
    let (db, workspace) = database().await;
    let id = clone_repository::enqueue(&db, input(workspace, "panic")).await.unwrap();
    assert_eq!(drain(&db).await, 1);
    let run = crud::get_run(&db, &id).await.unwrap().unwrap();
    assert_eq!(run.error_message.as_deref(), Some("the work panicked"));
    for event in crud::get_all_events(&db, &id).await.unwrap() {
        assert!(!event.payload.to_string().contains("secret"), "{}", event.payload);
    }
}

/// What no worker ends any more is ended by the sweep: once, and by nothing else.
#[tokio::test]
async fn a_dead_task_gets_its_failure_written() {
    for closed in ["dead", "failed", "cancelled"] {
        let (db, workspace) = database().await;
        let executor = PipelineTaskExecutor {
            db: db.clone(),
            workspace: std::env::temp_dir(),
        };
        let id = clone_repository::enqueue(&db, input(workspace, "ok")).await.unwrap();
        // A task that was written by hand, and one that waits, are not the sweep's.
        let spec = TaskSpec::Agent {
            agent_id: "a".to_owned(),
            question: "q".to_owned(),
        };
        crud::insert_run(&db, "by-hand", "q", None, "agent", None).await.unwrap();
        crud::enqueue_task(&db, "by-hand", "by-hand", None, &spec, None).await.unwrap();
        let waiting = clone_repository::enqueue(&db, input(Uuid::new_v4(), "ok")).await.unwrap();
        assert_eq!(executor.end_dead_tasks().await.unwrap(), 0);
        for id in [&id, "by-hand"] {
            let row = task_queue::ActiveModel {
                task_id: Set(id.to_owned()),
                queue_status: Set(closed.to_owned()),
                ..Default::default()
            };
            row.update(&db).await.unwrap();
        }
        assert_eq!(executor.end_dead_tasks().await.unwrap(), 1, "{closed}");
        assert_eq!(executor.end_dead_tasks().await.unwrap(), 0, "{closed}");
        assert_eq!(status(&db, workspace).await, WorkspaceStatus::Failed);
        let run = crud::get_run(&db, &id).await.unwrap().unwrap();
        let (ended, event) = match closed {
            "cancelled" => ("cancelled", "cancelled"),
            _ => ("failed", "error"),
        };
        assert_eq!(run.task_status.as_deref(), Some(ended));
        assert_eq!(events(&db, &id).await, [event], "without the work");
        assert!(events(&db, "by-hand").await.is_empty());
        assert!(events(&db, &waiting).await.is_empty());

        // The key is free again, and a later task may start from any status.
        let next = clone_repository::enqueue(&db, input(workspace, "ok")).await.unwrap();
        assert_ne!(next, id);
        assert_eq!(drain(&db).await, 2);
        assert_eq!(status(&db, workspace).await, WorkspaceStatus::Ready);
        assert_eq!(executor.end_dead_tasks().await.unwrap(), 0, "a later task has the status");
        assert_eq!(status(&db, workspace).await, WorkspaceStatus::Ready);
    }
}

/// Sets the status of a row, and when it was last changed.
async fn set(db: &DatabaseConnection, id: Uuid, status: WorkspaceStatus, minutes_ago: i64) {
    let changed = chrono::Utc::now() - chrono::Duration::minutes(minutes_ago);
    let row = workspaces::ActiveModel {
        id: Set(id),
        status: Set(status),
        updated_at: Set(changed.fixed_offset()),
        ..Default::default()
    };
    row.update(db).await.unwrap();
}

#[tokio::test]
async fn a_row_whose_task_is_not_enqueued_says_so() {
    let (db, workspace) = database().await;
    // Its key has no JSON form.
    let broken = CloneRepository {
        target_dir: OsStr::from_bytes(b"\xff").into(),
        ..input(workspace, "ok")
    };
    let failed = clone_repository::enqueue(&db, broken.clone()).await;
    assert!(failed.unwrap_err().to_string().contains("cannot serialize the key"));
    assert_eq!(status(&db, workspace).await, WorkspaceStatus::Failed);

    // What does not say that a task runs is left alone, and so is what another task has.
    set(&db, workspace, WorkspaceStatus::Ready, 0).await;
    clone_repository::enqueue(&db, broken.clone()).await.unwrap_err();
    assert_eq!(status(&db, workspace).await, WorkspaceStatus::Ready);
    set(&db, workspace, WorkspaceStatus::Cloning, 0).await;
    clone_repository::enqueue(&db, input(workspace, "ok")).await.unwrap();
    clone_repository::enqueue(&db, broken).await.unwrap_err();
    assert_eq!(status(&db, workspace).await, WorkspaceStatus::Cloning);
    assert_eq!(drain(&db).await, 1);
    assert_eq!(status(&db, workspace).await, WorkspaceStatus::Ready);
}

/// A process that died after it set the status and before it enqueued.
#[tokio::test]
async fn a_row_that_waits_for_no_task_gets_its_failure_written() {
    let (db, workspace) = database().await;
    let sweep = async || executor(&db).end_dead_tasks().await.unwrap();
    // It may be about to enqueue.
    assert_eq!(sweep().await, 0);
    set(&db, workspace, WorkspaceStatus::Cloning, 29).await;
    assert_eq!(sweep().await, 0);
    // A task that waits or runs may take its time.
    let id = clone_repository::enqueue(&db, input(workspace, "ok")).await.unwrap();
    set(&db, workspace, WorkspaceStatus::Cloning, 31).await;
    for live in ["queued", "claimed"] {
        set_queue(&db, &id, live).await;
        assert_eq!(sweep().await, 0, "{live}");
    }
    assert_eq!(status(&db, workspace).await, WorkspaceStatus::Cloning);
    // Only the running status waits for anything.
    set_queue(&db, &id, "completed").await;
    crud::transition_run(&db, &id, "done", None, Some(""), None).await.unwrap();
    crud::insert_event(&db, &id, 1, "done", &serde_json::json!({}), 0).await.unwrap();
    set(&db, workspace, WorkspaceStatus::Ready, 31).await;
    assert_eq!(sweep().await, 0);
    assert_eq!(status(&db, workspace).await, WorkspaceStatus::Ready);

    set(&db, workspace, WorkspaceStatus::Cloning, 31).await;
    assert_eq!(sweep().await, 1);
    assert_eq!(status(&db, workspace).await, WorkspaceStatus::Failed);
    assert_eq!(sweep().await, 0);
}

/// Sets the status of a task's queue row.
async fn set_queue(db: &DatabaseConnection, id: &str, status: &str) {
    let row = task_queue::ActiveModel {
        task_id: Set(id.to_owned()),
        queue_status: Set(status.to_owned()),
        ..Default::default()
    };
    row.update(db).await.unwrap();
}
