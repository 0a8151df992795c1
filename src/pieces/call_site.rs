//! The enqueue in place of the spawn, and what only the spawn used taken out.
//!
//! ```text
//! clone_repository::enqueue(&state.db, CloneRepository { clone_url, branch }).await.map_err(…)?;
//! ```

use std::ops::Range;
use std::sync::Arc;

use askama::Template;

use super::{Piece, task_module};
use crate::edit::TextEdit;
use crate::format::{Form, Fragment};
use crate::migrate::{Call, With};
use crate::note::Outcome;
use crate::plan::Plan;
use crate::render::render;
use crate::task::Context;
use crate::workspace::SourceFile;

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
        let (title, form, indent, text) = match &change.with {
            With::Enqueue(call) => (
                "the enqueue in place of the spawn",
                Form::Statement,
                file.indent_at(change.range.start),
                enqueue(context, call)?,
            ),
            With::Item(text) => (REST, Form::Item, "", text.clone()),
            With::Nothing => {
                replace(plan, file, &change.range, "");
                continue;
            }
            With::Pattern(text) => {
                replace(plan, file, &change.range, text);
                continue;
            }
        };
        let fragment = Fragment {
            form,
            indent: indent.to_owned(),
            text,
        };
        let range = change.range.clone();
        plan.replace(PIECE.id, title, file, PIECE.id, fragment, range);
    }
    Ok(())
}

/// What goes beside the spawn.
const REST: &str = "what only the spawn used";

/// Puts a text as it is in place of what stands.
fn replace(plan: &mut Plan, file: &Arc<SourceFile>, range: &Range<usize>, text: &str) {
    let edit = TextEdit {
        at: range.start,
        removed: range.len(),
        text: text.to_owned(),
        kind: PIECE.id,
    };
    plan.insert(PIECE.id, REST, file, vec![edit]);
}

fn enqueue(context: &Context<'_>, call: &Call) -> Outcome<String> {
    render(&CallSite {
        comments: call.comments.clone(),
        before: call.before.clone(),
        module: context.task.module(),
        rows: call.rows.clone(),
        input: task_module::input(context),
        inputs: call.inputs.clone(),
        extra: call.extra.clone(),
        on_error: call.on_error.clone(),
    })
}
