//! Asks the compiler what type a captured variable has, where the source does not tell.
//!
//! Cargo checks the one target that holds the file, through this very program in the place of
//! rustc: it hands everything on as it is, but for that target, where it has rustc read a
//! `mirror` of the workspace with one changed file. What rustc then complains of names the
//! types. The user's files are read, never written; what is made lies in the target folder, and
//! goes with the run, or with the next one.

mod compiler;
mod mirror;
mod said;
mod scratch;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use crate::note::{Outcome, Refusal};
use crate::workspace::{CargoOptions, Member, Target, Workspace};

pub use compiler::stand_in;
pub use said::Answer;

/// What the compiler is asked.
pub struct Question<'a> {
    /// The workspace.
    pub workspace: &'a Workspace,
    /// The package that compiles the file.
    pub package: &'a str,
    /// The file, relative to the root.
    pub path: &'a str,
    /// The bytes of the work: the expression that is handed to the spawn.
    pub work: Range<usize>,
    /// The variables, `self.field` among them, as they are in scope where the work stands.
    pub names: &'a [String],
    /// What the user said about cargo.
    pub cargo: &'a CargoOptions,
    /// The program that stands in for rustc; this one where it is `None`.
    pub program: Option<&'a Path>,
    /// Told what is under way: a verb and its object.
    pub progress: &'a dyn Fn(&str, &str),
}

/// The answer for each name.
///
/// Refuses where the workspace does not compile as it stands, where no target of the package
/// compiles the place, and where cargo cannot be run.
pub fn types(ask: &Question<'_>) -> Outcome<BTreeMap<String, Answer>> {
    let file = ask.workspace.read_text(ask.path)?;
    let changed =
        text::changed(&file.text, &ask.work, ask.names).ok_or_else(|| unreachable(ask))?;
    let member = ask.workspace.member(ask.package);
    let member = member.ok_or_else(|| unreachable(ask))?;
    (ask.progress)("Asking", &format!("rustc for types of `{}`", ask.package));
    let scratch = scratch::Scratch::new(&ask.workspace.state())?;
    mirror::make(ask.workspace, member, ask.path, &changed, &scratch.tree())?;
    for target in targets(member, ask.path) {
        let heard = compiler::check(ask, member, target, &scratch)?;
        let Some(own) = heard.own else {
            return Err(broken(ask, heard.first_error.as_deref()));
        };
        let said = said::read(&own, ask.path, ask.names);
        if said.answers.is_empty() && said.first_error.is_none() {
            // This target compiles, and the place is not in it.
            continue;
        }
        let is_open = ask
            .names
            .iter()
            .any(|name| !said.answers.contains_key(name));
        if let Some(error) = said.first_error.filter(|_| is_open) {
            return Err(broken(ask, Some(&error)));
        }
        let home = Home::of(ask.workspace, member, target);
        return Ok(ask
            .names
            .iter()
            .map(|name| {
                let answer = said.answers.get(name).cloned().unwrap_or(Answer::Open);
                (name.clone(), answer.seen_from(&home))
            })
            .collect());
    }
    Err(unreachable(ask))
}

/// What tells a crate from a module at the start of a path that rustc prints.
struct Home {
    /// Modules at the root of the crate.
    modules: BTreeSet<String>,
    /// Crates by the name that rustc prints, with that under which the package writes them.
    crates: BTreeMap<String, String>,
}

impl Home {
    fn of(workspace: &Workspace, member: &Member, target: &Target) -> Self {
        let root = workspace.read_text(&target.root).map(|file| file.text);
        let lock = workspace.read_text("Cargo.lock").map(|file| file.text);
        let mut crates: BTreeMap<String, String> = lock
            .unwrap_or_default()
            .lines()
            .filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
            .map(|name| name.replace('-', "_"))
            .chain(["std", "core", "alloc"].map(str::to_owned))
            .map(|name| (name.clone(), name))
            .collect();
        for other in &workspace.members {
            let name = other.crate_name();
            crates.insert(name.clone(), name);
        }
        for dependency in &member.dependencies {
            let own = workspace.member(&dependency.package);
            let name = own.map_or_else(|| dependency.package.replace('-', "_"), Member::crate_name);
            let written = dependency.rename.as_deref().unwrap_or(&name);
            crates.insert(name.clone(), written.replace('-', "_"));
        }
        if target.is_lib {
            crates.remove(&target.crate_name);
        }
        Self {
            modules: text::root_names(&root.unwrap_or_default()),
            crates,
        }
    }
}

/// Targets that may compile `path`, the likeliest first.
fn targets<'m>(member: &'m Member, path: &str) -> Vec<&'m Target> {
    let mut targets: Vec<&Target> = member
        .targets
        .iter()
        .filter(|t| t.kind != "custom-build")
        .collect();
    targets.sort_by_key(|target| {
        let dir = target.root.rsplit_once('/').map_or("", |(dir, _)| dir);
        let holds = dir.is_empty()
            || path
                .strip_prefix(dir)
                .is_some_and(|rest| rest.starts_with('/'));
        let depth = if holds { dir.len() } else { 0 };
        (
            target.root != path,
            !holds,
            std::cmp::Reverse(depth),
            !target.is_lib,
            target.is_test_like,
        )
    });
    targets
}

fn unreachable(ask: &Question<'_>) -> Refusal {
    Refusal::new(
        "probe-unreached",
        format!(
            "no target of `{}` compiles this place of `{}` as cargo checks it here",
            ask.package, ask.path
        ),
    )
    .help("it may stand behind a feature, a `cfg` or in a macro: give each type with `--type NAME=TYPE`")
}

fn broken(ask: &Question<'_>, error: Option<&str>) -> Refusal {
    let error = error.unwrap_or("cargo gave no reason").trim_end();
    Refusal::new(
        "probe-broken",
        format!("`{}` does not compile as it stands\n{error}", ask.package),
    )
    .help("mend what is named above, or give each type with `--type NAME=TYPE`")
}
