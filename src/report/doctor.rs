//! What was found where and why.

use serde_json::{Value, json};

use super::Shell;
use crate::cli::Format;
use crate::landmarks::{Coverage, Landmarks, ResumeReading, RootPolicy, Scheduler, TaskModule};
use crate::note::{Outcome, Place};

/// One landmark as a line.
struct Line {
    role: &'static str,
    name: String,
    place: Option<Place>,
    how: String,
}

/// What `doctor` found.
pub struct Found<'a> {
    /// The landmarks.
    pub landmarks: &'a Landmarks,
    /// What registers jobs by cron expressions.
    pub scheduler: &'a Scheduler,
    /// The tasks in modules of their own.
    pub tasks: &'a [TaskModule],
}

/// Who retries a root task, and what says so.
fn retries(of: &RootPolicy) -> String {
    let places: Vec<String> = of.none.iter().map(ToString::to_string).collect();
    match places.as_slice() {
        [] => "no place was found that gives a root task a policy or none: its envelope retries it"
            .to_owned(),
        places => format!(
            "root tasks are given none at {}: nobody else retries them, so the envelope does",
            places.join(", ")
        ),
    }
}

fn lines(landmarks: &Landmarks) -> Vec<Line> {
    let spec = &landmarks.spec;
    let executor = &landmarks.executor;
    let queue = &landmarks.queue;
    let site = &landmarks.matches[executor.site];
    let mut lines = vec![
        Line {
            role: "enum",
            name: spec.path.clone(),
            place: Some(spec.facts.place(&spec.fact.name_range)),
            how: spec.how.clone(),
        },
        Line {
            role: "executor",
            name: executor.self_type.clone(),
            place: Some(
                site.facts
                    .place(&(site.fact.range.start..site.fact.range.start + 5)),
            ),
            how: executor.how.clone(),
        },
        Line {
            role: "enqueue",
            name: queue.function.clone(),
            place: queue
                .facts
                .functions
                .iter()
                .find(|f| f.name == queue.function)
                .map(|f| queue.facts.place(&f.name_range)),
            how: queue.how.clone(),
        },
        Line {
            role: "queue-row",
            name: queue.row.entity.clone(),
            place: None,
            how: format!("what `{}` inserts", queue.function),
        },
        Line {
            role: "policy",
            name: landmarks.policy.policy.clone(),
            place: None,
            how: format!(
                "a parameter of `{}`; {}",
                queue.function,
                retries(&landmarks.root_policy)
            ),
        },
        Line {
            role: "events",
            name: format!(
                "{}, {}, {}",
                landmarks.events.done, landmarks.events.failed, landmarks.events.cancelled
            ),
            place: None,
            how: landmarks.events.how.clone(),
        },
        Line {
            role: "end-of-run",
            name: landmarks.records.end.path.clone(),
            place: None,
            how: "writes status, answer and error of a run".to_owned(),
        },
    ];
    if let Some(run) = &queue.run {
        lines.push(Line {
            role: "run-row",
            name: run.entity.clone(),
            place: None,
            how: "what the queue's row refers to".to_owned(),
        });
    }
    lines.push(match &landmarks.resume {
        ResumeReading::Found(dispatch) => Line {
            role: "recovery",
            name: dispatch.method.clone(),
            place: Some(
                dispatch
                    .facts
                    .place(&(dispatch.fact.range.start..dispatch.fact.range.start + 5)),
            ),
            how: "the one match over source types in the executor's impl".to_owned(),
        },
        ResumeReading::Absent => Line {
            role: "recovery",
            name: "none".to_owned(),
            place: None,
            how: "no method of the executor's impl takes a run".to_owned(),
        },
        ResumeReading::Unclear(place) => Line {
            role: "recovery",
            name: "unclear".to_owned(),
            place: Some(place.clone()),
            how: "takes a run, but not exactly one match of it is over source types".to_owned(),
        },
    });
    for (at, site) in landmarks.matches.iter().enumerate() {
        if at != executor.site {
            let kind = match &site.coverage {
                Coverage::Exhaustive { .. } => "exhaustive",
                Coverage::Wildcard(_) => "has a wildcard",
                Coverage::Undecided(why) => why,
            };
            lines.push(Line {
                role: "match",
                name: site.function.clone(),
                place: Some(
                    site.facts
                        .place(&(site.fact.range.start..site.fact.range.start + 5)),
                ),
                how: format!("{kind}{}", if site.is_test { ", in tests" } else { "" }),
            });
        }
    }
    for worker in &landmarks.workers {
        lines.push(Line {
            role: "worker",
            name: worker.function.clone(),
            place: Some(worker.place.clone()),
            how: if worker.is_driven {
                "lives only while a run is driven: claims no root task between runs"
            } else {
                "stands: claims root tasks"
            }
            .to_owned(),
        });
    }
    for start in &landmarks.worker_starts {
        lines.push(Line {
            role: "starts",
            name: start.function.clone(),
            place: Some(start.place.clone()),
            how: match &start.room {
                Ok(room) => format!(
                    "starts the worker that stands; `{}` is the database there, so that schedules can start beside it",
                    room.db
                ),
                Err(why) => format!("starts the worker that stands; schedules are started by hand: {why}"),
            },
        });
    }
    lines
}

