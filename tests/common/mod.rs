//! A copy of the fleet under git, and the real binary run in it.
#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    reason = "each test file uses its part of the helpers"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tempfile::TempDir;

/// The command of the README and of the issue that it was written for.
pub const CLONE: &[&str] = &[
    "new",
    "CloneRepository",
    "clone_url:String",
    "branch:String",
    "target_dir:PathBuf",
    "workspace_id:Uuid",
    "auth_token:secret",
    "--key",
    "clone_url,target_dir",
    "--status",
    "workspaces.status@workspace_id:running=Cloning,done=Ready,failed=Failed",
];

/// The repository import, as the guideline has it.
pub const IMPORT: &[&str] = &[
    "migrate-spawn",
    "crates/app/src/server/api/onboarding.rs:124",
    "--as",
    "CloneRepository",
    "--status",
    "workspaces.status@workspace_id:running=Cloning,done=Ready,failed=Failed",
];

/// The copy that was built last; held while one is built.
static LAST_BUILT: Mutex<PathBuf> = Mutex::new(PathBuf::new());

/// A copy of the fleet with one commit.
pub struct Fleet {
    dir: TempDir,
}

/// What the tool gave.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Fleet {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fleet");
        copy(&from, dir.path());
        let fleet = Self { dir };
        fleet.git(&["init", "--quiet"]);
        fleet.commit();
        fleet
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path().join(path)).unwrap()
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Replaces the one place where `old` stands.
    pub fn replace(&self, path: &str, old: &str, new: &str) {
        let text = self.read(path);
        assert_eq!(text.matches(old).count(), 1, "`{old}` in {path}");
        self.write(path, &text.replace(old, new));
    }

    pub fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .args([
                "-c",
                "user.name=fleet",
                "-c",
                "user.email=fleet@example.com",
            ])
            .args(args)
            .current_dir(self.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "state"]);
    }

    pub fn tool(&self, args: &[&str]) -> Ran {
        // With --verify the tool runs cargo itself.
        let _turn = args.contains(&"--verify").then(|| self.turn());
        let output = Command::new(env!("CARGO_BIN_EXE_cargo-oxy-task"))
            .args(args)
            .current_dir(self.path())
            .env("CARGO_TARGET_DIR", target())
            .output()
            .unwrap();
        Ran {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The tool, which must succeed.
    pub fn done(&self, args: &[&str]) -> Ran {
        let ran = self.tool(args);
        assert_eq!(ran.code, 0, "{args:?}\n{}", ran.stderr);
        ran
    }

    /// Real cargo in the copy, which must succeed; all copies share one target folder.
    pub fn cargo(&self, args: &[&str]) -> String {
        let output = self.try_cargo(args);
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(output.status.success(), "cargo {args:?}\n{text}");
        text
    }

    pub fn try_cargo(&self, args: &[&str]) -> Output {
        let _turn = self.turn();
        Command::new(env!("CARGO"))
            .args(args)
            .current_dir(self.path())
            .env("CARGO_TARGET_DIR", target())
            .output()
            .unwrap()
    }

    /// Waits until no other copy builds, and makes cargo build this one.
    ///
    /// Cargo names the artifacts of a workspace by paths relative to its root, so that copies
    /// with one target folder take each other's for their own unless their files are newer.
    pub fn turn(&self) -> MutexGuard<'static, PathBuf> {
        let mut last = LAST_BUILT.lock().unwrap_or_else(PoisonError::into_inner);
        if *last != self.path() {
            let now = SystemTime::now();
            for path in self.tree().into_keys() {
                let file = std::fs::File::open(self.path().join(path)).unwrap();
                file.set_modified(now).unwrap();
            }
            *last = self.path().to_path_buf();
        }
        last
    }

    /// Every file and its bytes, `.git` aside.
    pub fn tree(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        tree_of(self.path())
    }
}

/// Every file below `dir` and its bytes, `.git` aside.
pub fn tree_of(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut tree = BTreeMap::new();
    collect(dir, dir, &mut tree);
    tree
}

/// The target folder of all copies, so that dependencies are built once.
pub fn target() -> PathBuf {
    std::env::var_os("FLEET_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fleet"),
        PathBuf::from,
    )
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_name() == "target" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), &to).unwrap();
        }
    }
}

fn collect(root: &Path, dir: &Path, tree: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() == ".git" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            collect(root, &entry.path(), tree);
        } else {
            let path = entry.path();
            tree.insert(
                path.strip_prefix(root).unwrap().to_path_buf(),
                std::fs::read(&path).unwrap(),
            );
        }
    }
}
