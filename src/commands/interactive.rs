//! `-i`: asks for what the command line left open, shows what that comes to, and asks before it is
//! written.

use super::Opened;
use super::migrate::below_root;
use super::new::{self, Asked};
use crate::ask::{self, Ask, Known, Terminal, cancelled};
use crate::cli::{Common, Writing};
use crate::index::Index;
use crate::landmarks::{self, Config};
use crate::migrate::{self, SiteRequest};
use crate::note::Outcome;
use crate::report::{self, Report, Shell};
use crate::request::{Field, StatusRequest};
use crate::spawn;

/// Runs the command that asks for that.
pub(super) fn run(
    shell: &Shell,
    common: &Common,
    writing: &Writing,
    mut asked: Asked,
) -> Outcome<()> {
    writing.check()?;
    let terminal = Terminal::new(shell, common.format)?;
    complete(shell, common, &terminal, &mut asked)?;
    let command = command(common, writing, &asked);
    shell.status("Command", &report::command_line(&command));
    let approve = |report: &Report<'_>| {
        report.propose(shell);
        if terminal.agreement("Write this?")? {
            Ok(())
        } else {
            Err(cancelled())
        }
    };
    new::run(shell, common, writing, asked, Some(&approve))
}

/// Asks for what is missing.
fn complete(shell: &Shell, common: &Common, ask: &dyn Ask, asked: &mut Asked) -> Outcome<()> {
    let (opened, _) = super::open(shell, common, |_| ())?;
    let Opened {
        workspace,
        config,
        memory,
    } = opened;
    let (_, index) = super::index(&workspace, &config, memory)?;
    let columns = landmarks::status_columns(&index)?;
    match asked {
        Asked::Task(request) => {
            let check = |status: &StatusRequest, fields: &[Field]| {
                landmarks::find_status(&index, status, fields).map(|_| ())
            };
            let known = Known {
                variant: "",
                has_site: false,
                columns: &columns,
                check_status: &check,
            };
            ask::task(ask, request, &known)
        }
        Asked::Site(request) => {
            let function = site(&index, &config, ask, request)?;
            // The fields are not known yet: they come from the site.
            let check =
                |status: &StatusRequest, _: &[Field]| landmarks::check_status(&index, status);
            let known = Known {
                variant: &ask::variant_of(&function).unwrap_or_default(),
                has_site: true,
                columns: &columns,
                check_status: &check,
            };
            ask::task(ask, &mut request.task, &known)
        }
    }
}

/// Asks for the site where it is not given, and gives the name of its function; refuses one whose
/// work may not become a task before anything else is asked.
fn site(
    index: &Index<'_>,
    config: &Config,
    ask: &dyn Ask,
    request: &mut SiteRequest,
) -> Outcome<String> {
    let workspace = index.workspace;
    if !request.path.is_empty() {
        let mut below = request.clone();
        below.path = below_root(workspace, &request.path)?;
        let (found, _) = migrate::site(index, config, &below)?;
        return Ok(found.site.function.fact().name.clone());
    }
    let surveyed = spawn::survey(index, config, false)?;
    let sites = ask::migratable(surveyed.sites, request);
    loop {
        let chosen = &ask::site(ask, &sites)?.site;
        let place = &chosen.place;
        request.path.clone_from(&place.path);
        request.line = place.line;
        request.column = Some(place.column);
        match migrate::site(index, config, request) {
            Ok(_) => {
                // From another folder the same path may lead to another file.
                if below_root(workspace, &place.path)? != place.path {
                    let path = workspace.root.join(&place.path);
                    request.path = path.display().to_string();
                }
                return Ok(chosen.function.fact().name.clone());
            }
            Err(refusal) => ask.refused(&refusal),
        }
    }
}

/// The command line that asks for the same, and asks nobody.
fn command(common: &Common, writing: &Writing, asked: &Asked) -> Vec<String> {
    let (arguments, task) = match asked {
        Asked::Task(request) => (request.arguments(), &**request),
        Asked::Site(request) => (request.arguments(), &request.task),
    };
    let strict = [
        ("--no-todo", task.no_todo),
        ("--require-worker", task.require_worker),
    ];
    let strict = strict.into_iter().filter(|(_, is_given)| *is_given);
    ["cargo", "oxy-task"]
        .into_iter()
        .map(str::to_owned)
        .chain(arguments)
        .chain(strict.map(|(flag, _)| flag.to_owned()))
        .chain(writing.arguments())
        .chain(common.arguments())
        .collect()
}
