//! The real binary on a copy of the fleet, then real cargo there.
//!
//! The tests share one target folder, whose lock makes their builds take turns.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{CLONE, Fleet, target};
use std::collections::BTreeSet;

const CHECKED: &[&str] = &[
    "-p",
    "agentic-core",
    "-p",
    "agentic-runtime",
    "-p",
    "agentic-pipeline",
];
const TASKS: &str = "crates/agentic/pipeline/src/executor/tasks";

fn clippy_is_silent(fleet: &Fleet, packages: &[&str]) {
    let mut args = vec!["clippy", "--locked", "--all-targets"];
    args.extend(packages);
    args.extend(["--", "-D", "warnings"]);
    fleet.cargo(&args);
    fleet.cargo(&["fmt", "--check"]);
}

/// What clippy's pedantic lints say of generated files: nothing, whatever they say of others.
fn pedantic_is_silent_on_what_is_generated(fleet: &Fleet) {
    let packages = ["-p", "agentic-pipeline", "-p", "agentic-runtime"];
    let mut args = vec![
        "clippy",
        "--locked",
        "--all-targets",
        "--message-format=short",
    ];
    args.extend(packages);
    args.extend(["--", "-W", "clippy::pedantic"]);
    let output = fleet.cargo(&args);
    assert!(output.contains("warning"), "the lints are on: {output}");
    let is_generated = |line: &&str| line.contains("/tasks/") || line.contains("task_gate.rs");
    let said: Vec<&str> = output.lines().filter(is_generated).collect();
    assert!(said.is_empty(), "{said:#?}");
}

/// Only insertions: no line of any file that stood is deleted or changed, but in the record of the
/// task, which keeps up with it.
fn nothing_is_deleted(fleet: &Fleet) {
    let is_record = |line: &&str| line.contains("\tsnapshots/oxy-task/");
    let changed = fleet.git(&["diff", "--numstat"]);
    for line in changed.lines().filter(|line| !is_record(line)) {
        let deleted = line.split('\t').nth(1);
        assert_eq!(deleted, Some("0"), "{line}");
    }
}

#[test]
fn the_clone_of_a_repository_becomes_a_task_that_passes_everything() {
    let fleet = Fleet::new();
    let mut args = CLONE.to_vec();
    args.extend(["--verify", "test"]);
    let ran = fleet.done(&args);
    assert!(
        ran.stderr.contains("14 files edited, 8 made"),
        "{}",
        ran.stderr
    );
    nothing_is_deleted(&fleet);
    clippy_is_silent(&fleet, &["--workspace"]);
    pedantic_is_silent_on_what_is_generated(&fleet);
    let tests = fleet.cargo(&["test", "--locked", "--workspace"]);
    for name in [
        "clone_repository::tests::finished_work_is_done",
        "clone_repository::tests::only_what_is_transient_is_tried_again",
        "clone_repository::tests::the_same_work_is_enqueued_once",
        "task_gate::tests::the_key_is_stable_and_tells_work_apart",
        "two_callers_at_once_enqueue_one_task",
    ] {
        assert!(tests.contains(&format!("{name} ... ok")), "{name}\n{tests}");
    }

    let before = fleet.tree();
    let again = fleet.done(CLONE);
    assert!(
        again.stderr.contains("nothing is missing"),
        "{}",
        again.stderr
    );
    assert!(fleet.tree() == before, "a second run changed something");
}

/// `ADDING_A_TASK.md` was written before the tool: the tool gives arms to the matches it lists.
#[test]
fn the_matches_are_those_that_the_fleets_own_guide_lists() {
    let fleet = Fleet::new();
    let guide = fleet.read("ADDING_A_TASK.md");
    let from = guide.find("**Every other exhaustive match**").unwrap();
    let to = from + guide[from..].find("One match has a wildcard").unwrap();
    let mut listed: Vec<&str> = guide[from..to]
        .split('`')
        .filter(|part| part.starts_with("crates/"))
        .collect();
    listed.sort_unstable();
    let mut args = CLONE.to_vec();
    args.extend(["--dry-run", "--format", "json"]);
    let object: serde_json::Value = serde_json::from_str(&fleet.done(&args).stdout).unwrap();
    let of_kind = |kind: &str| {
        let edits = object["edits"].as_array().unwrap().iter();
        let mut paths: Vec<&str> = edits
            .filter(|edit| edit["kind"] == kind)
            .map(|edit| edit["path"].as_str().unwrap())
            .collect();
        paths.sort_unstable();
        paths
    };
    assert_eq!(of_kind("match_arm"), listed);
    for kind in ["variant", "executor_arm", "resume_branch"] {
        for path in of_kind(kind) {
            assert!(
                guide.contains(path) || guide.contains(&path[path.len() - 15..]),
                "{path}"
            );
        }
    }
}

