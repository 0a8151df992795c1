//! What was taken back.

use serde_json::{Value, json};

use super::{Shell, diff, json};
use crate::apply::{Journal, UNDO};
use crate::cli::Format;

/// Shows that `back` takes back `last`; `applied` says whether it was written.
pub fn show(shell: &Shell, format: Format, last: &Journal, back: &Journal, applied: bool) {
    let files = back.files.iter();
    let texts = files.map(|f| (f.path.as_str(), f.before.as_deref(), f.after.as_deref()));
    let diff = || diff::replaced(texts.clone());
    if format == Format::Json {
        let mut object = object(last, back, applied);
        if !applied {
            object["diff"] = Value::from(diff());
        }
        shell.product(&object.to_string());
        return;
    }
    if !applied {
        shell.product(&diff());
    }
    let (mut restored, mut removed) = (0, 0);
    for file in &back.files {
        let verb = match (&file.before, &file.after) {
            (_, None) => {
                removed += 1;
                "Removed"
            }
            _ => {
                restored += 1;
                "Restored"
            }
        };
        shell.status(verb, &file.path);
    }
    let (command, tag) = (last.what(), &last.tag);
    let is = if applied { "is" } else { "would be" };
    shell.status(
        "Finished",
        &format!("`{command}` {is} taken back: {restored} files restored, {removed} removed"),
    );
    if tag.is_empty() {
        return;
    }
    shell.attention("Deploy", &deployment(last));
}

/// What to see to where `last` was deployed already.
fn deployment(last: &Journal) -> String {
    let mut kinds = last.files.iter().flat_map(|file| &file.edits);
    let tag = &last.tag;
    if last.command == "remove" {
        "every worker first, then what enqueues: a worker without it cannot decode the tag and fails the row".to_owned()
    } else if kinds.any(|edit| edit.kind == "variant") {
        format!(
            "where it was deployed already, stop what enqueues and let the queue run empty first: rows with the tag `{tag}` would no longer decode"
        )
    } else {
        format!(
            "where it was deployed already, let the queue run empty first: rows with the tag `{tag}` would be read without what the fields held"
        )
    }
}

/// The object of the command line's contract.
fn object(last: &Journal, back: &Journal, applied: bool) -> Value {
    let edits = back.files.iter().filter(|file| file.after.is_some());
    let edits: Vec<Value> = edits
        .flat_map(|file| {
            file.edits.iter().map(|edit| {
                json!({
                    "path": file.path,
                    "line": edit.line,
                    "kind": edit.kind,
                    "inserted": 0,
                    "removed": edit.lines,
                })
            })
        })
        .collect();
    let removed = back.files.iter().filter(|file| file.after.is_none());
    let removed = removed.map(|file| json!({ "path": file.path }));
    let of = |text: &'_ String| Some(text.clone()).filter(|text| !text.is_empty());
    let (variant, tag) = (of(&last.variant), of(&last.tag));
    let mut object = json::base(UNDO, [variant.as_deref(), tag.as_deref()], applied);
    object["undone"] = Value::from(last.command.as_str());
    object["edits"] = edits.into();
    object["removed"] = removed.collect();
    object
}