/// A task, and whether anybody wrote its work.
fn task(task: &TaskModule) -> Line {
    let how = if task.is_written {
        "its work is written"
    } else {
        "its work is not written: it fails and says so"
    };
    Line {
        role: "task",
        name: task.variant.clone(),
        place: Some(task.work.clone()),
        how: how.to_owned(),
    }
}

/// A scheduler of the workspace's own, or that there is none.
fn schedulers(scheduler: &Scheduler) -> Vec<Line> {
    let found = match scheduler {
        Scheduler::Absent => &[],
        Scheduler::One(one) => std::slice::from_ref(&**one),
        Scheduler::Several(several) => several.as_slice(),
    };
    let mut lines: Vec<Line> = found
        .iter()
        .map(|registration| Line {
            role: "scheduler",
            name: registration.call.clone(),
            place: Some(registration.place.clone()),
            how: match registration.krate {
                Some(krate) => format!(
                    "jobs of `{krate}` are registered in `{}`",
                    registration.function
                ),
                None => format!(
                    "takes a cron expression and what to run; called in `{}`",
                    registration.function
                ),
            },
        })
        .collect();
    if lines.is_empty() {
        lines.push(Line {
            role: "scheduler",
            name: "none".to_owned(),
            place: None,
            how: "nothing registers jobs by cron expressions; `--schedule` brings a clock"
                .to_owned(),
        });
    }
    lines
}

/// The landmarks as JSON.
pub(super) fn landmarks(landmarks: &Landmarks) -> Value {
    as_json(lines(landmarks))
}

fn as_json(lines: Vec<Line>) -> Value {
    lines
        .into_iter()
        .map(|line| {
            json!({
                "role": line.role,
                "name": line.name,
                "path": line.place.as_ref().map(|place| place.path.as_str()),
                "line": line.place.as_ref().map(|place| place.line),
                "how": line.how,
            })
        })
        .collect()
}

impl Found<'_> {
    fn landmarks_as_json(&self) -> Value {
        let mut lines = lines(self.landmarks);
        lines.extend(schedulers(self.scheduler));
        as_json(lines)
    }

    /// Shows what was found in `format`.
    pub fn show(&self, shell: &Shell, format: Format) -> Outcome<()> {
        let standing = self
            .landmarks
            .workers
            .iter()
            .any(|worker| !worker.is_driven);
        match format {
            Format::Json => {
                let object = json!({
                    "command": "doctor",
                    "landmarks": self.landmarks_as_json(),
                    "standing_worker": standing,
                    "tasks": self.tasks.iter().map(|task| json!({
                        "variant": task.variant,
                        "path": task.work.path,
                        "line": task.work.line,
                        "work": task.is_written,
                    })).collect::<Vec<_>>(),
                    "warnings": self.landmarks.notes.iter().map(super::json::warning).collect::<Vec<_>>(),
                });
                shell.product(&object.to_string());
            }
            Format::Human | Format::Markdown | Format::Sarif => {
                let mut lines = lines(self.landmarks);
                lines.extend(schedulers(self.scheduler));
                lines.extend(self.tasks.iter().map(task));
                let mut out = String::new();
                if format == Format::Markdown {
                    out.push_str("| landmark | name | where | why |\n| --- | --- | --- | --- |\n");
                }
                for line in &lines {
                    let place = line
                        .place
                        .as_ref()
                        .map_or("-".to_owned(), |p| format!("{}:{}", p.path, p.line));
                    out.push_str(&if format == Format::Markdown {
                        format!(
                            "| {} | `{}` | `{place}` | {} |\n",
                            line.role, line.name, line.how
                        )
                    } else {
                        format!(
                            "{:<11} {}\n            at {place}: {}\n",
                            line.role, line.name, line.how
                        )
                    });
                }
                shell.product(&out);
                for note in &self.landmarks.notes {
                    shell.note(note);
                }
                for task in self.tasks.iter().filter(|task| !task.is_written) {
                    let place = &task.work;
                    shell.attention(
                        "To do",
                        &format!(
                            "{}:{}: write the work of `{}`; until then it fails and says so",
                            place.path, place.line, task.variant
                        ),
                    );
                }
                if !standing {
                    shell.attention("No worker", "nothing claims root tasks outside a driven run: what is enqueued stays queued");
                }
            }
        }
        Ok(())
    }
}
