//! `migrate-spawn` where the work uses fields of what it takes with it.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::Fleet;

const KINDS: &str = "crates/app/src/server/api/kinds.rs";
const API: &str = "crates/app/src/server/api/mod.rs";

/// Handlers that become tasks, with what else the command line says.
const MOVED: [(&str, &[&str]); 13] = [
    ("request", &[]),
    ("state", &[]),
    ("connection", &[]),
    ("conflict", &[]),
    ("changed", &[]),
    ("fresh", &[]),
    ("used", &[]),
    ("token", &["--arg", "api_token_ref=length.to_string()"]),
    ("shadowed", &[]),
    ("listed", &[]),
    ("shared", &["--arg", "db=&self.state.db"]),
    ("concrete", &["--arg", "db=&self.state.db"]),
    ("pinned", &["--arg", "db=&self.state.db"]),
];

fn fleet() -> Fleet {
    let fleet = Fleet::new();
    fleet.write(KINDS, include_str!("fixtures/moved/apart.rs"));
    fleet.replace(API, "pub mod hooks;\n", "pub mod hooks;\npub mod kinds;\n");
    fleet.commit();
    fleet
}

/// The spawn in the function called `function`.
fn site(fleet: &Fleet, function: &str) -> String {
    let text = fleet.read(KINDS);
    let start = text.find(&format!("fn {function}(")).unwrap();
    let at = start + text[start..].find("tokio::spawn(").unwrap();
    format!("{KINDS}:{}", text[..at].matches('\n').count() + 1)
}

fn task(function: &str) -> String {
    let (first, rest) = function.split_at(1);
    format!("Move{}{rest}", first.to_uppercase())
}

#[test]
fn fields_travel_on_their_own() {
    let fleet = fleet();
    for (function, more) in MOVED {
        let (site, name) = (site(&fleet, function), task(function));
        let args = ["migrate-spawn", &site, "--as", &name, "--force"];
        fleet.done(&[&args[..], more].concat());
        fleet.commit();
    }
    insta::with_settings!(
        { snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("apart__moved", fleet.read(KINDS)) }
    );
    let args = [
        "clippy", "--locked", "-p", "oxy-app", "--", "-D", "warnings",
    ];
    fleet.cargo(&args);
}

#[test]
fn a_struct_that_is_used_whole_is_refused() {
    let fleet = fleet();
    let mut all = String::new();
    for function in ["whole", "again", "method", "row"] {
        let site = site(&fleet, function);
        let args = ["migrate-spawn", &site, "--as", "MoveIt", "--color", "never"];
        let ran = fleet.tool(&args);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        let error = ran.stderr.find("error[").unwrap();
        all.push_str(&format!("{}\n", &ran.stderr[error..]));
    }
    insta::with_settings!(
        { snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("apart__refused", all) }
    );
}

/// Work with several lines that leave something behind.
const SEVERAL: &str = "//! A handler.

use axum::extract::{Path, State};
use axum::http::StatusCode;

use crate::server::AppState;

async fn save(name: &str) {
    tokio::fs::write(\"saved\", name).await.ok();
}

pub async fn several(
    State(state): State<AppState>,
    Path(name): Path<String>,
) -> Result<StatusCode, (StatusCode, String)> {
    state
        .db
        .ping()
        .await
        .map_err(|e| (StatusCode::INTERNAL_SERVER_ERROR, format!(\"database: {e}\")))?;
    tokio::spawn(async move {
        let text = tokio::fs::read_to_string(&name).await.unwrap_or_default();
        save(&name).await;
        let done = tokio::process::Command::new(\"true\").status().await.is_ok_and(|status| status.success()) && !text.is_empty();
        tracing::info!(done);
        save(&text).await;
        tokio::fs::copy(\"saved\", name).await.ok();
    });
    Ok(StatusCode::ACCEPTED)
}
";

#[test]
fn every_line_that_may_not_run_twice_is_named() {
    let fleet = Fleet::new();
    fleet.write(KINDS, SEVERAL);
    fleet.replace(API, "pub mod hooks;\n", "pub mod hooks;\npub mod kinds;\n");
    fleet.commit();
    let site = site(&fleet, "several");
    let ran = fleet.done(&[
        "migrate-spawn",
        &site,
        "--as",
        "Several",
        "--format",
        "json",
    ]);
    let object: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let after = fleet.read(KINDS);
    let lines: Vec<&str> = after.lines().collect();
    let open = object["open"].as_array().unwrap().iter();
    let mut told = String::new();
    for of in open.filter(|of| of["path"] == KINDS) {
        let line = usize::try_from(of["line"].as_u64().unwrap()).unwrap();
        let what = of["what"].as_str().unwrap();
        told.push_str(&format!("{}\n    {what}\n", lines[line - 1].trim()));
    }
    insta::with_settings!(
        { snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("apart__twice", told) }
    );
}
