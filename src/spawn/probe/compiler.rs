//! Cargo, with this program in the place of rustc for one target.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use serde_json::Value;

use super::Question;
use super::scratch::{Scratch, cannot};
use crate::note::{Outcome, Refusal};
use crate::toolchain;
use crate::workspace::{Member, Target, real};

/// Names the folder of the probe to the program that stands in for rustc.
const FOLDER: &str = "CARGO_OXY_TASK_PROBE";
/// The wrapper that would be there without the probe.
const CHAINED: &str = "CARGO_OXY_TASK_PROBE_WRAPPER";
/// Marks the call of rustc that is the probe's. As an argument of its own it gives the target
/// another identity for cargo, so that what a plain check made stays as it is.
const MARK: &str = "oxy_task_probe";

/// What cargo and rustc said.
pub(super) struct Heard {
    /// rustc's messages on the changed target; `None` where it did not come to that.
    pub(super) own: Option<String>,
    /// The first error about anything before it, as it is shown.
    pub(super) first_error: Option<String>,
}

/// Has cargo check `target` of `member`, of which rustc reads the mirror.
pub(super) fn check(
    ask: &Question<'_>,
    member: &Member,
    target: &Target,
    scratch: &Scratch,
) -> Outcome<Heard> {
    let workspace = ask.workspace;
    let said = scratch.dir().join("said");
    std::fs::remove_file(&said).ok();
    let write = |name: &str, text: &str| {
        let path = scratch.dir().join(name);
        std::fs::write(&path, text).map_err(|e| cannot(&path, &e))
    };
    // Cargo names the root without links, since it is run there.
    let root = &real(&workspace.root).unwrap_or_else(|_| workspace.root.clone());
    write("from", &root.join(&target.root).to_string_lossy())?;
    write("to", &scratch.tree().join(&target.root).to_string_lossy())?;
    let program = match ask.program {
        Some(program) => program.to_path_buf(),
        None => std::env::current_exe().map_err(|e| cannot(scratch.dir(), &e))?,
    };
    let mut command = Command::new(toolchain::building_cargo());
    command
        .current_dir(root)
        .args(["rustc", "--profile", "check", "--message-format=json"])
        .args(&ask.cargo.flags)
        .args(["--package", &member.name])
        .arg("--target-dir")
        .arg(real(&workspace.target).unwrap_or_else(|_| workspace.target.clone()));
    if std::env::var_os("RUSTC_WRAPPER").is_some() {
        command.env("RUSTC_WRAPPER", program);
    } else {
        // Build scripts may be run again for another environment, but not for this.
        let program = toml_edit::Value::from(program.to_string_lossy().into_owned());
        command.args(["--config", &format!("build.rustc-wrapper={program}")]);
    }
    match target.kind {
        "lib" => command.arg("--lib"),
        kind => command.arg(format!("--{kind}")).arg(&target.name),
    };
    command
        .args(["--", "--cfg", MARK])
        .env(FOLDER, scratch.dir())
        .env(CHAINED, wrapper(root).unwrap_or_default())
        .stdin(Stdio::null());
    let output = command.output().map_err(|e| {
        Refusal::new("probe-cargo", format!("cannot run cargo: {e}"))
            .help("name it in CARGO, or give each type with `--type NAME=TYPE`")
    })?;
    let first_error = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|message| message["message"]["level"] == "error")
        .and_then(|message| Some(message["message"]["rendered"].as_str()?.to_owned()));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    // Places in the mirror are named as those of the workspace that they are.
    let tree = format!("{}{}", scratch.tree().display(), std::path::MAIN_SEPARATOR);
    let tree = serde_json::to_string(&tree).unwrap_or_default();
    let tree = tree.trim_matches('"').to_owned();
    let own = std::fs::read_to_string(said).ok();
    Ok(Heard {
        own: own.map(|own| own.replace(&tree, "")),
        first_error: first_error.or(Some(stderr)),
    })
}

/// The wrapper that the user asked for: by the environment, else in the nearest configuration.
fn wrapper(root: &Path) -> Option<OsString> {
    if let Some(wrapper) = std::env::var_os("RUSTC_WRAPPER") {
        return Some(wrapper);
    }
    if let Some(wrapper) = std::env::var_os("CARGO_BUILD_RUSTC_WRAPPER") {
        return Some(wrapper);
    }
    let home = match std::env::var_os("CARGO_HOME") {
        Some(home) => Some(PathBuf::from(home)),
        None => std::env::home_dir().map(|home| home.join(".cargo")),
    };
    let dirs = root.ancestors().map(|dir| dir.join(".cargo")).chain(home);
    let files = dirs.flat_map(|dir| [dir.join("config"), dir.join("config.toml")]);
    files.into_iter().find_map(|path| {
        let text = std::fs::read_to_string(&path).ok()?;
        let config = text.parse::<toml_edit::DocumentMut>().ok()?;
        let named = config.get("build")?.get("rustc-wrapper")?.as_str()?;
        // A bare name is looked for in PATH, a path is relative to the folder of `.cargo`.
        Some(if Path::new(named).components().count() > 1 {
            path.parent()?.parent()?.join(named).into_os_string()
        } else {
            OsString::from(named)
        })
    })
}

