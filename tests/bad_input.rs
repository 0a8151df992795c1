//! Bad input: the real binary on a copy of the fleet refuses it with the place and the next step,
//! and not one byte of the workspace changes.
//!
//! The tests are tables: a row that fails shows all that is wrong with it, and the rows after it
//! run all the same.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

const ENUM: &str = "crates/agentic/core/src/delegation.rs";
const EXECUTOR: &str = "crates/agentic/pipeline/src/executor/mod.rs";
const RETRY: &str = "crates/agentic/runtime/src/coordinator/retry.rs";
const QUEUE: &str = "crates/agentic/runtime/src/crud/queue.rs";
const ENTITY: &str = "crates/entity/src/workspaces.rs";
const UNRELATED: &str = "crates/core/src/git.rs";

/// A copy of the fleet with one commit; cargo's target folder lies beside it.
struct Fleet {
    dir: TempDir,
}

/// What the tool gave.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Fleet {
    fn new() -> Self {
        let fleet = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        copy(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fleet"),
            &fleet.root(),
        );
        fleet.commit();
        fleet
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("fleet")
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root().join(path)).unwrap()
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn append(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let mut all = std::fs::read(self.root().join(path)).unwrap();
        all.extend(bytes.as_ref());
        self.write(path, all);
    }

    /// Replaces the one place where `old` stands.
    fn replace(&self, path: &str, old: &str, new: &str) {
        let text = self.read(path);
        assert_eq!(text.matches(old).count(), 1, "`{old}` in {path}");
        self.write(path, text.replace(old, new));
    }

    fn git_in(dir: &Path, args: &[&str]) {
        let output = Command::new("git")
            .args([
                "-c",
                "user.name=fleet",
                "-c",
                "user.email=fleet@example.com",
            ])
            .args(["-c", "commit.gpgsign=false"])
            .args(args)
            .current_dir(dir)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args:?}: {output:?}");
    }

    fn git(&self, args: &[&str]) {
        Self::git_in(&self.root(), args);
    }

    fn commit(&self) {
        self.git(&["init", "--quiet"]);
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "state"]);
    }

    fn tool(&self, args: &[&str]) -> Ran {
        tool_in(&self.root(), &self.dir.path().join("target"), args)
    }

    /// `path:line:column` of the one place where `text` stands.
    fn place(&self, path: &str, text: &str) -> String {
        let bytes = std::fs::read(self.root().join(path)).unwrap();
        let all = String::from_utf8_lossy(&bytes);
        assert_eq!(all.matches(text).count(), 1, "`{text}` in {path}");
        let before = &all[..all.find(text).unwrap()];
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        format!("{path}:{}:{column}", before.matches('\n').count() + 1)
    }

    /// Every file with its bytes, every folder with none; `.git` aside.
    fn tree(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut tree = BTreeMap::new();
        collect(&self.root(), &mut tree);
        tree
    }
}

fn tool_in(dir: &Path, target: &Path, args: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-oxy-task"))
        .args(args)
        .current_dir(dir)
        .env("CARGO_TARGET_DIR", target)
        .env_remove("CARGO_TERM_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .output()
        .unwrap();
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (entry, to) = entry
            .map(|entry| (entry.path(), to.join(entry.file_name())))
            .unwrap();
        if !entry.is_dir() {
            std::fs::copy(&entry, &to).unwrap();
        } else if !entry.ends_with("target") {
            copy(&entry, &to);
        }
    }
}

fn collect(dir: &Path, tree: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with(".git") {
            continue;
        }
        if path.is_dir() {
            collect(&path, tree);
            tree.insert(path, Vec::new());
        } else {
            let bytes = std::fs::read(&path).unwrap();
            tree.insert(path, bytes);
        }
    }
}

/// What is wrong with a refusal: its code, the texts that it lacks, a byte that changed.
fn faults(fleet: &Fleet, args: &[&str], code: i32, says: &[String]) -> Vec<String> {
    let before = fleet.tree();
    let ran = fleet.tool(args);
    let after = fleet.tree();
    let mut faults = Vec::new();
    if ran.code != Some(code) {
        faults.push(format!("exit {:?} instead of {code}", ran.code));
    }
    if !ran.stderr.lines().any(|line| line.starts_with("error")) {
        faults.push("no error on stderr".to_owned());
    }
    // Ours carry the next step; clap's point at --help.
    if !ran.stderr.contains("help: ") && !ran.stderr.contains("'--help'") {
        faults.push("no help".to_owned());
    }
    if ran.stderr.contains("panicked") {
        faults.push("panicked".to_owned());
    }
    if !ran.stdout.is_empty() && !args.contains(&"json") {
        faults.push("something on stdout".to_owned());
    }
    faults.extend(
        says.iter()
            .filter(|text| !ran.stderr.contains(*text))
            .map(|text| format!("does not say `{text}`")),
    );
    if before != after {
        let paths: BTreeSet<&PathBuf> = before.keys().chain(after.keys()).collect();
        let changed: Vec<_> = paths
            .iter()
            .filter(|path| before.get(**path) != after.get(**path))
            .collect();
        faults.push(format!(
            "{} files changed, the first {}",
            changed.len(),
            changed[0].display()
        ));
    }
    if !faults.is_empty() {
        faults.push(ran.stderr);
    }
    faults
}

/// One row: bad input, and what must be said of it.
struct Case {
    name: &'static str,
    args: &'static [&'static str],
    change: fn(&Fleet),
    places: &'static [(&'static str, &'static str)],
    says: &'static [&'static str],
}

/// A row for `new` with further arguments, on the fleet as it is.
const fn case(name: &'static str, args: &'static [&'static str]) -> Case {
    Case {
        name,
        args,
        change: |_| (),
        places: &[],
        says: &[],
    }
}

impl Case {
    /// The same, on a fleet that was changed so, and committed.
    const fn on(self, change: fn(&Fleet)) -> Self {
        Self { change, ..self }
    }

    /// The same, which must name the places of these texts as `path:line:column`.
    const fn at(self, places: &'static [(&'static str, &'static str)]) -> Self {
        Self { places, ..self }
    }

    /// The same, which must hold these texts.
    const fn says(self, says: &'static [&'static str]) -> Self {
        Self { says, ..self }
    }
}

