//! Where the start of a schedule goes, and where it is left to a person.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::Fleet;

const WORKER: &str = "crates/app/src/worker.rs";
const CALL: &str =
    "    let driven = run_standing_worker(db, executor, state, options, stop).await;\n";
const TIDY: [&str; 4] = ["new", "Tidy", "--schedule", "@hourly"];

/// The fleet with the crate that reads schedules.
fn fleet() -> Fleet {
    let fleet = Fleet::new();
    fleet.cargo(&["add", "--offline", "--package", "agentic-pipeline", "cron"]);
    fleet.commit();
    fleet
}

fn clippy_is_silent(fleet: &Fleet) {
    let app = ["clippy", "--locked", "-p", "oxy-app", "--all-targets"];
    let lints = ["--", "-D", "warnings", "-A", "dead_code"];
    fleet.cargo(&[&app[..], &lints[..]].concat());
}

#[test]
fn a_schedule_starts_beside_the_worker() {
    let fleet = fleet();
    let before = fleet.read(WORKER);
    fleet.done(&TIDY);
    let started = r#"    tokio::spawn({
        use agentic_pipeline::executor::tasks::tidy;
        let db = db.clone();
        async move {
            if let Err(error) = tidy::schedule(&db, tidy::Tidy).await {
                tracing::error!(%error, "nothing enqueues Tidy by the clock");
            }
        }
    });
"#;
    let after = before.replace(CALL, &format!("{started}{CALL}"));
    assert_eq!(fleet.read(WORKER), after);
    fleet.commit();
    let again = fleet.done(&TIDY);
    assert!(
        again.stderr.contains("nothing is missing"),
        "{}",
        again.stderr
    );

    // Fields that may be left out are; later ones come to it like to every other place.
    let grow = ["new", "Tidy", "depth:Option<u32>", "--schedule", "@hourly"];
    fleet.done(&grow);
    let grown = started.replace("tidy::Tidy)", "tidy::Tidy { depth: None })");
    assert_eq!(fleet.read(WORKER), after.replace(started, &grown));
    let sweep = [
        "new",
        "SweepOldDocuments",
        "a:Option<u32>",
        "b:Option<String>",
        "--schedule",
        "@daily",
    ];
    fleet.done(&sweep);
    let worker = fleet.read(WORKER);
    assert!(
        worker.contains("sweep_old_documents::schedule("),
        "{worker}"
    );
    assert!(worker.find("tidy::schedule") < worker.find("documents::schedule"));
    fleet.cargo(&["fmt", "--all", "--check"]);
    clippy_is_silent(&fleet);
    let doctor = fleet.done(&["doctor"]).stdout;
    assert!(doctor.contains("starts      work\n"), "{doctor}");
}

/// Other ways to have a connection, and to start a worker.
#[test]
fn the_place_is_read_from_what_stands_there() {
    for (old, new, db) in [
        (
            "work(db: DatabaseConnection,",
            "work(db: &DatabaseConnection,",
            "db",
        ),
        (
            "work(db: DatabaseConnection,",
            "work(mut db: sea_orm::DatabaseConnection,",
            "db",
        ),
        (
            "work(db: DatabaseConnection,",
            "work(state: Vec<u8>, pool: DatabaseConnection,",
            "pool",
        ),
        (
            "    let state = Arc::new",
            "    let pool: DatabaseConnection = db.clone();\n    drop(pool);\n    let state = Arc::new",
            "db",
        ),
        (
            CALL,
            "    // Above.\n    let driven = standing::run_standing_worker(db).await;\n",
            "db",
        ),
        (
            CALL,
            "    let driven = tokio::spawn(run_standing_worker(db)).await?;\n",
            "db",
        ),
    ] {
        let fleet = fleet();
        fleet.replace(WORKER, old, new);
        if new.contains("pool: DatabaseConnection,") {
            fleet.replace(
                WORKER,
                "run_standing_worker(db, ",
                "run_standing_worker(pool, ",
            );
        }
        let text = fleet.read(WORKER).replace(
            "use agentic_runtime::standing::{",
            "use agentic_runtime::standing::{self, ",
        );
        fleet.write(WORKER, &text);
        fleet.commit();
        let ran = fleet.done(&TIDY);
        let wanted = format!(
            "        let {db} = {db}.clone();\n        async move {{\n            if let Err(error) = tidy::schedule(&{db}, tidy::Tidy).await {{\n"
        );
        let worker = fleet.read(WORKER);
        assert!(worker.contains(&wanted), "{new}: {}\n{worker}", ran.stderr);
        assert!(!ran.stderr.contains("by the clock"), "{}", ran.stderr);
        let at = worker.find("    tokio::spawn({\n        use").unwrap();
        let rest = worker[at..].split_once("    });\n").unwrap().1;
        assert!(
            rest.starts_with("    let driven") || rest.starts_with("    // Above."),
            "{rest}"
        );
    }
}

