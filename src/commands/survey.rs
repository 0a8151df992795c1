//! `survey`: every call that spawns, with its verdict.

use std::path::Path;

use crate::cli::{Common, Survey};
use crate::index::Index;
use crate::note::{Outcome, Refusal};
use crate::report::{self, Shell};
use crate::spawn;
use crate::workspace::Workspace;

/// Runs the command.
pub(super) fn run(shell: &Shell, common: &Common, args: &Survey) -> Outcome<()> {
    let (opened, _) = super::open(shell, common, |_| ())?;
    super::refuse_other_text(&opened.workspace)?;
    let wanted = args.paths.iter();
    let wanted: Vec<String> = wanted
        .map(|path| below_root(&opened.workspace, path))
        .collect::<Outcome<_>>()?;
    let index = Index::new(&opened.workspace, opened.memory);
    let mut found = spawn::survey(&index, &opened.config, args.include_tests)?;
    let is_wanted =
        |path: &str| wanted.is_empty() || wanted.iter().any(|wanted| holds(wanted, path));
    found.sites.retain(|of| is_wanted(&of.site.place.path));
    found.unseen.retain(|place| is_wanted(&place.path));
    report::survey(shell, common.format, &found);
    Ok(())
}

/// A path of the command line, relative to the workspace root.
fn below_root(workspace: &Workspace, path: &Path) -> Outcome<String> {
    let absolute = std::path::absolute(path).ok();
    let absolute = absolute.filter(|path| path.exists());
    let inside = absolute.and_then(|path| workspace.inside(&path));
    inside.ok_or_else(|| {
        Refusal::new(
            "path",
            format!("`{}` is nothing in this workspace", path.display()),
        )
        .help("name files or folders of the workspace, relative to the current directory")
    })
}

/// Whether `path` is `wanted`, or lies in it.
fn holds(wanted: &str, path: &str) -> bool {
    wanted.is_empty()
        || path
            .strip_prefix(wanted)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
