//! The recorded snapshots that `new` writes: when, and when not.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{CLONE, Fleet};

const ENUM: &str = "crates/agentic/core/src/delegation.rs";
const SNAP: &str = "snapshots/oxy-task/clone_repository.snap";

/// The same task with a further field.
fn further() -> Vec<&'static str> {
    let mut args = CLONE.to_vec();
    args.insert(7, "depth:Option<u32>");
    args
}

#[test]
fn one_file_is_written_and_a_second_run_changes_nothing() {
    let fleet = Fleet::new();
    let dry = fleet.done(&[CLONE, &["--dry-run"]].concat()).stdout;
    fleet.done(CLONE);
    let made = fleet
        .tree()
        .into_keys()
        .filter(|path| path.starts_with("snapshots"));
    assert_eq!(made.collect::<Vec<_>>(), [std::path::Path::new(SNAP)]);
    let lines = fleet.read(SNAP).lines().count();
    assert!(dry.contains(&format!("+++ b/{SNAP}\n@@ -0,0 +1,{lines} @@")));
    let object: serde_json::Value =
        serde_json::from_str(&fleet.done(&[CLONE, &["--format", "json"]].concat()).stdout).unwrap();
    assert_eq!(object["applied"], false);

    // What of it a person changed is not put right.
    let before = fleet.read(SNAP);
    fleet.replace(SNAP, "      \"workspace_id:Uuid\",\n", "");
    fleet.replace(SNAP, "source: ", "description: Cloned.\nsource: ");
    let edited = fleet.tree();
    let ran = fleet.done(CLONE);
    assert!(ran.stderr.contains("nothing is missing"), "{}", ran.stderr);
    assert!(fleet.tree() == edited);

    // What is gone comes again: the form and the request, and of the pieces those that it brings.
    fleet.commit();
    std::fs::remove_file(fleet.path().join(SNAP)).unwrap();
    fleet.done(CLONE);
    let text = fleet.read(SNAP);
    let head = |text: &str| text.split("\"pieces\"").next().unwrap().to_owned();
    assert_eq!(head(&text), head(&before));
    assert!(text.contains("\"pieces\": []"), "{text}");
    let again = Fleet::new();
    again.done(CLONE);
    assert_eq!(again.read(SNAP), before, "two runs give the same bytes");
}

#[test]
fn it_grows_with_the_task_and_is_taken_back_with_it() {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    fleet.commit();
    let before = fleet.tree();
    let further = further();
    let json: Vec<&str> = further
        .iter()
        .copied()
        .chain(["--format", "json"])
        .collect();
    let object: serde_json::Value = serde_json::from_str(&fleet.done(&json).stdout).unwrap();
    let edits = object["edits"].as_array().unwrap().iter();
    let kinds: Vec<&str> = edits
        .filter(|edit| edit["path"] == SNAP)
        .map(|edit| edit["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["snapshot"]);
    let text = fleet.read(SNAP);
    let field = r#"    {"name": "depth", "type": "Option<u32>", "mandatory": false, "default": "Default::default", "omitted": "Option::is_none"}"#;
    assert!(text.contains(field), "{text}");
    // The request grows too, before its options, which stay.
    assert!(text.contains(
        "      \"auth_token:secret\",\n      \"depth:Option<u32>\",\n      \"--key\",\n"
    ));
    assert!(text.contains("      \"--status\",\n"), "{text}");
    let grown = fleet.tree();
    let ran = fleet.done(&further);
    assert!(ran.stderr.contains("nothing is missing"), "{}", ran.stderr);
    assert!(fleet.tree() == grown);
    let sheet = fleet
        .done(&["list", "CloneRepository", "--format", "markdown"])
        .stdout;
    assert!(!sheet.contains("| edited |"), "{sheet}");
    fleet.done(&["undo"]);
    assert!(fleet.tree() == before);
}

#[test]
fn one_that_says_otherwise_is_left_to_check() {
    let fleet = Fleet::new();
    fleet.done(CLONE);
    let change = "        #[serde(alias = \"ref\")]\n        branch: String,";
    fleet.replace(ENUM, "        branch: String,", change);
    fleet.commit();
    let before = fleet.tree();
    let ran = fleet.done(CLONE);
    assert!(
        ran.stderr.contains("warning[snapshot-differs]"),
        "{}",
        ran.stderr
    );
    assert!(fleet.tree() == before);
    let ran = fleet.done(&["list", "--write-snapshot"]);
    assert!(
        ran.stderr.contains(&format!("Wrote {SNAP}")),
        "{}",
        ran.stderr
    );
    assert!(!fleet.done(CLONE).stderr.contains("snapshot-differs"));
}

#[test]
fn the_folder_is_configured() {
    let fleet = Fleet::new();
    fleet.done(&["new", "OCRPages", "--config", "snapshots=wire/forms"]);
    assert!(
        fleet
            .read("wire/forms/o_c_r_pages.snap")
            .contains("\"shape\": \"unit\"")
    );
    for wrong in [
        "snapshots=/tmp",
        "snapshots=../out",
        "snapshots=",
        "snapshots=1",
    ] {
        let ran = fleet.tool(&["list", "--config", wrong]);
        assert_eq!(ran.code, 2, "{wrong}");
        assert!(ran.stderr.contains("error[config]"), "{}", ran.stderr);
    }
}

/// Whatever a type looks like, what is recorded is what is read of the enum afterwards: else `new`
/// would not be convergent.
#[test]
fn forms_of_all_types_are_recorded_as_they_are_read() {
    let fleet = Fleet::new();
    fleet.done(&[
        "new",
        "Odd",
        "r#match:Vec<(String, [u8; 4])>",
        "at:Option<std::collections::BTreeMap<String, Vec<Option<i64>>>>",
        "of:(String, bool)",
        "--tag",
        "odd-one",
        "--key",
        "of",
    ]);
    let text = fleet.read("snapshots/oxy-task/odd-one.snap");
    fleet.done(&["list", "--write-snapshot"]);
    assert_eq!(fleet.read("snapshots/oxy-task/odd-one.snap"), text);
    assert!(
        text.contains(r#"{"name": "match", "type": "Vec<(String,[u8;4])>", "mandatory": true}"#),
        "{text}"
    );
}
