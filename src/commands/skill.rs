//! `skill`: the guideline and the commands that serve it, as a file for coding agents.

use std::path::{Component, Path, PathBuf};

use crate::apply::{self, Entry, Journal};
use crate::cli::Common;
use crate::note::{Outcome, Refusal};
use crate::report::{self, Fate, Shell};
use crate::workspace::Workspace;

/// What is written.
const TEXT: &str = include_str!("../../templates/skill.md");

/// What a file of this kind begins with, whatever release of the tool wrote it.
const START: &str = "---\nname: oxy-task\n";

/// Folders that agents read skills from.
const FOLDERS: [&str; 2] = [".claude/skills", ".agents/skills"];

/// The file in such a folder.
const FILE: &str = "oxy-task/SKILL.md";

/// Writes the file to `path`, or where the workspace keeps skills; never over one that was changed.
pub(super) fn run(shell: &Shell, common: &Common, path: Option<&Path>) -> Outcome<()> {
    let workspace = Workspace::locate(&common.cargo())?;
    let state = workspace.state();
    super::recover(shell, &state)?;
    let path = match path {
        Some(path) => within(&workspace, path)?,
        None => usual(&workspace)?,
    };
    let before = match std::fs::read_to_string(workspace.root.join(&path)) {
        Ok(text) => Some(text),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
        Err(e) => {
            return Err(Refusal::new("read", format!("cannot read `{path}`: {e}"))
                .help("mend the cause, or name another path"));
        }
    };
    let stands = before.as_deref() == Some(TEXT);
    if let Some(text) = before.as_deref().filter(|_| !stands)
        && !(state.is_own(&path, text) && text.starts_with(START))
    {
        let message = format!("`{path}` is not as the tool wrote it");
        return Err(Refusal::new("skill-changed", message)
            .help("move it away to have it anew, or name another path"));
    }
    let fate = match before {
        Some(_) if stands => Fate::Stands,
        Some(_) => Fate::Updated,
        None => Fate::Created,
    };
    if !stands {
        let files = vec![Entry::text(&path, before, TEXT)];
        let journal = Journal::of("skill", "", "", files);
        apply::commit(&workspace.root, &state, journal, || shell.blocked())?.keep()?;
    }
    report::written(shell, common.format, "skill", &path, fate);
    Ok(())
}

/// The file in the first folder for skills that the workspace has.
fn usual(workspace: &Workspace) -> Outcome<String> {
    let mut folders = FOLDERS.iter().filter(|folder| workspace.exists(folder));
    let Some(folder) = folders.next() else {
        let message = format!(
            "the workspace has no folder for skills: neither {}",
            FOLDERS.map(|f| format!("`{f}`")).join(" nor ")
        );
        return Err(Refusal::new("no-skills", message).help(format!(
            "name the file: `cargo oxy-task skill {}/{FILE}`",
            FOLDERS[0]
        )));
    };
    Ok(format!("{folder}/{FILE}"))
}

/// `path`, given relative to the current directory, relative to the root, with `/`.
fn within(workspace: &Workspace, path: &Path) -> Outcome<String> {
    let refuse = |why: &str| {
        let message = format!("cannot write a skill to `{}`: {why}", path.display());
        Refusal::new("skill-path", message).help("name a file in the workspace")
    };
    let absolute = std::path::absolute(path).map_err(|e| refuse(&e.to_string()))?;
    let mut clean = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::ParentDir => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    if clean.is_dir() {
        return Err(refuse("it is a folder"));
    }
    workspace
        .inside(&clean)
        .ok_or_else(|| refuse("it is no path inside of the workspace"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::TEXT;
    use crate::cli::Cli;

    #[test]
    fn the_skill_names_commands_that_there_are() {
        let command = Cli::command();
        let mut named = 0;
        for (at, start) in TEXT.match_indices("cargo oxy-task ") {
            let word = TEXT[at + start.len()..]
                .split(|c: char| !c.is_alphanumeric() && c != '-')
                .next();
            assert!(command.find_subcommand(word.unwrap()).is_some(), "{word:?}");
            named += 1;
        }
        assert!(named > 3);
        let new = command.find_subcommand("new").unwrap();
        let options: Vec<&str> = new
            .get_arguments()
            .filter_map(clap::Arg::get_long)
            .collect();
        for option in ["dry-run", "verify", "key", "status"] {
            assert!(TEXT.contains(&format!("--{option}")) && options.contains(&option));
        }
    }
}
