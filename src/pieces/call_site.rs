//! The enqueue in place of the spawn, and what only the spawn used taken out.
//!
//! ```text
//! clone_repository::enqueue(&state.db, CloneRepository { clone_url, branch }).await.map_err(…)?;
//! ```

use askama::Template;

use super::{Piece, task_module};
use crate::edit::TextEdit;
use crate::format::{Form, Fragment};
use crate::migrate::With;
use crate::note::Outcome;
use crate::plan::Plan;
use crate::render::render;
use crate::task::Context;

/// The piece.
pub const PIECE: Piece = Piece {
    id: "call_site",
    about: "the enqueue in place of the spawn",
    plan,
};

#[derive(Template)]
#[template(path = "call_site.rs", escape = "none")]
struct CallSite {
    comments: Vec<String>,
    before: Option<String>,
    module: String,
    rows: String,
    input: String,
    inputs: Vec<(String, String)>,
    extra: Vec<String>,
    on_error: String,
}

fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    let Some(migration) = &context.task.migration else {
        return Ok(());
    };
    let file = &migration.facts.file;
    for change in &migration.at_site {
        let call = match &change.with {
            With::Enqueue(call) => call,
            With::Item(text) => {
                let fragment = Fragment {
                    form: Form::Item,
                    indent: String::new(),
                    text: text.clone(),
                };
                let title = "what only the spawn used";
                plan.replace(
                    PIECE.id,
                    title,
                    file,
                    PIECE.id,
                    fragment,
                    change.range.clone(),
                );
                continue;
            }
            With::Nothing | With::Pattern(_) => {
                let text = match &change.with {
                    With::Pattern(text) => text.clone(),
                    _ => String::new(),
                };
                let edit = TextEdit {
                    at: change.range.start,
                    removed: change.range.len(),
                    text,
                    kind: PIECE.id,
                };
                plan.insert(PIECE.id, "what only the spawn used", file, vec![edit]);
                continue;
            }
        };
        let text = render(&CallSite {
            comments: call.comments.clone(),
            before: call.before.clone(),
            module: context.task.module(),
            rows: call.rows.clone(),
            input: task_module::input(context),
            inputs: call.inputs.clone(),
            extra: call.extra.clone(),
            on_error: call.on_error.clone(),
        })?;
        let fragment = Fragment {
            form: Form::Statement,
            indent: file.indent_at(change.range.start).to_owned(),
            text,
        };
        let title = "the enqueue in place of the spawn";
        plan.replace(
            PIECE.id,
            title,
            file,
            PIECE.id,
            fragment,
            change.range.clone(),
        );
    }
    Ok(())
}
