//! `migrate-spawn`: sites of every kind become tasks, and what cannot travel is refused.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{Fleet, IMPORT};

const KINDS: &str = "crates/app/src/server/api/kinds.rs";
const API: &str = "crates/app/src/server/api/mod.rs";
const SERVER: &str = "crates/app/src/server/mod.rs";
const PROCESSES: &str = "crates/app/tests/process_tests.rs";

/// The handlers of `kinds.rs`, each with what its call starts with.
const HANDLERS: [(&str, &str); 9] = [
    ("plain", "tokio::spawn(async move {"),
    ("renamed", "go(async move {"),
    ("prepared", "tokio::task::spawn({"),
    ("called", "tokio::spawn(leave("),
    ("held", "tokio::spawn(work)"),
    ("traced", "tokio::spawn(\n"),
    ("blocking", "tokio::task::spawn_blocking("),
    ("wrapped", "spawn_logged(\"wrapped\""),
    ("looped", "tokio::spawn(try_to_leave("),
];

/// The fleet with `text` as one more file of handlers, routed by its functions' names.
fn with_handlers(text: &str) -> Fleet {
    let fleet = Fleet::new();
    fleet.write(KINDS, text);
    fleet.replace(API, "pub mod hooks;\n", "pub mod hooks;\npub mod kinds;\n");
    let mut routes = String::new();
    for part in text.split("pub async fn ").skip(1) {
        let name = part.split('(').next().unwrap();
        routes.push_str(&format!(
            "        .route(\"/api/moved/{name}/{{name}}\", post(api::kinds::{name}))\n"
        ));
    }
    fleet.replace(
        SERVER,
        "        .with_state(state)\n",
        &format!("{routes}        .with_state(state)\n"),
    );
    fleet.commit();
    fleet
}

/// The site at the first line of `call` in the function called `function`.
fn site(fleet: &Fleet, function: &str, call: &str) -> String {
    let text = fleet.read(KINDS);
    let names = ["(", "<"].map(|end| text.find(&format!("fn {function}{end}")));
    let start = names.into_iter().flatten().next().unwrap();
    let at = start + text[start..].find(call).unwrap();
    format!("{KINDS}:{}", text[..at].matches('\n').count() + 1)
}

fn camel(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("Leave{}{rest}", first.to_uppercase())
}

#[test]
fn sites_of_every_kind_become_tasks_that_outlive_the_server() {
    let fleet = with_handlers(include_str!("fixtures/moved/kinds.rs"));
    for (function, call) in HANDLERS {
        let site = site(&fleet, function, call);
        let name = camel(function);
        let args = ["migrate-spawn", &site, "--as", &name];
        if function == "looped" {
            // What an array of calls holds is not followed: the compiler knows, or the user says it.
            let _turn = fleet.turn();
            let asked = fleet.done(&[&args[..], &["--dry-run"]].concat());
            assert!(asked.stderr.contains("Asking rustc"), "{}", asked.stderr);
            let said = [&args[..], &["--dry-run", "--type=part=String"]].concat();
            let said = fleet.done(&said);
            assert!(!said.stderr.contains("Asking"), "{}", said.stderr);
            assert_eq!(asked.stdout, said.stdout);
        }
        fleet.done(&args);
        fleet.commit();
    }
    insta::with_settings!(
        { snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("migrate__kinds", fleet.read(KINDS)) }
    );
    fleet.cargo(&["fmt", "--check"]);
    fleet.cargo(&[
        "clippy",
        "--locked",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]);
    fleet.cargo(&["test", "--locked", "-p", "agentic-pipeline"]);
    let processes = fleet.read(PROCESSES);
    let moved = include_str!("live/moved.rs");
    fleet.write(PROCESSES, &format!("{processes}\n{moved}"));
    fleet.cargo(&[
        "test",
        "--locked",
        "-p",
        "oxy-app",
        "--test",
        "process_tests",
        "what_was",
    ]);
}

/// Rust at its ugliest stays what it says, warns of nothing, and loses no comment.
#[test]
fn the_ugliest_sites_become_tasks_without_a_warning() {
    let text = include_str!("fixtures/moved/ugly.rs");
    let fleet = with_handlers(text);
    for part in text.split("pub async fn ").skip(1) {
        let function = part.split('(').next().unwrap();
        let calls = ["spawn(", "spawn_blocking(", " go("];
        let call = calls
            .iter()
            .filter(|call| part.contains(*call))
            .min_by_key(|call| part.find(*call));
        let site = site(&fleet, function, call.unwrap());
        let name = camel(function);
        let mut args = vec!["migrate-spawn", &site, "--as", &name, "--force"];
        if function.starts_with("status") {
            args.extend([
                "--status",
                "workspaces.status@id:running=Cloning,done=Ready,failed=Failed",
            ]);
        }
        fleet.done(&args);
        fleet.commit();
    }
    let moved = fleet.read(KINDS);
    for line in text.lines() {
        if let Some((_, comment)) = line.split_once("// ") {
            // That of an import goes with it.
            assert!(
                moved.contains(comment) || comment == "go on",
                "{comment} is lost"
            );
        }
    }
    insta::with_settings!(
        { snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("migrate__ugly", moved) }
    );
    fleet.cargo(&[
        "clippy", "--locked", "-p", "oxy-app", "--", "-D", "warnings",
    ]);
}

