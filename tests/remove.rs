//! `remove`: what `new` and `migrate-spawn` brought goes again, and nothing else.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{CLONE, Fleet, IMPORT};
use serde_json::Value;

const SPEC: &str = "crates/agentic/core/src/delegation.rs";
const EXECUTOR: &str = "crates/agentic/pipeline/src/executor/mod.rs";
const TASKS: &str = "crates/agentic/pipeline/src/executor/tasks/mod.rs";
const MODULE: &str = "crates/agentic/pipeline/src/executor/tasks/clone_repository.rs";
const SNAP: &str = "snapshots/oxy-task/clone_repository.snap";
const DIRTY: &str = "--allow-dirty";

/// A task with a secret, a status, a schedule or options of its own.
const REQUESTS: [&[&str]; 9] = [
    &["new", "Ping"],
    CLONE,
    &[
        "new",
        "Sync",
        "slug:String",
        "depth:Option<u32>",
        "--key",
        "slug",
    ],
    &["new", "Fetch", "url:String", "api_key:secret"],
    &["new", "Sweep", "--schedule", "0 3 * * 1-5"],
    &[
        "new",
        "Report",
        "at:SystemTime",
        "of:Uuid",
        "--tag",
        "report-v1",
    ],
    &[
        "new",
        "Retry",
        "id:u64",
        "--retries",
        "2",
        "--backoff",
        "fixed:2s",
        "--retry-on",
        "busy",
        "--timeout",
        "10m",
        "--dedupe",
        "forever",
        "--doc",
        "Tries again.",
    ],
    &[
        "new",
        "Mark",
        "workspace_id:Uuid",
        "--status",
        "workspaces.status@workspace_id:running=Cloning,done=Ready,failed=Failed",
    ],
    &[
        "new",
        "Odd",
        "r#match:Vec<(String, [u8; 4])>",
        "of:HashMap<String, bool>",
    ],
];

/// The fleet with the crate that reads schedules.
fn fleet() -> Fleet {
    let fleet = Fleet::new();
    fleet.cargo(&["add", "--offline", "--package", "agentic-pipeline", "cron"]);
    fleet.commit();
    fleet
}

fn object(fleet: &Fleet, args: &[&str]) -> Value {
    let ran = fleet.tool(&[args, &["--format", "json"]].concat());
    serde_json::from_str(&ran.stdout).unwrap()
}

fn remove(fleet: &Fleet, variant: &str) {
    fleet.done(&["remove", variant, DIRTY]);
}

#[test]
fn what_came_goes_byte_for_byte() {
    let fleet = fleet();
    let before = fleet.tree();
    for request in REQUESTS {
        fleet.done(request);
        assert!(fleet.tree() != before, "{request:?}");
        fleet.done(&["remove", request[1]]);
        assert!(fleet.tree() == before, "{request:?}");
        assert!(fleet.git(&["status", "--porcelain"]).is_empty());
    }
    assert!(!fleet.path().join("snapshots").exists());
}

#[test]
fn of_two_tasks_either_goes_first() {
    let fleet = fleet();
    let before = fleet.tree();
    for (one, two) in [(1, 0), (0, 1), (3, 4), (4, 7), (7, 1), (5, 8)] {
        let (one, two) = (REQUESTS[one], REQUESTS[two]);
        fleet.done(one);
        let alone = fleet.tree();
        fleet.done(&[two, &[DIRTY]].concat());
        remove(&fleet, two[1]);
        assert!(fleet.tree() == alone, "{one:?} without {two:?}");

        // Without the first the second one lacks nothing, and goes as a whole.
        fleet.done(&[two, &[DIRTY]].concat());
        remove(&fleet, one[1]);
        let left = fleet.tree();
        let ran = fleet.done(&[two, &[DIRTY]].concat());
        assert!(ran.stderr.contains("nothing is missing"), "{}", ran.stderr);
        assert!(fleet.tree() == left, "{two:?}");
        assert!(!fleet.read(TASKS).contains(&format!("execute_{}", one[1])));
        remove(&fleet, two[1]);
        assert!(fleet.tree() == before, "{one:?}, then {two:?}");
    }
}

