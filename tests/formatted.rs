//! The list of what rustfmt leaves as it is, made by rustfmt.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use cargo_oxy_task::settled::{digest, header, items};
use common::{CLONE, Fleet};

const TASKS: &str = "crates/agentic/pipeline/src/executor/tasks";

/// The files that all tasks share.
const SHARED: [&str; 7] = [
    "crates/agentic/runtime/src/task_gate.rs",
    "dead_letters.rs",
    "journal.rs",
    "mod.rs",
    "schedule.rs",
    "secrets.rs",
    "status_table.rs",
];

/// `templates/formatted.txt` holds every part of the shared files that says nothing of one task, as
/// rustfmt leaves it. With `INSTA_UPDATE=always` it is written anew.
#[test]
fn the_list_is_what_rustfmt_leaves_alone() {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    fleet.cargo(&["add", "--offline", "--package", "agentic-pipeline", "cron"]);
    fleet.done(&["new", "Tick", "--schedule", "0 3 * * *", "--allow-dirty"]);
    fleet.cargo(&["fmt", "--all", "--check"]);
    let mut lines = BTreeMap::new();
    for name in SHARED {
        let path = if name.contains('/') {
            name.to_owned()
        } else {
            format!("{TASKS}/{name}")
        };
        let text = fleet.read(&path);
        let body = &text[header(&text)..];
        for item in items(body) {
            let item = &body[item];
            let of_one_task = ["clone_repository", "tick"]
                .iter()
                .any(|task| item.contains(task));
            // What reads better beside a digest than documentation and attributes do.
            let is_code = |line: &&str| !line.starts_with("///") && !line.starts_with('#');
            let line = item.lines().find(is_code).unwrap_or_default();
            if !of_one_task {
                let place = format!("{} {line}", path.rsplit('/').next().unwrap());
                lines.insert(place, digest(item));
            }
        }
    }
    let list: String = lines
        .iter()
        .map(|(place, digest)| format!("{digest} {place}\n"))
        .collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/formatted.txt");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&path, &list).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        list,
        "templates/formatted.txt is stale: run this test with INSTA_UPDATE=always"
    );
}
