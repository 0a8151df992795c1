//! A scaffolded task that a scheduler enqueues every second, on a real database.

use std::collections::BTreeSet;
use std::time::Duration;

use agentic_pipeline::executor::tasks::tidy::{self, Tidy};
use agentic_runtime::entity::task_queue;
use agentic_runtime::testing::test_db;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, EntityTrait};

#[tokio::test]
async fn of_a_tick_comes_one_task() {
    let db = test_db().await;
    for _ in 0..40 {
        // Three processes whose schedulers fire at about the same time, and fire again.
        let (a, b, c) = tokio::join!(tidy::tick(&db, Tidy), tidy::tick(&db, Tidy), tidy::tick(&db, Tidy));
        (a.unwrap(), b.unwrap(), c.unwrap());
        for row in task_queue::Entity::find().all(&db).await.unwrap() {
            if row.queue_status == "queued" {
                let row = task_queue::ActiveModel {
                    task_id: Set(row.task_id),
                    queue_status: Set("completed".to_owned()),
                    ..Default::default()
                };
                row.update(&db).await.unwrap();
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let rows = task_queue::Entity::find().all(&db).await.unwrap();
    let seconds: BTreeSet<u64> = rows
        .iter()
        .map(|row| row.task_id.rsplit_once('-').unwrap().1.parse().unwrap())
        .collect();
    assert_eq!(seconds.len(), rows.len(), "{rows:?}");
    let (first, last) = (seconds.first().unwrap(), seconds.last().unwrap());
    assert!(last - first >= 3, "{seconds:?}");
    assert_eq!(last - first + 1, seconds.len() as u64, "no tick is left out: {seconds:?}");

    // While a task is at work its tick and the next ones give none.
    let id = tidy::enqueue(&db, Tidy).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(tidy::tick(&db, Tidy).await.unwrap(), id);
}
