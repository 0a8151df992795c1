//! Tasks that are enqueued at the ticks of a schedule.
//!
//! Every process of the fleet may do so. A tick's time is the generation of its task, and
//! so part of the primary key: of all that enqueue a tick one inserts it.

use std::future::Future;
use std::str::FromStr;
use std::time::{% if is_clock %}{Duration, SystemTime}{% else %}SystemTime{% endif %};

use async_trait::async_trait;
use cron::Schedule;
use sea_orm::prelude::ChronoDateTimeUtc;
use sea_orm::{DatabaseConnection, DbErr};

use {{ gate_path }}::{RootTask, TaskRows};

{% if is_clock %}/// How long a pause is at most: the clock may be set meanwhile.
const PAUSE: Duration = Duration::{{ pause }};

/// How long to wait before a tick that could not be enqueued is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// Calls `enqueue` at every tick of `schedule`, a cron expression in UTC, until it is dropped.
///
/// A tick whose enqueue fails is tried again until the next one comes; one that passes while no
/// process runs is left out.
///
/// # Errors
///
/// `schedule` is no cron expression.
pub(crate) async fn every<'r, R, F>(
    schedule: &str,
    rows: &'r R,
    enqueue: impl Fn(AtTick<'r, R>) -> F,
) -> Result<(), cron::error::Error>
where
    R: TaskRows,
    F: Future<Output = Result<String, DbErr>>,
{
    let schedule = Schedule::from_str(schedule)?;
    let mut last = now();
    while let Some(tick) = schedule.after(&last).next() {
        while let Some(pause) = until(tick) {
            tokio::time::sleep(pause.min(PAUSE)).await;
        }
        let next = schedule.after(&tick).next();
        let tick_seconds = tick.timestamp().unsigned_abs();
        while let Err(error) = enqueue(AtTick { rows, tick: tick_seconds }).await {
            tracing::error!(%error, %tick, "a tick is not enqueued");
            if next.is_some_and(|next| until(next).is_none()) {
                break;
            }
            tokio::time::sleep(RETRY).await;
        }
        // The clock may have been set back.
        last = tick.max(now());
    }
    Ok(())
}

{% else %}/// Calls `enqueue` for the tick of `schedule`, a cron expression in UTC, that was last due.
///
/// # Errors
///
/// `schedule` is no cron expression, or has no tick in the past; else those of `enqueue`.
pub(crate) async fn due<'r, R, F>(
    schedule: &str,
    rows: &'r R,
    enqueue: impl FnOnce(AtTick<'r, R>) -> F,
) -> Result<String, DbErr>
where
    R: TaskRows,
    F: Future<Output = Result<String, DbErr>>,
{
    let no_tick = |why: String| DbErr::Custom(format!("no tick of `{schedule}`: {why}"));
    let ticks = Schedule::from_str(schedule).map_err(|e| no_tick(e.to_string()))?;
    let last = ticks.after(&now()).next_back();
    let tick = last.ok_or_else(|| no_tick("none has come yet".to_owned()))?;
    enqueue(AtTick { rows, tick: tick.timestamp().unsigned_abs() }).await
}

{% endif %}fn now() -> ChronoDateTimeUtc {
    SystemTime::now().into()
}

{% if is_clock %}/// How far off `tick` is, if it is still to come.
fn until(tick: ChronoDateTimeUtc) -> Option<Duration> {
    let pause = (tick - now()).to_std().ok()?;
    (!pause.is_zero()).then_some(pause)
}

{% endif %}/// The rows of tasks, as a tick sees them.
pub struct AtTick<'r, R> {
    rows: &'r R,
    /// Its time in seconds.
    tick: u64,
}

#[async_trait]
impl<R: TaskRows> TaskRows for AtTick<'_, R> {
    async fn newest(&self, prefix: &str) -> Result<Option<(u64, bool)>, DbErr> {
        Ok(match self.rows.newest(prefix).await? {
            // Another process enqueued the tick.
            Some((generation, _)) if generation >= self.tick => Some((generation, true)),
            Some((generation, true)) => Some((generation, true)),
            // What comes after this one is the tick's.
            _ => Some((self.tick - 1, false)),
        })
    }

    async fn insert(&self, task: &RootTask) -> Result<bool, DbErr> {
        self.rows.insert(task).await
    }

    fn database(&self) -> Option<&DatabaseConnection> {
        self.rows.database()
    }
}
