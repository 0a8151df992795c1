//! The dependencies that the generated code needs, and their edges in the lock file.
//!
//! What a crate has is left alone; what it lacks is taken from `[workspace.dependencies]`, at a
//! version that `Cargo.lock` already holds. Nothing else is added: it would bring a new package.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Piece;
use crate::note::{Note, Outcome, Refusal};
use crate::plan::Plan;
use crate::task::Context;
use crate::workspace::{Manifest, Member, SourceFile, Workspace, lock_edge};

/// The piece.
pub const PIECE: Piece = Piece {
    id: "dependencies",
    about: "missing dependencies and their edges in the lock file",
    plan,
};

fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    let workspace = context.index.workspace;
    let wanted = wanted(context)?;
    let root = Manifest::parse(workspace.read_text("Cargo.toml")?)?;
    let lock = workspace
        .exists("Cargo.lock")
        .then(|| workspace.read_text("Cargo.lock"))
        .transpose()?
        .map(Arc::new);
    for (package, crates) in wanted {
        let Some(member) = workspace.member(&package) else {
            continue;
        };
        let mut manifest: Option<Manifest> = None;
        for krate in crates {
            let has = krate == member.crate_name()
                || member
                    .dependencies
                    .iter()
                    .any(|d| d.is_normal && d.crate_name() == krate);
            if has || matches!(krate.as_str(), "std" | "core" | "alloc" | "crate" | "super") {
                continue;
            }
            let manifest = match &mut manifest {
                Some(manifest) => manifest,
                none => none.insert(Manifest::parse(workspace.read_text(&member.manifest)?)?),
            };
            add(
                context,
                plan,
                &root,
                lock.as_ref(),
                member,
                manifest,
                &krate,
            )?;
        }
    }
    Ok(())
}

/// Crates by the package whose generated code names them.
fn wanted(context: &Context<'_>) -> Outcome<BTreeMap<String, BTreeSet<String>>> {
    let landmarks = context.landmarks;
    let workspace = context.index.workspace;
    let head = |path: &String| path.split("::").next().unwrap_or(path).to_owned();
    let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut need = |package: &str, crates: &[&str]| {
        wanted
            .entry(package.to_owned())
            .or_default()
            .extend(crates.iter().map(|krate| (*krate).to_owned()));
    };
    need(
        &landmarks.queue.package,
        &["async_trait", "sea_orm", "serde", "serde_json", "sha2"],
    );
    need(
        &landmarks.executor.package,
        &[
            "async_trait",
            "sea_orm",
            "serde_json",
            "tokio",
            "tokio_util",
            "tracing",
        ],
    );
    let in_executor: Vec<String> = [
        &landmarks.spec.path,
        &landmarks.policy.policy,
        &landmarks.queue.row.entity,
    ]
    .into_iter()
    .map(head)
    .collect();
    for krate in &in_executor {
        need(&landmarks.executor.package, &[krate]);
    }
    if context.task.request.schedule.is_some() {
        need(&landmarks.executor.package, &[super::schedule::CRATE]);
    }
    if let Some(status) = &context.task.status {
        need(&landmarks.executor.package, &[&head(&status.entity)]);
    }
    for (_, ty) in &context.task.fields {
        for path in ty.paths.values() {
            let krate = head(path);
            need(&landmarks.spec.package, &[&krate]);
            need(&landmarks.executor.package, &[&krate]);
        }
    }
    for of in &context.task.lacking {
        if of.needs_serde() {
            need(&of.package, &["serde"]);
        }
    }
    if let Some(migration) = &context.task.migration {
        let krate = head(&landmarks.executor.module);
        need(&migration.package, &["async_trait", &krate]);
        if !migration.handles.is_empty() {
            need(&migration.package, &["sea_orm"]);
        }
        for package in super::registration::packages(context, migration)? {
            let own = workspace.member(&migration.package);
            let own = own.map(crate::workspace::Member::crate_name);
            need(&package, &[&krate]);
            if let Some(own) = own.filter(|_| package != migration.package) {
                need(&package, &[&own]);
            }
        }
    }
    Ok(wanted)
}