#[test]
fn of_three_tasks_the_shared_part_goes_with_the_last() {
    let fleet = Fleet::new();
    let before = fleet.tree();
    for request in [REQUESTS[3], REQUESTS[1], REQUESTS[0]] {
        fleet.done(&[request, &[DIRTY]].concat());
    }
    remove(&fleet, "Fetch");
    // Both halves of the secrets are the other task's now.
    assert!(fleet.read(SNAP).contains("tasks/secrets.rs"));
    fleet.done(&["new", "Pong", DIRTY]);
    remove(&fleet, "CloneRepository");
    assert!(
        !fleet
            .path()
            .join(TASKS.replace("mod.rs", "secrets.rs"))
            .exists()
    );
    fleet.cargo(&[
        "check",
        "--locked",
        "--offline",
        "--all-targets",
        "--workspace",
    ]);
    remove(&fleet, "Ping");
    remove(&fleet, "Pong");
    assert!(fleet.tree() == before);
}

/// The entry of the first task in a list goes with the comma behind it.
#[test]
fn of_three_tasks_the_one_between_leaves_no_trace() {
    let fleet = Fleet::new();
    let two = Fleet::new();
    for request in [REQUESTS[0], REQUESTS[7], CLONE] {
        fleet.done(&[request, &[DIRTY]].concat());
        if request != REQUESTS[7] {
            two.done(&[request, &[DIRTY]].concat());
        }
    }
    let before = fleet.tree();
    let letters = TASKS.replace("mod.rs", "dead_letters.rs");
    assert!(
        fleet
            .read(&letters)
            .contains("&super::mark::TABLE, &super::clone_repository::TABLE")
    );
    remove(&fleet, "Mark");
    assert!(
        fleet
            .read(&letters)
            .contains("&[&super::clone_repository::TABLE]")
    );
    assert!(fleet.tree() == two.tree());

    // What a person wrote into the shared file is not written over: the entry is shown instead.
    fleet.done(&["undo"]);
    assert!(fleet.tree() == before);
    fleet.write(&letters, &format!("{}\n// Mine.\n", fleet.read(&letters)));
    let error = object(&fleet, &["remove", "Mark", DIRTY])["error"].clone();
    assert_eq!(
        (&error["code"], &error["path"]),
        (&"edited-piece".into(), &letters.into()),
        "{error}"
    );
}

#[test]
fn line_ends_stay_as_they_are() {
    let fleet = Fleet::new();
    for path in [
        SPEC,
        EXECUTOR,
        "crates/agentic/runtime/tests/queue_tests.rs",
    ] {
        fleet.write(path, &fleet.read(path).replace('\n', "\r\n"));
    }
    fleet.commit();
    let before = fleet.tree();
    fleet.done(CLONE);
    remove(&fleet, "CloneRepository");
    assert!(fleet.tree() == before);
}

#[test]
fn a_list_without_a_last_comma_has_none_again() {
    let fleet = Fleet::new();
    let text = fleet.read(SPEC);
    let end = text.find("pub enum TaskSpec").unwrap();
    let close = end + text[end..].find("\n}\n").unwrap();
    let open = format!("{} // The last one.{}", &text[..close - 1], &text[close..]);
    assert!(open.contains("    } // The last one.\n}\n"), "{open}");
    fleet.write(SPEC, &open);
    fleet.commit();
    let before = fleet.tree();
    fleet.done(CLONE);
    assert!(fleet.read(SPEC).contains("}, // The last one.\n"));
    remove(&fleet, "CloneRepository");
    assert!(fleet.tree() == before);
}

#[test]
fn a_task_that_grew_goes_as_a_whole() {
    let fleet = Fleet::new();
    let before = fleet.tree();
    for request in [REQUESTS[1], REQUESTS[0]] {
        fleet.done(request);
        let grown: Vec<&str> = [&request[..2], &["depth:Option<u32>"], &request[2..]].concat();
        fleet.done(&[&grown[..], &[DIRTY]].concat());
        assert!(fleet.read(SPEC).contains("depth: Option<u32>"));
        remove(&fleet, request[1]);
        assert!(fleet.tree() == before, "{request:?}");
    }
}

