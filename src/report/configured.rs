//! What was written into the configuration.

use serde_json::{Value, json};

use super::{Shell, doctor, unified};
use crate::cli::Format;
use crate::edit::FileChange;
use crate::init::Line;
use crate::landmarks::Landmarks;

/// Shows that `changes` add `lines`; `applied` says whether they were written.
pub fn show(
    shell: &Shell,
    format: Format,
    landmarks: &Landmarks,
    changes: &[FileChange],
    lines: &[Line],
    applied: bool,
) {
    if format == Format::Json {
        let edits = changes.iter().flat_map(|change| {
            let edits = change.edits.iter().enumerate();
            edits.map(|(i, edit)| {
                json!({
                    "path": change.path,
                    "line": change.line_of(i),
                    "kind": edit.kind,
                    "inserted": change.inserted(i),
                    "removed": 0,
                })
            })
        });
        let mut object = json!({
            "command": "init",
            "variant": Value::Null,
            "tag": Value::Null,
            "applied": applied,
            "landmarks": doctor::landmarks(landmarks),
            "edits": edits.collect::<Vec<_>>(),
            "created": [],
            "open": [],
            "warnings": [],
        });
        if !applied {
            object["diff"] = Value::from(unified(changes));
        }
        shell.product(&object.to_string());
        return;
    }
    if !applied {
        shell.product(&unified(changes));
    }
    for line in lines {
        shell.status("Added", &format!("{} in Cargo.toml", line.text));
    }
    let done = match (lines.is_empty(), applied) {
        (true, _) => "the root manifest names all that was detected: nothing is missing",
        (_, true) => "the root manifest names what was detected; from here on those names count",
        (_, false) => "the root manifest would name what was detected",
    };
    shell.status("Finished", done);
}
