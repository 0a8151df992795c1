//! What was written into the configuration.

use serde_json::Value;

use super::{Shell, doctor, json, unified};
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
        let mut object = json::base("init", [None, None], applied);
        object["landmarks"] = doctor::landmarks(landmarks);
        object["edits"] = json::edits(changes).into();
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
