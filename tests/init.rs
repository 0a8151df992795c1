//! `init`: what was detected, in the root manifest.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::Fleet;

const LINES: &str = r#"
[workspace.metadata.oxy-task]
task-spec = "agentic-core::delegation::TaskSpec"
executor = "agentic-pipeline::executor::PipelineTaskExecutor"
enqueue = "agentic-runtime::crud::queue::enqueue_task"
policy = "agentic-core::delegation::TaskPolicy"
events = { started = "task_started", progress = "task_progress", done = "done", failed = "error", cancelled = "cancelled" }
"#;

#[test]
fn what_is_detected_is_written_and_means_the_same() {
    let fleet = Fleet::new();
    let before = fleet.read("Cargo.toml");
    let landmarks = |fleet: &Fleet| {
        let doctor = fleet.done(&["doctor", "--format", "json"]).stdout;
        let doctor: serde_json::Value = serde_json::from_str(&doctor).unwrap();
        let all = doctor["landmarks"].as_array().unwrap().clone();
        let named = all.into_iter().map(|landmark| {
            [
                &landmark["role"],
                &landmark["name"],
                &landmark["path"],
                &landmark["line"],
            ]
            .map(ToString::to_string)
        });
        named.collect::<Vec<_>>()
    };
    let detected = landmarks(&fleet);
    let dry = fleet.done(&["init", "--dry-run"]).stdout;
    assert_eq!(fleet.read("Cargo.toml"), before);
    assert_eq!(
        dry.lines().filter(|line| line.starts_with('+')).count(),
        8,
        "{dry}"
    );
    let ran = fleet.done(&["init"]);
    assert_eq!(fleet.read("Cargo.toml"), format!("{before}{LINES}"));
    assert!(
        ran.stderr.contains("       Added executor = "),
        "{}",
        ran.stderr
    );
    assert_eq!(landmarks(&fleet), detected);

    let again = fleet.done(&["init"]);
    assert!(
        again.stderr.contains("nothing is missing"),
        "{}",
        again.stderr
    );
    // What a person wrote stays; what is lost comes back.
    let own = format!("{before}{LINES}")
        .replace(
            "enqueue = \"agentic-runtime::crud::queue::enqueue_task\"\n",
            "",
        )
        .replace("failed = \"error\"", "failed = \"broken\"");
    fleet.write("Cargo.toml", &own);
    let dirty = fleet.tool(&["init"]);
    assert_eq!(dirty.code, 1);
    assert!(dirty.stderr.contains("error[dirty]"), "{}", dirty.stderr);
    let json = fleet
        .done(&["init", "--allow-dirty", "--format", "json"])
        .stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["applied"], true);
    assert_eq!(json["edits"][0]["inserted"], 1);
    let enqueue = "enqueue = \"agentic-runtime::crud::queue::enqueue_task\"\n";
    assert_eq!(fleet.read("Cargo.toml"), format!("{own}{enqueue}"));
    fleet.done(&["undo", "--verify", "check"]);
    assert_eq!(fleet.read("Cargo.toml"), own);
}
