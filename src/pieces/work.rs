//! The work that was spawned, in its own file still, as what the task's module calls.
//!
//! ```text
//! pub struct CloneRepositoryWork;
//!
//! #[async_trait]
//! impl clone_repository::Work for CloneRepositoryWork {
//!     async fn run(&self, input: CloneRepository, _context: TaskContext) -> … { … }
//! }
//! ```

use askama::Template;

use super::{Piece, task_module};
use crate::format::{Form, Fragment};
use crate::imports;
use crate::index::whole_words;
use crate::migrate::{Migration, Where, short};
use crate::note::{Outcome, Refusal};
use crate::plan::Plan;
use crate::render::render;
use crate::request::raw;
use crate::task::Context;
use crate::trivia::{Sibling, Spot};

/// The piece.
pub const PIECE: Piece = Piece {
    id: "work",
    about: "the work that was spawned, as what the task runs",
    plan,
};

#[derive(Template)]
#[template(path = "work.rs", escape = "none")]
struct Work {
    input: String,
    module: String,
    status_ty: String,
    /// Patterns of the fields.
    fields: Vec<String>,
    /// What the work holds: name and type.
    handles: Vec<(String, String)>,
    /// Imports of the site's function that the body names.
    uses: Vec<String>,
    /// Secrets: the variable, and the field that refers to it.
    secrets: Vec<(String, String)>,
    body: String,
}

/// The name of the type that does the work.
pub(super) fn name(context: &Context<'_>) -> String {
    format!("{}Work", task_module::input(context))
}

/// The path of the module `tasks`, as other crates reach it.
pub(super) fn tasks(context: &Context<'_>, migration: &Migration) -> Outcome<String> {
    let executor = &context.landmarks.executor;
    let wanted = format!("{}::tasks", executor.module);
    let reached = context.index.public_path(&executor.module, "tasks")?;
    match reached {
        Some(path) if path == wanted => Ok(path),
        _ => {
            let message =
                format!("no other crate reaches `{wanted}`: a module on the way is private");
            Err(Refusal::new("private-tasks", message)
                .at(migration.place.clone())
                .help(format!(
                    "declare the modules of `{wanted}` as `pub mod`, and try again"
                )))
        }
    }
}

fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    let Some(migration) = &context.task.migration else {
        return Ok(());
    };
    let facts = &migration.facts;
    let file = &facts.file;
    let input = task_module::input(context);
    let module = context.task.module();
    let name = name(context);
    let title = format!("the work of `{input}`");
    plan.notes.extend(migration.notes.iter().cloned());
    for open in &migration.open {
        match &open.place {
            Where::Stays(offset) => {
                plan.open_at(facts.place(&(*offset..*offset + 1)), &open.what);
            }
            Where::Moves(text) => plan.open_in(&file.path, text, &open.what),
        }
    }
    import(context, migration, plan)?;
    if facts.structs.iter().any(|of| of.name == name)
        || whole_words(&file.text, &format!("struct {name}"))
            .next()
            .is_some()
    {
        plan.present(PIECE.id, title, &file.path);
        return Ok(());
    }
    let status = context.task.status.as_ref();
    let status_ty = status.map_or_else(
        || "()".to_owned(),
        |status| match &status.ty {
            Some(ty) => short(facts, ty),
            None => "String".to_owned(),
        },
    );
    let fields = migration.carried.iter().map(|of| {
        let (field, variable) = (of.field.ident(), raw(&of.variable));
        match (of.field.is_secret, of.is_mut, field == variable) {
            _ if !of.is_used => format!("{field}: _"),
            (true, ..) | (_, false, true) => field,
            (_, true, true) => format!("mut {field}"),
            (_, true, false) => format!("{field}: mut {variable}"),
            (_, false, false) => format!("{field}: {variable}"),
        }
    });
    let secrets = migration.carried.iter();
    let secrets = secrets.filter(|of| of.field.is_secret && of.is_used);
    let text = render(&Work {
        fields: fields.collect(),
        handles: migration
            .handles
            .iter()
            .map(|of| (of.name.clone(), short(facts, &of.ty)))
            .collect(),
        secrets: secrets
            .map(|of| {
                let mutable = if of.is_mut { "mut " } else { "" };
                (format!("{mutable}{}", raw(&of.variable)), of.field.ident())
            })
            .collect(),
        uses: migration.uses.clone(),
        body: migration.body.clone(),
        input,
        module,
        status_ty,
    })?;
    let siblings: Vec<Sibling> = facts
        .items
        .iter()
        .map(|item| Sibling::on_lines(&item.range))
        .collect();
    let at = facts
        .items
        .iter()
        .position(|item| item.range == migration.item);
    let spot = Spot::after(file, &siblings, at.unwrap_or_default(), file.text.len()).divided();
    let fragment = Fragment {
        form: Form::Item,
        indent: String::new(),
        text,
    };
    plan.draft(PIECE.id, title, file, "call_site", fragment, spot);
    Ok(())
}

