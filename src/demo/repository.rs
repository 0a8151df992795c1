//! A git repository around the unpacked workspace, where git is at hand.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// What settings of the user must not change about the one commit.
const SETTINGS: [&str; 8] = [
    "user.name=cargo oxy-task",
    "user.email=oxy-task@localhost",
    "init.defaultBranch=main",
    "commit.gpgSign=false",
    "core.autocrlf=false",
    "core.fsmonitor=false",
    "core.hooksPath=.git/no-hooks",
    "gc.auto=0",
];

/// Makes `dir` a repository with one commit of all that stands in it; `false` where git is missing or
/// fails, and then nothing of it is left.
#[must_use]
pub fn first_commit(dir: &Path) -> bool {
    let made = git(dir, &["init", "--quiet", "--template="])
        && ignore_target(dir).is_ok()
        && git(dir, &["add", "--all", "--force"])
        && git(
            dir,
            &["commit", "--quiet", "--message", "The workspace as it was"],
        );
    if !made {
        fs::remove_dir_all(dir.join(".git")).ok();
    }
    made
}

/// The workspace has no ignore file of its own, and gets none.
fn ignore_target(dir: &Path) -> io::Result<()> {
    let info = dir.join(".git/info");
    fs::create_dir_all(&info)?;
    fs::write(info.join("exclude"), "/target\n")
}

/// Runs git on `dir` alone: a repository that the environment names is another one.
fn git(dir: &Path, args: &[&str]) -> bool {
    let mut git = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            git.env_remove(name);
        }
    }
    git.arg("-C").arg(dir);
    for setting in SETTINGS {
        git.args(["-c", setting]);
    }
    git.args(args)
        .stdin(Stdio::null())
        .output()
        .is_ok_and(|output| output.status.success())
}
