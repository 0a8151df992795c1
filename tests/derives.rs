//! Types of the workspace that a task carries get the derives that they lack, or are refused.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::Fleet;

const OPTIONS: &str = "crates/agentic/core/src/options.rs";
const KINDS: &str = "crates/app/src/server/api/kinds.rs";
const API: &str = "crates/app/src/server/api/mod.rs";

/// Types that only lack derives: the task carries `CloneOptions`.
const LACKING: &str = "//! Options.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// How to clone.
#[derive(Debug, Deserialize)]
#[serde(rename_all = \"camelCase\")]
pub struct CloneOptions {
    /// How many commits.
    pub depth: Option<Depth>,
    pub filter: Filter,
    pub folders: Vec<(PathBuf, bool)>,
    pub labels: BTreeMap<String, serde_json::Value>,
}

/// A number of commits.
#[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Clone, Copy)] // kept
pub struct Depth(pub u32);

#[derive(Default, Debug, Clone)]
#[must_use]
#[derive(Deserialize)]
pub enum Filter {
    #[default]
    Blobs,
    Trees {
        depth: u32,
    },
}

/// Has what it needs by hand.
pub struct Untouched;
";

/// A handler that spawns with `options`.
const SITE: &str = "//! A handler.

use agentic_core::options::CloneOptions;
use axum::http::StatusCode;

use crate::server::AppState;