fn add(
    context: &Context<'_>,
    plan: &mut Plan,
    root: &Manifest,
    lock: Option<&Arc<SourceFile>>,
    member: &Member,
    manifest: &Manifest,
    krate: &str,
) -> Outcome<()> {
    let workspace = context.index.workspace;
    let inner = workspace.members.iter().find(|m| m.crate_name() == krate);
    if let Some(inner) = inner {
        workspace
            .check_cycle(member, inner)
            .map_err(|e| e.at(manifest.file.place(&(0..1))))?;
        plan.notes.insert(
            0,
            Note::warning(
                "new-edge",
                format!(
                    "`{}` will depend on `{}`, another member",
                    member.name, inner.name
                ),
            )
            .at(manifest.file.place(&(0..1)))
            .help("look whether the layers of this workspace allow it"),
        );
    }
    let names = [krate.to_owned(), krate.replace('_', "-")];
    let Some(name) = names
        .iter()
        .find(|name| root.get(&["workspace", "dependencies", name]).is_some())
    else {
        return Err(Refusal::new(
            "dependency",
            format!(
                "the generated code in `{}` needs the crate `{krate}`, which it does not depend on",
                member.name
            ),
        )
        .at(manifest.file.place(&(0..1)))
        .help(format!(
            "run `cargo add --package {} {}`, and try again",
            member.name,
            krate.replace('_', "-")
        )));
    };
    let features = serde_feature(workspace, root, name, krate)?;
    let value = match features {
        Some(features) => format!(" = {{ workspace = true, features = [{features}] }}"),
        None if manifest.dots_workspace() => ".workspace = true".to_owned(),
        None => " = { workspace = true }".to_owned(),
    };
    let edit = manifest.add_dependency(name, &value)?;
    plan.insert(
        PIECE.id,
        format!("dependency on `{name}`"),
        &manifest.file,
        vec![edit],
    );
    let package = root
        .get(&["workspace", "dependencies", name, "package"])
        .and_then(|item| item.as_str())
        .unwrap_or(name)
        .to_owned();
    if let Some(lock) = lock {
        let version = root
            .get(&["workspace", "dependencies", name])
            .and_then(|item| item.as_str().or_else(|| item.get("version")?.as_str()))
            .unwrap_or("*")
            .to_owned();
        let edge = lock_edge(lock, &member.name, &package, &|locked| {
            fits(&version, locked)
        })?;
        if let Some(edit) = edge {
            plan.insert(
                PIECE.id,
                format!("`{package}` in the lock file"),
                lock,
                vec![edit],
            );
        }
    }
    Ok(())
}

/// Whether a locked version meets a requirement, as cargo reads it.
fn fits(requirement: &str, locked: &str) -> bool {
    let Ok(version) = cargo_metadata::semver::Version::parse(locked) else {
        return false;
    };
    cargo_metadata::semver::VersionReq::parse(requirement).is_ok_and(|req| req.matches(&version))
}

/// A crate whose types travel needs its serde support: the features that other members ask
/// for where the workspace's own line lacks it.
fn serde_feature(
    workspace: &Workspace,
    root: &Manifest,
    name: &str,
    krate: &str,
) -> Outcome<Option<String>> {
    let listed = root
        .get(&["workspace", "dependencies", name, "features"])
        .is_some_and(|item| item.to_string().contains("serde"));
    if listed
        || !matches!(
            krate,
            "uuid" | "chrono" | "url" | "indexmap" | "rust_decimal" | "semver" | "bytes"
        )
    {
        return Ok(None);
    }
    for member in &workspace.members {
        let depends = member.dependencies.iter().any(|d| d.package == name);
        if !depends {
            continue;
        }
        let manifest = Manifest::parse(workspace.read_text(&member.manifest)?)?;
        let asks = manifest
            .get(&["dependencies", name, "features"])
            .is_some_and(|item| item.to_string().contains("\"serde\""));
        if asks {
            return Ok(Some("\"serde\"".to_owned()));
        }
    }
    Ok(None)
}
