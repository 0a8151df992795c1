//! A scaffolded task with a schedule of every second, on a real database.

use std::collections::BTreeSet;
use std::time::Duration;

use agentic_pipeline::executor::tasks::tidy::{self, Tidy};
use agentic_runtime::entity::task_queue;
use agentic_runtime::testing::test_db;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, DatabaseConnection, EntityTrait};

async fn rows(db: &DatabaseConnection) -> Vec<task_queue::Model> {
    task_queue::Entity::find().all(db).await.unwrap()
}

/// Runs the clock in three tasks for a while, as three processes would.
async fn clocks(db: &DatabaseConnection, millis: u64, end: bool) {
    let clocks: Vec<_> = (0..3)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move { tidy::schedule(&db, Tidy).await })
        })
        .collect();
    for _ in 0..millis / 50 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        for row in rows(db).await {
            if end && row.queue_status == "queued" {
                let row = task_queue::ActiveModel {
                    task_id: Set(row.task_id),
                    queue_status: Set("completed".to_owned()),
                    ..Default::default()
                };
                row.update(db).await.unwrap();
            }
        }
    }
    for clock in clocks {
        assert!(!clock.is_finished(), "a clock runs until it is dropped");
        clock.abort();
    }
}

#[tokio::test]
async fn of_a_tick_comes_one_task() {
    let db = test_db().await;
    clocks(&db, 4_300, true).await;
    let enqueued = rows(&db).await;
    let seconds: BTreeSet<u64> = enqueued
        .iter()
        .map(|row| row.task_id.rsplit_once('-').unwrap().1.parse().unwrap())
        .collect();
    assert_eq!(seconds.len(), enqueued.len(), "{enqueued:?}");
    assert!((3..=5).contains(&seconds.len()), "{seconds:?}");
    let (first, last) = (seconds.first().unwrap(), seconds.last().unwrap());
    assert_eq!(last - first + 1, seconds.len() as u64, "no tick is left out: {seconds:?}");

    // While a task is at work none comes, and a task that is wanted now is the same.
    let id = tidy::enqueue(&db, Tidy).await.unwrap();
    clocks(&db, 2_200, false).await;
    let after = rows(&db).await;
    assert_eq!(after.len(), enqueued.len() + 1, "{after:?}");
    assert_eq!(tidy::enqueue(&db, Tidy).await.unwrap(), id);
}