#[test]
fn what_would_be_a_guess_is_left_to_a_person() {
    for (old, new, why) in [
        (
            "work(db: DatabaseConnection,",
            "work(db: impl Into<DatabaseConnection>,",
            "0 variables are a `DatabaseConnection` by their type there",
        ),
        (
            "work(db: DatabaseConnection,",
            "work(other: DatabaseConnection, db: DatabaseConnection,",
            // The other is not used any more, and may be gone.
            "",
        ),
        (
            "    let state = Arc::new",
            "    let pool: DatabaseConnection = db.clone();\n    let state = Arc::new(&pool);\n    let state = Arc::new",
            "",
        ),
        (
            "    let state = Arc::new",
            "    let db = db;\n    let state = Arc::new",
            "0 variables are a `DatabaseConnection` by their type there",
        ),
        (
            "    let state = Arc::new",
            "    let db = { db = db; db };\n    let state = Arc::new",
            "0 variables are a `DatabaseConnection` by their type there",
        ),
        (
            CALL,
            "    drop(db);\n    let driven = { let db = 1; run_standing_worker(db).await };\n",
            "the worker is started in a part of a statement",
        ),
        (
            CALL,
            "    drop(db);\n    let driven = run_standing_worker({ let db = 1; db }).await;\n",
            "0 variables are a `DatabaseConnection` by their type there",
        ),
        (
            CALL,
            "    let driven = async { run_standing_worker(db).await }.await;\n",
            "the worker is started in a part of a statement",
        ),
        (
            CALL,
            "    let driven = if true { run_standing_worker(db).await } else { 0 };\n",
            "the worker is started in a part of a statement",
        ),
        (
            CALL,
            "    let driven = true && run_standing_worker(db).await;\n",
            "the worker is started in a part of a statement",
        ),
        (
            CALL,
            "    run_standing_worker(db.clone()).await;\n    let driven = 1;\n",
            "",
        ),
        (
            "/// The executor that",
            "async fn second(db: DatabaseConnection) {\n    run_standing_worker(db).await;\n}\n\n/// The executor that",
            " and crates/app/src/worker.rs:",
        ),
        (
            "pub async fn work(",
            "pub fn work(",
            "the function is not async",
        ),
    ] {
        let fleet = fleet();
        fleet.replace(WORKER, old, new);
        if new.starts_with("pub fn") {
            let text = fleet.read(WORKER).replace("tokio::spawn(", "spawn(");
            fleet.write(WORKER, &text);
        }
        fleet.commit();
        let before = fleet.read(WORKER);
        let ran = fleet.done(&TIDY);
        if why.is_empty() {
            assert_ne!(fleet.read(WORKER), before, "{new}");
            continue;
        }
        assert_eq!(fleet.read(WORKER), before, "{new}: {}", ran.stderr);
        let open = "call `tasks::tidy::schedule` where programs start";
        for part in [
            open,
            why,
            "until then nothing enqueues the task by the clock",
        ] {
            assert!(ran.stderr.contains(part), "{new}: {part}: {}", ran.stderr);
        }
    }
}

/// The crate that starts the worker must reach the task.
#[test]
fn a_crate_that_does_not_reach_the_tasks_starts_no_schedule() {
    const MANIFEST: &str = "crates/app/Cargo.toml";
    const LIB: &str = "crates/agentic/pipeline/src/lib.rs";
    for (path, old, new, why) in [
        (
            MANIFEST,
            "agentic-pipeline = { workspace = true }\n",
            "",
            "`oxy-app` does not depend on `agentic-pipeline`",
        ),
        (
            MANIFEST,
            "tracing = { workspace = true }\n",
            "",
            "`oxy-app` does not depend on `tracing`",
        ),
        (
            LIB,
            "pub mod executor;",
            "mod executor;",
            "the module of tasks is not public",
        ),
    ] {
        let fleet = fleet();
        fleet.replace(path, old, new);
        fleet.commit();
        let before = fleet.read(WORKER);
        let ran = fleet.done(&TIDY);
        assert_eq!(fleet.read(WORKER), before, "{}", ran.stderr);
        assert!(ran.stderr.contains(why), "{why}: {}", ran.stderr);
    }
    let fleet = fleet();
    let ran = fleet.done(&["new", "Sync", "slug:String", "--schedule", "@daily"]);
    let why = "what the task is given there is yours to say";
    assert!(ran.stderr.contains(why), "{}", ran.stderr);
}