/// The guide followed by hand compiles, and the tool touches the same places: more only where
/// it says why.
#[test]
fn the_guide_followed_by_hand_compiles_and_the_tool_touches_the_same_places() {
    let fleet = Fleet::new();
    let by_hand = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/ocr_pages_by_hand.diff"
    );
    fleet.git(&["apply", "--index", by_hand]);
    let touched = fleet.git(&["diff", "--cached", "--name-only"]);
    let by_hand: BTreeSet<&str> = touched.lines().collect();
    let mut check = vec!["check", "--locked", "--all-targets"];
    for package in ["agentic-core", "agentic-runtime", "agentic-pipeline"] {
        check.extend(["--package", package]);
    }
    fleet.cargo(&check);

    let fleet = Fleet::new();
    let args = [
        "new",
        "OcrPages",
        "document:String",
        "--dry-run",
        "--format",
        "json",
    ];
    let object: serde_json::Value = serde_json::from_str(&fleet.done(&args).stdout).unwrap();
    let edits = object["edits"].as_array().unwrap().iter();
    let created = object["created"].as_array().unwrap().iter();
    let by_tool: BTreeSet<&str> = edits
        .chain(created)
        .map(|entry| entry["path"].as_str().unwrap())
        .collect();
    let only = |a: &BTreeSet<&'_ str>, b: &BTreeSet<&'_ str>| -> Vec<String> {
        a.difference(b).map(|path| (*path).to_owned()).collect()
    };
    // By hand the enqueue function stands among the others; the tool's has the gate in a module.
    assert_eq!(
        only(&by_hand, &by_tool),
        [
            "crates/agentic/runtime/src/crud/mod.rs",
            "crates/agentic/runtime/src/crud/queue.rs",
            "crates/agentic/runtime/src/crud/runs.rs",
        ]
    );
    assert_eq!(
        only(&by_tool, &by_hand),
        [
            // The key is hashed: a dependency, and its edge in the lock file.
            "Cargo.lock",
            // Rows that no worker takes any more get their failure written.
            "crates/agentic/pipeline/src/executor/tasks/dead_letters.rs",
            // How tasks that no coordinator knows are recorded.
            "crates/agentic/pipeline/src/executor/tasks/journal.rs",
            "crates/agentic/runtime/Cargo.toml",
            // The gate, and its test on the fleet's own database.
            "crates/agentic/runtime/src/lib.rs",
            "crates/agentic/runtime/src/task_gate.rs",
            "crates/agentic/runtime/tests/queue_tests.rs",
            // What its rows look like, recorded for later.
            "snapshots/oxy-task/ocr_pages.snap",
        ]
    );
}

