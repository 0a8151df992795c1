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