#[test]
fn the_repository_import_becomes_a_task() {
    let fleet = Fleet::new();
    let before = fleet.tree();
    let dry: Vec<&str> = IMPORT.iter().copied().chain(["--dry-run"]).collect();
    let diff = fleet.done(&dry).stdout;
    assert_eq!(fleet.tree(), before, "a dry run writes nothing");
    let parts: Vec<&str> = diff.split("diff --git ").collect();
    let app: Vec<&str> = parts
        .into_iter()
        .filter(|of| of.starts_with("a/crates/app"))
        .collect();
    insta::with_settings!(
        { snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("migrate__repository_import", app.concat()) }
    );

    fleet.done(IMPORT);
    assert!(!fleet.git(&["diff", "--", "crates/app"]).is_empty());
    let variant = fleet.read("crates/agentic/core/src/delegation.rs");
    assert!(!variant.contains("token: String"), "the raw token travels");
    assert!(variant.contains("token_ref: String"));
    fleet.cargo(&["fmt", "--check"]);
    fleet.cargo(&[
        "clippy",
        "--locked",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]);
    fleet.cargo(&[
        "test",
        "--locked",
        "-p",
        "agentic-pipeline",
        "clone_repository",
    ]);

    // What was written is taken back to the byte.
    fleet.done(&["undo"]);
    let mut after = fleet.tree();
    after.retain(|path, _| !path.starts_with("target"));
    assert_eq!(after, before);
}

/// A file without imports.
const BARE: &str = "//! No imports.