#[test]
fn ten_further_variants_compile_and_pass() {
    let fleet = Fleet::new();
    let variants: [&[&str]; 10] = [
        &["Ping"],
        // A name that the module has for something else.
        &["Status", "name:String"],
        &[
            "Wide",
            // The executor's arm has one of its own.
            "assignment:String",
            "b:u32",
            "c:i64",
            "d:bool",
            "e:f64",
            "f:PathBuf",
            "g:Uuid",
            "h:Vec<String>",
            "i:Option<u8>",
            "j:HashMap<String,u32>",
            "k:char",
            "l:Duration",
        ],
        &[
            "Generic",
            "pairs:Vec<(String, Option<u32>)>",
            "map:BTreeMap<String, Vec<u64>>",
        ],
        &["Listed", "limit:Option<u32>", "tags:Vec<String>"],
        &["Completed", "completion:ChildCompletion", "note:Value"],
        &["Secretive", "url:String", "token:secret", "password:secret"],
        // Its module is `r#type`.
        &["Type", "type_:String", "r#match:String", "gen:u32"],
        &[
            "OneKey",
            "url:String",
            "nonce:u64",
            "--key",
            "url",
            "--dedupe",
            "forever",
            "--timeout",
            "30m",
            "--backoff",
            "fixed:2s",
            "--retries",
            "3",
            "--retry-on",
            "timed out",
            "--retry-on",
            "502",
        ],
        &[
            "OCRPages",
            "document_id:Uuid",
            "--tag",
            "ocr_pages",
            "--doc",
            "Reads every page.",
        ],
    ];
    for variant in variants {
        let mut args = vec!["new"];
        args.extend(variant);
        fleet.done(&args);
    }
    nothing_is_deleted(&fleet);
    fleet.cargo(&["fmt", "--all", "--check"]);
    clippy_is_silent(&fleet, CHECKED);
    let mut args = vec!["test", "--locked", "--lib"];
    args.extend(CHECKED);
    let tests = fleet.cargo(&args);
    let generated = tests
        .lines()
        .filter(|line| line.contains("executor::tasks::") && line.ends_with("... ok"))
        .count();
    // Three for each task; nine of the envelope and two of the secrets, which they share.
    assert_eq!(generated, 41, "{tests}");
}

#[test]
fn what_was_deleted_by_hand_is_restored_and_nothing_else() {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    fleet.commit();
    let whole = fleet.tree();
    let module = format!("{TASKS}/clone_repository.rs");
    let cut = |path: &str, from: &str, to: &str| {
        let text = fleet.read(path);
        let start = text.find(from).unwrap();
        let end = start + text[start..].find(to).unwrap() + to.len();
        fleet.write(path, &format!("{}{}", &text[..start], &text[end..]));
    };
    let executor = "crates/agentic/pipeline/src/executor/mod.rs";
    let cases: [(&str, &str, &str); 6] = [
        (
            executor,
            "\n            TaskSpec::CloneRepository {",
            "            )),\n",
        ),
        (executor, "            \"clone_repository\" => ", "\n"),
        (executor, "pub mod tasks", ";\n"),
        (
            "crates/agentic/runtime/src/coordinator/mod.rs",
            "        TaskSpec::CloneRepository",
            "\n",
        ),
        (
            &module,
            "    #[tokio::test]\n    async fn only_what",
            "\n    }\n\n",
        ),
        ("crates/agentic/pipeline/Cargo.toml", "entity = ", "\n"),
    ];
    for (path, from, to) in cases {
        cut(path, from, to);
        assert!(fleet.tree() != whole, "nothing was cut from {path}");
        let mut args = CLONE.to_vec();
        args.push("--allow-dirty");
        fleet.done(&args);
        let after = fleet.tree();
        for (file, bytes) in &whole {
            let now = String::from_utf8_lossy(&after[file]);
            assert_eq!(
                String::from_utf8_lossy(bytes),
                now,
                "{file:?} after {from:?} was cut"
            );
        }
        assert_eq!(after.len(), whole.len());
    }
}

/// What a person might write; each branch ends in another way.
const WORK: &str = r#"    async fn run(self, context: TaskContext) -> Result<Finished<WorkspaceStatus>, TaskError> {
        static BLIPS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        match self.branch.as_str() {
            "401" => Err(TaskError::Terminal("401".to_owned())),
            "panic" => panic!("with a secret"),
            "blip" if BLIPS.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2 => {
                Err(TaskError::Transient("connection reset".to_owned()))
            }
            "token" | "token-fails" | "token-panics" => {
                let token = super::secrets::resolve(&self.auth_token_ref).await?;
                let file = std::fs::File::options().create(true).append(true).open(&self.target_dir);
                file.and_then(|mut file| std::io::Write::write_all(&mut file, token.expose().as_bytes()))?;
                match self.branch.as_str() {
                    "token-fails" => Err(TaskError::Terminal(format!("401 for {token:?}"))),
                    "token-panics" => panic!("while {} is at hand", token.expose()),
                    _ => Ok(Finished::new("cloned")),
                }
            }
            "hangs" => std::future::pending().await,
            "late" => {
                tokio::time::sleep(std::time::Duration::from_millis(500)).await;
                Ok(Finished::new("cloned"))
            }
            "effect" => {
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                let file = std::fs::File::options().create(true).append(true).open(&self.target_dir);
                let line = format!("{}\n", self.workspace_id);
                file.and_then(|mut file| std::io::Write::write_all(&mut file, line.as_bytes()))
                    .map_err(|e| TaskError::Terminal(e.to_string()))?;
                Ok(Finished::new("cloned"))
            }
            _ => {
                context.progress("half").await;
                Ok(Finished::new("cloned"))
            }
        }
