//! One file that was written.

use serde_json::json;

use super::{Shell, json};
use crate::cli::Format;

/// Shows that `command` wrote `path`, or that it stands already.
pub fn show(shell: &Shell, format: Format, command: &str, path: &str, applied: bool) {
    if format == Format::Json {
        let mut object = json::base(command, [None, None], applied);
        if applied {
            object["created"] = json!([{ "path": path }]);
        }
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
