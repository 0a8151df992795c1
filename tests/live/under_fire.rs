//! A scaffolded task under fire: callers in several processes at once, workers that are killed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use agentic_pipeline::PipelineTaskExecutor;
use agentic_pipeline::executor::tasks::clone_repository::{self, CloneRepository};
use agentic_runtime::crud;
use agentic_runtime::entity::{run, run_event, task_queue};
use agentic_runtime::testing::create_schema;
use entity::workspaces::{self, WorkspaceStatus};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectOptions, Database, DatabaseConnection, EntityTrait, PaginatorTrait,
    QueryFilter,
};
use uuid::Uuid;

/// The database of one test, which processes reach by an URL.
struct Place {
    folder: PathBuf,
    url: String,
}

impl Place {
    async fn new(name: &str) -> (Self, DatabaseConnection) {
        let folder = format!("oxy-fire-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let url = match std::env::var("OXY_DATABASE_URL") {
            Ok(url) if url.starts_with("postgres") => {
                let schema = create_schema(&url).await;
                let separator = if url.contains('?') { '&' } else { '?' };
                format!("{url}{separator}options[search_path]={schema}")
            }
            _ => format!("sqlite://{}?mode=rwc", folder.join("oxy.db").display()),
        };
        let place = Self { folder, url };
        let migrated = place.oxy(&["migrate"]).status().unwrap();
        assert!(migrated.success());
        let mut options = ConnectOptions::new(&place.url);
        options.max_connections(8);
        let db = Database::connect(options).await.unwrap();
        (place, db)
    }

    fn oxy(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oxy"));
        self.tell(&mut command);
        let log = self.folder.join("log");
        let log = std::fs::File::options().create(true).append(true).open(log);
        command.args(args).stdout(Stdio::null()).stderr(log.unwrap());
        command
    }

    fn tell(&self, command: &mut Command) {
        command
            .env("OXY_STATE_DIR", &self.folder)
            .env("OXY_DATABASE_URL", &self.url);
    }