pub async fn lacking(
    state: AppState,
    options: CloneOptions,
) -> Result<StatusCode, (StatusCode, String)> {
    state
        .db
        .ping()
        .await
        .map_err(|e| (StatusCode::INTERNAL_SERVER_ERROR, format!(\"database: {e}\")))?;
    tokio::spawn(async move {
        tokio::fs::write(\"options\", format!(\"{options:?}\")).await.ok();
    });
    Ok(StatusCode::ACCEPTED)
}
";

/// The fleet with types of the enum's crate, and a site that takes one with it.
fn with(types: &str) -> Fleet {
    let fleet = Fleet::new();
    fleet.write(OPTIONS, types);
    let lib = "crates/agentic/core/src/lib.rs";
    fleet.replace(
        lib,
        "pub mod transport;\n",
        "pub mod options;\npub mod transport;\n",
    );
    fleet.write(KINDS, SITE);
    fleet.replace(API, "pub mod hooks;\n", "pub mod hooks;\npub mod kinds;\n");
    let app = "crates/app/Cargo.toml";
    if !fleet.read(app).contains("agentic-core") {
        fleet.replace(
            app,
            "[dependencies]\n",
            "[dependencies]\nagentic-core = { path = \"../agentic/core\" }\n",
        );
    }
    fleet.commit();
    fleet
}

/// The line of the spawn.
fn site() -> String {
    let before = SITE.split("tokio::spawn(").next().unwrap();
    format!("{KINDS}:{}", before.matches('\n').count() + 1)
}

#[test]
fn a_type_gets_the_derives_that_it_lacks_and_nothing_else() {
    let fleet = with(LACKING);
    let ran = fleet.done(&[
        "migrate-spawn",
        &site(),
        "--as",
        "Lacking",
        "--format",
        "json",
    ]);
    let object: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let edits = object["edits"].as_array().unwrap();
    let derives: Vec<_> = edits
        .iter()
        .filter(|edit| edit["kind"] == "derive")
        .collect();
    assert_eq!(derives.len(), 3, "{edits:?}");
    assert!(
        derives
            .iter()
            .all(|edit| edit["path"] == OPTIONS && edit["removed"] == 0)
    );
    insta::with_settings!(
        { snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("derives__lacking", fleet.git(&["diff", "--", OPTIONS])) }
    );
    fleet.cargo(&["fmt", "--check", "-p", "agentic-core"]);
    let args = [
        "clippy",
        "-p",
        "oxy-app",
        "-p",
        "agentic-core",
        "--",
        "-D",
        "warnings",
    ];
    fleet.cargo(&args);
    fleet.cargo(&["test", "-p", "agentic-pipeline", "lacking"]);

    // What has all of it is left alone.
    fleet.commit();
    let fields = [
        "new",
        "Lacking",
        "options:agentic_core::options::CloneOptions",
    ];
    let again = fleet.done(&fields);
    assert!(
        fleet.git(&["status", "--porcelain"]).is_empty(),
        "{}",
        again.stderr
    );
}

/// What the tool says of a type, and the place.
fn refused(types: &str) -> String {
    let fleet = with(types);
    let before = fleet.tree();
    let field = "options:agentic_core::options::CloneOptions";
    let ran = fleet.tool(&["new", "Lacking", field, "--color", "never"]);
    assert_eq!(ran.code, 1, "{types}: {}", ran.stderr);
    assert_eq!(fleet.tree(), before);
    let lines = ran
        .stderr
        .lines()
        .filter(|line| line.starts_with("error") || line.contains("-->") || line.contains("help:"));
    lines.map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn a_type_that_cannot_have_them_is_refused_with_the_reason() {
    let mut all = String::new();
    for types in [
        "pub struct CloneOptions<T = u8>(pub T);\n",
        "#[cfg(unix)]\npub struct CloneOptions(pub u8);\n",
        "#[cfg_attr(unix, derive(serde::Serialize))]\npub struct CloneOptions(pub u8);\n",
        "#[derive(serde::Deserialize)]\npub struct CloneOptions {\n    #[serde(skip)]\n    pub depth: u8,\n}\n",
        "pub struct CloneOptions {\n    pub api_token: String,\n}\n",
        "pub struct CloneOptions {\n    pub since: std::time::Instant,\n}\n",
        "pub struct CloneOptions {\n    pub of: std::sync::Arc<str>,\n}\n",
        "pub struct CloneOptions {\n    pub more: Vec<More>,\n}\n\npub struct More<'a>(&'a str);\n",
        "pub struct CloneOptions {\n    pub word: &'static str,\n}\n",
        "struct CloneOptions(u8);\n",
    ] {
        all.push_str(&format!("{types}{}\n", refused(types)));
    }
    insta::with_settings!(
        { snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("derives__refused", all) }
    );
}

#[test]
fn what_a_type_has_by_hand_is_not_derived() {
    let types = "use std::fmt;\n\n#[derive(Clone)]\npub struct CloneOptions {\n    pub depth: u8,\n}\n\nimpl fmt::Debug for CloneOptions {\n    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {\n        write!(f, \"{}\", self.depth)\n    }\n}\n";
    let fleet = with(types);
    let lib = "crates/agentic/core/src/options.rs";
    fleet.done(&["migrate-spawn", &site(), "--as", "Lacking"]);
    let after = fleet.read(lib);
    let given = "#[derive(Clone, serde::Serialize, serde::Deserialize)]";
    assert_eq!(after, types.replace("#[derive(Clone)]", given));
}

#[test]
fn serde_comes_from_the_workspace_where_the_crate_lacks_it() {
    let fleet = Fleet::new();
    fleet.write("crates/calendar/Cargo.toml", "[package]\nname = \"calendar\"\nversion.workspace = true\nedition.workspace = true\nrust-version.workspace = true\npublish.workspace = true\n\n[dependencies]\nuuid = { workspace = true }\n");
    fleet.write("crates/calendar/src/lib.rs", "//! Dates.\n\n/// A window.\n#[derive(Debug, Clone)]\npub struct Window {\n    pub of: uuid::Uuid,\n    pub days: u32,\n}\n");
    fleet.replace(
        "Cargo.toml",
        "\"crates/migration\",\n",
        "\"crates/migration\",\n    \"crates/calendar\",\n",
    );
    fleet.replace(
        "Cargo.toml",
        "oxy = { path",
        "calendar = { path = \"crates/calendar\" }\noxy = { path",
    );
    fleet.cargo(&["metadata", "--offline", "--format-version", "1", "--quiet"]);
    fleet.commit();
    fleet.done(&["new", "Look", "window:calendar::Window"]);
    let diff = fleet.git(&[
        "diff",
        "--",
        "crates/calendar",
        "crates/agentic/core/Cargo.toml",
    ]);
    insta::with_settings!(
        { snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("derives__serde", diff) }
    );
    fleet.cargo(&["test", "--locked", "-p", "agentic-pipeline", "look"]);
}
