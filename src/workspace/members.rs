//! The members of the workspace, from `cargo metadata --no-deps`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};
use serde::Deserialize;

use super::relative;
use crate::note::{Outcome, Refusal};
use crate::toolchain;

/// What the user said about cargo itself.
#[derive(Debug, Clone, Default)]
pub struct CargoOptions {
    /// `--manifest-path`.
    pub manifest_path: Option<PathBuf>,
    /// `--offline`, `--locked`, `--frozen`: handed on to every cargo that is run.
    pub flags: Vec<String>,
}

/// One package of the workspace.
#[derive(Debug, Clone)]
pub struct Member {
    /// The package's name.
    pub name: String,
    /// Its directory relative to the root, with `/`; empty for the root package.
    pub dir: String,
    /// Path of its manifest relative to the root.
    pub manifest: String,
    /// Its targets.
    pub targets: Vec<Target>,
    /// Dependencies of every kind.
    pub dependencies: Vec<Dependency>,
    /// The edition, `2021` say.
    pub edition: String,
    /// The oldest Rust that it says it compiles with, as major and minor version.
    pub rust_version: Option<(u64, u64)>,
}

/// A library, binary, test, example or bench.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its name as cargo's options take it.
    pub name: String,
    /// Its kind as cargo's options are called: `lib`, `bin`, `test`, `example`, `bench`; else
    /// `custom-build`.
    pub kind: &'static str,
    /// The crate's name as written in paths.
    pub crate_name: String,
    /// Path of its root file, relative to the workspace root.
    pub root: String,
    /// Whether it is the library.
    pub is_lib: bool,
    /// Whether it is a program.
    pub is_bin: bool,
    /// Whether it is compiled for tests, examples or benches only.
    pub is_test_like: bool,
}

/// One line of a `[dependencies]` table.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// The package depended on.
    pub package: String,
    /// The name it has in paths, where it was renamed.
    pub rename: Option<String>,
    /// Whether it counts for the library itself, not for tests or build scripts only.
    pub is_normal: bool,
}

impl Dependency {
    /// The name that it has in the manifest.
    #[must_use]
    pub fn name(&self) -> &str {
        self.rename.as_deref().unwrap_or(&self.package)
    }

    /// The name under which it is written in paths.
    #[must_use]
    pub fn crate_name(&self) -> String {
        self.name().replace('-', "_")
    }
}

impl Member {
    /// Whether `path` (relative to the root) lies in this member's directory.
    #[must_use]
    pub fn holds(&self, path: &str) -> bool {
        self.dir.is_empty()
            || path
                .strip_prefix(&self.dir)
                .is_some_and(|rest| rest.starts_with('/'))
    }

    /// Whether this member, or the root of one of its targets, lies in the folder `dir`.
    pub(super) fn stands_in(&self, dir: &str) -> bool {
        let roots = self.targets.iter().map(|target| &target.root);
        let mut files = roots.chain([&self.manifest]);
        files.any(|path| {
            path.strip_prefix(dir)
                .is_some_and(|rest| rest.starts_with('/'))
        })
    }

    /// The library target, if there is one.
    #[must_use]
    pub fn lib(&self) -> Option<&Target> {
        self.targets.iter().find(|target| target.is_lib)
    }

    /// The name under which this member's library is written in paths.
    #[must_use]
    pub fn crate_name(&self) -> String {
        self.lib().map_or_else(
            || self.name.replace('-', "_"),
            |target| target.crate_name.clone(),
        )
    }

    /// Whether the library depends on `package`.
    #[must_use]
    pub fn depends_on(&self, package: &str) -> bool {
        self.dependencies
            .iter()
            .any(|dependency| dependency.is_normal && dependency.package == package)
    }
}

/// The manifest to start from: `--manifest-path`, or the nearest one above the current directory.
pub(super) fn nearest_manifest(options: &CargoOptions) -> Outcome<PathBuf> {
    if let Some(path) = &options.manifest_path {
        return std::path::absolute(path)
            .ok()
            .filter(|path| path.is_file())
            .ok_or_else(|| {
                Refusal::new(
                    "manifest-path",
                    format!("manifest path `{}` does not exist", path.display()),
                )
                .help("name the Cargo.toml of the workspace, or of one of its members")
            });
    }
    let here = std::env::current_dir()
        .map_err(|e| Refusal::new("cwd", format!("cannot read the current directory: {e}")))?;
    here.ancestors()
        .map(|dir| dir.join("Cargo.toml"))
        .find(|path| path.is_file())
        .ok_or_else(|| {
            Refusal::new(
                "no-workspace",
                format!(
                    "could not find `Cargo.toml` in `{}` or any parent directory",
                    here.display()
                ),
            )
            .help("run it inside the workspace, or name one with --manifest-path")
        })
}