    fn effects(&self) -> PathBuf {
        self.folder.join("effects")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Kills what it still holds.
struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn workspace(db: &DatabaseConnection) -> Uuid {
    let id = Uuid::new_v4();
    let now = chrono::Utc::now().fixed_offset();
    let row = workspaces::ActiveModel {
        id: Set(id),
        name: Set("w".to_owned()),
        git_namespace_id: Set(None),
        git_remote_url: Set(None),
        path: Set(None),
        status: Set(WorkspaceStatus::Cloning),
        error: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
    };
    workspaces::Entity::insert(row).exec(db).await.unwrap();
    id
}

fn input(workspace_id: Uuid, branch: &str, target_dir: PathBuf) -> CloneRepository {
    CloneRepository {
        clone_url: format!("https://example.com/{workspace_id}"),
        branch: branch.to_owned(),
        target_dir,
        workspace_id,
        auth_token_ref: "secret-1".to_owned(),
    }
}

/// One of the four processes of the next test.
#[tokio::test]
#[ignore = "run as a process of its own"]
async fn sixteen_callers() {
    let db = oxy::database::establish_connection().await.unwrap();
    let id: Uuid = std::env::var("FIRE_WORKSPACE").unwrap().parse().unwrap();
    let callers: Vec<_> = (0..16)
        .map(|_| {
            let db = db.clone();
            let input = input(id, "ok", "somewhere".into());
            tokio::spawn(async move { clone_repository::enqueue(&db, input).await })
        })
        .collect();
    for caller in callers {
        println!("\nid={}", caller.await.unwrap().unwrap());
    }
}

#[tokio::test]
async fn callers_of_four_processes_enqueue_one_task() {
    let (place, db) = Place::new("callers").await;
    let id = workspace(&db).await;
    let processes: Vec<Child> = (0..4)
        .map(|_| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            place.tell(&mut command);
            command
                .args(["--ignored", "--exact", "sixteen_callers", "--nocapture"])
                .env("FIRE_WORKSPACE", id.to_string())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut ids = Vec::new();
    for process in processes {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        ids.extend(text.lines().filter_map(|line| line.strip_prefix("id=")).map(str::to_owned));
    }
    assert_eq!(ids.len(), 64);
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert_eq!(task_queue::Entity::find().count(&db).await.unwrap(), 1);
    assert_eq!(run::Entity::find().count(&db).await.unwrap(), 1);

    assert!(place.oxy(&["worker", "--until-idle"]).status().unwrap().success());
    let row = crud::get_queue_entry(&db, &ids[0]).await.unwrap().unwrap();
    assert_eq!((row.queue_status.as_str(), row.claim_count), ("completed", 1));
}

const TASKS: usize = 200;

#[tokio::test]
async fn tasks_survive_workers_that_are_killed() {
    let (place, db) = Place::new("kills").await;
    let mut tasks = BTreeMap::new();
    for _ in 0..TASKS {
        let workspace = workspace(&db).await;
        let id = clone_repository::enqueue(&db, input(workspace, "effect", place.effects())).await;
        tasks.insert(id.unwrap(), workspace);
    }
    assert_eq!(tasks.len(), TASKS, "other keys are other tasks");
    task_queue::Entity::update_many()
        .col_expr(task_queue::Column::VisibilityTimeoutSecs, Expr::value(2))
        .col_expr(task_queue::Column::MaxClaims, Expr::value(20))
        .exec(&db)
        .await
        .unwrap();

    let start = || Worker(place.oxy(&["worker"]).spawn().unwrap());
    let mut workers: Vec<Worker> = (0..3).map(|_| start()).collect();
    let begin = Instant::now();
    let mut kills = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(250)).await;
        crud::reap_stale_tasks(&db).await.unwrap();
        let open = task_queue::Entity::find()
            .filter(task_queue::Column::QueueStatus.is_in(["queued", "claimed"]))
            .count(&db)
            .await
            .unwrap();
        if open == 0 {
            break;
        }
        let elapsed = begin.elapsed().as_secs();
        assert!(elapsed < 150, "{open} tasks are stuck");
        if elapsed > kills && kills < 30 {
            workers[kills as usize % 3] = start();
            kills += 1;
        }
    }
    println!("{kills} kills in {:?}", begin.elapsed());
    assert!(kills >= 10, "only {kills} kills");

    let effects = std::fs::read_to_string(place.effects()).unwrap();
    for (id, workspace) in &tasks {
        let row = crud::get_queue_entry(&db, id).await.unwrap().unwrap();
        assert_eq!(row.queue_status, "completed", "{id}");
        let done = effects.lines().filter(|line| *line == workspace.to_string());
        let done = i32::try_from(done.count()).unwrap();
        assert!((1..=row.claim_count).contains(&done), "{id}: {done} effects");
        let status = workspaces::Entity::find_by_id(*workspace).one(&db).await.unwrap();
        assert_eq!(status.unwrap().status, WorkspaceStatus::Ready, "{id}");
        let run = crud::get_run(&db, id).await.unwrap().unwrap();
        assert_eq!(run.task_status.as_deref(), Some("done"), "{id}");
        for once in ["task_started", "done"] {
            let events = run_event::Entity::find()
                .filter(run_event::Column::RunId.eq(id))
                .filter(run_event::Column::EventType.eq(once));
            assert_eq!(events.count(&db).await.unwrap(), 1, "{once} of {id}");
        }
    }
}

/// A server that starts takes the runs of tasks that wait or run for those of a process that died.
#[tokio::test]
async fn servers_that_start_leave_tasks_alone() {
    let (place, db) = Place::new("serve").await;
    let mut tasks = BTreeMap::new();
    for _ in 0..8 {
        let workspace = workspace(&db).await;
        let id = clone_repository::enqueue(&db, input(workspace, "effect", place.effects())).await;
        tasks.insert(id.unwrap(), workspace);
    }
    let restart = || {
        let mut server = place.oxy(&["serve", "--port", "0"]);
        let mut server = Worker(server.stdout(Stdio::piped()).spawn().unwrap());
        let mut address = String::new();
        let stdout = server.0.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut address).unwrap();
        assert!(address.contains("127.0.0.1"), "it serves once it has recovered: {address}");
    };
    restart();
    let _worker = Worker(place.oxy(&["worker"]).spawn().unwrap());
    let count = async |status: &str| {
        let rows = task_queue::Entity::find();
        let rows = rows.filter(task_queue::Column::QueueStatus.eq(status));
        rows.count(&db).await.unwrap()
    };
    // Four at a time, each for a second: a server starts while they run and four wait.
    let begin = Instant::now();
    let mut is_restarted = false;
    while count("completed").await < 8 {
        assert!(begin.elapsed() < Duration::from_secs(60), "tasks are stuck");
        tokio::time::sleep(Duration::from_millis(50)).await;
        if !is_restarted && count("claimed").await == 4 {
            restart();
            is_restarted = true;
            assert_eq!(count("queued").await, 4, "the server came too late");
        }
    }
    assert!(is_restarted);
    for (id, workspace) in &tasks {
        let run = crud::get_run(&db, id).await.unwrap().unwrap();
        assert_eq!((run.task_status.as_deref(), run.error_message), (Some("done"), None));
        let status = workspaces::Entity::find_by_id(*workspace).one(&db).await.unwrap();
        assert_eq!(status.unwrap().status, WorkspaceStatus::Ready, "{id}");
        let events = crud::get_all_events(&db, id).await.unwrap();
        let events: Vec<&str> = events.iter().map(|event| event.event_type.as_str()).collect();
        assert_eq!(events, ["task_started", "done"], "{id}");
    }
}