#[test]
fn undo_brings_it_back_and_the_diff_applies() {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    fleet.commit();
    let with = fleet.tree();
    let dry = fleet.done(&["remove", "CloneRepository", "--dry-run"]);
    assert!(fleet.tree() == with);
    fleet.write("../remove.diff", &dry.stdout);
    let ran = fleet.done(&["remove", "CloneRepository"]);
    assert!(
        ran.stderr
            .contains("rows that still carry the tag `clone_repository`"),
        "{}",
        ran.stderr
    );
    let without = fleet.tree();
    let ran = fleet.done(&["undo"]);
    assert!(fleet.tree() == with);
    assert!(ran.stderr.contains("every worker first"), "{}", ran.stderr);
    fleet.git(&["apply", "../remove.diff"]);
    std::fs::remove_file(fleet.path().join("../remove.diff")).unwrap();
    assert!(fleet.tree() == without);
}

#[test]
fn the_object_says_what_goes() {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    fleet.commit();
    let dry = object(&fleet, &["remove", "CloneRepository", "--dry-run"]);
    assert_eq!(dry["applied"], false);
    assert!(dry["diff"].as_str().unwrap().contains("deleted file mode"));
    let done = object(&fleet, &["remove", "CloneRepository"]);
    assert_eq!(done["applied"], true);
    assert_eq!(
        (&done["variant"], &done["tag"]),
        (&"CloneRepository".into(), &"clone_repository".into())
    );
    let edits = done["edits"].as_array().unwrap();
    let variant = edits.iter().find(|edit| edit["kind"] == "variant").unwrap();
    assert_eq!(
        (&variant["inserted"], &variant["removed"]),
        (&0.into(), &9.into())
    );
    assert!(
        edits
            .iter()
            .all(|edit| edit["removed"].as_u64().unwrap() > 0)
    );
    let removed = done["removed"].as_array().unwrap().iter();
    let removed: Vec<&str> = removed.map(|file| file["path"].as_str().unwrap()).collect();
    assert!(
        removed.contains(&MODULE) && removed.contains(&SNAP),
        "{removed:?}"
    );
    assert!(
        done["deploy"]
            .as_str()
            .unwrap()
            .contains("no longer decode")
    );
    let sheet = {
        fleet.done(&["undo"]);
        fleet
            .done(&["remove", "CloneRepository", "-n", "--format", "markdown"])
            .stdout
    };
    assert!(
        sheet.starts_with("# Task `CloneRepository` taken out\n"),
        "{sheet}"
    );
}

#[test]
fn what_was_edited_is_shown() {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    fleet.replace(MODULE, "// Write the work here.", "// The work.");
    fleet.replace(SPEC, "    /// Clone repository.\n", "    /// Clones.\n");
    let arm = "crates/agentic/runtime/src/coordinator/mod.rs";
    fleet.replace(arm, "=> \"clone_repository\",", "=> \"cloning\",");
    fleet.commit();
    let tree = fleet.tree();
    let error = object(&fleet, &["remove", "CloneRepository"])["error"].clone();
    assert_eq!(error["code"], "edited-piece");
    let also = error["also"].as_array().unwrap().iter();
    let mut places: Vec<(String, u64)> = also
        .chain([&error])
        .map(|of| {
            (
                of["path"].as_str().unwrap().to_owned(),
                of["line"].as_u64().unwrap(),
            )
        })
        .collect();
    places.sort();
    let line = |path: &str, text: &str| {
        let found = fleet
            .read(path)
            .lines()
            .position(|line| line.contains(text));
        (path.to_owned(), u64::try_from(found.unwrap()).unwrap() + 1)
    };
    let expected = [
        line(SPEC, "/// Clones."),
        line(MODULE, "// The work."),
        line(arm, "\"cloning\""),
    ];
    assert_eq!(places, expected);
    assert!(fleet.tree() == tree);

    // All of it goes where that is asked for, and nothing else.
    let ran = fleet.done(&["remove", "CloneRepository", "--allow-edited"]);
    assert!(
        ran.stderr.contains("was edited, and goes all the same"),
        "{}",
        ran.stderr
    );
    let first = "warning[edited-piece]: what a person wrote for `CloneRepository` goes with it: where it was deployed, stop what enqueues it first";
    assert!(ran.stderr.starts_with(first), "{}", ran.stderr);
    fleet.git(&["diff", "--quiet", "HEAD~1"]);
}

