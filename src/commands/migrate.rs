//! `migrate-spawn`: where the call stands that becomes a task.

use std::path::Path;

use crate::note::{Outcome, Refusal};
use crate::workspace::Workspace;

/// The path relative to the workspace root: as it was typed from the current folder, else from the
/// root.
pub(super) fn below_root(workspace: &Workspace, path: &str) -> Outcome<String> {
    let typed = std::path::absolute(Path::new(path)).ok();
    let below = workspace.root.join(path);
    let candidates = typed.into_iter().chain([below]);
    let mut inside = candidates
        .filter(|path| path.is_file())
        .filter_map(|path| workspace.inside(&path));
    inside.next().ok_or_else(|| {
        Refusal::new("path", format!("`{path}` is no file of this workspace"))
            .help("name the file relative to the current folder, or to the workspace's root")
    })
}
