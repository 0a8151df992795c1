//! The registration of work that lives above the executor, where programs start.
//!
//! Beside the start of the worker that stands where the work can be named there, else first of all
//! in `main` of each program that has the site's crate.

use std::sync::Arc;

use askama::Template;

use super::{Piece, work};
use crate::format::{Form, Fragment};
use crate::index::FileFacts;
use crate::migrate::{Migration, short};
use crate::note::{Outcome, Refusal};
use crate::plan::Plan;
use crate::render::render;
use crate::task::Context;
use crate::trivia::{Sibling, Spot};
use crate::workspace::Member;

/// The piece.
pub const PIECE: Piece = Piece {
    id: "registration",
    about: "the registration of the work where programs start",
    plan,
};

#[derive(Template)]
#[template(path = "registration.rs", escape = "none")]
struct Registration {
    tasks: String,
    module: String,
    work: String,
    /// What the work holds: name and value.
    handles: Vec<(String, String)>,
    /// The variable that is the work.
    variable: String,
    arc: String,
    variant: String,
}

/// A place for the statement.
struct Start {
    facts: Arc<FileFacts>,
    spot: Spot,
    indent: String,
    /// The connection to the database there.
    db: Option<String>,
}

/// Packages whose files register the work.
pub(super) fn packages(context: &Context<'_>, migration: &Migration) -> Outcome<Vec<String>> {
    let workspace = context.index.workspace;
    let starts = starts(context, migration)?;
    let members = starts
        .iter()
        .filter_map(|start| workspace.member_of(&start.facts.file.path));
    Ok(members.map(|member| member.name.clone()).collect())
}

fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    let Some(migration) = &context.task.migration else {
        return Ok(());
    };
    let title = format!("registration of `{}`", work::name(context));
    if let Some(path) = standing(context, migration) {
        plan.present(PIECE.id, title, &path);
        return Ok(());
    }
    for start in starts(context, migration)? {
        let text = render(&Registration {
            tasks: work::tasks(context, migration)?,
            module: context.task.module(),
            work: path_from(context, migration, &start.facts)?,
            handles: migration
                .handles
                .iter()
                .map(|of| {
                    let db = start.db.clone().unwrap_or_default();
                    (of.name.clone(), format!("{db}.clone()"))
                })
                .collect(),
            variable: context.task.module(),
            arc: short(&start.facts, "std::sync::Arc"),
            variant: context.task.request.variant.clone(),
        })?;
        let fragment = Fragment {
            form: Form::Statement,
            indent: start.indent,
            text,
        };
        plan.draft(
            PIECE.id,
            title.clone(),
            &start.facts.file,
            PIECE.id,
            fragment,
            start.spot,
        );
    }
    Ok(())
}

/// The file that registers the work already.
fn standing(context: &Context<'_>, migration: &Migration) -> Option<String> {
    let name = work::name(context);
    let call = format!("{}::register(", context.task.module());
    let mut paths = context.index.containing(&name);
    paths.retain(|path| *path != migration.facts.file.path);
    let files = &context.index.workspace.files;
    paths
        .into_iter()
        .find(|path| files[path].text.contains(&call))
}

