//! `check`: what each rule finds, and what it leaves alone.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::process::Command;

use boon::{Compiler, Schemas};
use common::{CLONE, Fleet};
use serde_json::Value;

const ENUM: &str = "crates/agentic/core/src/delegation.rs";
const EXECUTOR: &str = "crates/agentic/pipeline/src/executor/mod.rs";
const MODULE: &str = "crates/agentic/pipeline/src/executor/tasks/clone_repository.rs";
const RUNS: &str = "crates/app/src/server/api/runs.rs";
const SNAP: &str = "snapshots/oxy-task/clone_repository.snap";

/// What `check` finds of one rule: `function: message`.
fn found(fleet: &Fleet, rule: &str) -> Vec<String> {
    let ran = fleet.tool(&["check", "--format", "json"]);
    let object: Value = serde_json::from_str(&ran.stdout).unwrap();
    let findings = object["findings"].as_array().unwrap();
    assert_eq!(ran.code, i32::from(!findings.is_empty()));
    assert_eq!(
        object["unchecked"].as_array().unwrap().len(),
        0,
        "{}",
        ran.stderr
    );
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of_rule = findings.iter().filter(|of| of["rule"] == rule);
    of_rule
        .map(|of| format!("{}: {}", text(&of["function"]), text(&of["message"])))
        .collect()
}

/// The same without those that the fleet has as it is.
fn fresh(fleet: &Fleet, rule: &str, known: &[String]) -> Vec<String> {
    let mut found = found(fleet, rule);
    found.retain(|of| !known.contains(of));
    found
}