/// The root that cargo will most likely name: the outermost manifest with a `[workspace]`.
///
/// Only a guess that lets the walk start early; what cargo says counts.
pub(super) fn guess_root(manifest: &Path) -> Option<PathBuf> {
    let dir = manifest.parent()?;
    dir.ancestors()
        .find(|dir| {
            std::fs::read_to_string(dir.join("Cargo.toml"))
                .is_ok_and(|text| text.lines().any(|line| line.trim() == "[workspace]"))
        })
        .map(Path::to_path_buf)
}

/// The folders at the root that the members of its manifest stand in; the empty name for the
/// root itself.
///
/// Only a guess, as the root is: cargo also counts what members depend on by a path.
pub(super) fn guess_tops(root: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let Ok(manifest) = toml_edit::Document::parse(text.as_str()) else {
        return BTreeSet::new();
    };
    let members = manifest.get("workspace").and_then(|w| w.get("members"));
    let members = members.and_then(toml_edit::Item::as_array).into_iter();
    let mut tops: BTreeSet<String> = members
        .flatten()
        .filter_map(toml_edit::Value::as_str)
        .map(|member| top(member.strip_prefix("./").unwrap_or(member)))
        // A member beside the root is none that the tool edits.
        .filter(|top| top != "..")
        .collect();
    let is_whole = |top: &String| top.is_empty() || top.contains(['*', '?', '[']);
    if manifest.get("package").is_some() || tops.iter().any(is_whole) {
        tops = BTreeSet::from([String::new()]);
    }
    tops
}

/// The folder at the root that a member's directory stands in; the empty name for the root.
fn top(dir: &str) -> String {
    match dir.split('/').next() {
        Some(first) if first != "." => first.to_owned(),
        _ => String::new(),
    }
}

/// The folders at the root that `members` stand in and that are not among `known`.
pub(super) fn other_tops(members: &[Member], known: &BTreeSet<String>) -> BTreeSet<String> {
    let tops: BTreeSet<String> = members.iter().map(|member| top(&member.dir)).collect();
    if known.contains("") {
        return BTreeSet::new();
    }
    tops.difference(known).cloned().collect()
}

/// What cargo says of the workspace.
pub(super) struct Metadata {
    pub(super) root: PathBuf,
    pub(super) target: PathBuf,
    pub(super) members: Vec<Member>,
}

/// Runs `cargo metadata --no-deps`.
pub(super) fn metadata(manifest: &Path, options: &CargoOptions) -> Outcome<Metadata> {
    let mut command = MetadataCommand::new();
    command
        .cargo_path(toolchain::cargo(manifest))
        .manifest_path(manifest)
        .no_deps()
        .other_options(options.flags.clone());
    let failed = |text: &str| {
        let message = format!("cargo metadata failed\n{}", text.trim_end());
        Refusal::new("metadata", message)
            .help("mend what cargo names above; `cargo metadata --no-deps` shows it again")
    };
    let output = command.cargo_command().output();
    let output = output.map_err(|e| failed(&e.to_string()))?;
    if !output.status.success() {
        return Err(failed(&String::from_utf8_lossy(&output.stderr)));
    }
    // What stands around the cargo of a user may say something before it.
    let mut lines = output.stdout.split(|byte| *byte == b'\n');
    let json = lines.find(|line| line.starts_with(b"{"));
    let json = json.ok_or_else(|| failed("it gave no JSON"))?;
    let answer: Answer = serde_json::from_slice(json).map_err(|e| failed(&e.to_string()))?;
    let root = answer.workspace_root;
    let mut members: Vec<Member> = answer
        .packages
        .iter()
        .filter_map(|package| member(&root, package))
        .collect();
    members.sort_by(|a, b| a.dir.cmp(&b.dir));
    Ok(Metadata {
        root,
        target: answer.target_directory,
        members,
    })
}

/// What is read of cargo's answer: the most of it is what nobody here asks for.
#[derive(Deserialize)]
struct Answer {
    workspace_root: PathBuf,
    target_directory: PathBuf,
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<cargo_metadata::Target>,
    dependencies: Vec<PackageDependency>,
    edition: String,
    rust_version: Option<String>,
}

#[derive(Deserialize)]
struct PackageDependency {
    name: String,
    rename: Option<String>,
    /// Of a normal one there is none.
    kind: Option<DependencyKind>,
}

