//! `migrate-spawn` where the work uses fields of what it takes with it.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::Fleet;

const KINDS: &str = "crates/app/src/server/api/kinds.rs";
const API: &str = "crates/app/src/server/api/mod.rs";

/// Handlers that become tasks, with what else the command line says.
const MOVED: [(&str, &[&str]); 11] = [
    ("request", &[]),
    ("state", &[]),
    ("connection", &[]),
    ("conflict", &[]),
    ("changed", &[]),
    ("fresh", &[]),
    ("used", &[]),
    ("token", &["--arg", "api_token_ref=length.to_string()"]),
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
    for function in ["whole", "method", "row"] {
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