/// Every row must end in exit 1 on a copy of its own.
fn refused(cases: &[Case]) {
    let mut report = String::new();
    for case in cases {
        let fleet = Fleet::new();
        (case.change)(&fleet);
        fleet.commit();
        let places = case
            .places
            .iter()
            .map(|(path, text)| fleet.place(path, text));
        let says: Vec<String> = places
            .chain(case.says.iter().map(|text| (*text).to_owned()))
            .collect();
        let args = [&["new"], case.args].concat();
        let faults = faults(&fleet, &args, 1, &says);
        if !faults.is_empty() {
            writeln!(report, "{} {args:?}:\n  {}", case.name, faults.join("\n  ")).unwrap();
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

/// Every row (arguments of `new`, a text that must be said) must end in exit 2.
fn usage(rows: &[(&[&str], &str)]) {
    let fleet = Fleet::new();
    let mut report = String::new();
    for (args, text) in rows {
        let args = [&["new"], *args].concat();
        let faults = faults(&fleet, &args, 2, &[(*text).to_owned()]);
        if !faults.is_empty() {
            writeln!(report, "{args:?}:\n  {}", faults.join("\n  ")).unwrap();
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

#[test]
fn names_that_no_variant_can_have() {
    usage(&[
        (&["clone"], "`clone` is not UpperCamelCase"),
        (
            &["clone_repository"],
            "`clone_repository` is not UpperCamelCase",
        ),
        (
            &["cloneRepository"],
            "`cloneRepository` is not UpperCamelCase",
        ),
        (
            &["Clone_Repository"],
            "`Clone_Repository` is not UpperCamelCase",
        ),
        (&["Self"], "`Self` is a keyword"),
        (&["match"], "`match` is a keyword"),
        (&["Super"], "would have `super` as its module, a keyword"),
        (
            &["Tasks"],
            "would have `tasks` as its module, which all tasks share",
        ),
        (&["self"], "`self` is a keyword"),
        (&["9Lives"], "`9Lives` is no identifier"),
        (&["Task::Clone"], "`Task::Clone` is no identifier"),
        (&["Clone Repository"], "`Clone Repository` is no identifier"),
        (&[""], "is no identifier"),
        (&[], "<VARIANT>"),
    ]);
}

#[test]
fn fields_that_cannot_be() {
    usage(&[
        (
            &["Ping", "a:String", "b:u8", "a:u32"],
            "the field `a` is given twice",
        ),
        (
            &["Ping", "r#match:String", "match:u32"],
            "the field `match` is given twice",
        ),
        (
            &["Ping", "token:secret", "token_ref:String"],
            "the field `token_ref` is given twice",
        ),
        (&["Ping", "depth"], "`depth` has no `:`"),
        (&["Ping", ":u32"], "cannot be the name of a field"),
        (
            &["Ping", "self:u32"],
            "`self` cannot be the name of a field",
        ),
        (&["Ping", "_:u32"], "`_` cannot be the name of a field"),
        (&["Ping", "1st:u32"], "`1st` cannot be the name of a field"),
        (
            &["Ping", "clone-url:String"],
            "`clone-url` cannot be the name of a field",
        ),
        (&["Ping", "Depth:u32"], "`Depth` is not snake_case"),
        (&["Ping", "depth:"], "the type of `depth`"),
        (
            &["Ping", "depth:Option<"],
            "the type of `depth`, `Option<`, does not parse",
        ),
        (&["Ping", "depth:Vec<u32"], "does not parse"),
        (&["Ping", "depth:u32 u32"], "does not parse"),
        (&["Ping", "depth:u32, x: u8"], "does not parse"),
        (
            &["Ping", "url:&str"],
            "the field `url` cannot travel in a task: it is borrowed",
        ),
        (&["Ping", "url:&'static str"], "it is borrowed"),
        (&["Ping", "url:Option<&str>"], "it is borrowed"),
        (&["Ping", "url:Cow<'static, String>"], "it is borrowed"),
        (&["Ping", "url:str"], "it is unsized (`str`)"),
        (&["Ping", "dir:Box<Path>"], "it is unsized (`Path`)"),
        (&["Ping", "url:Arc<String>"], "`Arc`"),
        (&["Ping", "url:Option<std::sync::Arc<String>>"], "`Arc`"),
        (&["Ping", "url:Rc<String>"], "`Rc`"),
        (&["Ping", "url:impl Into<String>"], "it is no concrete type"),
        (&["Ping", "url:dyn Send"], "it is no concrete type"),
        (&["Ping", "url:Box<dyn Send>"], "it is no concrete type"),
        (&["Ping", "call:fn(u32) -> u32"], "it is a function pointer"),
        (&["Ping", "at:*const u8"], "it is a raw pointer"),
        (&["Ping", "at:Instant"], "`Instant`"),
        (
            &["Ping", "reply:oneshot::Sender<u8>"],
            "handle of this process",
        ),
        (&["Ping", "what:_"], "`_` is no type"),
        (&["Ping", "what:!"], "`!` has no value"),
        (&["Ping", "what:Self"], "`Self` would be the enum itself"),
        (&["Ping", "what:make!(u8)"], "it is made by a macro"),
    ]);
}

#[test]
fn keys_that_cannot_be() {
    usage(&[
        (
            &["Ping", "url:String", "dir:String", "--key", "uri"],
            "the key names `uri`, which is no field of the task",
        ),
        (
            &["Ping", "url:String", "dir:String", "--key", "uri"],
            "did you mean `url`? fields for a key are: url, dir",
        ),
        (&["Ping", "--key", "url"], "the task has no fields"),
        (
            &["Ping", "url:String", "--key", "url,url"],
            "`url` is given twice",
        ),
        (&["Ping", "url:String", "--key", ""], "is no list of fields"),
        (
            &["Ping", "url:String", "--key", "url,"],
            "`url,` is no list of fields",
        ),
        (
            &["Ping", "url:String", "--key", "url.len"],
            "`url.len` is no list of fields",
        ),
        (
            &["Ping", "url:String", "auth:secret", "--key", "url,auth_ref"],
            "`auth_ref` refers to a secret",
        ),
        // What the user called it is a secret too, whatever the field is called.
        (
            &["Ping", "url:String", "auth:secret", "--key", "url,auth"],
            "secret",
        ),
    ]);
}

#[test]
fn options_that_do_not_parse() {
    usage(&[
        (&["Ping", "--timeout", "soon"], "`soon` is no duration"),
        (&["Ping", "--timeout", "10"], "`10` is no duration"),
        (&["Ping", "--timeout", "0s"], "`0s` is no duration"),
        (&["Ping", "--timeout", "1.5h"], "`1.5h` is no duration"),
        (&["Ping", "--timeout=-5m"], "`-5m` is no duration"),
        (
            &["Ping", "--timeout", "99999999999999999999d"],
            "is no duration",
        ),
        (
            &["Ping", "--timeout", "18446744073709551615d"],
            "is no duration",
        ),
        (
            &["Ping", "--backoff", "linear:1s"],
            "`linear:1s` is no backoff",
        ),
        (&["Ping", "--backoff", "exp:1s"], "`exp:1s` is no backoff"),
        (
            &["Ping", "--backoff", "exp:60s..1s"],
            "`exp:60s..1s` is no backoff",
        ),
        (&["Ping", "--backoff", "fixed:"], "is no duration"),
        (&["Ping", "--backoff", "fixed:0s"], "`0s` is no duration"),
        (
            &["Ping", "--dedupe", "sometimes"],
            "[possible values: active, forever]",
        ),
        (&["Ping", "--retries", "many"], "'many'"),
        (&["Ping", "--retries", "4294967296"], "'4294967296'"),
        (&["Ping", "--retry-on", ""], "would retry every failure"),
        (&["Ping", "--tag", ""], "cannot be a wire tag"),
        (&["Ping", "--tag", "a b"], "`a b` cannot be a wire tag"),
        (&["Ping", "--tag", "a\"b"], "cannot be a wire tag"),
        (&["Ping", "--doc", "a\u{1b}[31m"], "control characters"),
        (
            &["Ping", "--status", "workspaces"],
            "`workspaces` has no `.`",
        ),
        (
            &["Ping", "--status", ".status"],
            "names no entity, column or field",
        ),
        (
            &["Ping", "--status", "workspaces.status@"],
            "names no entity, column or field",
        ),
        (
            &["Ping", "--status", "workspaces.status:running"],
            "`running` is no `state=value`",
        ),
        (
            &["Ping", "--status", "workspaces.status:waiting=Ready"],
            "`waiting` is none of running, done, failed",
        ),
        (
            &["Ping", "--status", "workspaces.status:done=A,done=B"],
            "`done` is given twice",
        ),
        (
            &["Ping", "--config", "task-spec"],
            "`task-spec` is no KEY=VALUE",
        ),
        (&["Ping", "--config", "speck=a::b"], "`speck` is no key"),
        (
            &["Ping", "--config", "task-spec=TaskSpec"],
            "`task-spec` is no path",
        ),
        (
            &["Ping", "--config", "task-spec=3"],
            "`task-spec` is no path",
        ),
        (&["Ping", "--config", "events=3"], "`events` is no table"),
        (
            &["Ping", "--config", "events={ over = 'x' }"],
            "no event `over`",
        ),
        (
            &["Ping", "--config", "events={ done = 3 }"],
            "`events` holds a value that is no string",
        ),
        (
            &["Ping", "--verify", "maybe"],
            "[possible values: none, check, test]",
        ),
        (&["Ping", "--dry-run", "--verify", "check"], "--dry-run"),
        (
            &["Ping", "--dry-run", "--verify", "test", "--format", "json"],
            "--dry-run",
        ),
        (&["Ping", "--schedule", "0 3 * *"], "`0 3 * *` has 4 fields"),
        (
            &["Ping", "--schedule", "0 3 1 * MON"],
            "restricts both the day of the month and the day of the week",
        ),
        (&["Ping", "--schedule", "0 0 31 2 *"], "never comes"),
        (
            &["Ping", "--schedule", "@daily", "--dedupe", "forever"],
            "enqueues the task once and never again",
        ),
        (&["Ping", "--format", "yaml"], "possible values"),
        (&["Ping", "--frobnicate"], "--frobnicate"),
    ]);
}

#[test]
fn variants_and_tags_that_are_taken() {
    const AGENT: (&str, &str) = (ENUM, "Agent { agent_id: String, question: String }");
    refused(&[
        case("fewer fields", &["Agent", "agent_id:String"])
            .at(&[AGENT])
            .says(&["`TaskSpec::Agent` exists with other fields", "it has agent_id: String, question: String; asked for was agent_id: String"]),
        case("no fields", &["Agent"]).at(&[AGENT]).says(&["asked for was no fields"]),
        case("more fields", &["Agent", "agent_id:String", "question:String", "depth:u32"])
            .at(&[AGENT])
            .says(&["exists with other fields", "depth: u32"]),
        case("another type", &["Agent", "agent_id:u64", "question:String"])
            .at(&[AGENT])
            .says(&["exists with other fields", "agent_id: u64"]),
        case("below its documentation and attributes", &["Fetch", "n:u32"])
            .on(|fleet| fleet.replace(ENUM, "    /// Run a workflow from", "    /// Fetches.\n    #[serde(alias = \"get\")]\n    Fetch { url: String },\n    /// Run a workflow from"))
            .at(&[(ENUM, "Fetch { url: String }")])
            .says(&["`TaskSpec::Fetch` exists with other fields"]),
        case("a tuple variant", &["Fetch"])
            .on(|fleet| fleet.replace(ENUM, "    /// Run a workflow from", "    Fetch(String),\n    /// Run a workflow from"))
            .at(&[(ENUM, "Fetch(String)")])
            .says(&["`TaskSpec::Fetch` exists with other fields"]),
        case("another tag", &["Agent", "agent_id:String", "question:String", "--tag", "robot"])
            .at(&[AGENT])
            .says(&["`TaskSpec::Agent` exists with the tag `agent`", "--tag"]),
        case("tag of another, by --tag", &["Ping", "--tag", "agent"])
            .at(&[AGENT])
            .says(&["the wire tag `agent` belongs to `Agent`", "--tag"]),
        case("tag of another, by name", &["AGENT"])
            .on(|fleet| {
                let text = fleet.read(ENUM);
                fleet.write(ENUM, text.replace("rename_all = \"snake_case\")]\npub enum TaskSpec", "rename_all = \"lowercase\")]\npub enum TaskSpec"));
            })
            .at(&[AGENT])
            .says(&["the wire tag `agent` belongs to `Agent`"]),
        case("tag of another, by its rename", &["CloneRepository"])
            .on(|fleet| fleet.replace(ENUM, "    Agent { agent_id: String, q", "    #[serde(rename = \"clone_repository\")]\n    Agent { agent_id: String, q"))
            .at(&[AGENT])
            .says(&["the wire tag `clone_repository` belongs to `Agent`"]),
        case("tag of another, by its rename for reading", &["CloneRepository"])
            .on(|fleet| fleet.replace(ENUM, "    Agent { agent_id: String, q", "    #[serde(rename(serialize = \"a\", deserialize = \"clone_repository\"))]\n    Agent { agent_id: String, q"))
            .at(&[AGENT])
            .says(&["the wire tag `clone_repository` belongs to `Agent`"]),
        case("tag of another, by one of its aliases", &["CloneRepository"])
            .on(|fleet| fleet.replace(ENUM, "    Agent { agent_id: String, q", "    #[serde(alias = \"robot\", alias = \"clone_repository\")]\n    Agent { agent_id: String, q"))
            .at(&[AGENT])
            .says(&["the wire tag `clone_repository` belongs to `Agent`"]),
        case("written by hand", &["Agent", "agent_id:String", "question:String"])
            .at(&[(EXECUTOR, "TaskSpec::Agent { agent_id")])
            .says(&["`TaskSpec::Agent` has an executor already", "name the new task otherwise"]),
        case("a method of the executor", &["Ping"])
            .on(|fleet| fleet.replace(EXECUTOR, "    async fn execute_agent(", "    pub fn execute_ping() {}\n\n    async fn execute_agent("))
            .at(&[(EXECUTOR, "execute_ping() {}")])
            .says(&["`PipelineTaskExecutor` has a method `execute_ping` already"]),
        case("a crate that the tasks use", &["Tokio"])
            .says(&["`Tokio` would have `tokio` as its module"]),
        case("a module that the tasks use", &["Mpsc"])
            .says(&["`Mpsc` would have `mpsc` as its module"]),
        case("field called like serde's tag", &["Ping", "type:String"])
            .at(&[(ENUM, "TaskSpec {\n    /// Ask")])
            .says(&["a field called `type` collides with the tag of `TaskSpec`"]),
        case("the same, raw", &["Ping", "r#type:String"])
            .at(&[(ENUM, "TaskSpec {\n    /// Ask")])
            .says(&["a field called `type` collides with the tag of `TaskSpec`"]),
    ]);
}

#[test]
fn types_that_the_enum_cannot_hold() {
    const HIDDEN: &str = "\n#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]\npub struct Hidden {\n    pub n: u32,\n}\n";
    fn batch(fleet: &Fleet, path: &str) {
        fleet.append(path, "\n#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]\npub struct Batch {\n    pub size: u32,\n}\n");
    }
    refused(&[
        case("unknown", &["Ping", "what:Nonsense"]).says(&["cannot find the type `Nonsense` of the field `what`"]),
        case("unknown, inside", &["Ping", "what:Option<Vec<Nonsense>>"]).says(&["cannot find the type `Nonsense` of the field `what`"]),
        case("unknown crate", &["Ping", "what:nonsense::Thing"]).says(&["`nonsense`"]),
        case("unknown in a member", &["Ping", "what:agentic_core::delegation::Nonsense"]).says(&["Nonsense", "`what`"]),
        case("unknown in the enum's crate", &["Ping", "what:crate::Nonsense"]).says(&["Nonsense", "`what`"]),
        case("ambiguous", &["Ping", "row:Model"])
            .says(&["`Model`, the type of the field `row`, may be any of: ", "entity::workspaces::Model", "give the path: row:"]),
        case("not cloneable, as the enum is", &["Ping", "lock:Lock"])
            .on(|fleet| fleet.append(ENUM, "\n#[derive(Debug, Serialize, Deserialize)]\npub struct Lock {\n    pub of: std::sync::Mutex<u32>,\n}\n"))
            .at(&[(ENUM, "std::sync::Mutex<u32>")])
            .says(&["`Lock`", "`Clone`"]),
        case("not deserializable", &["Ping", "n:Half"])
            .on(|fleet| fleet.append(ENUM, "\n#[derive(Debug, Clone, Serialize)]\npub struct Half {\n    pub at: std::sync::OnceLock<u32>,\n}\n"))
            .at(&[(ENUM, "std::sync::OnceLock<u32>")])
            .says(&["`Half`", "Deserialize"]),
        case("the enum itself", &["Ping", "inner:Option<TaskSpec>"])
            .at(&[(ENUM, "TaskSpec {\n    /// Ask")])
            .says(&["`inner`", "Box"]),
        case("of a private module", &["Ping", "what:Hidden"])
            .on(|fleet| {
                fleet.append("crates/agentic/core/src/lib.rs", "\nmod hidden;\n");
                fleet.write("crates/agentic/core/src/hidden.rs", HIDDEN);
            })
            .says(&["Hidden", "`what`"]),
        case("of a private module in a file", &["Ping", "what:Hidden"])
            .on(|fleet| fleet.append("crates/agentic/core/src/events.rs", format!("\nmod hidden {{\n{HIDDEN}}}\n")))
            .says(&["Hidden", "`what`"]),
        case("of a file that no module names", &["Ping", "what:Hidden"])
            .on(|fleet| fleet.write("crates/agentic/core/src/hidden.rs", HIDDEN))
            .says(&["Hidden", "`what`"]),
        case("of a comment", &["Ping", "what:Hidden"])
            .on(|fleet| fleet.append("crates/agentic/core/src/events.rs", "\n// pub struct Hidden;\n"))
            .says(&["cannot find the type `Hidden` of the field `what`"]),
        case("of a test", &["Ping", "what:Hidden"])
            .on(|fleet| fleet.append("crates/agentic/runtime/tests/queue_tests.rs", HIDDEN))
            .says(&["cannot find the type `Hidden` of the field `what`"]),
        case("cycle through the executor's crate", &["Ping", "batch:Batch"])
            .on(|fleet| batch(fleet, "crates/agentic/pipeline/src/recovery.rs"))
            .says(&["`agentic-core` cannot depend on `agentic-pipeline`", "agentic-core → agentic-pipeline → agentic-core"]),
        case("cycle through the application", &["Ping", "batch:oxy_app::worker::Batch"])
            .on(|fleet| batch(fleet, "crates/app/src/worker.rs"))
            .says(&["`agentic-core` cannot depend on `oxy-app`", "→ agentic-core"]),
        case("a handle in the application", &["Ping", "recovered:Recovered"]).says(&["agentic-pipeline"]),
        case("no value for the tests", &["Ping", "n:Sealed"])
            .on(|fleet| fleet.append(ENUM, "\n#[derive(Debug, Clone, Serialize, Deserialize)]\npub struct Sealed {\n    n: u32,\n}\n"))
            .at(&[(ENUM, "Sealed {")])
            .says(&["no value of `Sealed`", "Default"]),
    ]);
}

#[test]
fn status_columns_that_are_none() {
    refused(&[
        case(
            "no entity",
            &["Ping", "id:Uuid", "--status", "orders.status"],
        )
        .says(&["found no sea-orm entity called `orders`"]),
        case(
            "nearly an entity",
            &["Ping", "id:Uuid", "--status", "workspace.status"],
        )
        .says(&[
            "found no sea-orm entity called `workspace`",
            "did you mean `workspaces`?",
        ]),
        case(
            "two entities",
            &["Ping", "id:Uuid", "--status", "workspaces.status"],
        )
        .on(|fleet| fleet.write("crates/app/src/workspaces.rs", fleet.read(ENTITY)))
        .says(&[
            "2 sea-orm entities are called `workspaces`",
            "crates/app/src/workspaces.rs:1:1",
            "crates/entity/src/workspaces.rs:1:1",
        ]),
        case(
            "no column",
            &["Ping", "id:Uuid", "--status", "workspaces.state"],
        )
        .at(&[(ENTITY, "Model {\n    #[sea_orm(primary_key")])
        .says(&[
            "`workspaces` has no column `state`",
            "its columns are: id, name",
        ]),
        case(
            "no variant",
            &[
                "Ping",
                "id:Uuid",
                "--status",
                "workspaces.status@id:running=Busy",
            ],
        )
        .says(&[
            "crates/entity/src/workspaces.rs:",
            "`WorkspaceStatus` has no variant `Busy`",
            "Ready, Cloning, NotOxyProject, Failed",
        ]),
        case(
            "no variant that says it",
            &["Ping", "id:Uuid", "--status", "workspaces.status@id"],
        )
        .at(&[(ENTITY, "pub status: WorkspaceStatus")])
        .says(&[
            "nothing says which variant of `WorkspaceStatus` means running",
            "running=…",
        ]),
        case(
            "no values for a string",
            &["Ping", "id:Uuid", "--status", "workspaces.name@id"],
        )
        .at(&[(ENTITY, "pub name: String")])
        .says(&["`name` is a String: nothing says what it holds when running"]),
        case(
            "neither a string nor an enum",
            &["Ping", "id:Uuid", "--status", "workspaces.created_at@id"],
        )
        .at(&[(ENTITY, "pub created_at: DateTimeWithTimeZone")])
        .says(&["`created_at` is a `DateTimeWithTimeZone`"]),
        case(
            "no such field",
            &[
                "Ping",
                "id:Uuid",
                "--status",
                "workspaces.status@workspace_id",
            ],
        )
        .at(&[(ENTITY, "pub id: Uuid")])
        .says(&[
            "--status names the field `workspace_id`, which the task does not have",
            "add `workspace_id:Uuid`",
        ]),
        case(
            "field of another type",
            &[
                "Ping",
                "id:Uuid",
                "name:String",
                "--status",
                "workspaces.status@name",
            ],
        )
        .at(&[(ENTITY, "pub id: Uuid")])
        .says(&["`name` is no `Uuid`"]),
        case(
            "no field for the key",
            &["Ping", "--status", "workspaces.status"],
        )
        .at(&[(ENTITY, "pub id: Uuid")])
        .says(&["no field of the task is a `Uuid`"]),
        case(
            "two fields for the key",
            &["Ping", "a:Uuid", "b:Uuid", "--status", "workspaces.status"],
        )
        .at(&[(ENTITY, "pub id: Uuid")])
        .says(&[
            "2 fields could hold the key of `workspaces`: a, b",
            "--status workspaces.status@a",
        ]),
    ]);
}

#[test]
fn landmarks_that_are_missing_or_double() {
    const TASKS: &str = "crates/core/src/tasks.rs";
    fn instead_of_the_enum(fleet: &Fleet, new: &str) {
        fleet.replace(ENUM, "pub enum TaskSpec {", "pub enum Work {");
        fleet.write(TASKS, new);
        fleet.append("crates/core/src/lib.rs", "\npub mod tasks;\n");
    }
    refused(&[
        case("no enum", &["Ping"])
            .on(|fleet| fleet.replace(ENUM, "pub enum TaskSpec {", "pub enum Work {"))
            .says(&["found no enum called `TaskSpec`", "[workspace.metadata.oxy-task] task-spec ="]),
        case("no enum by --config", &["Ping", "--config", "task-spec=agentic-core::delegation::Work"])
            .says(&["found no enum called `Work`"]),
        case("no enum at that path", &["Ping", "--config", "task-spec=agentic-core::events::TaskSpec"])
            .says(&["agentic-core::events"]),
        case("no enum by the manifest", &["Ping"])
            .on(|fleet| fleet.append("Cargo.toml", "\n[workspace.metadata.oxy-task]\ntask-spec = \"agentic-core::Work\"\n"))
            .at(&[("Cargo.toml", "\"agentic-core::Work\"")])
            .says(&["found no enum called `Work`"]),
        case("two enums", &["Ping"])
            .on(|fleet| fleet.append("crates/core/src/lib.rs", "\npub enum TaskSpec { A }\n"))
            .at(&[(ENUM, "TaskSpec {\n    /// Ask"), ("crates/core/src/lib.rs", "TaskSpec { A }")])
            .says(&["2 enums are called `TaskSpec`", "`oxy::TaskSpec`", "task-spec = \"agentic-core::delegation::TaskSpec\""]),
        case("an enum made by macro_rules", &["Ping"])
            .on(|fleet| instead_of_the_enum(fleet, "macro_rules! tasks {\n    ($($name:ident),*) => {\n        pub enum TaskSpec { $($name),* }\n    };\n}\ntasks!(Agent, Workflow);\n"))
            .at(&[(TASKS, "enum TaskSpec {")])
            .says(&["the enum `TaskSpec` is made by a macro"]),
        case("an enum inside a macro's call", &["Ping"])
            .on(|fleet| instead_of_the_enum(fleet, "tasks! {\n    pub enum TaskSpec {\n        Agent,\n    }\n}\n"))
            .at(&[(TASKS, "enum TaskSpec {")])
            .says(&["the enum `TaskSpec` is made by a macro"]),
        case("an enum in a comment only", &["Ping"])
            .on(|fleet| instead_of_the_enum(fleet, "/*\npub enum TaskSpec { Agent }\n*/\n"))
            .says(&["found no enum called `TaskSpec`"]),
        case("an enum without serde", &["Ping"])
            .on(|fleet| fleet.replace(ENUM, "#[derive(Debug, Clone, Serialize, Deserialize)]\n#[serde(tag = \"type\", rename_all = \"snake_case\")]\npub enum TaskSpec", "#[derive(Debug, Clone)]\npub enum TaskSpec"))
            .at(&[(ENUM, "TaskSpec {\n    /// Ask")])
            .says(&["`TaskSpec` does not derive Serialize and Deserialize"]),
        case("an untagged enum", &["Ping"])
            .on(|fleet| fleet.replace(ENUM, "#[serde(tag = \"type\", rename_all = \"snake_case\")]\npub enum TaskSpec", "#[serde(untagged)]\npub enum TaskSpec"))
            .at(&[(ENUM, "TaskSpec {\n    /// Ask")])
            .says(&["`TaskSpec` is untagged"]),
        case("a generic enum", &["Ping"])
            .on(|fleet| fleet.replace(ENUM, "pub enum TaskSpec {", "pub enum TaskSpec<T> {"))
            .at(&[(ENUM, "TaskSpec<T>")])
            .says(&["`TaskSpec` has generic parameters"]),
        case("no executor", &["Ping"])
            .on(|fleet| fleet.write(EXECUTOR, "mod workflow;\npub struct PipelineTaskExecutor;\n"))
            .says(&["executor", "[workspace.metadata.oxy-task]"]),
        case("no executor by --config", &["Ping", "--config", "executor=agentic-pipeline::executor::Nobody"])
            .says(&["Nobody"]),
        case("two executors", &["Ping"])
            .on(|fleet| {
                fleet.write("crates/agentic/pipeline/src/second.rs", fleet.read(EXECUTOR).replace("mod workflow;\n", ""));
                fleet.append("crates/agentic/pipeline/src/lib.rs", "\npub mod second;\n");
            })
            .says(&["crates/agentic/pipeline/src/executor/mod.rs:", "crates/agentic/pipeline/src/second.rs:", "executor = "]),
        case("no enqueue", &["Ping"])
            .on(|fleet| fleet.write(QUEUE, ""))
            .says(&["found no enqueue function", "enqueue"]),
    ]);
}

#[test]
fn files_that_cannot_be_read() {
    const LATIN1: &[u8] = b"\n// caf\xe9: a TaskSpec\n";
    refused(&[
        case("the enum's file does not parse", &["Ping"])
            .on(|fleet| fleet.append(ENUM, "\nfn broken(] {}\n"))
            .at(&[(ENUM, "] {}")])
            .says(&["does not parse"]),
        case("the executor's file does not parse", &["Ping"])
            .on(|fleet| fleet.append(EXECUTOR, "\nfn broken() { let ; }\n"))
            .at(&[(EXECUTOR, "; }\n")])
            .says(&["does not parse"]),
        case("a file that names the enum does not parse", &["Ping"])
            .on(|fleet| fleet.append(RETRY, "\nstruct {}\n"))
            .at(&[(RETRY, "{}\n")])
            .says(&["does not parse"]),
        case("a brace that is never closed", &["Ping"])
            .on(|fleet| fleet.append(RETRY, "\nfn broken() {\n"))
            .says(&["crates/agentic/runtime/src/coordinator/retry.rs:", "does not parse"]),
        case("the marks of a merge", &["Ping"])
            .on(|fleet| fleet.replace(ENUM, "    /// Run a workflow from", "<<<<<<< ours\n    A,\n=======\n    B,\n>>>>>>> theirs\n    /// Run a workflow from"))
            .at(&[(ENUM, "<<<<<<< ours")])
            .says(&["does not parse"]),
        case("the enum's file is not UTF-8", &["Ping"])
            .on(|fleet| fleet.append(ENUM, LATIN1))
            .at(&[(ENUM, "\u{fffd}")])
            .says(&["`crates/agentic/core/src/delegation.rs` is not UTF-8"]),
        case("the executor's file is not UTF-8", &["Ping"])
            .on(|fleet| fleet.append(EXECUTOR, LATIN1))
            .at(&[(EXECUTOR, "\u{fffd}")])
            .says(&["`crates/agentic/pipeline/src/executor/mod.rs` is not UTF-8"]),
        case("a file that names the enum is not UTF-8", &["Ping"])
            .on(|fleet| fleet.append(RETRY, LATIN1))
            .at(&[(RETRY, "\u{fffd}")])
            .says(&["`crates/agentic/runtime/src/coordinator/retry.rs` is not UTF-8"]),
        case("a file in UTF-16", &["Ping"])
            .on(|fleet| fleet.write(RETRY, b"\xff\xfe/\0/\0"))
            .says(&["`crates/agentic/runtime/src/coordinator/retry.rs` is not UTF-8"]),
        case("the task's module is somebody's", &["Ping"])
            .on(|fleet| fleet.write("crates/agentic/pipeline/src/executor/tasks/ping.rs", "pub fn mine() {}\n"))
            .says(&["crates/agentic/pipeline/src/executor/tasks/ping.rs"]),
    ]);
}

#[test]
fn manifests_that_are_broken() {
    refused(&[
        case("a member's manifest is no TOML", &["Ping"])
            .on(|fleet| {
                fleet.write(
                    "crates/agentic/core/Cargo.toml",
                    "[package\nname = \"agentic-core\"\n",
                );
            })
            .says(&["crates/agentic/core/Cargo.toml:1:"]),
        case(
            "a manifest that nothing of the task touches is no TOML",
            &["Ping"],
        )
        .on(|fleet| fleet.append("crates/migration/Cargo.toml", "\nx = = 1\n"))
        .says(&["crates/migration/Cargo.toml:"]),
        case("the root manifest is no TOML", &["Ping"])
            .on(|fleet| fleet.append("Cargo.toml", "\n[workspace\n"))
            .says(&["Cargo.toml:"]),
        case("a manifest is not UTF-8", &["Ping"])
            .on(|fleet| fleet.append("crates/agentic/core/Cargo.toml", b"# \xe9\n"))
            .says(&["crates/agentic/core/Cargo.toml"]),
        case("a member is missing", &["Ping"])
            .on(|fleet| std::fs::remove_dir_all(fleet.root().join("crates/agentic/http")).unwrap())
            .says(&["crates/agentic/http/Cargo.toml"]),
        case("the lock file is no TOML", &["Ping", "id:Uuid"])
            .on(|fleet| fleet.write("Cargo.lock", "<<<<<<< ours\n"))
            .says(&["Cargo.lock"]),
        case("an unknown key of the configuration", &["Ping"])
            .on(|fleet| {
                fleet.append(
                    "Cargo.toml",
                    "\n[workspace.metadata.oxy-task]\ntask-speck = \"a::b\"\n",
                );
            })
            .at(&[("Cargo.toml", "\"a::b\"")])
            .says(&["`task-speck` is no key", "task-spec"]),
        case("a wrong value of the configuration", &["Ping"])
            .on(|fleet| {
                fleet.append(
                    "Cargo.toml",
                    "\n[workspace.metadata.oxy-task]\nexecutor = 4711\n",
                );
            })
            .at(&[("Cargo.toml", "4711")])
            .says(&["`executor` is no path"]),
        case("no event of that name", &["Ping"])
            .on(|fleet| {
                fleet.append(
                    "Cargo.toml",
                    "\n[workspace.metadata.oxy-task]\nevents = { over = \"x\" }\n",
                );
            })
            .at(&[("Cargo.toml", "{ over")])
            .says(&["no event `over`"]),
        case(
            "no manifest at that path",
            &["Ping", "--manifest-path", "crates/nowhere/Cargo.toml"],
        )
        .says(&["crates/nowhere/Cargo.toml` does not exist"]),
    ]);
}

#[test]
fn outside_of_a_workspace() {
    let dir = tempfile::tempdir().unwrap();
    let ran = tool_in(dir.path(), &dir.path().join("target"), &["new", "Ping"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("could not find `Cargo.toml`"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr
            .contains("help: run it inside the workspace, or name one with --manifest-path"),
        "{}",
        ran.stderr
    );
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

/// The tool looks at the mode bits itself, so this holds for root too.
#[test]
fn read_only_files() {
    for path in [
        ENUM,
        EXECUTOR,
        "crates/agentic/runtime/src/coordinator/mod.rs",
        "crates/agentic/core/Cargo.toml",
        "Cargo.lock",
    ] {
        let fleet = Fleet::new();
        let file = fleet.root().join(path);
        let mut permissions = std::fs::metadata(&file).unwrap().permissions();
        permissions.set_readonly(true);
        std::fs::set_permissions(&file, permissions).unwrap();
        let faults = faults(
            &fleet,
            &["new", "Ping", "id:Uuid"],
            1,
            &[format!("`{path}` is read-only")],
        );
        assert!(faults.is_empty(), "{path}:\n  {}", faults.join("\n  "));
        assert!(
            std::fs::metadata(&file).unwrap().permissions().readonly(),
            "{path}"
        );
    }
}

/// Root writes into a folder whatever its mode says: there the assertions are left out.
#[cfg(unix)]
#[test]
fn read_only_folders() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;
    let fleet = Fleet::new();
    let folder = fleet.root().join("crates/agentic/runtime/src/coordinator");
    set_permissions(&folder, Permissions::from_mode(0o555)).unwrap();
    let is_root = std::fs::write(folder.join("probe"), "").is_ok();
    if is_root {
        std::fs::remove_file(folder.join("probe")).unwrap();
    } else {
        let faults = faults(
            &fleet,
            &["new", "Ping"],
            1,
            &["cannot write `crates/agentic/runtime/src/coordinator/".to_owned()],
        );
        assert!(faults.is_empty(), "{}", faults.join("\n  "));
    }
    set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
}

/// Rows: name, what happened since the commit, what must be said, the option that allows it.
#[test]
fn uncommitted_changes_of_what_would_be_edited() {
    type Row = (
        &'static str,
        fn(&Fleet),
        &'static [&'static str],
        &'static str,
    );
    const MINE: &str = "\n// mine\n";
    const ROWS: [Row; 8] = [
        (
            "dirty",
            |fleet| fleet.append(ENUM, MINE),
            &["crates/agentic/core/src/delegation.rs (dirty)"],
            "--allow-dirty",
        ),
        (
            "dirty manifest",
            |fleet| {
                fleet.append(ENUM, MINE);
                fleet.append("crates/agentic/core/Cargo.toml", "\n# mine\n");
            },
            &[
                "crates/agentic/core/src/delegation.rs (dirty)",
                "crates/agentic/core/Cargo.toml (dirty)",
            ],
            "--allow-dirty",
        ),
        (
            "staged",
            |fleet| {
                fleet.append(ENUM, MINE);
                fleet.git(&["add", "--all"]);
            },
            &["crates/agentic/core/src/delegation.rs (staged)"],
            "--allow-staged",
        ),
        (
            "staged, allowed as dirty",
            |fleet| {
                fleet.append(ENUM, MINE);
                fleet.git(&["add", "--all"]);
            },
            &["crates/agentic/core/src/delegation.rs (staged)"],
            "--allow-dirty",
        ),
        (
            "staged, and dirty again",
            |fleet| {
                fleet.append(ENUM, MINE);
                fleet.git(&["add", "--all"]);
                fleet.append(ENUM, MINE);
            },
            &[
                "crates/agentic/core/src/delegation.rs (dirty)",
                "crates/agentic/core/src/delegation.rs (staged)",
            ],
            "--allow-dirty",
        ),
        (
            "never committed",
            |fleet| {
                fleet.append(ENUM, MINE);
                fleet.git(&["rm", "--quiet", "--cached", "--force", ENUM]);
                fleet.git(&["commit", "--quiet", "--message", "without"]);
            },
            &["crates/agentic/core/src/delegation.rs (dirty)"],
            "--allow-dirty",
        ),
        (
            "dirty below the top of the repository",
            |fleet| {
                std::fs::remove_dir_all(fleet.root().join(".git")).unwrap();
                Fleet::git_in(fleet.dir.path(), &["init", "--quiet"]);
                Fleet::git_in(fleet.dir.path(), &["add", "fleet"]);
                Fleet::git_in(
                    fleet.dir.path(),
                    &["commit", "--quiet", "--message", "state"],
                );
                fleet.append(ENUM, MINE);
            },
            &["crates/agentic/core/src/delegation.rs (dirty)"],
            "--allow-dirty",
        ),
        (
            "no version control",
            |fleet| {
                fleet.append(ENUM, MINE);
                std::fs::remove_dir_all(fleet.root().join(".git")).unwrap();
            },
            &["no version control found"],
            "--allow-no-vcs",
        ),
    ];
    for (name, change, says, option) in ROWS {
        let fleet = Fleet::new();
        change(&fleet);
        let mut says: Vec<String> = says.iter().map(|text| (*text).to_owned()).collect();
        if name != "staged, allowed as dirty" {
            says.push(option.to_owned());
        }
        let faults = faults(&fleet, &["new", "Ping", "id:Uuid"], 1, &says);
        assert!(faults.is_empty(), "{name}:\n  {}", faults.join("\n  "));

        let before = fleet.tree();
        let dry = fleet.tool(&["new", "Ping", "id:Uuid", "--dry-run"]);
        assert_eq!(dry.code, Some(0), "{name}, dry:\n{}", dry.stderr);
        assert!(
            fleet.tree() == before,
            "{name}: the dry run changed something"
        );

        let ran = fleet.tool(&["new", "Ping", "id:Uuid", option]);
        assert_eq!(ran.code, Some(0), "{name}, {option}:\n{}", ran.stderr);
        let text = fleet.read(ENUM);
        assert!(
            text.contains("Ping {") && text.contains("// mine"),
            "{name}:\n{text}"
        );
    }
}

#[test]
fn uncommitted_changes_of_other_files_are_nobodys_business() {
    let fleet = Fleet::new();
    fleet.append(UNRELATED, "\n// mine\n");
    fleet.append("crates/core/src/agents.rs", "\n// mine\n");
    fleet.git(&["add", UNRELATED]);
    fleet.write("crates/core/src/untracked.rs", "// mine\n");
    let before = fleet.tree();
    let ran = fleet.tool(&["new", "Ping"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let after = fleet.tree();
    for path in [
        UNRELATED,
        "crates/core/src/agents.rs",
        "crates/core/src/untracked.rs",
    ] {
        let path = fleet.root().join(path);
        assert!(before[&path] == after[&path], "{}", path.display());
    }
    assert!(fleet.read(ENUM).contains("Ping,"));
}

/// What is wrong with the object of a refusal.
fn object_faults(ran: &Ran, code: i32, error_code: &str, place: Option<&str>) -> Vec<String> {
    let object: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
    let error = &object["error"];
    let found = error["path"]
        .as_str()
        .map(|path| format!("{path}:{}:", error["line"]));
    let (message, help) = (error["message"].as_str(), error["help"].as_str());
    let keys = ["code", "message", "path", "line", "help"].into_iter();
    let mut faults: Vec<String> = keys
        .filter(|key| error.get(*key).is_none())
        .map(|key| format!("no error.{key}"))
        .collect();
    let holds = [
        ("exit code", ran.code == Some(code)),
        ("command", object["command"] == "new"),
        ("applied", object["applied"] == false),
        ("error.code", error["code"] == error_code),
        (
            "error.message",
            message.is_some_and(|message| ran.stderr.contains(message)),
        ),
        ("error.help", help.is_some_and(|help| !help.is_empty())),
        (
            "place",
            place.map_or(found.is_none(), |place| {
                found.is_some_and(|found| place.starts_with(&found))
            }),
        ),
    ];
    faults.extend(
        holds
            .iter()
            .filter(|(_, holds)| !holds)
            .map(|(what, _)| format!("wrong {what}")),
    );
    faults
}

/// Rows: arguments, exit code, `error.code`, the place where one is known.
#[test]
fn refusals_in_json() {
    let fleet = Fleet::new();
    let agent = fleet.place(ENUM, "Agent { agent_id: String, question: String }");
    let entity = fleet.place(ENTITY, "Model {\n    #[sea_orm(primary_key");
    let executor = format!("{EXECUTOR}:1:1");
    let rows: [(&[&str], i32, &str, Option<&str>); 11] = [
        (&["Agent", "depth:u32"], 1, "variant-exists", Some(&agent)),
        (&["Ping", "--tag", "agent"], 1, "tag-taken", Some(&agent)),
        (
            &["Ping", "--status", "workspaces.state"],
            1,
            "status-column",
            Some(&entity),
        ),
        (&["Ping", "what:Nonsense"], 1, "field-type", None),
        (&["Ping", "a:u8", "a:u8"], 2, "field-twice", None),
        (&["Ping", "url:&str"], 2, "field-type", None),
        (&["ping"], 2, "variant-name", None),
        (&["DeadLetters"], 2, "variant-name", None),
        (&["Secrets"], 2, "variant-name", None),
        (&["Mod"], 2, "variant-name", None),
        (&["Run"], 1, "variant-name", Some(&executor)),
    ];
    let mut report = String::new();
    for (args, code, error_code, place) in rows {
        let args = [&["new"], args, &["--format", "json"]].concat();
        let before = fleet.tree();
        let ran = fleet.tool(&args);
        let mut faults = object_faults(&ran, code, error_code, place);
        if fleet.tree() != before {
            faults.push("a byte changed".to_owned());
        }
        if !faults.is_empty() {
            writeln!(
                report,
                "{args:?}:\n  {}\n  {}",
                faults.join("\n  "),
                ran.stdout
            )
            .unwrap();
        }
    }
    assert!(report.is_empty(), "\n{report}");
}