/// Workers that are made where they start, also in the crate of the tasks itself.
#[test]
fn a_worker_that_is_made_where_it_starts() {
    let standing = "crates/agentic/runtime/src/standing.rs";
    let made = "
/// Claims and runs tasks.
pub async fn work(db: sea_orm::DatabaseConnection, executor: std::sync::Arc<dyn agentic_runtime::worker::TaskExecutor>) {
    let transport = transport(&db);
    let worker = agentic_runtime::worker::Worker::new(transport, executor);
    worker.run().await;
    db.close().await.ok();
}
";
    for (path, krate) in [
        ("crates/app/src/lib.rs", "agentic_pipeline"),
        ("crates/agentic/pipeline/src/lib.rs", "crate"),
    ] {
        let fleet = fleet();
        let text = fleet.read(standing).replace(
            "executor: Arc<dyn TaskExecutor>,\n    state: Arc<RuntimeState>,\n    options",
            "executor: Executor,\n    state: Arc<RuntimeState>,\n    options",
        );
        fleet.write(standing, &text);
        fleet.write(path, &format!("{}{made}", fleet.read(path)));
        fleet.commit();
        let ran = fleet.done(&TIDY);
        let start = format!(
            "    let transport = transport(&db);\n    tokio::spawn({{\n        use {krate}::executor::tasks::tidy;\n"
        );
        let text = fleet.read(path);
        assert!(text.contains(&start), "{}\n{text}", ran.stderr);
    }
}