pub async fn bare(state: crate::server::AppState, name: String) -> Result<(), String> {
    state.db.ping().await.map_err(|e| format!(\"database: {e}\"))?;
    tokio::spawn(async move {
        tokio::fs::write(\"bare\", name).await.ok();
    });
    Ok(())
}
";

/// Errors that only their own functions can make something of.
const FAR_FORMS: &str = "//! Handlers.

use axum::http::StatusCode;

use crate::server::AppState;

pub struct Limits(u32);

impl Limits {
    pub async fn checked(&self, state: &AppState) -> Result<(), (StatusCode, String)> {
        state.db.ping().await.map_err(|e| (StatusCode::OK, format!(\"database {}: {e}\", self.0)))
    }
}

pub async fn limited(state: &AppState, limit: Option<u32>) -> Result<(), (StatusCode, String)> {
    match limit {
        Some(most) => state.db.ping().await.map_err(|e| (StatusCode::OK, format!(\"database {most}: {e}\")))?,
        None => {
            use std::format as text;
            state.db.ping().await.map_err(|e| (StatusCode::OK, text!(\"database: {e}\")))?;
        }
    }
    Ok(())
}

pub async fn far(state: AppState, name: String) -> Result<(), (StatusCode, String)> {
    limited(&state, None).await?;
    tokio::spawn(async move {
        tokio::fs::write(\"far\", name).await.ok();
    });
    Ok(())
}
";

#[test]
fn what_another_function_makes_of_errors_is_taken_only_where_it_means_the_same() {
    let fleet = Fleet::new();
    fleet.write(KINDS, FAR_FORMS);
    fleet.replace(API, "pub mod hooks;\n", "pub mod hooks;\npub mod kinds;\n");
    fleet.commit();
    let far = site(&fleet, "far", "tokio::spawn(");
    let refused = refused(&fleet, &[&far, "--as", "MoveIt", "--dry-run"]);
    assert!(refused.starts_with("error[no-error-form]"), "{refused}");
}

/// Every refusal: the variable or place, the reason, the help.
#[test]
fn what_cannot_become_a_task_is_refused_with_the_reason_and_the_next_step() {
    let text = include_str!("fixtures/moved/refused.rs");
    let fleet = Fleet::new();
    fleet.write(KINDS, text);
    fleet.replace(API, "pub mod hooks;\n", "pub mod hooks;\npub mod kinds;\n");
    fleet.commit();
    let before = fleet.tree();
    let mut all = String::new();
    for part in text.split("async fn ").skip(2) {
        let name = part.split(['(', '<']).next().unwrap();
        let site = site(&fleet, name, "tokio::spawn(");
        all.push_str(&refused(&fleet, &[&site, "--as", "MoveIt"]));
    }
    let sites = [
        "crates/core/src/indexing.rs:34",
        "crates/app/src/server/service/warehouse.rs:37",
        "crates/app/src/server/metrics.rs:18",
        "crates/app/src/server/api/reports.rs:25",
        "crates/app/src/server/api/chat.rs:27",
        "crates/core/src/background.rs:16",
        "crates/agentic/runtime/src/worker.rs:73",
        "crates/agentic/runtime/src/worker.rs:210",
        "crates/app/src/server/api/onboarding.rs:3",
    ];
    for site in sites {
        all.push_str(&refused(&fleet, &[site, "--as", "MoveIt"]));
    }
    // The program cannot name what stands in a private module, and an import needs a neighbour.
    fleet.write(KINDS, include_str!("fixtures/moved/kinds.rs"));
    fleet.replace(API, "pub mod kinds;\n", "mod kinds;\n");
    let plain = site(&fleet, "plain", "tokio::spawn(");
    all.push_str(&refused(&fleet, &[&plain, "--as", "MoveIt"]));
    fleet.write(KINDS, BARE);
    let bare = site(&fleet, "bare", "tokio::spawn(");
    all.push_str(&refused(&fleet, &[&bare, "--as", "MoveIt"]));
    fleet.git(&["checkout", "--quiet", "."]);
    let import = "crates/app/src/server/api/onboarding.rs:124";
    for more in ["--type=tokn=String", "--key=nothing"] {
        all.push_str(&refused(&fleet, &[import, "--as", "MoveIt", more]));
    }
    assert_eq!(fleet.tree(), before);
    insta::with_settings!(
        { snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("migrate__refused", all) }
    );
}

/// What the tool says where it refuses a site.
fn refused(fleet: &Fleet, args: &[&str]) -> String {
    let args: Vec<&str> = ["migrate-spawn", "--color", "never"]
        .into_iter()
        .chain(args.iter().copied())
        .collect();
    let ran = fleet.tool(&args);
    assert_ne!(ran.code, 0, "{args:?}: {}", ran.stderr);
    assert_ne!(ran.code, 101, "{args:?}: {}", ran.stderr);
    assert!(ran.stderr.contains("help: "), "{}", ran.stderr);
    let error = ran.stderr.find("error[").unwrap();
    format!("{}\n", &ran.stderr[error..])
}

#[test]
fn a_command_line_that_names_no_site_is_wrong() {
    let fleet = Fleet::new();
    for (site, more) in [
        ("onboarding.rs", "--force"),
        ("onboarding.rs:0", "--force"),
        (":12", "--force"),
        ("a.rs:12", "--type=limit"),
        ("a.rs:12", "--arg==x"),
    ] {
        let ran = fleet.tool(&["migrate-spawn", site, "--as", "MoveIt", more]);
        assert_eq!(ran.code, 2, "{site} {more}: {}", ran.stderr);
    }
    let ran = fleet.tool(&["migrate-spawn", "a.rs:12", "--as", "MoveIt"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("`a.rs` is no file of this workspace"),
        "{}",
        ran.stderr
    );
}

const ONBOARDING: &str = "crates/app/src/server/api/onboarding.rs";

/// The tree without cargo's target folder.
fn tree(fleet: &Fleet) -> std::collections::BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut tree = fleet.tree();
    tree.retain(|path, _| !path.starts_with("target"));
    tree
}

#[test]
fn the_site_can_be_switched_in_a_second_release() {
    let direct = Fleet::new();
    direct.done(IMPORT);
    let fleet = Fleet::new();
    let before = fleet.read(ONBOARDING);
    fleet.done(&[IMPORT, &["--keep-site"]].concat());
    let kept = fleet.read(ONBOARDING);
    let function = |text: &str| {
        let start = text.find("pub async fn setup_github").unwrap();
        let end = text[start..].find("\n}\n").unwrap();
        text[start..start + end].to_owned()
    };
    assert_eq!(function(&kept), function(&before));
    assert!(kept.contains("pub struct CloneRepositoryWork;"));
    assert!(
        fleet
            .read("crates/app/src/worker.rs")
            .contains("CloneRepositoryWork")
    );
    fleet.commit();

    let line = kept[..kept.find("tokio::spawn(").unwrap()]
        .matches('\n')
        .count()
        + 1;
    let site = format!("{ONBOARDING}:{line}");
    let mut switch = IMPORT.to_vec();
    switch[1] = &site;
    let ran = fleet.done(&[&switch[..], &["--format", "json"]].concat());
    let object: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let edits = object["edits"].as_array().unwrap();
    // The record of what the first release brought comes to hold the switch.
    let is_of_switch = |edit: &serde_json::Value| {
        let is_record = edit["path"].as_str().unwrap().starts_with("snapshots");
        edit["kind"] == if is_record { "snapshot" } else { "call_site" }
    };
    assert!(edits.iter().all(is_of_switch), "{edits:?}");
    let sources = |fleet: &Fleet| {
        let mut tree = tree(fleet);
        tree.retain(|path, _| !path.starts_with("snapshots"));
        tree
    };
    assert_eq!(sources(&fleet), sources(&direct));
}

#[test]
fn line_ends_stay() {
    let plain = Fleet::new();
    plain.done(IMPORT);
    let fleet = Fleet::new();
    let text = fleet.read(ONBOARDING);
    fleet.write(ONBOARDING, &text.replace('\n', "\r\n"));
    fleet.commit();
    fleet.done(IMPORT);
    let after = fleet.read(ONBOARDING);
    assert_eq!(after.matches('\n').count(), after.matches("\r\n").count());
    assert_eq!(after.replace("\r\n", "\n"), plain.read(ONBOARDING));
}

#[test]
fn tabs_and_a_byte_order_mark_stay() {
    let plain = Fleet::new();
    plain.done(IMPORT);
    let fleet = Fleet::new();
    let text = fleet.read(ONBOARDING).replace("    ", "\t");
    fleet.write(ONBOARDING, &format!("\u{feff}{text}"));
    fleet.commit();
    let diff = fleet.done(&[IMPORT, &["--dry-run"]].concat()).stdout;
    fleet.done(IMPORT);
    let after = fleet.read(ONBOARDING);
    let spaced = after
        .strip_prefix('\u{feff}')
        .unwrap()
        .replace('\t', "    ");
    assert_eq!(spaced, plain.read(ONBOARDING));
    assert!(!after.contains("\n    "), "{after}");

    // The diff of a dry run makes the same of it.
    let applied = Fleet::new();
    applied.write(ONBOARDING, &format!("\u{feff}{text}"));
    applied.commit();
    let path = applied.path().join("migrate.diff");
    std::fs::write(&path, diff).unwrap();
    applied.git(&["apply", "migrate.diff"]);
    std::fs::remove_file(path).unwrap();
    assert_eq!(tree(&applied), tree(&fleet));
}

#[test]
fn scripts_and_reviewers_see_what_travels() {
    let fleet = Fleet::new();
    let json = [IMPORT, &["--dry-run", "--format", "json"]].concat();
    let object: serde_json::Value = serde_json::from_str(&fleet.done(&json).stdout).unwrap();
    assert_eq!(object["command"], "migrate-spawn");
    assert_eq!(object["key"], serde_json::json!(["clone_url", "branch"]));
    let captures = object["captures"].as_array().unwrap();
    let told: Vec<String> = captures
        .iter()
        .map(|of| format!("{} {} {}", of["name"], of["role"], of["field"]).replace('"', ""))
        .collect();
    assert_eq!(
        told,
        [
            "clone_url data clone_url",
            "branch data branch",
            "repo_dir data repo_dir",
            "token secret token_ref",
            "project_dir data project_dir",
            "workspace_id data workspace_id",
        ]
    );
    let edits = object["edits"].as_array().unwrap();
    let of_site: Vec<_> = edits
        .iter()
        .filter(|edit| edit["path"] == ONBOARDING)
        .collect();
    let kinds: Vec<&str> = of_site
        .iter()
        .map(|edit| edit["kind"].as_str().unwrap())
        .collect();
    assert!(
        kinds.contains(&"import") && kinds.contains(&"call_site"),
        "{kinds:?}"
    );
    assert!(edits.iter().any(|edit| edit["kind"] == "registration"));

    let sheet = fleet
        .done(&[IMPORT, &["--dry-run", "--format", "markdown"]].concat())
        .stdout;
    for part in [
        "## Moved from `crates/app/src/server/api/onboarding.rs:124`",
        "| `repo_dir` | `std::path::PathBuf` | the field `repo_dir` |",
        "| `token` | `String` | the reference `token_ref`, which is `req.namespace_id.to_string()` |",
        "Before:\n\n```rust\ntokio::spawn(async move {\n    info!(",
        "After:\n\n```rust\nclone_repository::enqueue(\n",
    ] {
        assert!(sheet.contains(part), "{part}\n{sheet}");
    }
}
