//! Single files that commands write beside a plan: baselines and snapshots.

use std::path::Path;

use crate::note::{Outcome, Refusal};
use crate::workspace::Workspace;

/// `path`, given relative to the current directory, relative to the root; one outside is refused.
pub(super) fn inside(workspace: &Workspace, path: &Path) -> Outcome<String> {
    let absolute = std::path::absolute(path).ok();
    let inside = absolute.and_then(|path| workspace.inside(&path));
    inside.filter(|path| !path.is_empty()).ok_or_else(|| {
        Refusal::new(
            "outside",
            format!("`{}` is no file of this workspace", path.display()),
        )
        .help("name a file below the root of the workspace: nothing is written elsewhere")
    })
}

/// Writes the file at `path`, relative to the root; what is there with that text is left alone.
/// Gives whether it was written.
pub(super) fn write(workspace: &Workspace, path: &str, text: &str) -> Outcome<bool> {
    let absolute = workspace.root.join(path);
    if std::fs::read_to_string(&absolute).is_ok_and(|standing| standing == text) {
        return Ok(false);
    }
    // A link on the way may lead out.
    inside(workspace, &absolute)?;
    let refuse = |e: std::io::Error| Refusal::new("write", format!("cannot write `{path}`: {e}"));
    if let Some(folder) = absolute.parent() {
        std::fs::create_dir_all(folder).map_err(refuse)?;
    }
    std::fs::write(&absolute, text).map_err(refuse)?;
    Ok(true)
}