/// The members with the dependencies that changed manifests add.
pub(super) fn with(members: &[Member], texts: &BTreeMap<String, String>) -> Vec<Member> {
    let mut members = members.to_vec();
    for member in &mut members {
        let Some(text) = texts.get(&member.manifest) else {
            continue;
        };
        for name in dependency_names(text) {
            let mut dependencies = member.dependencies.iter();
            let known = dependencies.any(|d| d.is_normal && d.name() == name);
            if !known {
                member.dependencies.push(Dependency {
                    package: name,
                    rename: None,
                    is_normal: true,
                });
            }
        }
    }
    members
}

/// Takes from the members the dependencies that changed manifests no longer have: each with its path,
/// and its text before and after.
pub(super) fn without<'t>(
    members: &mut [Member],
    manifests: impl Iterator<Item = (&'t str, [&'t str; 2])>,
) {
    for (path, [before, after]) in manifests {
        let Some(member) = members.iter_mut().find(|member| member.manifest == path) else {
            continue;
        };
        let (before, after) = (dependency_names(before), dependency_names(after));
        member.dependencies.retain(|d| {
            let name = d.name();
            !d.is_normal || !before.contains(name) || after.contains(name)
        });
    }
}

/// The names in the table of dependencies of a manifest; none where it cannot be read.
fn dependency_names(manifest: &str) -> BTreeSet<String> {
    let document = manifest.parse::<toml_edit::DocumentMut>().ok();
    let table = document.as_ref().and_then(|of| of.get("dependencies"));
    let table = table.and_then(toml_edit::Item::as_table_like);
    let keys = table.into_iter().flat_map(toml_edit::TableLike::iter);
    keys.map(|(name, _)| name.to_owned()).collect()
}

fn kind(target: &cargo_metadata::Target) -> &'static str {
    match target {
        _ if target.is_bin() => "bin",
        _ if target.is_test() => "test",
        _ if target.is_example() => "example",
        _ if target.is_bench() => "bench",
        _ if target.is_custom_build() => "custom-build",
        // Of all kinds of library: a package has one at most.
        _ => "lib",
    }
}

/// `None` for a member outside the root: the tool does not edit there.
fn member(root: &Path, package: &Package) -> Option<Member> {
    let dir = relative(root, package.manifest_path.parent()?)?;
    let targets = package
        .targets
        .iter()
        .filter_map(|target| {
            Some(Target {
                name: target.name.clone(),
                kind: kind(target),
                crate_name: target.name.replace('-', "_"),
                root: relative(root, target.src_path.as_std_path())?,
                is_lib: target.is_lib() || target.is_proc_macro() || target.is_rlib(),
                is_bin: target.is_bin(),
                is_test_like: target.is_test() || target.is_example() || target.is_bench(),
            })
        })
        .collect();
    let dependencies = package
        .dependencies
        .iter()
        .map(|dependency| Dependency {
            package: dependency.name.clone(),
            rename: dependency.rename.clone(),
            is_normal: matches!(dependency.kind, None | Some(DependencyKind::Normal)),
        })
        .collect();
    Some(Member {
        name: package.name.clone(),
        manifest: relative(root, &package.manifest_path)?,
        dir,
        targets,
        dependencies,
        edition: package.edition.clone(),
        rust_version: package.rust_version.as_deref().and_then(rust_version),
    })
}

/// Major and minor of `1.85` and `1.85.1`.
fn rust_version(text: &str) -> Option<(u64, u64)> {
    let mut parts = text.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_rust_version_major_and_minor_count() {
        assert_eq!(rust_version("1.85"), Some((1, 85)));
        assert_eq!(rust_version("1.91.1"), Some((1, 91)));
        assert_eq!(rust_version("1"), None);
    }

    #[test]
    fn only_the_folders_that_hold_members_are_walked() {
        let dir = tempfile::tempdir().unwrap();
        let tops = |manifest: &str| {
            std::fs::write(dir.path().join("Cargo.toml"), manifest).unwrap();
            Vec::from_iter(guess_tops(dir.path()))
        };
        let members = "[workspace]\nmembers = [\"crates/*\", \"crates/a/b\", \"./tool\"]\n";
        assert_eq!(tops(members), ["crates", "tool"]);
        assert_eq!(tops("[workspace]\nmembers = [\"*\"]\n"), [""]);
        assert_eq!(tops("[workspace]\nmembers = [\"a\", \".\"]\n"), [""]);
        let package = "[package]\nname = \"a\"\n\n[workspace]\nmembers = [\"crates/b\"]\n";
        assert_eq!(tops(package), [""]);
        assert!(tops("[workspace\n").is_empty());
        // What lies beside the root is not the tool's to read.
        let beside = "[workspace]\nmembers = [\"crates/a\", \"../b\", \"./../c\"]\n";
        assert_eq!(tops(beside), ["crates"]);
    }
}
