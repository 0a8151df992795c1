//! `migrate-spawn`: turns a call that spawns into a task.

use std::path::Path;

use super::new::{self, Asked};
use crate::cli::{Common, Writing};
use crate::migrate::SiteRequest;
use crate::note::{Outcome, Refusal};
use crate::report::Shell;
use crate::workspace::Workspace;

/// Runs the command.
pub(super) fn run(
    shell: &Shell,
    common: &Common,
    writing: &Writing,
    request: SiteRequest,
) -> Outcome<()> {
    let asked = Asked::Site(Box::new(request));
    let done = new::scaffold(shell, common, writing, asked)?;
    done.report("migrate-spawn").show(shell, common.format);
    // The process ends here: to free a whole workspace first would only take its time.
    std::mem::forget(done);
    Ok(())
}

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
