//! One file that was written.

use serde_json::json;

use super::{Shell, json};
use crate::cli::Format;

/// What became of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was not there.
    Created,
    /// It was there with another text.
    Updated,
    /// It stands already.
    Stands,
}

/// Shows what `command` did with `path`.
pub fn show(shell: &Shell, format: Format, command: &str, path: &str, fate: Fate) {
    let applied = fate != Fate::Stands;
    if format == Format::Json {
        let mut object = json::base(command, [None, None], applied);
        let file = || json!([{ "path": path }]);
        match fate {
            Fate::Created => object["created"] = file(),
            Fate::Updated => object["updated"] = file(),
            Fate::Stands => {}
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