/// A worker of the release before cannot decode the task: it fails the row and nothing else. What
/// it leaves is ended by a program that knows the task.
#[tokio::test]
async fn a_worker_of_the_release_before_leaves_a_row_that_the_sweep_ends() {
    let (place, db) = Place::new("before").await;
    let workspace = workspace(&db).await;
    let id = clone_repository::enqueue(&db, input(workspace, "ok", "somewhere".into())).await;
    let id = id.unwrap();
    let before = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../oxy-before");
    let mut worker = Command::new(before);
    place.tell(&mut worker);
    let worked = worker.args(["worker", "--until-idle"]).stderr(Stdio::null()).status();
    assert!(worked.unwrap().success());
    let status = async || {
        let row = workspaces::Entity::find_by_id(workspace).one(&db).await;
        row.unwrap().unwrap().status
    };
    let row = crud::get_queue_entry(&db, &id).await.unwrap().unwrap();
    assert_eq!(row.queue_status, "failed");
    assert_eq!(status().await, WorkspaceStatus::Cloning, "as the worker found it");

    let executor = PipelineTaskExecutor {
        db: db.clone(),
        workspace: std::env::temp_dir(),
    };
    assert_eq!(executor.end_dead_tasks().await.unwrap(), 1);
    assert_eq!(status().await, WorkspaceStatus::Failed);
}

/// The secret travels as a reference: its value is in no row, no event and no log.
#[tokio::test]
async fn the_token_is_nowhere() {
    let (place, db) = Place::new("token").await;
    let token = place.folder.join("token");
    std::fs::write(&token, "ghp_very_secret").unwrap();
    for branch in ["token", "token-fails", "token-panics"] {
        let workspace = workspace(&db).await;
        let mut input = input(workspace, branch, place.effects());
        input.auth_token_ref = token.display().to_string();
        clone_repository::enqueue(&db, input).await.unwrap();
    }
    let mut missing = input(workspace(&db).await, "token", place.effects());
    missing.auth_token_ref = place.folder.join("none").display().to_string();
    let missing = clone_repository::enqueue(&db, missing).await.unwrap();
    assert!(place.oxy(&["worker", "--until-idle"]).status().unwrap().success());
    let run = crud::get_run(&db, &missing).await.unwrap().unwrap();
    let message = "a reference to a secret names none";
    assert_eq!(run.error_message.as_deref(), Some(message));
    let used = std::fs::read_to_string(place.effects()).unwrap();
    assert_eq!(used.matches("ghp_very_secret").count(), 3, "the work had it");
    let mut all = std::fs::read_to_string(place.folder.join("log")).unwrap();
    assert!(all.contains("clone_repository"), "the log tells of the tasks: {all}");
    all.push_str(&format!("{:?}", run::Entity::find().all(&db).await.unwrap()));
    all.push_str(&format!("{:?}", run_event::Entity::find().all(&db).await.unwrap()));
    all.push_str(&format!("{:?}", task_queue::Entity::find().all(&db).await.unwrap()));
    all.push_str(&format!("{:?}", workspaces::Entity::find().all(&db).await.unwrap()));
    assert!(all.contains(&token.display().to_string()), "the reference");
    assert!(!all.contains("ghp_very_secret"), "{all}");
}
