//! `migrate-spawn` where the enqueue takes what the site may not have, or the site needs no seam.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::Fleet;

const KINDS: &str = "crates/app/src/server/api/kinds.rs";
const API: &str = "crates/app/src/server/api/mod.rs";
const QUEUE: &str = "crates/agentic/runtime/src/crud/queue.rs";

/// A handler that spawns; `LIMIT` is a statement before that.
const SITE: &str = "//! A handler.

use axum::extract::{Path, State};
use axum::http::StatusCode;

use crate::server::AppState;

pub async fn limited(
    State(state): State<AppState>,
    Path(name): Path<String>,
) -> Result<StatusCode, (StatusCode, String)> {
    LIMIT
    state
        .db
        .ping()
        .await
        .map_err(|e| (StatusCode::INTERNAL_SERVER_ERROR, format!(\"database: {e}\")))?;
    tokio::spawn(async move {
        tokio::fs::write(\"limited\", name).await.ok();
    });
    Ok(StatusCode::ACCEPTED)
}
";

/// The fleet with an enqueue that takes how often a row may be claimed.
fn fleet(limit: &str) -> Fleet {
    let fleet = Fleet::new();
    let (policy, model) = (
        "    policy: Option<&TaskPolicy>,\n) -> Result<(), DbErr> {\n    let now = now();\n    let model = task_queue",
        "max_claims: Set(3)",
    );
    let taken = policy.replace(",\n)", ",\n    max_claims: i32,\n)");
    fleet.replace(QUEUE, policy, &taken);
    fleet.replace(QUEUE, model, "max_claims: Set(max_claims)");
    fleet.write(KINDS, &SITE.replace("LIMIT", limit));
    fleet.replace(API, "pub mod hooks;\n", "pub mod hooks;\npub mod kinds;\n");
    fleet.commit();
    fleet
}

/// The line of the spawn.
fn site(fleet: &Fleet, path: &str) -> String {
    let text = fleet.read(path);
    let before = text.rsplit_once("tokio::spawn(").unwrap().0;
    format!("{path}:{}", before.matches('\n').count() + 1)
}

/// The lines of a dry run that go in and hold `text`.
fn added(fleet: &Fleet, args: &[&str], text: &str) -> Vec<String> {
    let site = site(fleet, KINDS);
    let all = ["migrate-spawn", &site, "--as", "Limit", "--dry-run"];
    let diff = fleet.done(&[&all[..], args].concat()).stdout;
    let lines = diff.lines().filter(|line| line.starts_with('+'));
    let lines = lines.map(|line| line[1..].trim().to_owned());
    lines.filter(|line| line.contains(text)).collect()
}

#[test]
fn what_the_enqueue_takes_comes_from_the_site_or_the_command_line() {
    let call = "limit::enqueue(&state.db, Limit { name }";
    assert_eq!(
        added(&fleet("let max_claims: i32 = 5;"), &[], call),
        [format!("{call}, max_claims)")]
    );
    // Another type of that name is something else.
    let other = fleet("let max_claims: u8 = 5;\n    tracing::debug!(max_claims);");
    assert_eq!(
        added(&other, &["--arg", "max_claims=7"], call),
        [format!("{call}, 7)")]
    );
}

#[test]
fn what_the_site_cannot_give_is_refused() {
    let fleet = fleet("let max_claims: u8 = 5;\n    tracing::debug!(max_claims);");
    let own = "crates/agentic/pipeline/src/recovery.rs";
    let text = fleet.read(own);
    let spawns = "\n/// Writes a note.\npub async fn note(db: &DatabaseConnection, name: String) -> Result<(), DbErr> {\n    db.ping().await?;\n    tokio::spawn(async move {\n        tokio::fs::write(\"note\", name).await.ok();\n    });\n    Ok(())\n}\n";
    fleet.write(own, &format!("{text}{spawns}"));
    fleet.commit();
    let before = fleet.tree();
    let mut all = String::new();
    for path in [KINDS, own] {
        let site = site(&fleet, path);
        let args = [
            "migrate-spawn",
            &site,
            "--as",
            "Limit",
            "--force",
            "--color",
            "never",
        ];
        let ran = fleet.tool(&args);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        let error = ran.stderr.find("error[").unwrap();
        all.push_str(&format!("{}\n", &ran.stderr[error..]));
    }
    assert_eq!(fleet.tree(), before);
    insta::with_settings!(
        { snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("at_hand__refused", all) }
    );
}