/// A package with this library, and the tool run in it: exit code, stdout, stderr.
fn small(text: &str, args: &[&str]) -> (i32, String, String) {
    let dir = tempfile::tempdir().unwrap();
    let manifest = "[package]\nname = \"one\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\ntokio = \"1\"\naxum = \"0.8\"\nreqwest = \"0.12\"\n";
    std::fs::create_dir(dir.path().join("src")).unwrap();
    std::fs::write(dir.path().join("Cargo.toml"), manifest).unwrap();
    std::fs::write(dir.path().join("src/lib.rs"), text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-oxy-task"))
        .args(args)
        .current_dir(dir.path())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// `line:column level` of what is found in this library.
fn spawns(text: &str) -> Vec<String> {
    let (_, stdout, stderr) = small(text, &["check", "--format", "json"]);
    let object: Value = serde_json::from_str(&stdout).expect(&stderr);
    let findings = object["findings"].as_array().unwrap();
    let place = |of: &Value| {
        assert_eq!(of["rule"], "OXT001");
        let level = of["level"].as_str().unwrap();
        format!("{}:{} {level}", of["line"], of["column"])
    };
    findings.iter().map(place).collect()
}

/// A handler with this body.
fn handler(body: &str) -> String {
    format!(
        "use axum::{{Router, routing::post}};\npub fn router() -> Router {{ Router::new().route(\"/\", post(run)) }}\nasync fn run() -> &'static str {{\n{body}\n\"ok\"\n}}\nasync fn fetch() {{ let _ = reqwest::get(\"http://x\").await; }}\n"
    )
}

#[test]
fn spawns_of_handlers_are_found() {
    let plain = handler("tokio::spawn(fetch());");
    assert_eq!(spawns(&plain), ["4:1 error"]);
    // Lines and columns are those of an editor, whatever ends a line.
    let marked = handler("/* grün 語 */ tokio::spawn(fetch());");
    assert_eq!(spawns(&marked), ["4:14 error"]);
    assert_eq!(spawns(&marked.replace('\n', "\r\n")), ["4:14 error"]);
    // Three calls below, and nothing else calls it.
    let below = format!(
        "{}async fn a() {{ b() }}\nfn b() {{ c() }}\nfn c() {{ tokio::spawn(fetch()); }}\n",
        handler("a().await;")
    );
    assert_eq!(spawns(&below), ["10:10 error"]);
    // What nothing decides wants a reason in writing too.
    let undecided = format!(
        "{}fn keep() {{ let _ = std::fs::write(\"a\", \"b\"); }}\n",
        handler("std::thread::spawn(|| keep());")
    );
    assert_eq!(spawns(&undecided), ["4:1 warning"]);
    for comment in ["// oxy-task: allow(spawn) —", "// oxy-task: allow(spawn)"] {
        let text = handler(&format!("{comment}\ntokio::spawn(fetch());"));
        assert_eq!(spawns(&text), ["5:1 error"], "{comment}");
        let (_, _, stderr) = small(&text, &["check"]);
        let (_, stdout, _) = small(&text, &["check", "--color", "never"]);
        assert!(
            stdout.contains("the comment on line 4 gives no reason"),
            "{stdout}{stderr}"
        );
    }
}

#[test]
fn other_spawns_are_left_alone() {
    for (body, rest) in [
        (
            "// oxy-task: allow(spawn) — it warms a cache\ntokio::spawn(fetch());",
            "",
        ),
        (
            "// oxy-task: allow(spawn) - it warms a cache\nlet a = tokio::spawn(fetch());\nlet _ = &a;",
            "",
        ),
        // The handler waits for it.
        ("tokio::spawn(fetch()).await.ok();", ""),
        // Nothing of it is slow, leaves the process or writes.
        ("tokio::spawn(async { let a = 1 + 1; let _ = a; });", ""),
        // Somebody else leads to it too.
        (
            "help();",
            "fn help() { tokio::spawn(fetch()); }\nfn main() { help() }",
        ),
        (
            "// tokio::spawn(fetch());\nlet _ = \"tokio::spawn(fetch())\";",
            "",
        ),
        (
            "",
            "#[cfg(test)]\nmod tests { #[tokio::test] async fn t() { tokio::spawn(super::fetch()); } }",
        ),
    ] {
        let text = format!("{}{rest}\n", handler(body));
        assert_eq!(spawns(&text), [""; 0], "{text}");
    }
    let (code, stdout, stderr) = small("pub fn a() {}\n", &["check"]);
    assert_eq!((code, stdout.as_str()), (0, ""));
    assert!(stderr.contains("warning[unchecked]"), "{stderr}");
    assert!(stderr.contains("Checked nothing found"), "{stderr}");
}

#[test]
fn what_can_be_checked_is_checked_where_the_queue_is_not_found() {
    let text = "use serde::{Deserialize, Serialize};\n#[derive(Serialize, Deserialize)]\n#[serde(tag = \"type\")]\npub enum TaskSpec {\n    Sync { token: String },\n}\n";
    let (code, stdout, stderr) = small(text, &["check", "--color", "never"]);
    assert_eq!(code, 1);
    assert!(
        stdout.contains("error[OXT003]") && stdout.contains("--> src/lib.rs:5:12"),
        "{stdout}"
    );
    let left_out = "warning[unchecked]: OXT002, OXT004, OXT005, OXT006, OXT007 were not checked: ";
    assert!(stderr.contains(left_out), "{stderr}");
    let wrong = ["check", "--config", "task-spec=one::Other"];
    let (code, _, stderr) = small(text, &wrong);
    assert_eq!(code, 1);
    assert!(stderr.contains("error[no-enum]"), "{stderr}");
}

#[test]
fn a_variant_without_a_branch_of_its_own_is_found() {
    let fleet = Fleet::new();
    assert_eq!(found(&fleet, "OXT002"), [""; 0]);
    let text = fleet.read(EXECUTOR);
    let agent = &text[text.find("            TaskSpec::Agent {").unwrap()..];
    let agent = &agent[..agent.find("\n\n").unwrap()];
    fleet.replace(
        EXECUTOR,
        agent,
        "            TaskSpec::Agent { .. } => todo!(\"later\"),",
    );
    let body = "self.execute_workflow(&assignment.run_id, workflow_ref, variables.clone())";
    // A `todo!` somewhere in the work is the work's.
    fleet.replace(
        EXECUTOR,
        body,
        &format!("if workflow_ref.is_empty() {{ todo!() }}\n{body}"),
    );
    assert_eq!(
        found(&fleet, "OXT002"),
        [
            "TaskSpec::Agent: the branch of `TaskSpec::Agent` in `PipelineTaskExecutor` is not written: it panics"
        ]
    );
    fleet.write(EXECUTOR, &text);
    let step = &text[text.find("            TaskSpec::WorkflowStep {").unwrap()..];
    let step = &step[..step.find("\n\n").unwrap()];
    fleet.replace(
        EXECUTOR,
        agent,
        "            TaskSpec::Agent { .. } | TaskSpec::WorkflowStep { .. } => Err(String::new()),",
    );
    fleet.replace(EXECUTOR, step, "");
    let shares = found(&fleet, "OXT002");
    assert_eq!(shares.len(), 2, "{shares:?}");
    assert!(
        shares[0].contains(
            "no branch of its own in `PipelineTaskExecutor`: it shares that of `WorkflowStep`"
        ),
        "{shares:?}"
    );
}

#[test]
fn secrets_by_value_are_found_and_references_are_not() {
    let fleet = Fleet::new();
    assert_eq!(found(&fleet, "OXT003"), [""; 0]);
    let field = "    Agent { agent_id: String, question: String },";
    fleet.replace(ENUM, field, "    Agent { agent_id: String, question: String, token_ref: String, max_tokens: u32, api_key: Option<String> },");
    assert_eq!(
        found(&fleet, "OXT003"),
        [
            "TaskSpec::Agent: `TaskSpec::Agent` carries the secret `api_key` by value: it is published in the queue's row and in the log"
        ]
    );
}

#[test]
fn what_is_enqueued_without_key_or_policy_is_found() {
    let fleet = Fleet::new();
    for rule in ["OXT004", "OXT005"] {
        let known = found(&fleet, rule);
        let names: Vec<&str> = known
            .iter()
            .map(|of| of.split(':').next().unwrap())
            .collect();
        assert_eq!(names, ["ask", "run_workflow"], "{known:?}");
    }
    // A policy that comes from elsewhere, and one that is written out.
    let call = "crud::enqueue_task(db, &run_id, &run_id, None, spec, None)";
    let text = fleet.read(RUNS);
    fleet.replace(
        RUNS,
        call,
        "crud::enqueue_task(db, &run_id, &run_id, None, spec, policy_of(spec))",
    );
    assert_eq!(found(&fleet, "OXT005"), [""; 0]);
    fleet.write(RUNS, &text);
    for (retry_on, count) in [
        ("vec![]", 2),
        ("vec![\"token expired\".into()]", 2),
        ("vec![\"timed out\".into()]", 0),
    ] {
        let policy = format!(
            "Some(&TaskPolicy {{ retry: Some(RetryPolicy {{ max_retries: 3, backoff, retry_on: {retry_on} }}), ..Default::default() }})"
        );
        fleet.replace(
            RUNS,
            call,
            &call.replace("spec, None)", &format!("spec, {policy})")),
        );
        assert_eq!(found(&fleet, "OXT005").len(), count, "{retry_on}");
        fleet.write(RUNS, &text);
    }
    // A stable id cannot be told from one that is not: that is a note.
    fleet.replace(
        RUNS,
        "let run_id = Uuid::new_v4().to_string();",
        "let run_id = format!(\"{source_type}-{question}\");",
    );
    assert_eq!(found(&fleet, "OXT004"), [""; 0]);
    let ran = fleet.tool(&["check"]);
    assert_eq!(
        ran.stderr.matches("note[undecided-rule]").count(),
        2,
        "{}",
        ran.stderr
    );
    fleet.replace(
        RUNS,
        "format!(\"{source_type}-{question}\")",
        "TaskKey::new(source_type).id()",
    );
    assert!(!fleet.tool(&["check"]).stderr.contains("undecided-rule"));
}

#[test]
fn a_scaffolded_task_breaks_no_rule_until_it_is_changed() {
    let fleet = Fleet::new();
    let rules = [
        "OXT002", "OXT003", "OXT004", "OXT005", "OXT006", "OXT007", "OXT008",
    ];
    let known: Vec<String> = rules.iter().flat_map(|rule| found(&fleet, rule)).collect();
    fleet.done(CLONE);
    for rule in rules {
        assert_eq!(fresh(&fleet, rule, &known), [""; 0], "{rule}");
    }
    let text = fleet.read(MODULE);
    for (rule, old, new, said) in [
        (
            "OXT004",
            ".field(\"target_dir\", &self.target_dir)",
            ".field(\"target_dir\", &Uuid::new_v4())",
            "idempotency_key: the key of `TaskSpec::CloneRepository` holds a value of `new_v4`, which is another one at each call: nothing is ever a duplicate",
        ),
        (
            "OXT004",
            "pub fn idempotency_key(",
            "pub fn key(",
            "enqueue: `TaskSpec::CloneRepository` is enqueued, and its module has no `idempotency_key`",
        ),
        (
            "OXT005",
            "retry_on: vec![\"transient: \".to_owned()]",
            "retry_on: vec![]",
            "policy: the policy of `TaskSpec::CloneRepository` retries every failure, terminal ones too: its `retry_on` is empty",
        ),
        (
            "OXT005",
            "retry_on: vec![\"transient: \"",
            "retry_on: vec![\"authentication failed\"",
            "policy: the policy of `TaskSpec::CloneRepository` retries \"authentication failed\", which another try does not mend",
        ),
        (
            "OXT007",
            "    #[tokio::test]\n    async fn finished_work",
            "    async fn finished_work",
            "TaskSpec::CloneRepository: `TaskSpec::CloneRepository` has fewer than three tests",
        ),
    ] {
        fleet.replace(MODULE, old, new);
        assert_eq!(fresh(&fleet, rule, &known), [said], "{new}");
        fleet.write(MODULE, &text);
    }
}

#[test]
fn a_second_writer_of_the_status_is_found() {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    let site = "crates/app/src/server/api/onboarding.rs";
    let text = fleet.read(site);
    let enqueue = "agentic_pipeline::executor::tasks::clone_repository::enqueue(rows, input).await";
    let with = |body: &str| {
        fleet.write(site, &format!("{text}\nasync fn import(state: &AppState, rows: &Rows, input: Input) {{\n{body}\n}}\n"));
        found(&fleet, "OXT006")
    };
    let update = "update_workspace_status(&state.db, id, WorkspaceStatus::Cloning, None).await;";
    assert_eq!(
        with(&format!("{enqueue}; {update}")),
        [
            "import: `import` enqueues `TaskSpec::CloneRepository` and writes `workspaces.status` after that, through `update_workspace_status`: the task writes it too, and the later one wins"
        ]
    );
    let own = "let mut row: workspaces::ActiveModel = row.into();\nrow.status = Set(WorkspaceStatus::Ready);";
    assert_eq!(with(&format!("{enqueue};\n{own}")).len(), 1);
    for body in [
        // The first value is the site's.
        format!("{update} {enqueue};"),
        format!("{enqueue}; // {update}"),
        format!(
            "{enqueue}; let status = workspaces::Entity::find().filter(workspaces::Column::Status.eq(1));"
        ),
        // Another task's enqueue.
        format!("other::enqueue(rows, input).await; {update}"),
    ] {
        assert_eq!(with(&body), [""; 0], "{body}");
    }
}

#[test]
fn a_variant_without_tests_is_found_and_an_internal_one_is_not() {
    let fleet = Fleet::new();
    let known = found(&fleet, "OXT007");
    assert_eq!(
        known,
        ["TaskSpec::Resume: `TaskSpec::Resume` has fewer than three tests"]
    );
    let steps = ["WorkflowDecision", "WorkflowStep"];
    assert!(
        !known
            .iter()
            .any(|of| steps.iter().any(|step| of.contains(step)))
    );
    let tests: String = (0..3)
        .map(|n| format!("#[test]\nfn of_resume_{n}() {{ resume(); }}\n"))
        .collect();
    fleet.write("crates/app/tests/more.rs", &format!("fn resume() {{ let _ = agentic_core::TaskSpec::Resume {{ run_id, resume_data, answer }}; }}\n{tests}"));
    assert_eq!(found(&fleet, "OXT007"), [""; 0]);
}

#[test]
fn a_wire_form_that_changed_is_found_with_the_rows_that_it_concerns() {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    fleet.done(&["list", "--write-snapshot"]);
    assert_eq!(found(&fleet, "OXT008"), [""; 0]);
    let text = fleet.read(ENUM);
    let with = "rows with \"type\": \"clone_repository\"";
    let variant = "CloneRepository {";
    for (old, new, said) in [
        ("        branch: String,", "        reference: String,", vec![format!("{with} no longer decode: they hold `branch`, and `reference` is read")]),
        (variant, "#[serde(rename = \"clone\")]\n    CloneRepository {", vec![format!("{with} no longer decode: `CloneRepository` is read from \"clone\" now")]),
        ("        branch: String,", "        branch: String,\n        depth: u32,", vec![format!("{with} no longer decode: they hold no `depth`")]),
        ("        branch: String,", "", vec![format!("{with} lose what they hold in `branch`: no field reads it any more")]),
        ("        #[serde(skip_serializing_if = \"Option::is_none\")]\n        variables: Option<Value>,", "        variables: Value,", vec!["rows with \"type\": \"workflow\" without `variables` no longer decode: it is mandatory now".to_owned()]),
        ("    Agent { agent_id: String, question: String },", "", vec!["rows with \"type\": \"agent\" no longer decode: `TaskSpec::Agent` is gone, and no other variant reads that tag".to_owned()]),
        (variant, "#[serde(alias = \"agent\")]\n    CloneRepository {", vec!["`Agent` and `CloneRepository` share the tag \"agent\": rows with \"type\": \"agent\" decode as `Agent` alone".to_owned()]),
        // What rows of yesterday survive.
        (
            variant,
            "#[serde(rename = \"clone_repository\")]\n    CloneRepo {",
            vec![],
        ),
        (variant, "#[serde(rename = \"clone\", alias = \"clone_repository\")]\n    CloneRepository {", vec![]),
        ("        branch: String,", "        #[serde(alias = \"branch\")]\n        reference: String,", vec![]),
        ("        branch: String,", "        branch: String,\n        depth: Option<u32>,", vec![]),
        ("        branch: String,", "        #[serde(default)]\n        branch: String,", vec![]),
        ("        branch: String,", "        /// What it is.\n        branch : String,", vec![]),
    ] {
        fleet.replace(ENUM, old, new);
        let ran = fleet.tool(&["check", "--format", "json"]);
        let object: Value = serde_json::from_str(&ran.stdout).unwrap();
        let all = object["findings"].as_array().unwrap();
        let of_rule = all.iter().filter(|of| of["rule"] == "OXT008");
        let messages: Vec<&str> = of_rule.map(|of| of["message"].as_str().unwrap()).collect();
        assert_eq!(messages, said, "{new}");
        fleet.write(ENUM, &text);
    }
    // The line is that of the field.
    fleet.replace(
        ENUM,
        "        branch: String,",
        "        reference: String,",
    );
    let ran = fleet.tool(&["check", "--color", "never"]);
    let part = ran.stdout.split("error[OXT008]").nth(1).unwrap();
    assert!(
        part.contains("        reference: String,") && part.contains("^^^^^^^^^^^^^^^^^"),
        "{part}"
    );
    assert!(
        part.contains(
            "help: keep reading the old key: `#[serde(alias = \"branch\")]` on the field"
        ),
        "{part}"
    );
}

#[test]
fn a_snapshot_that_cannot_be_read_is_refused_at_its_line() {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    fleet.replace(
        SNAP,
        "  \"shape\": \"struct\",",
        "<<<<<<< ours\n  \"shape\": \"struct\",",
    );
    let text = fleet.read(SNAP);
    let line = text
        .lines()
        .position(|line| line.starts_with("<<<"))
        .unwrap()
        + 1;
    for args in [&["check"][..], &["list", "--write-snapshot"], CLONE] {
        let ran = fleet.tool(args);
        assert_eq!(ran.code, 1, "{args:?}");
        assert!(ran.stderr.contains("error[snapshot]"), "{}", ran.stderr);
        assert!(
            ran.stderr.contains(&format!("{SNAP}:{line}:1")),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(fleet.read(SNAP), text);
}

#[test]
fn pending_snapshots_stand_beside_for_a_review() {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    fleet.done(&["list", "--write-snapshot"]);
    fleet.tool(&["check", "--pending"]);
    let pending = |fleet: &Fleet| {
        let paths = fleet.tree().into_keys();
        paths
            .filter(|path| path.to_str().unwrap().ends_with(".new"))
            .count()
    };
    assert_eq!(pending(&fleet), 0);
    let before = fleet.read(SNAP);
    fleet.replace(
        ENUM,
        "        branch: String,",
        "        reference: String,",
    );
    let ran = fleet.tool(&["check", "--pending"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains(&format!("Wrote {SNAP}.new")),
        "{}",
        ran.stderr
    );
    assert_eq!((pending(&fleet), fleet.read(SNAP)), (1, before.clone()));
    // What is accepted is what `list` records: the request and the pieces stay.
    let waiting = fleet.read(&format!("{SNAP}.new"));
    fleet.done(&["list", "--write-snapshot"]);
    assert_eq!((fleet.read(SNAP), pending(&fleet)), (waiting, 0));
    assert_eq!(
        fleet.read(SNAP),
        before.replace("\"name\": \"branch\"", "\"name\": \"reference\"")
    );
    assert_eq!(found(&fleet, "OXT008"), [""; 0]);
    // The record goes with the tag.
    fleet.replace(
        ENUM,
        "CloneRepository {",
        "#[serde(rename = \"clone\")]\n    CloneRepository {",
    );
    fleet.done(&["list", "--write-snapshot"]);
    assert!(!fleet.path().join(SNAP).exists());
    assert!(
        fleet
            .read("snapshots/oxy-task/clone.snap")
            .contains("\"scaffolded\"")
    );
    let ran = fleet.done(&["list", "--write-snapshot"]);
    assert!(
        ran.stderr.contains("all is recorded as it stands"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_baseline_knows_findings_without_their_lines() {
    let fleet = Fleet::new();
    let ran = fleet.done(&["check", "--write-baseline", "known.txt"]);
    assert!(ran.stderr.contains("Wrote known.txt"), "{}", ran.stderr);
    let text = fleet.read("known.txt");
    assert_eq!(text.lines().count(), 12);
    let json = fleet
        .done(&["check", "--write-baseline", "known.txt", "--format", "json"])
        .stdout;
    assert_eq!(
        serde_json::from_str::<Value>(&json).unwrap()["applied"],
        false
    );
    let mut sorted: Vec<&str> = text.lines().collect();
    sorted.sort_unstable();
    assert_eq!(sorted, text.lines().collect::<Vec<_>>());
    let check = ["check", "--baseline", "known.txt"];
    assert_eq!(fleet.done(&check).stdout, "");
    // Lines move, and layout changes.
    let hooks = "crates/app/src/server/api/hooks.rs";
    fleet.write(hooks, &format!("// Above.\n\n{}", fleet.read(hooks)));
    let runs = fleet.read(RUNS);
    fleet.write(RUNS, &format!("// Above.\n{runs}"));
    fleet.done(&check);
    // One that is mended is said; one that is new is found.
    let documents = "crates/app/src/server/api/documents.rs";
    fleet.replace(
        documents,
        "    tokio::spawn(",
        "    // oxy-task: allow(spawn) — measured: a moment\n    tokio::spawn(",
    );
    let ran = fleet.done(&check);
    assert!(ran.stderr.contains("warning[baseline-gone]: found no more: OXT001 crates/app/src/server/api/documents.rs ingest tokio::spawn"), "{}", ran.stderr);
    fleet.replace(RUNS, "    enqueue_root(&state.db, &question, \"workflow\", &spec).await", "    tokio::spawn(async { reqwest::get(\"http://x\").await });\n    enqueue_root(&state.db, &question, \"workflow\", &spec).await");
    let ran = fleet.tool(&check);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.stdout.matches("[OXT").count(), 1, "{}", ran.stdout);

    fleet.write("known.txt", &format!("{text}OXT009\tx\n"));
    let ran = fleet.tool(&check);
    assert!(
        ran.stderr.contains("error[baseline]") && ran.stderr.contains("known.txt:13:1"),
        "{}",
        ran.stderr
    );
    let ran = fleet.tool(&["check", "--write-baseline", "../known.txt"]);
    assert!(ran.stderr.contains("error[outside]"), "{}", ran.stderr);
}

#[test]
fn sarif_is_valid() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sarif/sarif-schema-2.1.0.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut compiler = Compiler::new();
    compiler.enable_format_assertions();
    compiler
        .add_resource("http://schema/sarif.json", schema)
        .unwrap();
    let mut schemas = Schemas::new();
    let schema = compiler
        .compile("http://schema/sarif.json", &mut schemas)
        .unwrap();
    let fleet = Fleet::new();
    fleet.replace(
        ENUM,
        "    Agent { agent_id: String, question: String },",
        "    Agent { agent_id: String, question: String, token: String },",
    );
    for (command, least) in [("check", 12), ("survey", 10)] {
        let ran = fleet.tool(&[command, "--format", "sarif"]);
        let log: Value = serde_json::from_str(&ran.stdout).unwrap();
        schemas
            .validate(&log, schema)
            .unwrap_or_else(|e| panic!("{command}: {e:#}"));
        let results = log["runs"][0]["results"].as_array().unwrap();
        assert!(results.len() >= least, "{command}: {}", results.len());
        let rules = log["runs"][0]["tool"]["driver"]["rules"]
            .as_array()
            .unwrap();
        for result in results {
            let at = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[at]["id"], result["ruleId"]);
            let place = &result["locations"][0]["physicalLocation"];
            let path = place["artifactLocation"]["uri"].as_str().unwrap();
            let line = usize::try_from(place["region"]["startLine"].as_u64().unwrap()).unwrap();
            assert!(line <= fleet.read(path).lines().count());
        }
        // The schema is strict enough to tell.
        let mut broken = log.clone();
        broken["runs"][0]["results"][0]["level"] = Value::from("loud");
        assert!(schemas.validate(&broken, schema).is_err());
    }
}

#[test]
fn what_is_said_depends_on_nothing_else() {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    for format in ["human", "json", "markdown", "sarif"] {
        let run = |threads: &str| {
            let output = Command::new(env!("CARGO_BIN_EXE_cargo-oxy-task"))
                .args(["check", "--format", format, "--color", "never"])
                .current_dir(fleet.path())
                .env("RAYON_NUM_THREADS", threads)
                .output()
                .unwrap();
            (output.stdout, output.stderr)
        };
        assert_eq!(run("1"), run("8"), "{format}");
    }
}

#[test]
fn people_see_the_lines_and_a_review_gets_a_sheet() {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    let ran = fleet.tool(&["check", "--color", "never"]);
    let sheet = fleet.tool(&["check", "--format", "markdown"]).stdout;
    let variant = fleet
        .done(&["list", "CloneRepository", "--format", "markdown"])
        .stdout;
    insta::with_settings!(
        { snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        {
            insta::assert_snapshot!("terminal__check", format!("{}{}", ran.stdout, ran.stderr));
            insta::assert_snapshot!("markdown__check", sheet);
            insta::assert_snapshot!("markdown__list_clone_repository", variant);
            insta::assert_snapshot!("snapshot__clone_repository", fleet.read(SNAP));
        }
    );
    let ran = fleet.tool(&["list", "Nothing"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("error[no-variant]"), "{}", ran.stderr);
}
