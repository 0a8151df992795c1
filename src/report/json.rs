//! One JSON object, with the fields of the command line's contract.

use crate::edit::{CALL_SITE, FileChange, is_layout};
use serde_json::{Value, json};

use super::{Report, doctor, unified};
use crate::migrate::Migration;
use crate::note::{Note, Refusal};

/// The object of a command that writes.
pub(super) fn object(report: &Report<'_>) -> Value {
    let created: Vec<Value> = report
        .changes
        .iter()
        .filter(|change| change.before.is_none())
        .map(|change| json!({ "path": change.path }))
        .collect();
    let open: Vec<Value> = report
        .plan
        .open
        .iter()
        .map(|open| {
            let (path, line) = open.resolve(report.changes);
            json!({ "path": path, "line": line, "what": open.what })
        })
        .collect();
    let mut object = json!({
        "command": report.command,
        "variant": report.task.request.variant,
        "tag": report.task.tag,
        "key": report.task.key,
        "applied": report.applied,
        "landmarks": doctor::landmarks(report.landmarks),
        "edits": edits(report.changes),
        "created": created,
        "open": open,
        "warnings": report.plan.notes.iter().map(warning).collect::<Vec<_>>(),
    });
    if let Some(migration) = &report.task.migration {
        object["captures"] = captures(migration);
    }
    if !report.applied {
        object["diff"] = Value::from(unified(report.changes));
    }
    object
}

/// What the moved work takes with it, and what becomes of it.
fn captures(migration: &Migration) -> Value {
    let carried = migration.carried.iter().map(|of| {
        let role = if of.field.is_secret { "secret" } else { "data" };
        json!({ "name": of.place, "type": of.ty, "role": role, "field": of.field.name })
    });
    let handles = migration
        .handles
        .iter()
        .map(|of| json!({ "name": of.place, "type": of.ty, "role": "handle", "field": null }));
    carried.chain(handles).collect()
}

/// The object of a command that writes and is about no plan: without landmarks, edits and files,
/// which it may have all the same.
pub(super) fn base(command: &str, [variant, tag]: [Option<&str>; 2], applied: bool) -> Value {
    json!({
        "command": command,
        "variant": variant,
        "tag": tag,
        "applied": applied,
        "landmarks": [],
        "edits": [],
        "created": [],
        "open": [],
        "warnings": [],
    })
}

/// What goes into files that stand.
pub(super) fn edits(changes: &[FileChange]) -> Vec<Value> {
    let edits = changes.iter().flat_map(|change| {
        let edits = change.edits.iter().enumerate();
        // A comma or a line end of its own is part of the edit beside it.
        let edits =
            edits.filter(|(_, edit)| edit.kind == CALL_SITE || !edit.text.chars().all(is_layout));
        edits.map(|(i, edit)| {
            json!({
                "path": change.path,
                "line": change.line_of(i),
                "kind": edit.kind,
                "inserted": change.inserted(i),
                "removed": change.removed(i),
            })
        })
    });
    edits.collect()
}

/// A note.
pub(super) fn warning(note: &Note) -> Value {
    json!({
        "code": note.code,
        "message": note.message,
        "path": note.place.as_ref().map(|place| place.path.as_str()),
        "line": note.place.as_ref().map(|place| place.line),
        "help": note.help,
    })
}

/// The object of a refused command.
pub(super) fn refusal(command: &str, variant: Option<&str>, refusal: &Refusal) -> Value {
    json!({
        "command": command,
        "variant": variant,
        "applied": false,
        "error": error(refusal),
    })
}

/// Why a command was refused.
pub(super) fn error(refusal: &Refusal) -> Value {
    json!({
        "code": refusal.code,
        "message": refusal.message,
        "path": refusal.place.as_ref().map(|place| place.path.as_str()),
        "line": refusal.place.as_ref().map(|place| place.line),
        "help": refusal.help,
        "also": refusal
            .also
            .iter()
            .map(|(place, label)| json!({ "path": place.path, "line": place.line, "what": label }))
            .collect::<Vec<_>>(),
    })
}
