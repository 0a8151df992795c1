//! One file a command: read, plan, show or apply, report.

mod check;
mod demo;
mod doctor;
mod explain;
mod files;
mod init;
mod interactive;
mod list;
mod migrate;
mod new;
mod proof;
mod remove;
mod repair;
mod shell_files;
mod skill;
mod survey;
mod undo;
mod write;

use std::path::Path;
use std::process::ExitCode;

use new::Asked;

use crate::apply::{self, Earlier, State};
use crate::cli::{Cli, Command, Common, Format, Writing};
use crate::config;
use crate::index::{Index, Memory};
use crate::landmarks::{self, Config, Landmarks, SpecEnum};
use crate::note::{Note, Outcome, Refusal};
use crate::report::{self, Shell};
use crate::workspace::Workspace;

/// Stack of the thread that everything runs on: syn descends once for each level of nesting.
const STACK: usize = 256 << 20;

/// Runs the command line of the process and gives its exit code.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(code) = crate::spawn::probe::stand_in() {
        return code;
    }
    let thread = std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(parse_and_run);
    match thread.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => ExitCode::from(code),
        _ => ExitCode::from(101),
    }
}

fn parse_and_run() -> u8 {
    match Cli::parse_process() {
        Ok(cli) => run(&cli),
        Err(e) => {
            let _ = e.print();
            u8::try_from(e.exit_code()).unwrap_or(2)
        }
    }
}

fn run(cli: &Cli) -> u8 {
    let common = &cli.common;
    let shell = Shell::new(common.color, common.quiet, common.verbose);
    let speaks_sarif = matches!(cli.command, Command::Survey(_) | Command::Check(_));
    if common.format == Format::Sarif && !speaks_sarif {
        let refusal = Refusal::usage("format", "only `survey` and `check` speak SARIF")
            .help("give `--format human`, `json` or `markdown`");
        report::refusal(&shell, Format::Human, "", None, &refusal);
        return refusal.exit_code();
    }
    let (name, variant, result) = match &cli.command {
        Command::New(args) => {
            let request = args.request();
            let variant = request.as_ref().ok().map(|r| r.variant.clone());
            let result = request.and_then(|request| {
                let asked = Asked::Task(Box::new(request));
                start(&shell, common, &args.writing, asked, args.is_interactive())
            });
            ("new", variant, result)
        }
        Command::MigrateSpawn(args) => {
            let request = args.request();
            let variant = request.as_ref().ok().map(|r| r.task.variant.clone());
            let result = request.and_then(|request| {
                let asked = Asked::Site(Box::new(request));
                start(&shell, common, &args.writing, asked, args.is_interactive())
            });
            ("migrate-spawn", variant, result)
        }
        Command::Demo(args) => match demo::run(&shell, common, &args.dir) {
            Ok(true) => ("demo", None, Ok(())),
            Ok(false) => return 1,
            Err(refusal) => ("demo", None, Err(refusal)),
        },
        Command::Doctor => ("doctor", None, doctor::run(&shell, common)),
        Command::Check(args) => match check::run(&shell, common, args) {
            Ok(true) => ("check", None, Ok(())),
            Ok(false) => return 1,
            Err(refusal) => ("check", None, Err(refusal)),
        },
        Command::List(args) => ("list", None, list::run(&shell, common, args)),
        Command::Survey(args) => ("survey", None, survey::run(&shell, common, args)),
        Command::Explain { code } => ("explain", None, explain::run(&shell, common, code)),
        Command::Skill { path } => {
            let result = skill::run(&shell, common, path.as_deref());
            ("skill", None, result)
        }
        Command::Completions { shell: target } => {
            let result = shell_files::completions(&shell, *target);
            ("completions", None, result)
        }
        Command::Man => ("man", None, shell_files::man(&shell)),
        Command::Remove(args) => {
            let variant = Some(args.variant.clone());
            ("remove", variant, remove::run(&shell, common, args))
        }
        Command::Repair(args) => {
            let variant = args.variant.clone();
            ("repair", variant, repair::run(&shell, common, args))
        }
        Command::Undo(writing) => ("undo", None, undo::run(&shell, common, writing)),
        Command::Init(writing) => ("init", None, init::run(&shell, common, writing)),
    };
    match result {
        Ok(()) => 0,
        Err(refusal) => {
            let variant = variant.as_deref().filter(|name| !name.is_empty());
            report::refusal(&shell, common.format, name, variant, &refusal);
            refusal.exit_code()
        }
    }
}

