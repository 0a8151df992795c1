//! `skill`: where it goes, and what it never writes over.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::Fleet;

const FILE: &str = ".claude/skills/oxy-task/SKILL.md";

#[test]
fn the_skill_goes_where_the_workspace_keeps_skills() {
    let fleet = Fleet::new();
    let none = fleet.tool(&["skill"]);
    assert_eq!(none.code, 1);
    assert!(none.stderr.contains("error[no-skills]"), "{}", none.stderr);
    fleet.write(".agents/skills/other/SKILL.md", "Other.\n");
    fleet.done(&["skill"]);
    let text = fleet.read(".agents/skills/oxy-task/SKILL.md");
    assert!(text.starts_with("---\nname: oxy-task\n"));
    fleet.write(".claude/skills/other.md", "Other.\n");
    fleet.done(&["skill"]);
    assert_eq!(fleet.read(FILE), text);
    let again = fleet.done(&["skill"]);
    assert!(
        again.stderr.contains("nothing is missing"),
        "{}",
        again.stderr
    );
    fleet.done(&["undo"]);
    assert!(!fleet.path().join(".claude/skills/oxy-task").exists());
    assert!(fleet.path().join(".claude/skills/other.md").exists());
}

#[test]
fn what_was_changed_is_never_written_over() {
    let fleet = Fleet::new();
    fleet.done(&["skill", FILE]);
    let edited = fleet.read(FILE).replace("# Durable", "# Our durable");
    fleet.write(FILE, &edited);
    let ran = fleet.tool(&["skill", FILE, "--format", "json"]);
    assert_eq!(ran.code, 1);
    let object: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(object["error"]["code"], "skill-changed");
    assert_eq!(fleet.read(FILE), edited);
    for path in ["../outside.md", "crates", "crates/../../outside.md"] {
        let ran = fleet.tool(&["skill", path]);
        assert_eq!(ran.code, 1, "{path}");
        assert!(ran.stderr.contains("error[skill-path]"), "{}", ran.stderr);
    }
    let object = fleet
        .done(&["skill", "docs/agents.md", "--format", "json"])
        .stdout;
    let object: serde_json::Value = serde_json::from_str(&object).unwrap();
    assert_eq!(object["created"][0]["path"], "docs/agents.md");
    assert!(object.get("updated").is_none());

    // Another release of the tool wrote it.
    let older = "---\nname: oxy-task\n---\nOlder.\n";
    fleet.write("docs/agents.md", older);
    let state = cargo_oxy_task::apply::State::of(fleet.path(), &common::target());
    let digest = cargo_oxy_task::digest::digest(older, 16);
    state.note_writes([("docs/agents.md".to_owned(), Some(digest))]);
    let args = ["skill", "docs/agents.md", "--format", "json"];
    let object: serde_json::Value = serde_json::from_str(&fleet.done(&args).stdout).unwrap();
    assert_eq!(object["updated"][0]["path"], "docs/agents.md");
    assert_eq!(object["created"], serde_json::json!([]));
}
