//! Derives that types of the workspace lack before a variant can hold them.
//!
//! ```text
//! #[derive(Debug, Clone, Serialize, Deserialize)]
//! pub struct CloneOptions { … }
//! ```

use super::Piece;
use crate::edit::TextEdit;
use crate::index::DeriveSpot;
use crate::note::Outcome;
use crate::plan::Plan;
use crate::task::Context;

/// The piece.
pub const PIECE: Piece = Piece {
    id: "derives",
    about: "derives that the types of fields lack",
    plan,
};

/// The kind of the edit.
const KIND: &str = "derive";

#[allow(clippy::unnecessary_wraps, reason = "as every piece has it")]
fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    for of in &context.task.lacking {
        let file = &of.facts.file;
        let names = of.written.join(", ");
        let edit = match of.spot {
            DeriveSpot::Listed(at) => TextEdit::insert(at, format!(", {names}"), KIND),
            DeriveSpot::Empty(at) => TextEdit::insert(at, names, KIND),
            DeriveSpot::New(at) => {
                let gap = if file.starts_line(at) {
                    format!("{}{}", file.line_ending(), file.indent_at(at))
                } else {
                    " ".to_owned()
                };
                TextEdit::insert(at, format!("#[derive({names})]{gap}"), KIND)
            }
        };
        let what = if of.traits.len() == 1 {
            "derive"
        } else {
            "derives"
        };
        let title = format!("{what} `{}` of `{}`", of.traits.join("`, `"), of.name);
        plan.insert(PIECE.id, title, file, vec![edit]);
        plan.reflow(&file.path);
    }
    Ok(())
}