"#;

/// What a program registers that keeps its secrets in files.
const SECRETS: &str = "
use agentic_pipeline::executor::tasks::{TaskError, secrets};

struct Files;

// As `async_trait` writes it, on which this crate does not depend.
impl secrets::Secrets for Files {
    fn find<'a, 'b, 'c>(
        &'a self,
        reference: &'b str,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Option<String>, TaskError>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
    {
        Box::pin(async move { Ok(std::fs::read_to_string(reference).ok()) })
    }
}
";

/// Enqueued by sixteen callers at once, driven by the fleet's own worker, on the database that
/// the environment names (`OXY_DATABASE_URL`), else `SQLite`.
#[test]
fn a_scaffolded_task_runs_on_the_fleet() {
    let fleet = Fleet::new();
    // The release before, as its workers still run while the next one is deployed.
    fleet.cargo(&["build", "--locked", "-p", "oxy-app", "--bin", "oxy"]);
    std::fs::copy(target().join("debug/oxy"), fleet.path().join("oxy-before")).unwrap();
    // The key decides the row whose status the task writes.
    let mut args = CLONE.to_vec();
    let key = args.iter_mut().find(|arg| **arg == "clone_url,target_dir");
    *key.unwrap() = "clone_url,target_dir,workspace_id";
    fleet.done(&args);
    let module = format!("{TASKS}/clone_repository.rs");
    let is_written = || {
        let found = fleet.done(&["doctor", "--format", "json"]).stdout;
        let found: serde_json::Value = serde_json::from_str(&found).unwrap();
        let task = &found["tasks"][0];
        assert_eq!(task["variant"], "CloneRepository", "{found}");
        assert_eq!(task["path"], *module);
        task["work"].as_bool()
    };
    assert_eq!(is_written(), Some(false));
    let text = fleet.read(&module);
    let start = text.find("    async fn run(self, context").unwrap();
    let end = start + text[start..].find("    }\n}\n").unwrap();
    fleet.write(
        &module,
        &format!("{}{WORK}{}", &text[..start], &text[end..]),
    );
    assert_eq!(is_written(), Some(true));
    let worker = "crates/app/src/worker.rs";
    let registered = "    secrets::register(Arc::new(Files)).unwrap_or_else(|_| unreachable!());\n";
    let state = "    let state = Arc::new(RuntimeState::new());\n";
    fleet.replace(worker, state, &format!("{registered}{state}"));
    let worker_text = fleet.read(worker);
    fleet.write(worker, &format!("{worker_text}{SECRETS}"));
    fleet.write(
        "crates/app/tests/task_runs.rs",
        include_str!("live/task_runs.rs"),
    );
    fleet.write(
        "crates/app/tests/under_fire.rs",
        include_str!("live/under_fire.rs"),
    );
    let tests = ["--test", "task_runs", "--test", "under_fire"];
    let output = fleet.cargo(&[&["test", "--locked", "-p", "oxy-app"], &tests[..]].concat());
    assert!(output.contains("20 passed"), "{output}");
    assert!(output.contains("5 passed"), "{output}");
    // With its work written, nothing of the task is missing.
    args.push("--allow-dirty");
    let again = fleet.done(&args);
    assert!(
        again.stderr.contains("nothing is missing"),
        "{}",
        again.stderr
    );
}

