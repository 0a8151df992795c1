//! Files that a command recorded beside a plan: snapshots, a baseline.

use serde_json::json;

use super::{Shell, json};
use crate::cli::Format;

/// What was recorded.
#[derive(Default)]
pub struct Recording {
    /// Files that were written.
    pub written: Vec<String>,
    /// Files that were removed.
    pub removed: Vec<String>,
}

/// Shows what `command` recorded.
pub fn show(shell: &Shell, format: Format, command: &str, recording: &Recording) {
    let Recording { written, removed } = recording;
    if format == Format::Json {
        let is_any = !(written.is_empty() && removed.is_empty());
        let mut object = json::base(command, [None, None], is_any);
        let paths = |paths: &[String]| paths.iter().map(|path| json!({ "path": path })).collect();
        object["created"] = paths(written);
        object["removed"] = paths(removed);
        shell.product(&object.to_string());
        return;
    }
    for path in written {
        shell.status("Wrote", path);
    }
    for path in removed {
        shell.status("Removed", path);
    }
    if written.is_empty() && removed.is_empty() {
        shell.status("Finished", "all is recorded as it stands");
    }
}
