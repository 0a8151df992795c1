//! The `mod` lines that make the created files part of their crates.
//!
//! A line goes to its place among its neighbours where those are sorted, else below the last.

use std::sync::Arc;

use super::{Piece, dead_letters, gate, journal, schedule, secrets, status_table, tasks_mod};
use crate::edit::TextEdit;
use crate::index::FileFacts;
use crate::note::{Note, Outcome};
use crate::plan::Plan;
use crate::request::raw;
use crate::task::Context;

/// The piece.
pub const PIECE: Piece = Piece {
    id: "modules",
    about: "the module declarations",
    plan,
};

fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    let index = context.index;
    let executor = &context.landmarks.executor;
    reachable(context, plan)?;
    declare(plan, &executor.facts, "tasks");
    let tasks = tasks_mod::path(context);
    if index.workspace.files.contains_key(&tasks) {
        let tasks = index.facts(&tasks)?;
        for name in of_tasks(context) {
            declare(plan, &tasks, &name);
        }
    }
    let gate_path = gate::path(context)?;
    let root = gate_path.replace(&format!("{}.rs", gate::MODULE), "lib.rs");
    let root = context
        .index
        .workspace
        .member(&context.landmarks.queue.package)
        .and_then(|member| member.lib())
        .map_or(root, |lib| lib.root.clone());
    declare(plan, &index.facts(&root)?, gate::MODULE);
    Ok(())
}

/// The modules that `tasks/mod.rs` declares for the task, as rustfmt sorts them: two may come to
/// the same place.
pub(super) fn of_tasks(context: &Context<'_>) -> Vec<String> {
    let mut names = vec![
        dead_letters::MODULE.to_owned(),
        journal::MODULE.to_owned(),
        context.task.module(),
    ];
    names.extend(status_table::is_needed(context).then(|| status_table::MODULE.to_owned()));
    names.extend(schedule::is_needed(context).then(|| schedule::MODULE.to_owned()));
    names.extend(secrets::is_needed(context).then(|| secrets::MODULE.to_owned()));
    names.sort_by_key(|name| bare(name).to_owned());
    names
}

/// Warns where no other crate reaches the module of tasks: handlers enqueue from theirs.
fn reachable(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    let executor = &context.landmarks.executor;
    let wanted = format!("{}::tasks", executor.module);
    let path = context.index.public_path(&executor.module, "tasks")?;
    if path.is_none_or(|path| path != wanted) {
        let message = format!("no other crate reaches `{wanted}`: a module on the way is private");
        plan.notes.push(
            Note::warning("private-tasks", message)
                .at(executor.facts.place(&(0..1)))
                .help("declare it `pub mod`, or re-export `tasks` where handlers can import it"),
        );
    }
    Ok(())
}

/// Adds `pub mod name;` to the file unless it is declared there.
fn declare(plan: &mut Plan, facts: &Arc<FileFacts>, name: &str) {
    let file = &facts.file;
    let title = format!("`pub mod {name};`");
    let newline = file.line_ending();
    let is_top =
        |range: &std::ops::Range<usize>| facts.items.iter().any(|item| item.range == *range);
    let modules: Vec<_> = facts
        .modules
        .iter()
        .filter(|module| is_top(&module.range))
        .collect();
    if modules.iter().any(|module| raw(&module.name) == name) {
        plan.present(PIECE.id, title, &file.path);
        return;
    }
    let line_after = |end: usize| {
        file.text[end..]
            .find('\n')
            .map_or(file.text.len(), |n| end + n + 1)
    };
    // Neighbours are declarations on adjacent lines, without attributes of their own.
    let mut groups: Vec<Vec<(&str, usize, usize)>> = Vec::new();
    for module in modules.iter().filter(|m| !m.is_inline && !m.is_test) {
        let entry = (
            module.name.as_str(),
            file.line_start(module.range.start),
            line_after(module.range.end),
        );
        match groups.last_mut() {
            Some(group) if group.last().is_some_and(|last| last.2 == entry.1) => group.push(entry),
            _ => groups.push(vec![entry]),
        }
    }
    let chosen = groups.iter().max_by_key(|group| group.len());
    let (at, text) = match chosen {
        Some(group) => {
            let sorted = group.windows(2).all(|pair| pair[0].0 <= pair[1].0);
            let above = |entry: &&(&str, usize, usize)| entry.0 > bare(name);
            let next = group.iter().find(above).filter(|_| sorted);
            let end = group.last().map_or(file.text.len(), |entry| entry.2);
            (
                next.map_or(end, |entry| entry.1),
                format!("pub mod {name};{newline}"),
            )
        }
        None => {
            let uses = facts
                .uses
                .iter()
                .filter(|u| u.is_top)
                .map(|u| u.range.end)
                .max();
            match uses {
                Some(end) => (
                    line_after(end),
                    format!("{newline}pub mod {name};{newline}"),
                ),
                None => match facts.items.first() {
                    Some(item) => (
                        file.line_start(item.range.start),
                        format!("pub mod {name};{newline}{newline}"),
                    ),
                    None => (file.text.len(), format!("pub mod {name};{newline}")),
                },
            }
        }
    };
    plan.insert(
        PIECE.id,
        title,
        file,
        vec![TextEdit::insert(at, text, "module")],
    );
}

/// The name that rustfmt sorts a module by, in every edition.
pub(super) fn bare(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}
