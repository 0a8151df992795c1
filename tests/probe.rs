//! The compiler probe, on a small workspace of its own and with the real binary in rustc's place.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use cargo_oxy_task::note::Outcome;
use cargo_oxy_task::spawn::probe::{Answer, Question, types};
use cargo_oxy_task::workspace::{CargoOptions, Workspace};
use tempfile::TempDir;

/// The program that stands in for rustc.
const TOOL: &str = env!("CARGO_BIN_EXE_cargo-oxy-task");
/// Names a workspace to the test that is run to be killed.
const KILLED: &str = "PROBE_TO_BE_KILLED";

const SITE: &str = r#"use std::collections::HashMap;
use std::fmt::Display;

use crate::two::Same;

pub struct Server {
    pub dir: std::path::PathBuf,
}

pub type Deep = HashMap<String, HashMap<String, HashMap<String, Result<Vec<Option<crate::one::Same>>, std::num::ParseIntError>>>>;

fn shown() -> impl Display {
    1
}

fn spawn<W: Future>(_: W) {}

macro_rules! select {
    ($name:ident = $work:expr => $then:block) => {{ let $name = $work; $then }};
}

impl Server {
    pub fn go<T: Clone + Send>(&self, text: &str, generic: T, rows: Vec<depended::rows::Model>) {
        let owned = text.to_owned();
        let r#type = 5;
        let mut later = Vec::new();
        let deep: Deep = Deep::new();
        let opaque = shown();
        let closure = |a: u8| a;
        let same = Same;
        let größe = 1.5_f32;
        let array = [owned.clone()];
        for row in rows {
            spawn(async move { // work
                later.push(1_u64);
                drop((text, generic, deep, opaque, closure(1), same, größe, &self.dir, r#type, owned, row, array));
            });
            break;
        }
    }
}

pub fn in_macro(port: u16) {
    let name = format!("{port}");
    select!(done = async move { name.len() } => { drop(done) });
}
"#;

struct Little(TempDir);

impl Little {
    fn new() -> Self {
        let little = Self(tempfile::tempdir().unwrap());
        let package = |name: &str, rest: &str| {
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{rest}")
        };
        let root = "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"depended\"]\n";
        little.write("Cargo.toml", root);
        let dependency = "\n[dependencies]\ndepended = { path = \"../depended\" }\n";
        little.write("app/Cargo.toml", &package("app", dependency));
        let lib = "pub mod one;\npub mod two;\npub mod site;\n\
                   pub const TEXT: &str = include_str!(\"../../text.txt\");\n\
                   pub const DIR: &str = env!(\"CARGO_MANIFEST_DIR\");\n\
                   #[path = \"../elsewhere/far.rs\"]\npub mod far;\n";
        little.write("app/src/lib.rs", lib);
        little.write("app/src/main.rs", "fn main() {\n    let a = 1_u8;\n    work(async move { a });\n}\n\nfn work<W: Future>(_: W) {}\n");
        little.write(
            "app/tests/it.rs",
            "#[test]\nfn it() {\n    let b = app::two::Same;\n    drop(async move { b });\n}\n",
        );
        little.write("app/src/one.rs", "pub struct Same;\n");
        little.write("app/src/two.rs", "pub struct Same;\n");
        little.write(
            "app/elsewhere/far.rs",
            "pub fn far(a: i8) {\n    drop(async move { a });\n}\n",
        );
        little.write("app/src/site.rs", SITE);
        little.write("text.txt", "text\n");
        little.write("depended/Cargo.toml", &package("depended", ""));
        little.write(
            "depended/src/lib.rs",
            "pub mod rows {\n    pub struct Model;\n}\n",
        );
        little
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// `cargo check` of everything, as the user would call it.
    fn check(&self) -> Output {
        Command::new(env!("CARGO"))
            .args(["check", "--offline", "--workspace"])
            .current_dir(self.path())
            .env("CARGO_TARGET_DIR", self.target())
            .output()
            .unwrap()
    }

    fn target(&self) -> PathBuf {
        self.path().join("target")
    }

    /// Every byte of the sources.
    fn tree(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut tree = BTreeMap::new();
        for top in ["app", "depended", "Cargo.toml", "text.txt"] {
            let path = self.path().join(top);
            if path.is_dir() {
                let files = common::tree_of(&path).into_iter();
                tree.extend(files.map(|(name, bytes)| (Path::new(top).join(name), bytes)));
            } else {
                tree.insert(PathBuf::from(top), std::fs::read(path).unwrap());
            }
        }
        tree
    }

    /// Asks for `names` at the first piece `work` of a file.
    fn ask(&self, path: &str, work: &str, names: &[&str]) -> Outcome<BTreeMap<String, Answer>> {
        ask(self.path(), path, work, names)
    }

    fn probes(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let states = std::fs::read_dir(self.target().join("oxy-task")).unwrap();
        for state in states {
            let probes = state.unwrap().path().join("probe");
            for entry in std::fs::read_dir(probes).unwrap() {
                found.push(entry.unwrap().path());
            }
        }
        found.retain(|path| path.is_dir());
        found
    }
}

fn ask(root: &Path, path: &str, work: &str, names: &[&str]) -> Outcome<BTreeMap<String, Answer>> {
    let cargo = CargoOptions {
        manifest_path: Some(root.join("Cargo.toml")),
        flags: vec!["--offline".to_owned()],
    };
    let mut workspace = Workspace::locate(&cargo)?;
    workspace.target = root.join("target");
    let text = std::fs::read_to_string(root.join(path)).unwrap();
    let at = text.find(work).unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    types(&Question {
        workspace: &workspace,
        package: path.split('/').next().unwrap(),
        path,
        work: at..at + work.len(),
        names: &names,
        cargo: &cargo,
        program: Some(Path::new(TOOL)),
        progress: &|_, _| (),
    })
}

/// The work of the long site.
fn work() -> &'static str {
    let start = SITE.find("async move { // work").unwrap();
    let end = start + SITE[start..].find("\n            })").unwrap();
    &SITE[start..end + "\n            }".len()]
}

fn ty(ty: &str) -> Answer {
    Answer::Type(ty.to_owned())
}

#[test]
fn all_kinds_of_types_are_named_and_nothing_is_touched() {
    let little = Little::new();
    let cold = little.check();
    assert!(cold.status.success(), "{cold:?}");
    let before = little.tree();
    let names = [
        "owned", "text", "generic", "deep", "opaque", "closure", "same", "self.dir", "type", "row",
        "größe", "later", "array", "self",
    ];
    let start = Instant::now();
    let answers = little.ask("app/src/site.rs", work(), &names).unwrap();
    // The workspace is warm: one crate is asked about, and that without making anything.
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
    let deep = "std::collections::HashMap<std::string::String, \
                std::collections::HashMap<std::string::String, \
                std::collections::HashMap<std::string::String, \
                std::result::Result<std::vec::Vec<std::option::Option<crate::one::Same>>, \
                std::num::ParseIntError>>>>";
    assert!(deep.len() > 200);
    for (name, expected) in [
        ("owned", ty("std::string::String")),
        ("text", ty("&str")),
        ("generic", ty("T")),
        ("deep", ty(deep)),
        (
            "opaque",
            Answer::Unnameable("impl std::fmt::Display".to_owned()),
        ),
        ("same", ty("crate::two::Same")),
        ("self.dir", ty("std::path::PathBuf")),
        ("type", ty("i32")),
        ("row", ty("depended::rows::Model")),
        ("größe", ty("f32")),
        ("later", ty("std::vec::Vec<u64>")),
        ("array", ty("[std::string::String; 1]")),
    ] {
        assert_eq!(answers[name], expected, "{name}");
    }
    assert!(matches!(&answers["closure"], Answer::Unnameable(ty) if ty.contains("closure")));
    assert_eq!(answers["self"], ty("&crate::site::Server"));

    assert!(little.tree() == before);
    assert!(little.probes().is_empty(), "{:?}", little.probes());
    #[cfg(unix)]
    {
        let link = tempfile::tempdir().unwrap();
        let link = link.path().join("link");
        std::os::unix::fs::symlink(little.path(), &link).unwrap();
        let again = ask(&link, "app/src/site.rs", work(), &names).unwrap();
        assert_eq!(again, answers, "by way of a link");
    }
    let warm = little.check();
    let said = String::from_utf8(warm.stderr).unwrap();
    assert!(
        !said.contains("Checking") && !said.contains("Compiling"),
        "{said}"
    );
}

#[test]
fn every_target_and_a_macro_are_reached() {
    let little = Little::new();
    let answer =
        |path: &str, work: &str, name: &str| little.ask(path, work, &[name]).unwrap()[name].clone();
    assert_eq!(answer("app/src/main.rs", "async move { a }", "a"), ty("u8"));
    assert_eq!(
        answer("app/tests/it.rs", "async move { b }", "b"),
        ty("app::two::Same")
    );
    assert_eq!(
        answer("app/elsewhere/far.rs", "async move { a }", "a"),
        ty("i8")
    );
    let name = answer("app/src/site.rs", "async move { name.len() }", "name");
    assert_eq!(name, ty("std::string::String"));
}

#[test]
fn what_cannot_be_asked_is_refused_with_the_cause() {
    let little = Little::new();
    little.write(
        "app/src/lost.rs",
        "fn a(b: u8) {\n    drop(async move { b });\n}\n",
    );
    let refusal = little
        .ask("app/src/lost.rs", "async move { b }", &["b"])
        .unwrap_err();
    assert_eq!(refusal.code, "probe-unreached");
    // A dirty tree: what stands on disk is what is asked about.
    little.write(
        "app/src/two.rs",
        "pub struct Same;\npub fn broken() -> u8 {\n    \"text\"\n}\n",
    );
    let names = &["name"];
    let answers = little
        .ask("app/src/site.rs", "async move { name.len() }", names)
        .unwrap();
    assert_eq!(
        answers["name"],
        ty("std::string::String"),
        "errors elsewhere do not hide it"
    );
    let broken = SITE.replace("format!(\"{port}\")", "nowhere(port)");
    little.write("app/src/site.rs", &broken);
    let refusal = little
        .ask("app/src/site.rs", "async move { name.len() }", names)
        .unwrap_err();
    assert_eq!(refusal.code, "probe-broken");
    assert!(
        refusal.message.contains("--> app/src/site.rs:"),
        "{}",
        refusal.message
    );
    assert!(refusal.help.unwrap().contains("--type NAME=TYPE"));
    little.write("depended/src/lib.rs", "compile_error!(\"below\");\n");
    let refusal = little
        .ask("app/src/site.rs", "async move { name.len() }", names)
        .unwrap_err();
    assert!(refusal.message.contains("below"), "{}", refusal.message);
}

/// Not a test of its own: the process that the next one kills.
#[test]
fn to_be_killed() {
    if let Some(root) = std::env::var_os(KILLED) {
        ask(Path::new(&root), "app/src/site.rs", work(), &["owned"]).unwrap();
    }
}

#[test]
fn a_kill_at_any_moment_leaves_no_trace() {
    let little = Little::new();
    let before = little.tree();
    let mut killed = 0;
    for wait in [20, 60, 100, 150, 200, 300, 400] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "to_be_killed"])
            .env(KILLED, little.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        killed += usize::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(little.tree() == before, "killed after {wait} ms");
    }
    assert!(killed > 1, "{killed}");
    let answers = little.ask("app/src/site.rs", work(), &["owned"]).unwrap();
    assert_eq!(answers["owned"], ty("std::string::String"));
    assert!(little.probes().is_empty(), "{:?}", little.probes());
    assert!(little.tree().keys().eq(before.keys()));
}