/// Scaffolds what is asked for; what is left open is asked first.
fn start(
    shell: &Shell,
    common: &Common,
    writing: &Writing,
    asked: Asked,
    is_interactive: bool,
) -> Outcome<()> {
    if is_interactive {
        return interactive::run(shell, common, writing, asked);
    }
    new::run(shell, common, writing, asked, None)
}

/// A workspace with its configuration.
struct Opened {
    workspace: Workspace,
    config: Config,
    /// What was read while cargo looked for the members.
    memory: Memory,
}

/// Reads the workspace and its configuration; `meanwhile` is called on what is most likely its
/// root, once nothing is left to be done but to wait for cargo.
fn open<T: Send>(
    shell: &Shell,
    common: &Common,
    meanwhile: impl Fn(&Path) -> T + Send + Sync,
) -> Outcome<(Opened, Option<T>)> {
    let read = || {
        Workspace::read(&common.cargo(), |root, files| {
            let memory = landmarks::ahead(files);
            (memory, meanwhile(root))
        })
    };
    let (mut workspace, mut early) = read()?;
    if recover(shell, &workspace.state())? {
        (workspace, early) = read()?;
    }
    let config = config::read(&workspace, &common.config)?;
    let (memory, given) = early.unzip();
    let opened = Opened {
        workspace,
        config,
        memory: memory.unwrap_or_default(),
    };
    Ok((opened, given))
}

/// Takes back what a run that was interrupted had begun to write, and waits for one that writes;
/// `true` where there was either, so that what was read before counts no more.
fn recover(shell: &Shell, state: &State) -> Outcome<bool> {
    let journal = match apply::recover(state, || shell.blocked())? {
        Earlier::Nothing => return Ok(false),
        Earlier::Ended => return Ok(true),
        Earlier::Unbegun => {
            let message = "a command was interrupted before it wrote a file";
            shell.note(&Note::warning("interrupted", message).help("run it again"));
            return Ok(true);
        }
        Earlier::TakenBack(journal) => journal,
    };
    let message = format!(
        "`{}` was interrupted: what it had written was taken back",
        journal.what()
    );
    shell.note(&Note::warning("interrupted", message).help("run it again"));
    Ok(true)
}

/// Reads the workspace, finds its landmarks, and does `then` with them.
fn read<T>(
    shell: &Shell,
    common: &Common,
    then: impl FnOnce(&Index<'_>, &Landmarks) -> Outcome<T>,
) -> Outcome<T> {
    let (opened, _) = open(shell, common, |_| ())?;
    let Opened {
        workspace,
        config,
        memory,
    } = opened;
    let (spec, index) = index(&workspace, &config, memory)?;
    let landmarks = landmarks::discover(&index, &spec, &config)?;
    then(&index, &landmarks)
}

/// The enum, and an index that knows its names: aliases that other files give it included.
///
/// What is in `memory` is not read again.
fn index<'w>(
    workspace: &'w Workspace,
    config: &Config,
    memory: Memory,
) -> Outcome<(SpecEnum, Index<'w>)> {
    refuse_other_text(workspace)?;
    let mut index = Index::new(workspace, memory);
    let spec = landmarks::discover_spec(&index, config)?;
    let naming = index.containing(&spec.fact.name);
    let texts = naming
        .iter()
        .map(|path| workspace.files[path].text.as_str());
    let interest = landmarks::interest(&spec.fact, texts);
    index.learn(interest);
    Ok((spec, index))
}

/// Refuses a workspace with Rust source that is not UTF-8.
fn refuse_other_text(workspace: &Workspace) -> Outcome<()> {
    let not_utf8 = workspace
        .unreadable
        .iter()
        .find(|place| workspace.member_of(&place.path).is_some());
    if let Some(place) = not_utf8 {
        return Err(
            Refusal::new("not-utf8", format!("`{}` is not UTF-8", place.path))
                .at(place.clone())
                .help("Rust source must be UTF-8: mend the file"),
        );
    }
    Ok(())
}