/// Stands in for rustc where a probe asks for that, and gives the exit code; else `None`.
///
/// Called before anything else: cargo runs this program with rustc's path and arguments.
#[must_use]
pub fn stand_in() -> Option<ExitCode> {
    let folder = PathBuf::from(std::env::var_os(FOLDER)?);
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (rustc, arguments) = arguments.split_first()?;
    let code = if arguments.iter().any(|argument| argument == MARK) {
        // A success would make cargo take the target for checked, and not ask again.
        probe(&folder, rustc, arguments).unwrap_or(());
        1
    } else {
        let chained = std::env::var_os(CHAINED).filter(|wrapper| !wrapper.is_empty());
        let mut command = match chained {
            Some(wrapper) => {
                let mut command = Command::new(wrapper);
                command.arg(rustc);
                command
            }
            None => Command::new(rustc),
        };
        command.args(arguments).env_remove(FOLDER);
        match command.status() {
            Ok(status) => u8::try_from(status.code().unwrap_or(1)).unwrap_or(1),
            Err(_) => 1,
        }
    };
    Some(ExitCode::from(code))
}

/// Runs rustc on the mirror, and keeps what it says in the folder.
fn probe(folder: &Path, rustc: &OsStr, arguments: &[OsString]) -> std::io::Result<()> {
    let from = std::fs::read_to_string(folder.join("from"))?;
    let to = std::fs::read_to_string(folder.join("to"))?;
    let here = std::env::current_dir()?;
    let plain = arguments_of(arguments, &here, Path::new(&from), &to, &folder.join("out"));
    // Full paths instead of bare names: unstable, so that a rustc that does not take it, or a
    // wrapper that does not pass it on, is asked without.
    let full: Vec<OsString> = plain
        .iter()
        .cloned()
        .chain(["-Ztrim-diagnostic-paths=no".into()])
        .collect();
    let run = |arguments: &[OsString], bootstrap: bool| {
        let mut command = Command::new(rustc);
        command
            .args(arguments)
            .env_remove(FOLDER)
            .stdin(Stdio::null());
        if bootstrap {
            command.env("RUSTC_BOOTSTRAP", "1");
        }
        command.output()
    };
    let mut output = run(&full, true)?;
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("unknown unstable option") || said.contains("only accepted on the nightly") {
        output = run(&plain, false)?;
    }
    std::fs::write(folder.join("said.new"), &output.stderr)?;
    std::fs::rename(folder.join("said.new"), folder.join("said"))
}

/// rustc's arguments for the mirror: the other root, no limit of width, and nothing written
/// outside of the probe's folder.
fn arguments_of(
    given: &[OsString],
    here: &Path,
    from: &Path,
    to: &str,
    out: &Path,
) -> Vec<OsString> {
    let mut arguments = Vec::new();
    let mut given = given.iter();
    while let Some(argument) = given.next() {
        let text = argument.to_string_lossy();
        match text.as_ref() {
            "--out-dir" | "--diagnostic-width" => {
                given.next();
            }
            "-C" | "--codegen" => {
                let Some(value) = given.next() else { break };
                if !value.to_string_lossy().starts_with("incremental=") {
                    arguments.extend([argument.clone(), value.clone()]);
                }
            }
            _ if text.starts_with("--diagnostic-width=")
                || text.starts_with("--emit=")
                // Colours among it: what is quoted goes through the tool's own.
                || text.starts_with("--json=")
                || text.starts_with("--out-dir=")
                || text.starts_with("-Cincremental=") => {}
            _ if here.join(argument) == from => arguments.push(to.into()),
            _ => arguments.push(argument.clone()),
        }
    }
    arguments.extend([
        "--emit=metadata".into(),
        "--diagnostic-width=1000000000".into(),
    ]);
    arguments.extend(["--out-dir".into(), out.as_os_str().to_owned()]);
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rustc_is_given_the_mirror_and_a_folder_of_its_own() {
        let given = "--crate-name a crates/a/src/lib.rs --emit=dep-info,metadata \
                     --json=diagnostic-rendered-ansi --diagnostic-width=80 -C metadata=1 -C incremental=/t/inc --out-dir /t/deps \
                     --cfg oxy_task_probe";
        let given: Vec<OsString> = given.split_whitespace().map(Into::into).collect();
        let arguments = arguments_of(
            &given,
            Path::new("/w"),
            Path::new("/w/crates/a/src/lib.rs"),
            "/m/crates/a/src/lib.rs",
            Path::new("/o"),
        );
        assert_eq!(
            arguments.join(OsStr::new(" ")),
            "--crate-name a /m/crates/a/src/lib.rs -C metadata=1 --cfg oxy_task_probe \
             --emit=metadata --diagnostic-width=1000000000 --out-dir /o"
        );
    }
}