#[cfg(unix)]
#[test]
fn a_wrapper_of_the_user_still_wraps_what_is_built() {
    use std::os::unix::fs::PermissionsExt;

    let little = Little::new();
    let log = little.path().join("log");
    let script = format!(
        "#!/bin/sh\necho \"$*\" >> '{}'\nexec \"$@\"\n",
        log.display()
    );
    little.write("tools/wrapper", &script);
    let wrapper = little.path().join("tools/wrapper");
    std::fs::set_permissions(wrapper, PermissionsExt::from_mode(0o755)).unwrap();
    let config = "[build]\nrustc-wrapper = \"./tools/wrapper\"\n";
    little.write(".cargo/config.toml", config);
    let work = "async move { name.len() }";
    let answers = little.ask("app/src/site.rs", work, &["name"]).unwrap();
    assert_eq!(answers["name"], ty("std::string::String"));
    let calls = std::fs::read_to_string(log).unwrap();
    assert!(calls.contains("--crate-name depended"), "{calls}");
}

/// Ctrl-C goes to all processes of the terminal's group.
#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_leaves_nothing_running() {
    use std::os::unix::process::CommandExt;

    let little = Little::new();
    let ours = little.path().to_string_lossy().into_owned();
    let running = || {
        let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let lines = processes.filter_map(|p| std::fs::read(p.path().join("cmdline")).ok());
        lines
            .filter(|line| String::from_utf8_lossy(line).contains(&ours))
            .count()
    };
    for wait in [50, 150, 250] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "to_be_killed"])
            .env(KILLED, little.path())
            .process_group(0)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        let group = format!("-{}", child.id());
        let kill = ["-INT", "--", &group];
        Command::new("kill").args(kill).status().unwrap();
        child.wait().unwrap();
        let start = Instant::now();
        while running() > 0 && start.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(running(), 0, "after {wait} ms");
    }
}