/// Imports what the work and the enqueue name.
fn import(context: &Context<'_>, migration: &Migration, plan: &mut Plan) -> Outcome<()> {
    let facts = &migration.facts;
    let tasks = tasks(context, migration)?;
    let (module, input) = (context.task.module(), task_module::input(context));
    let mut shared = vec!["Finished", "TaskContext", "TaskError"];
    shared.extend(
        context
            .task
            .fields
            .iter()
            .any(|(of, _)| of.is_secret)
            .then_some("secrets"),
    );
    let own = [module.clone(), input.clone()];
    let is_imported = |path: &str| {
        let name = path.rsplit("::").next().unwrap_or(path);
        let mut uses = facts.uses.iter();
        uses.any(|of| of.is_top && of.path == path && of.name == name)
    };
    let mut lines = Vec::new();
    if !is_imported("async_trait::async_trait") {
        check_free(migration, "async_trait")?;
        lines.push("async_trait::async_trait".to_owned());
    }
    if !is_imported(&format!("{tasks}::{module}::{input}")) {
        for name in &own {
            check_free(migration, name)?;
        }
        lines.push(format!("{tasks}::{module}::{{self, {input}}}"));
    }
    let missing: Vec<&str> = shared
        .into_iter()
        .filter(|name| !is_imported(&format!("{tasks}::{name}")))
        .collect();
    for name in &missing {
        check_free(migration, name)?;
    }
    match missing.as_slice() {
        [] => {}
        [one] => lines.push(format!("{tasks}::{one}")),
        several => lines.push(format!("{tasks}::{{{}}}", several.join(", "))),
    }
    lines.sort();
    for path in lines {
        let title = format!("import of `{path}`");
        let Some(spot) = imports::spot(facts, &path) else {
            let message = "the file imports nothing, so that there is no place for an import";
            return Err(Refusal::new("no-imports", message)
                .at(facts.place(&(0..1)))
                .help(format!("write `use {path};` at its start, and try again")));
        };
        let fragment = Fragment {
            form: Form::Item,
            indent: String::new(),
            text: format!("use {path};"),
        };
        plan.draft(PIECE.id, title, &facts.file, "import", fragment, spot);
    }
    Ok(())
}

/// Refuses a name that means something else in the file.
fn check_free(migration: &Migration, name: &str) -> Outcome<()> {
    let facts = &migration.facts;
    let import = facts.uses.iter().find(|of| of.is_top && of.name == name);
    let declares = |item: &&crate::index::ItemFact| {
        let words: Vec<&str> = item.key.split(' ').collect();
        matches!(
            words.first(),
            Some(&("struct" | "enum" | "mod" | "type" | "trait"))
        ) && words.get(1) == Some(&name)
    };
    let item = facts.items.iter().find(declares);
    let taken = import.map(|of| &of.range).or(item.map(|of| &of.range));
    match taken {
        None => Ok(()),
        Some(range) => Err(Refusal::new(
            "name-taken",
            format!("the work is to import `{name}`, and that means something else in this file"),
        )
        .at(facts.place(range))
        .help("import it under another name (`use … as …`), or choose another name with --as")),
    }
}