fn starts(context: &Context<'_>, migration: &Migration) -> Outcome<Vec<Start>> {
    let workspace = context.index.workspace;
    let own = workspace.member(&migration.package);
    let has_site = |member: &Member| {
        own.is_some_and(|own| own.name == member.name || workspace.depends(member, own))
    };
    let beside = context
        .landmarks
        .worker_starts
        .iter()
        .filter(|start| workspace.member_of(&start.place.path).is_some_and(has_site));
    let mut starts = Vec::new();
    let mut why = None;
    for start in beside {
        match &start.room {
            Ok(room) => starts.push(Start {
                facts: Arc::clone(&start.facts),
                spot: room.spot.clone(),
                indent: room.indent.clone(),
                db: Some(room.db.clone()),
            }),
            Err(reason) => why = Some((start.place.clone(), reason.clone())),
        }
    }
    if !starts.is_empty() && why.is_none() {
        return Ok(starts);
    }
    if let Some(handle) = migration.handles.first() {
        let (place, reason) = why.unwrap_or_else(|| {
            let reason = "nothing there starts a worker that stands".to_owned();
            (migration.place.clone(), reason)
        });
        let message = format!(
            "the work holds `{}` (a `{}`), and where it is to be registered none is at hand: {reason}",
            handle.name, handle.ty
        );
        return Err(Refusal::new("no-program", message)
            .at(place)
            .and(migration.place.clone(), "the work")
            .help(
                "let the work make its own connection, or start the worker where one is at hand",
            ));
    }
    starts.clear();
    for member in workspace.members.iter().filter(|member| has_site(member)) {
        let programs = member.targets.iter().filter(|of| of.is_bin);
        for target in programs {
            starts.push(first_in_main(context, migration, &target.root)?);
        }
    }
    if starts.is_empty() {
        let message = format!(
            "no program of this workspace has `{}`, so that none could register the work",
            migration.package
        );
        return Err(Refusal::new("no-program", message)
            .at(migration.place.clone())
            .help("a worker runs in a program: let one depend on this crate"));
    }
    Ok(starts)
}

/// Before the first statement of a program's `main`.
fn first_in_main(context: &Context<'_>, migration: &Migration, root: &str) -> Outcome<Start> {
    let facts = context.index.facts(root)?;
    let main = facts
        .functions
        .iter()
        .find(|of| of.name == "main" && of.in_impl.is_none());
    let statements = main.map(|main| facts.statements(main)).unwrap_or_default();
    let Some(first) = statements
        .first()
        .filter(|of| facts.file.starts_line(of.range.start))
    else {
        let message = format!(
            "`{root}` has no `main` with a statement that the registration could go before"
        );
        return Err(Refusal::new("no-program", message)
            .at(facts.place(&(0..1)))
            .and(migration.place.clone(), "the work")
            .help("write `main` as a function with its statements on lines of their own"));
    };
    let siblings: Vec<Sibling> = statements
        .iter()
        .map(|of| Sibling::on_lines(&of.range))
        .collect();
    Ok(Start {
        spot: Spot::before(&facts.file, &siblings, 0),
        indent: facts.file.indent_at(first.range.start).to_owned(),
        db: None,
        facts,
    })
}

/// The path of the work's type in a file.
fn path_from(context: &Context<'_>, migration: &Migration, from: &FileFacts) -> Outcome<String> {
    let index = context.index;
    let site = &migration.facts.file.path;
    let name = work::name(context);
    let refuse = |why: String| {
        Err(Refusal::new("no-program", why)
            .at(migration.place.clone())
            .help("declare the modules on the way as `pub mod`, and try again"))
    };
    let Some(module) = index.module_of(site) else {
        return refuse(format!(
            "`{site}` is no module of a library: no program could name the work in it"
        ));
    };
    let own = format!("{module}::{name}");
    if index
        .public_path(&module, &name)?
        .is_none_or(|path| path != own)
    {
        return refuse(format!(
            "the module `{module}` is not public on its way, so that the program could not name the work in it"
        ));
    }
    let krate = module.split("::").next().unwrap_or_default().to_owned();
    let is_program = |path: &str| {
        let member = index.workspace.member_of(path);
        let mut targets = member.iter().flat_map(|member| &member.targets);
        targets.any(|of| of.is_bin && of.root == path)
    };
    let is_same = index
        .module_of(&from.file.path)
        .filter(|_| !is_program(&from.file.path))
        .is_some_and(|of| of.split("::").next() == Some(krate.as_str()));
    let path = if is_same {
        module.replacen(&krate, "crate", 1)
    } else {
        module
    };
    Ok(format!("{path}::{name}"))
}