/// Without a worker that stands, the open point is as it was.
#[test]
fn without_a_standing_worker_the_start_is_left_to_a_person() {
    let fleet = fleet();
    let standing = "crates/agentic/runtime/src/standing.rs";
    let text = fleet.read(standing).replace(
        "executor: Arc<dyn TaskExecutor>,\n    state: Arc<RuntimeState>,\n    options",
        "executor: Executor,\n    state: Arc<RuntimeState>,\n    options",
    );
    fleet.write(standing, &text);
    fleet.commit();
    let ran = fleet.done(&TIDY);
    for part in [
        "no worker stands",
        "in a `tokio::spawn` beside the worker: until then nothing enqueues the task by the clock",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
}

const SERVER: &str = "crates/app/src/server/scheduler.rs";
const OWN: &str = "the workspace registers jobs in";

/// A crate with the part of `tokio-cron-scheduler` that is called.
const CRATE: &str = r"
//! Jobs.
use std::future::Future;
use std::pin::Pin;

/// Nothing fails here.
#[derive(Debug)]
pub struct JobSchedulerError;

/// A job.
pub struct Job;

/// What a job is given.
pub struct Lock;

type Run = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Job {
    /// A job that gives a future.
    pub fn new_async<S, T>(schedule: S, run: T) -> Result<Self, JobSchedulerError>
    where
        T: 'static + FnMut(u128, Lock) -> Run + Send + Sync,
        S: ToString,
    {
        assert_eq!(schedule.to_string().split(' ').count(), 6);
        drop(run);
        Ok(Self)
    }

    /// A job that does not.
    pub fn new<S, T>(schedule: S, run: T) -> Result<Self, JobSchedulerError>
    where
        T: 'static + FnMut(u128, Lock) + Send + Sync,
        S: ToString,
    {
        drop((schedule.to_string(), run));
        Ok(Self)
    }
}

/// Jobs.
pub struct JobScheduler;

impl JobScheduler {
    /// Without jobs.
    pub async fn new() -> Result<Self, JobSchedulerError> {
        Ok(Self)
    }

    /// Adds one.
    pub async fn add(&self, _job: Job) -> Result<u128, JobSchedulerError> {
        Ok(0)
    }
}
";

const JOBS: &str = r#"
use tokio_cron_scheduler::{Job, JobScheduler};

/// Registers what the server does by the clock.
pub async fn jobs(
    scheduler: &JobScheduler,
    db: sea_orm::DatabaseConnection,
) -> Result<(), tokio_cron_scheduler::JobSchedulerError> {
    let rows = db.clone();
    scheduler
        .add(Job::new_async("0 0 * * * *", move |_, _| {
            let _ = rows.clone();
            Box::pin(async {})
        })?)
        .await?;
    // The last one.
    scheduler.add(Job::new("0 30 * * * *", move |_, _| drop(db.clone()))?).await?;
    Ok(())
}
"#;

/// The fleet with a scheduler of a crate that is known for it.
fn with_jobs(jobs: &str) -> Fleet {
    let fleet = fleet();
    let package = "crates/tokio-cron-scheduler";
    let manifest =
        "[package]\nname = \"tokio-cron-scheduler\"\nversion = \"0.15.0\"\nedition = \"2024\"\n";
    fleet.write(&format!("{package}/Cargo.toml"), manifest);
    fleet.write(&format!("{package}/src/lib.rs"), CRATE);
    fleet.replace(
        "crates/app/Cargo.toml",
        "tokio-util = { workspace = true }",
        "tokio-cron-scheduler = { path = \"../tokio-cron-scheduler\" }\ntokio-util = { workspace = true }",
    );
    fleet.write(SERVER, &format!("{}{jobs}", fleet.read(SERVER)));
    fleet.cargo(&["fmt", "--all"]);
    fleet.cargo(&["update", "--offline", "--workspace"]);
    fleet.commit();
    fleet
}

/// The task is a job of it, called at each tick in every process.
#[test]
fn a_scheduler_of_a_known_crate_gets_a_job() {
    let fleet = with_jobs(JOBS);
    let before = fleet.read(SERVER);
    let every_second = ["new", "Tidy", "--schedule", "* * * * * *"];
    let ran = fleet.done(&every_second);
    let job = r#"    scheduler
        .add({
            use agentic_pipeline::executor::tasks::tidy;
            let db = db.clone();
            Job::new_async(tidy::SCHEDULE, move |_, _| {
                let db = db.clone();
                Box::pin(async move {
                    if let Err(error) = tidy::tick(&db, tidy::Tidy).await {
                        tracing::error!(%error, "a tick of Tidy is not enqueued");
                    }
                })
            })?
        })
        .await?;
"#;
    let above = "    // The last one.\n";
    assert_eq!(
        fleet.read(SERVER),
        before.replace(above, &format!("{job}{above}"))
    );
    assert!(!ran.stderr.contains(OWN), "{}", ran.stderr);
    assert!(!fleet.read(WORKER).contains("tidy"), "no clock beside it");
    fleet.cargo(&["fmt", "--all", "--check"]);
    fleet.commit();
    let again = fleet.done(&every_second);
    let missing = "nothing is missing";
    assert!(again.stderr.contains(missing), "{}", again.stderr);
    let doctor = fleet.done(&["doctor"]).stdout;
    assert!(doctor.contains("scheduler   Job::new"), "{doctor}");

    // A further one, later fields, and a lost registration.
    fleet.done(&["new", "Sweep", "depth:Option<u32>", "--schedule", "@weekly"]);
    let sweep = fleet.read("crates/agentic/pipeline/src/executor/tasks/sweep.rs");
    assert!(sweep.contains("pub const SCHEDULE: &str = \"0 0 0 * * SUN\";"));
    assert!(fleet.read(SERVER).contains("sweep::Sweep { depth: None }"));
    fleet.commit();
    let with_both = fleet.read(SERVER);
    fleet.write(SERVER, &with_both.replace(job, ""));
    fleet.commit();
    fleet.done(&every_second);
    assert!(fleet.read(SERVER).contains(job));
    clippy_is_silent(&fleet);
    fleet.write("crates/app/tests/tick.rs", include_str!("live/tick.rs"));
    let output = fleet.cargo(&["test", "--locked", "-p", "oxy-app", "--test", "tick"]);
    assert!(output.contains("1 passed"), "{output}");
}

/// What would be a guess is the clock's, and a person is told of the scheduler.
#[test]
fn a_scheduler_whose_jobs_cannot_be_read_is_named() {
    for (old, new, why) in [
        (
            "    scheduler.add(Job::new(\"0 30",
            "    let _id = scheduler.add(Job::new(\"0 30",
            "its last job is registered by more than one plain statement",
        ),
        (
            "    scheduler.add(Job::new(\"0 30 * * * *\", move |_, _| drop(db.clone()))?).await?;",
            "    if true {\n        scheduler.add(Job::new(\"0 30 * * * *\", move |_, _| drop(db.clone()))?).await?;\n    }",
            "its last job is registered by more than one plain statement",
        ),
        (
            "move |_, _| drop(db.clone())",
            "|_, _| {}",
            "0 variables are a `DatabaseConnection` by their type there",
        ),
    ] {
        assert!(JOBS.contains(old), "{old}");
        let fleet = with_jobs(&JOBS.replace(old, new));
        let before = fleet.read(SERVER);
        let ran = fleet.done(&TIDY);
        assert_eq!(fleet.read(SERVER), before);
        for part in [
            "the workspace registers jobs in `jobs`, to which none was added",
            why,
            "add `Job::new_async(\"@hourly\", move |_, _| {",
            "start no `tasks::tidy::schedule`",
        ] {
            assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
        }
        let worker = fleet.read(WORKER);
        assert!(worker.contains("tidy::schedule(&db, tidy::Tidy)"));
        fleet.commit();
        let again = fleet.done(&TIDY);
        assert!(!again.stderr.contains(OWN), "{}", again.stderr);
    }
    // A task that the clock has stays with it; one with a year has no other way.
    let fleet = with_jobs(JOBS);
    let year = ["new", "Tidy", "--schedule", "0 0 3 * * * 2099"];
    let ran = fleet.done(&year);
    assert!(
        ran.stderr.contains("its schedules have no year"),
        "{}",
        ran.stderr
    );
    fleet.commit();
    let again = fleet.done(&["new", "Tidy", "--schedule", "@hourly"]);
    assert!(
        again.stderr.contains("nothing is missing"),
        "{}",
        again.stderr
    );
}

const REGISTER: &str = r"
/// Runs `work` by the clock.
pub fn on_cron<F>(cron: &str, work: impl Fn() -> F + Send + 'static)
where
    F: Future<Output = ()> + Send,
{
    let _ = (cron, work);
}
";

/// A function of the workspace that takes an expression and what to run, and has a caller.
#[test]
fn a_scheduler_of_the_workspaces_own_is_named() {
    let fleet = Fleet::new();
    let calls = r#"
/// Registers what the server does by the clock.
pub fn jobs() {
    on_cron("*/5 * * * *", || async {});
}
"#;
    fleet.write(SERVER, &format!("{}{REGISTER}{calls}", fleet.read(SERVER)));
    fleet.commit();
    // Without the crate that the clock needs, both ways out are said.
    let ran = fleet.tool(&TIDY);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    for part in [
        "error[no-scheduler]",
        "cargo add --package agentic-pipeline cron",
        "the scheduler that you have, at crates/app/src/server/scheduler.rs:52:5",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    fleet.cargo(&["add", "--offline", "--package", "agentic-pipeline", "cron"]);
    fleet.commit();
    let ran = fleet.done(&["new", "Sync", "slug:String", "--schedule", "@daily"]);
    for part in [
        "scheduler.rs:52: the workspace registers jobs in `jobs`, to which none was added (how it is called is yours to say): keep",
        "call `on_cron` here as its neighbours do, with \"@daily\", and `tasks::sync::enqueue(&db, input)` as what it runs",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    fleet.commit();
    // The clock that the tool made is none of the workspace's own.
    let doctor = fleet.done(&["doctor"]).stdout;
    assert_eq!(doctor.matches("\nscheduler ").count(), 1, "{doctor}");
    let found = "scheduler   on_cron\n            at crates/app/src/server/scheduler.rs:52: takes a cron expression and what to run; called in `jobs`";
    assert!(doctor.contains(found), "{doctor}");
}

/// What looks like a scheduler and is none.
#[test]
fn what_registers_no_job_is_no_scheduler() {
    for text in [
        REGISTER.to_owned(),
        format!("{REGISTER}\n#[cfg(test)]\nmod tests {{\n    #[test]\n    fn f() {{\n        super::on_cron(\"* * * * *\", || async {{}});\n    }}\n}}\n"),
        format!("{REGISTER}\nfn f(hook: &Hook) {{\n    hook.on_cron(\"every day at noon\", || async {{}});\n}}\n"),
        "\nfn describe(cron: &str) -> String {\n    cron.to_owned()\n}\n\nfn f() {\n    describe(\"* * * * *\");\n    g(|| async {});\n}\n\nfn g(f: impl Fn()) {}\n".to_owned(),
        "\nuse tokio_cron_scheduler::Job;\n\nfn f(s: S) {\n    s.add(Job::new(\"* * * * *\"));\n}\n".to_owned(),
    ] {
        let fleet = Fleet::new();
        fleet.write(SERVER, &format!("{}{text}", fleet.read(SERVER)));
        let doctor = fleet.done(&["doctor"]).stdout;
        assert!(doctor.contains("scheduler   none\n"), "{text}: {doctor}");
    }
}
