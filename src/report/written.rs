//! One file that was written.

use serde_json::{Value, json};

use super::Shell;
use crate::cli::Format;

/// Shows that `command` wrote `path`, or that it stands already.
pub fn show(shell: &Shell, format: Format, command: &str, path: &str, applied: bool) {
    if format == Format::Json {
        let created = if applied {
            json!([{ "path": path }])
        } else {
            json!([])
        };
        let object = json!({
            "command": command,
            "variant": Value::Null,
            "tag": Value::Null,
            "applied": applied,
            "landmarks": [],
            "edits": [],
            "created": created,
            "open": [],
            "warnings": [],
        });
        shell.product(&object.to_string());
        return;
    }
    if applied {
        shell.status("Wrote", path);
    } else {
        shell.status(
            "Finished",
            &format!("`{path}` stands already: nothing is missing"),
        );
    }
}