/// The schedule of a task that stands, and of a new one: three clocks, one task a tick.
#[test]
fn a_schedule_enqueues_each_tick_once() {
    let fleet = Fleet::new();
    let args = ["new", "Tidy", "--schedule", "* * * * * *"];
    let ran = fleet.tool(&args);
    assert_eq!(ran.code, 1);
    for part in [
        "error[no-scheduler]",
        "cargo add --package agentic-pipeline cron",
        "from the scheduler that you have",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    // The version that the tool itself is built with.
    fleet.cargo(&["add", "--offline", "--package", "agentic-pipeline", "cron"]);
    fleet.done(&["new", "Tidy", "--allow-dirty"]);
    fleet.commit();
    let ran = fleet.done(&args);
    assert!(!ran.stderr.contains("by the clock"), "{}", ran.stderr);
    let worker = fleet.read("crates/app/src/worker.rs");
    assert!(worker.contains("tidy::schedule(&db, tidy::Tidy).await"));
    nothing_is_deleted(&fleet);
    let mut both = vec!["new", "Sync", "workspace_id:Uuid", "slug:String"];
    both.extend(["--key", "slug,workspace_id", "--schedule", "0 3 * * 1-5"]);
    both.extend([
        "--status",
        "workspaces.status@workspace_id:running=Cloning,done=Ready,failed=Failed",
    ]);
    let ran = fleet.done(&both);
    for part in [
        "call `tasks::sync::schedule`",
        "started at crates/app/src/worker.rs:42:18: what the task is given there is yours to say",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    let sync = fleet.read(&format!("{TASKS}/sync.rs"));
    assert!(sync.contains("SCHEDULE: &str = \"0 0 3 * * MON-FRI\";"));
    clippy_is_silent(&fleet, CHECKED);
    pedantic_is_silent_on_what_is_generated(&fleet);
    let again = fleet.done(&args);
    assert!(
        again.stderr.contains("nothing is missing"),
        "{}",
        again.stderr
    );
    fleet.write(
        "crates/app/tests/schedule.rs",
        include_str!("live/schedule.rs"),
    );
    let tests = ["--test", "schedule"];
    let output = fleet.cargo(&[&["test", "--locked", "-p", "oxy-app"], &tests[..]].concat());
    assert!(output.contains("1 passed"), "{output}");
}

/// Two workspaces with one target folder, as `CARGO_TARGET_DIR` makes it: neither takes the
/// other's last write for its own.
#[test]
fn what_the_tool_wrote_itself_is_not_dirty_in_any_workspace() {
    let (one, two) = (Fleet::new(), Fleet::new());
    one.done(&["new", "Ping"]);
    two.done(&["new", "Pong"]);
    one.done(&["new", "Pang"]);
    two.done(&["new", "Pung"]);
    one.replace(
        "crates/agentic/core/src/delegation.rs",
        "    /// Ping.\n",
        "    /// Ping!\n",
    );
    let ran = one.tool(&["new", "Peng"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("error[dirty]"), "{}", ran.stderr);
}

#[test]
fn the_dry_run_is_the_run() {
    let fleet = Fleet::new();
    let mut args = CLONE.to_vec();
    args.push("--dry-run");
    let before = fleet.tree();
    let diff = fleet.done(&args).stdout;
    assert!(fleet.tree() == before, "a dry run wrote something");
    fleet.done(CLONE);
    let written = fleet.tree();

    let patched = Fleet::new();
    let patch = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(patch.path(), &diff).unwrap();
    patched.git(&["apply", patch.path().to_str().unwrap()]);
    assert!(
        patched.tree() == written,
        "git apply of the dry run gives another tree"
    );
}

#[test]
fn json_says_what_was_done_where() {
    let fleet = Fleet::new();
    let mut args = CLONE.to_vec();
    args.extend(["--format", "json"]);
    let object: serde_json::Value = serde_json::from_str(&fleet.done(&args).stdout).unwrap();
    assert_eq!(object["command"], "new");
    assert_eq!(object["variant"], "CloneRepository");
    assert_eq!(object["tag"], "clone_repository");
    assert_eq!(object["applied"], true);
    let edits = object["edits"].as_array().unwrap();
    for edit in edits {
        let path = edit["path"].as_str().unwrap();
        let line = usize::try_from(edit["line"].as_u64().unwrap()).unwrap();
        assert!(fleet.read(path).lines().count() >= line, "{edit}");
        assert_eq!(edit["removed"], 0);
    }
    let at = |kind: &str| {
        let edit = edits.iter().find(|edit| edit["kind"] == kind).unwrap();
        let line = usize::try_from(edit["line"].as_u64().unwrap()).unwrap();
        fleet
            .read(edit["path"].as_str().unwrap())
            .lines()
            .nth(line - 1)
            .unwrap()
            .trim()
            .to_owned()
    };
    assert_eq!(at("variant"), "/// Clone repository.");
    assert_eq!(at("executor_arm"), "TaskSpec::CloneRepository {");
    assert_eq!(
        at("resume_branch"),
        "\"clone_repository\" => Err(tasks::left_to_the_queue(run)),"
    );
    assert_eq!(at("dependency"), "uuid = { workspace = true }");
    assert_eq!(object["created"].as_array().unwrap().len(), 8);
    for open in object["open"].as_array().unwrap() {
        assert!(
            fleet.path().join(open["path"].as_str().unwrap()).exists(),
            "{open}"
        );
    }
}

/// A function whose match the tool cannot see, put before the tests of the worker's file.
fn add_to_worker(fleet: &Fleet, text: &str) {
    let file = fleet.read(WORKER);
    let tests = file.find("#[cfg(test)]").unwrap();
    fleet.write(
        WORKER,
        &format!("{}{text}\n{}", &file[..tests], &file[tests..]),
    );
}

const WORKER: &str = "crates/agentic/runtime/src/worker.rs";

const ARMS: &str = "            TaskSpec::Agent { .. } => 1,
            TaskSpec::Workflow { .. } => 2,
            TaskSpec::Resume { .. } => 3,
            TaskSpec::WorkflowStep { .. } => 4,
            TaskSpec::WorkflowDecision { .. } => 5,
";

/// The one match that the tool cannot see is in a `macro_rules!`: the compiler names it.
#[test]
fn a_match_that_only_the_compiler_sees_gets_its_arm() {
    let fleet = Fleet::new();
    let macro_made = format!(
        "
macro_rules! kind_of {{
    ($spec:expr) => {{
        match $spec {{
{ARMS}        }}
    }};
}}

/// A number for each kind of work.
pub fn kind_of(spec: &agentic_core::delegation::TaskSpec) -> u8 {{
    use agentic_core::delegation::TaskSpec;
    kind_of!(spec)
}}
"
    );
    add_to_worker(&fleet, &macro_made);
    fleet.commit();
    let before = fleet.tree();
    let file = fleet.read(WORKER);

    let ran = fleet.tool(&["new", "Ping", "--verify", "check", "--no-todo"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("todo-arm"), "{}", ran.stderr);
    assert!(fleet.tree() == before, "not everything was put back");

    let ran = fleet.done(&["new", "Ping", "--verify", "check"]);
    assert!(
        ran.stderr.contains("opaque-match") && ran.stderr.contains("E0004"),
        "{}",
        ran.stderr
    );
    let arm = "            TaskSpec::Ping => todo!(\"Ping is not handled here yet\"),\n";
    let five = "            TaskSpec::WorkflowDecision { .. } => 5,\n";
    let filled = file.replacen(five, &format!("{five}{arm}"), 1);
    // The mock executor in the file's tests got its arm beside.
    let written = fleet.read(WORKER);
    let mock =
        "                TaskSpec::Ping => unreachable!(\"Ping is not used in worker tests\"),\n";
    assert_eq!(written.replacen(mock, "", 1), filled);
    let line = filled[..filled.find("TaskSpec::Ping").unwrap()]
        .matches('\n')
        .count()
        + 1;
    assert!(
        ran.stderr
            .contains(&format!("{WORKER}:{line}: say what `Ping` means here")),
        "{}",
        ran.stderr
    );
}

/// The arm would belong in a file that is no Rust source of the workspace.
#[test]
fn a_result_that_does_not_compile_is_put_back() {
    let fleet = Fleet::new();
    add_to_worker(
        &fleet,
        "
/// A number for each kind of work.
pub fn kind_of(spec: &agentic_core::delegation::TaskSpec) -> u8 {
    use agentic_core::delegation::TaskSpec;
    include!(\"kinds.in\")
}
",
    );
    let included = "crates/agentic/runtime/src/kinds.in";
    fleet.write(included, &format!("match spec {{\n{ARMS}}}\n"));
    fleet.commit();
    let before = fleet.tree();
    let ran = fleet.tool(&["new", "Ping", "--verify", "check"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    for said in ["every file was put back", "E0004", included] {
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    assert!(fleet.tree() == before, "not everything was put back");
}