/// What two tasks share cannot be told where the other one is not what is recorded of it.
#[test]
fn another_task_that_was_changed_is_named() {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    fleet.done(&["new", "Ping", "count:u32", DIRTY]);
    fleet.replace(SPEC, "Ping { count: u32 }", "Ping { number: u32 }");
    let tree = fleet.tree();
    let error = object(&fleet, &["remove", "CloneRepository", DIRTY])["error"].clone();
    assert_eq!(error["code"], "other-task", "{error}");
    assert_eq!(error["path"], SPEC);
    assert!(
        error["message"].as_str().unwrap().contains("`Ping`"),
        "{error}"
    );
    assert!(fleet.tree() == tree);
}

#[test]
fn what_else_uses_it_is_shown() {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    let site = "crates/app/src/server/api/onboarding.rs";
    let main = "crates/app/src/main.rs";
    let text = fleet.read(site);
    fleet.write(
        site,
        &format!("{text}\nfn is_clone(spec: &agentic_core::delegation::TaskSpec) -> bool {{\n    // TaskSpec::CloneRepository\n    matches!(spec, agentic_core::delegation::TaskSpec::CloneRepository {{ .. }})\n}}\n"),
    );
    let text = fleet.read(main);
    fleet.write(
        main,
        &format!("{text}\nuse agentic_pipeline::executor::{{PipelineTaskExecutor as _Executor, tasks::secrets}};\n"),
    );
    fleet.commit();
    let tree = fleet.tree();
    let ran = fleet.tool(&["remove", "CloneRepository", "--format", "json"]);
    assert_eq!(ran.code, 1);
    let error: Value = serde_json::from_str::<Value>(&ran.stdout).unwrap()["error"].clone();
    assert_eq!(error["code"], "variant-used", "{error}");
    let lines = |path: &str| u64::try_from(fleet.read(path).lines().count()).unwrap();
    assert_eq!(
        (&error["path"], &error["line"]),
        (&main.into(), &lines(main).into())
    );
    assert_eq!(error["also"].as_array().unwrap().len(), 1, "{error}");
    assert_eq!(error["also"][0]["path"], site);
    assert_eq!(error["also"][0]["line"], lines(site) - 1);
    assert!(fleet.tree() == tree);

    // So is a call of a method that the files which go give to the executor.
    fleet.git(&["checkout", "--quiet", "HEAD~1", "--", site, main]);
    let sweep = "\nasync fn sweep(executor: &agentic_pipeline::executor::PipelineTaskExecutor) {\n    let _ = executor.end_dead_tasks().await;\n}\n";
    fleet.write(main, &format!("{}{sweep}", fleet.read(main)));
    let error = object(&fleet, &["remove", "CloneRepository", "-n"])["error"].clone();
    assert_eq!(error["code"], "variant-used", "{error}");
    assert_eq!(
        (&error["path"], &error["line"]),
        (&main.into(), &(lines(main) - 1).into())
    );

    // A dependency that other code came to use stays, and is named.
    let fleet = Fleet::new();
    fleet.done(CLONE);
    let lib = "crates/agentic/core/src/lib.rs";
    fleet.write(
        lib,
        &format!("{}\npub type Id = uuid::Uuid;\n", fleet.read(lib)),
    );
    let ran = fleet.done(&["remove", "CloneRepository", DIRTY]);
    assert!(
        ran.stderr.contains("warning[piece-stays]"),
        "{}",
        ran.stderr
    );
    assert!(
        fleet
            .read("crates/agentic/core/Cargo.toml")
            .contains("uuid")
    );
    assert!(
        !fleet
            .read("crates/agentic/pipeline/Cargo.toml")
            .contains("uuid")
    );
    fleet.cargo(&["check", "--locked", "--offline", "-p", "agentic-core"]);
}

