//! Text that adds fields to a list of them, or gives their first ones to what stands by its name.

use crate::edit::TextEdit;
use crate::index::{Braces, FieldList, ListForm};
use crate::trivia::{Sibling, Spot};
use crate::workspace::SourceFile;

/// What the edits are, in the words of the command line's JSON.
const KIND: &str = "field";

/// What adds `lines` behind the last field of `list`.
#[must_use]
pub fn edits(file: &SourceFile, list: &FieldList, lines: &[String]) -> Vec<TextEdit> {
    if list.braces != Braces::Present {
        return first(file, list, lines);
    }
    let siblings: Vec<Sibling> = list.fields.iter().map(|field| field.sibling).collect();
    let (spot, indent) = match siblings.last() {
        Some(end) => (
            Spot::after(file, &siblings, siblings.len() - 1, list.close),
            file.indent_at(end.start).to_owned(),
        ),
        None => (
            Spot::first(file, list.open, list.close),
            format!("{}    ", file.indent_at(list.range.start)),
        ),
    };
    let lines = lines.iter().flat_map(|line| line.lines());
    match siblings.last() {
        // rustfmt leaves a list inside of a macro as it is.
        Some(end) if spot.is_inline() && end.comma.is_none() => {
            let lines: Vec<&str> = lines.collect();
            let text = lines.join(" ");
            let text = format!(", {}", text.trim_end_matches(','));
            vec![TextEdit::insert(end.end, text, KIND)]
        }
        _ => {
            let lines: Vec<String> = lines.map(|line| format!("{indent}{line}")).collect();
            let text = lines.join("\n");
            // A macro may take no comma behind the last field.
            let bare = siblings.last().is_some_and(|end| end.comma.is_none());
            let text = if bare {
                text.trim_end_matches(',')
            } else {
                &text
            };
            spot.insert(file, text, KIND)
        }
    }
}

/// What puts `lines` in braces behind a name that has none.
fn first(file: &SourceFile, list: &FieldList, lines: &[String]) -> Vec<TextEdit> {
    if list.form != ListForm::Declaration {
        let text = lines.join(" ");
        let text = format!(" {{ {} }}", text.trim_end_matches(','));
        if list.braces != Braces::InHead {
            return vec![TextEdit::insert(list.open, text, KIND)];
        }
        let open = TextEdit::insert(list.range.start, "(", KIND);
        return vec![open, TextEdit::insert(list.open, format!("{text})"), KIND)];
    }
    let newline = file.line_ending();
    let indent = file.indent_at(list.range.start);
    let lines = lines.iter().flat_map(|line| line.lines());
    let lines: String = lines
        .map(|line| format!("{newline}{indent}    {line}"))
        .collect();
    vec![TextEdit {
        removed: list.range.end - list.close,
        ..TextEdit::insert(list.close, format!(" {{{lines}{newline}{indent}}}"), KIND)
    }]
}
