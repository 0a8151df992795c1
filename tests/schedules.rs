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
    let clippy = [
        "clippy",
        "--locked",
        "-p",
        "oxy-app",
        "--all-targets",
        "--",
        "-D",
        "warnings",
        "-A",
        "dead_code",
    ];
    fleet.cargo(&clippy);
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

/// A scheduler of a crate that is known for it: the place is named, the clock is what is made.
#[test]
fn a_scheduler_of_a_known_crate_is_named() {
    let fleet = fleet();
    let app = "crates/app/Cargo.toml";
    fleet.replace(
        app,
        "tokio-util = { workspace = true }",
        "tokio-cron-scheduler = \"0.15\"\ntokio-util = { workspace = true }",
    );
    let jobs = r#"
use tokio_cron_scheduler::{Job, JobScheduler};

/// Registers what the server does by the clock.
pub async fn jobs(db: sea_orm::DatabaseConnection) -> Result<(), tokio_cron_scheduler::JobSchedulerError> {
    let scheduler = JobScheduler::new().await?;
    scheduler.add(Job::new_async("0 0 * * * *", |_, _| Box::pin(async {}))?).await?;
    scheduler.add(Job::new("0 30 * * * *", |_, _| {})?).await?;
    scheduler.start().await
}
"#;
    fleet.write(SERVER, &format!("{}{jobs}", fleet.read(SERVER)));
    fleet.commit();
    let before = fleet.read(SERVER);
    let ran = fleet.done(&TIDY);
    let add = "add `Job::new_async(\"@hourly\", move |_, _| { let db = db.clone(); Box::pin(async move { if let Err(error) = tasks::tidy::enqueue(&db, tasks::tidy::Tidy).await";
    for part in [
        "crates/app/src/server/scheduler.rs:48: the workspace registers jobs in `jobs`: keep the task",
        add,
        "start no `tasks::tidy::schedule`",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    assert_eq!(fleet.read(SERVER), before);
    assert!(
        fleet
            .read(WORKER)
            .contains("tidy::schedule(&db, tidy::Tidy)")
    );
    let doctor = fleet.done(&["doctor"]).stdout;
    let found = "scheduler   Job::new\n            at crates/app/src/server/scheduler.rs:48: jobs of `tokio-cron-scheduler` are registered in `jobs`";
    assert!(doctor.contains(found), "{doctor}");
    fleet.commit();
    let again = fleet.done(&TIDY);
    assert!(!again.stderr.contains(OWN), "{}", again.stderr);
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
        "scheduler.rs:52: the workspace registers jobs in `jobs`: keep",
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
