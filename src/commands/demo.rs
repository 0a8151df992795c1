//! `demo`: unpacks the embedded workspace, scaffolds a task into it, shows the diff, runs its tests.

use std::path::{Path, PathBuf};

use super::new::{self, Asked, Scaffolded};
use crate::cli::{self, Common, Writing};
use crate::demo::{Folder, TaskTests, Tests, first_commit};
use crate::note::{Outcome, Refusal};
use crate::report::{Demonstrated, Shell};
use crate::verify::Depth;
use crate::workspace::Workspace;

/// Runs the command; `false` where the tests fail, which is told already then.
pub(super) fn run(shell: &Shell, common: &Common, dir: &Path) -> Outcome<bool> {
    if common.cargo().manifest_path.is_some() {
        return Err(Refusal::usage(
            "manifest-path",
            "demo scaffolds into a workspace of its own",
        )
        .help("leave --manifest-path out; `cargo oxy-task new --dry-run` shows a task in yours"));
    }
    let mut folder = Folder::new(dir)?;
    let before = std::env::current_dir().ok();
    match prepare(shell, common, dir, &mut folder) {
        Ok((done, has_repository)) => finish(shell, common, dir, &folder, &done, has_repository),
        Err(refusal) => {
            // A folder that somebody stands in cannot be removed everywhere.
            before.map(std::env::set_current_dir);
            Err(folder.give_up(refusal))
        }
    }
}

/// Unpacks, and scaffolds; tells whether the workspace is a git repository now.
fn prepare(
    shell: &Shell,
    common: &Common,
    dir: &Path,
    folder: &mut Folder,
) -> Outcome<(Scaffolded, bool)> {
    let count = folder.unpack()?;
    let shown = dir.display();
    shell.status(
        "Unpacked",
        &format!("{count} files of a workspace into `{shown}`"),
    );
    // As if it were run in there: cargo's settings and the toolchain are those of that folder.
    std::env::set_current_dir(&folder.path).map_err(|e| {
        Refusal::new("demo-dir", format!("cannot go into `{shown}`: {e}"))
            .help("name another folder")
    })?;
    let common = common.in_workspace(folder.path.join("Cargo.toml"));
    let target = Workspace::locate(&common.cargo())?.target;
    if !target.starts_with(&folder.path) && asked_target().is_none() {
        folder.keep_target()?;
    }
    let has_repository = first_commit(&folder.path);
    if !has_repository {
        shell.attention(
            "Without",
            "a git repository around it: git is missing, or failed",
        );
    }
    shell.status("Running", &cli::demo_command());
    // Nothing of this folder is anybody's work.
    let writing = Writing {
        dry_run: false,
        allow_dirty: true,
        allow_staged: true,
        allow_no_vcs: true,
        verify: Depth::None,
    };
    let done = new::scaffold(
        shell,
        &common,
        &writing,
        Asked::Task(Box::new(cli::demo_request()?)),
        None,
    )?;
    Ok((done, has_repository))
}

/// The target folder that the user's environment asks for.
fn asked_target() -> Option<PathBuf> {
    ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"]
        .into_iter()
        .find_map(std::env::var_os)
        .map(PathBuf::from)
}

/// Shows what was scaffolded, runs its tests, and says what to try next.
fn finish(
    shell: &Shell,
    common: &Common,
    dir: &Path,
    folder: &Folder,
    done: &Scaffolded,
    has_repository: bool,
) -> Outcome<bool> {
    let report = done.report("demo");
    let filter = format!("::{}::", report.task.module());
    let package = &report.landmarks.executor.package;
    let demonstrated = Demonstrated {
        dir,
        absolute: &folder.path,
        report: &report,
        has_repository,
    };
    demonstrated.show_diff(shell, common.format);
    let mut flags = common.cargo().flags;
    if common.quiet {
        flags.push("--quiet".to_owned());
    }
    let task_tests = TaskTests {
        root: &done.workspace().root,
        target: &done.workspace().target,
        package,
        filter: &filter,
        flags: &flags,
    };
    let command = format!("cargo {}", task_tests.arguments().join(" "));
    shell.status("Testing", &format!("`{command}`"));
    let (tests, cause) = match task_tests.run(|line| shell.pass_on(line)) {
        Ok(tests) => (tests, failure(tests)),
        Err(refusal) => (Tests::default(), Some(refusal.message)),
    };
    let failed = cause.map(|cause| {
        Refusal::new("demo-tests", cause).help(format!(
            "the workspace and its task are left in `{}`: mend what is named above, and run `{command}` there",
            dir.display()
        ))
    });
    demonstrated.show_tests(shell, common.format, tests, failed.as_ref());
    Ok(failed.is_none())
}

/// What is wrong with the tests.
fn failure(tests: Tests) -> Option<String> {
    match tests {
        Tests { failed, .. } if failed > 0 => Some(format!("{failed} generated tests fail")),
        Tests {
            succeeded: false, ..
        } => Some("cargo could not run the generated tests".to_owned()),
        Tests { passed: 0, .. } => Some("no generated test was found".to_owned()),
        _ => None,
    }
}