#[test]
fn a_moved_spawn_is_a_use() {
    let fleet = Fleet::new();
    let before = fleet.tree();
    fleet.done(IMPORT);
    fleet.commit();
    let with = fleet.tree();
    for more in [&[][..], &["--allow-edited"]] {
        let args = [&["remove", "CloneRepository", "--format", "json"], more].concat();
        let ran = fleet.tool(&args);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        let error: Value = serde_json::from_str::<Value>(&ran.stdout).unwrap()["error"].clone();
        assert_eq!(error["code"], "variant-used", "{error}");
        assert_eq!(error["path"], "crates/app/src/server/api/onboarding.rs");
        assert!(fleet.tree() == with);
    }
    // Where somebody took the site back, the rest of it goes.
    let site = "crates/app/src/server/api/onboarding.rs";
    fleet.git(&["checkout", "--quiet", "HEAD~1", "--", site]);
    remove(&fleet, "CloneRepository");
    assert!(fleet.tree() == before);
    fleet.git(&["reset", "--quiet", "--hard", "HEAD~1"]);

    // Where the site stayed, nothing uses the task, and all of it goes.
    fleet.done(&[IMPORT, &["--keep-site", DIRTY]].concat());
    remove(&fleet, "CloneRepository");
    assert!(fleet.tree() == before);
}

#[test]
fn a_variant_that_was_renamed_goes_by_its_tag() {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    for path in fleet
        .git(&["ls-files", "--modified", "--others", "--exclude-standard"])
        .lines()
    {
        let text = fleet
            .read(path)
            .replace("TaskSpec::CloneRepository", "TaskSpec::Fetch");
        if !path.ends_with(".snap") {
            fleet.write(path, &text);
        }
    }
    let named = "    #[serde(rename = \"clone_repository\")]\n    Fetch {\n";
    fleet.replace(SPEC, "    CloneRepository {\n", named);
    fleet.commit();
    assert_eq!(
        object(&fleet, &["remove", "CloneRepository"])["error"]["code"],
        "no-variant"
    );
    assert_eq!(
        object(&fleet, &["remove", "Fetch"])["error"]["code"],
        "edited-piece"
    );
    fleet.done(&["remove", "Fetch", "--allow-edited"]);
    fleet.git(&["diff", "--quiet", "HEAD~1"]);

    // A record without its pieces takes nothing along.
    fleet.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    fleet.done(CLONE);
    let text = fleet.read(SNAP);
    let start = text.find("\"pieces\": [").unwrap();
    fleet.write(
        SNAP,
        &format!("{}\"pieces\": []\n  }}\n}}\n", &text[..start]),
    );
    let tree = fleet.tree();
    let error = object(&fleet, &["remove", "CloneRepository", DIRTY])["error"].clone();
    assert_eq!(error["code"], "not-recorded", "{error}");
    assert!(fleet.tree() == tree);
}

#[test]
fn what_was_not_scaffolded_is_refused() {
    let fleet = Fleet::new();
    let code = |args: &[&str]| object(&fleet, args)["error"]["code"].clone();
    assert_eq!(code(&["remove", "Nothing"]), "no-variant");
    assert_eq!(code(&["remove", "Agent"]), "not-recorded");
    fleet.done(&["list", "--write-snapshot"]);
    assert_eq!(code(&["remove", "Agent"]), "not-recorded");
    assert_eq!(code(&["repair", "Agent"]), "not-recorded");
    assert_eq!(fleet.tool(&["remove"]).code, 2);
    fleet.done(CLONE);
    let ran = fleet.tool(&["remove", "CloneRepository"]);
    assert_eq!(
        ran.code, 0,
        "its own last write is not dirty: {}",
        ran.stderr
    );
    fleet.done(CLONE);
    fleet.replace(
        SPEC,
        "    /// Clone repository.\n",
        "    /// Clone repository.\n    // Mine.\n",
    );
    assert_eq!(
        code(&["remove", "CloneRepository", "--allow-edited"]),
        "dirty"
    );
}
