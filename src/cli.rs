//! The command line. Nothing else of the crate sees clap.

use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::apply::Guards;
use crate::migrate::SiteRequest;
use crate::note::{Outcome, Refusal};
use crate::request::{self, TaskRequest};
use crate::suggest;
use crate::verify::Depth;
use crate::workspace::CargoOptions;

/// Scaffolds durable background tasks.
#[derive(Debug, Parser)]
#[command(
    name = "cargo-oxy-task",
    bin_name = "cargo oxy-task",
    version,
    about,
    max_term_width = 100,
    after_help = "Example:\n  cargo oxy-task demo\n  cargo oxy-task new --help"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
}

/// Options of every command; `-h` shows those that are wanted most.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Common {
    /// Path to the Cargo.toml of the workspace
    #[arg(long, global = true, value_name = "PATH", hide_short_help = true)]
    manifest_path: Option<PathBuf>,
    /// Overrides a key of [workspace.metadata.oxy-task] for this run
    #[arg(long, global = true, value_name = "KEY=VALUE", hide_short_help = true)]
    pub config: Vec<String>,
    /// Form of the output
    #[arg(long, global = true, value_name = "FORMAT", default_value = "human")]
    pub format: Format,
    /// Coloring
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        env = "CARGO_TERM_COLOR",
        hide_short_help = true
    )]
    pub color: Color,
    /// No status lines
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// More detail
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Run cargo without the network
    #[arg(long, global = true, hide_short_help = true)]
    offline: bool,
    /// Run cargo with the lock file as it is
    #[arg(long, global = true, hide_short_help = true)]
    locked: bool,
    /// Both of the above
    #[arg(long, global = true, hide_short_help = true)]
    frozen: bool,
}

impl Common {
    /// The same, for the workspace of that manifest.
    #[must_use]
    pub fn in_workspace(&self, manifest: PathBuf) -> Self {
        Self {
            manifest_path: Some(manifest),
            ..self.clone()
        }
    }

    /// The options that bear on what a command does, as they are typed.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let CargoOptions {
            manifest_path,
            flags,
        } = self.cargo();
        let manifest = manifest_path.map(|path| path.display().to_string());
        let manifest = manifest
            .into_iter()
            .flat_map(|path| ["--manifest-path".to_owned(), path]);
        let config = self.config.iter().cloned();
        let config = config.flat_map(|pair| ["--config".to_owned(), pair]);
        manifest.chain(config).chain(flags).collect()
    }

    /// What concerns cargo.
    #[must_use]
    pub fn cargo(&self) -> CargoOptions {
        let flags = [
            ("--offline", self.offline),
            ("--locked", self.locked),
            ("--frozen", self.frozen),
        ];
        CargoOptions {
            manifest_path: self.manifest_path.clone(),
            flags: flags
                .into_iter()
                .filter(|(_, on)| *on)
                .map(|(flag, _)| flag.to_owned())
                .collect(),
        }
    }
}

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// One JSON object.
    Json,
    /// A review sheet.
    Markdown,
    /// Findings on lines, for a code host: SARIF 2.1.0, `survey` and `check` only.
    Sarif,
}

/// Coloring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Scaffold a task
    #[command(
        after_help = "Example:\n  cargo oxy-task new CloneRepository clone_url:String target_dir:PathBuf auth_token:secret \\\n    --key clone_url,target_dir\n  cargo oxy-task new --interactive"
    )]
    New(Box<New>),
    /// Turn a call that spawns into a task
    #[command(
        name = "migrate-spawn",
        long_about = "Turn a call that spawns into a task\n\nThe work stays in its file, as what the task runs; what it takes with it becomes the task's fields.",
        after_help = "Example:\n  cargo oxy-task migrate-spawn crates/app/src/api/import.rs:120 --as ImportRepository --dry-run\n  cargo oxy-task migrate-spawn --interactive"
    )]
    MigrateSpawn(Box<MigrateSpawn>),
    /// Unpack a workspace, scaffold a task into it, show the diff, run its tests
    #[command(
        after_help = "It needs a Rust toolchain with rustfmt, and nothing of yours: all that it writes is in DIR.\n\nExample:\n  cargo oxy-task demo\n  cd oxy-task-demo && cargo oxy-task list"
    )]
    Demo(Demo),
    /// Show which landmarks were found where, and why
    #[command(after_help = "Example:\n  cargo oxy-task doctor --format json")]
    Doctor,
    /// Show every variant, and which of the seven steps of a task each has
    #[command(
        after_help = "The steps are those of the guideline: a variant, an executor's arm, an enqueue, a status with one writer, an idempotency key, a policy, three tests. `-` is what does not apply.\n\nExample:\n  cargo oxy-task list --format json\n  cargo oxy-task list CloneRepository --format markdown\n  cargo oxy-task list --write-snapshot"
    )]
    List(List),
    /// Keep the rules: exit 1 where any is broken
    #[command(
        after_help = "OXT001 a spawn in an HTTP handler that should be a task, OXT002 a variant without an executor branch, OXT003 a secret by value, OXT004 no dedupe, OXT005 no policy or a wrong one, OXT006 two writers of a status column, OXT007 too few tests, OXT008 a wire form that changed. `cargo oxy-task explain OXT001` says more. A spawn is justified directly above it: `// oxy-task: allow(spawn) — <reason>`.\n\nExample:\n  cargo oxy-task check --format sarif > oxy-task.sarif"
    )]
    Check(Check),
    /// Show every call that spawns, with what the guideline says of it and why
    #[command(
        after_help = "Q1 to Q6 are the guideline's questions: more than seconds, an external service, to survive a restart, a polled status, a schedule, worth a retry. A1 to A3 are what may stay: a moment's work that may be lost, a response's own stream, work that is reset when the stream is.\n\nExample:\n  cargo oxy-task survey crates/app --format markdown > spawns.md"
    )]
    Survey(Survey),
    /// Take a scaffolded task out again
    #[command(
        after_help = "It goes by the record of the task in the snapshots, and refuses what other code uses or a person changed. Where the task was deployed: stop what enqueues it, let the queue run empty, then remove.\n\nExample:\n  cargo oxy-task remove CloneRepository --dry-run"
    )]
    Remove(Remove),
    /// Add what recorded tasks lack, after a merge say
    #[command(
        after_help = "Each recorded task is planned again; what a merge kept twice is named, and nothing is written then.\n\nExample:\n  cargo oxy-task repair --dry-run"
    )]
    Repair(Repair),
    /// Take back the last command that wrote
    #[command(
        after_help = "Places that were edited since are in the way, and are shown. Other changes in the same files stay.\n\nExample:\n  cargo oxy-task undo --dry-run"
    )]
    Undo(Writing),
    /// Write what was detected into [workspace.metadata.oxy-task] of the root manifest
    #[command(
        after_help = "What stands there stays. From then on those names count, whatever else would fit.\n\nExample:\n  cargo oxy-task init --dry-run"
    )]
    Init(Writing),
    /// Say what the code of an error or a warning means
    #[command(after_help = "Example:\n  cargo oxy-task explain two-enqueues")]
    Explain {
        /// What stands in the brackets of `error[…]`
        code: String,
    },
    /// Write a skill file for coding agents
    #[command(
        after_help = "Without a path it goes where the workspace keeps skills. A file that was changed is never written over.\n\nExample:\n  cargo oxy-task skill .claude/skills/oxy-task/SKILL.md"
    )]
    Skill {
        /// The file
        path: Option<PathBuf>,
    },
    /// Print the completions for a shell
    #[command(after_help = "Example:\n  cargo oxy-task completions zsh > ~/.zfunc/_cargo-oxy-task")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual
    #[command(
        after_help = "Example:\n  cargo oxy-task man > ~/.local/share/man/man1/cargo-oxy-task.1"
    )]
    Man,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// A folder that is new, or empty
    #[arg(default_value = "oxy-task-demo")]
    pub dir: PathBuf,
}

impl Writing {
    /// Refuses a proof of what is not written.
    pub fn check(&self) -> Outcome<()> {
        if self.dry_run && self.verify != Depth::None {
            let message = "--dry-run writes nothing that --verify could prove";
            return Err(Refusal::usage("verify", message).help("leave one of the two out"));
        }
        Ok(())
    }

    /// The same, as it is typed.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let flags = [
            ("--dry-run", self.dry_run),
            ("--allow-dirty", self.allow_dirty),
            ("--allow-staged", self.allow_staged),
            ("--allow-no-vcs", self.allow_no_vcs),
            ("--verify=check", self.verify == Depth::Check),
            ("--verify=test", self.verify == Depth::Test),
        ];
        let given = flags.into_iter().filter(|(_, is_given)| *is_given);
        given.map(|(flag, _)| flag.to_owned()).collect()
    }

    /// The guards that stay.
    #[must_use]
    pub fn guards(&self) -> Guards {
        Guards {
            dirty: self.allow_dirty,
            staged: self.allow_staged || self.allow_dirty,
            no_vcs: self.allow_no_vcs,
        }
    }
}

/// Arguments of `survey`.
#[derive(Debug, Args)]
pub struct Survey {
    /// Only what stands in these files and folders
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Sites of tests, examples and benches too
    #[arg(long)]
    pub include_tests: bool,
}

/// Arguments of `list`.
#[derive(Debug, Args)]
pub struct List {
    /// Only this one; with `--format markdown` its review sheet
    pub variant: Option<String>,
    /// Record the wire form of every variant
    #[arg(long, conflicts_with = "variant")]
    pub write_snapshot: bool,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Leave out the findings that FILE holds
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write the findings to FILE, and succeed
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    pub write_baseline: Option<PathBuf>,
    /// Write snapshots that changed beside the recorded ones, for `cargo insta review`
    #[arg(long)]
    pub pending: bool,
}

/// Options of commands that write.
#[derive(Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub struct Writing {
    /// Write nothing; print the diff
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Edit files with uncommitted changes
    #[arg(long)]
    pub allow_dirty: bool,
    /// Edit files with staged changes
    #[arg(long, hide_short_help = true)]
    pub allow_staged: bool,
    /// Edit without version control
    #[arg(long, hide_short_help = true)]
    pub allow_no_vcs: bool,
    /// Prove the result with cargo; put everything back where it fails
    #[arg(long, value_name = "DEPTH", default_value = "none")]
    pub verify: Depth,
}

/// Arguments of `new`.
#[derive(Debug, Args)]
pub struct New {
    /// Name of the variant, `UpperCamelCase`
    #[arg(required_unless_present = "interactive")]
    variant: Option<String>,
    /// Fields; `NAME:secret` is carried as a reference
    #[arg(value_name = "FIELD:TYPE")]
    fields: Vec<String>,
    /// What is asked of the task.
    #[command(flatten)]
    options: TaskOptions,
    /// What concerns writing.
    #[command(flatten)]
    pub writing: Writing,
}

/// Arguments of `remove`.
#[derive(Debug, Args)]
pub struct Remove {
    /// Name of the variant
    pub variant: String,
    /// Take out what was edited too: the work that was written
    #[arg(long)]
    pub allow_edited: bool,
    /// What concerns writing.
    #[command(flatten)]
    pub writing: Writing,
}

/// Arguments of `repair`.
#[derive(Debug, Args)]
pub struct Repair {
    /// Only this one
    pub variant: Option<String>,
    /// What concerns writing.
    #[command(flatten)]
    pub writing: Writing,
}

/// Arguments of `migrate-spawn`.
#[derive(Debug, Args)]
pub struct MigrateSpawn {
    /// Where the call stands
    #[arg(
        value_name = "FILE:LINE[:COL]",
        required_unless_present = "interactive"
    )]
    site: Option<String>,
    /// Name of the variant, `UpperCamelCase`
    #[arg(
        long = "as",
        value_name = "VARIANT",
        required_unless_present = "interactive"
    )]
    variant: Option<String>,
    /// The type of a captured variable that could not be found
    #[arg(long = "type", value_name = "NAME=TYPE")]
    types: Vec<String>,
    /// An argument of the enqueue that the site does not have at hand
    #[arg(long = "arg", value_name = "NAME=EXPR")]
    arguments: Vec<String>,
    /// Add everything but the switch of the site
    #[arg(long)]
    keep_site: bool,
    /// Move a spawn that the guideline lets stay
    #[arg(long)]
    force: bool,
    /// What is asked of the task.
    #[command(flatten)]
    options: TaskOptions,
    /// What concerns writing.
    #[command(flatten)]
    pub writing: Writing,
}

/// What is asked of a task beside its name and fields.
#[derive(Debug, Args)]
struct TaskOptions {
    /// Fields of the idempotency key [default: all but secrets]
    #[arg(long, value_name = "FIELD,…")]
    key: Option<String>,
    /// How long a duplicate is dropped [default: active]
    #[arg(long, value_name = "WHEN")]
    dedupe: Option<Dedupe>,
    /// The task's deadline, all its attempts together [default: 30m]
    #[arg(long, value_name = "DURATION")]
    timeout: Option<String>,
    /// How often a transient failure is tried again [default: 5]
    #[arg(long, value_name = "N")]
    retries: Option<u32>,
    /// Pause between tries: `fixed:2s` or `exp:1s..60s` [default: exp:1s..60s]
    #[arg(long, value_name = "BACKOFF")]
    backoff: Option<String>,
    /// Retry failures whose message holds TEXT [default: transient ones]
    #[arg(long, value_name = "TEXT")]
    retry_on: Vec<String>,
    /// Column it writes: `entity.column[@FIELD][:running=V,done=V,failed=V]`
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// Enqueue it by the clock too: `MINUTE HOUR DAY MONTH WEEKDAY`, in UTC
    #[arg(long, value_name = "CRON")]
    schedule: Option<String>,
    /// The serialized name, where it is not serde's
    #[arg(long, value_name = "WIRE_TAG")]
    tag: Option<String>,
    /// Documentation of the variant
    #[arg(long, value_name = "TEXT")]
    doc: Option<String>,
    /// Refuse where an arm would be a `todo!`
    #[arg(long, hide_short_help = true)]
    no_todo: bool,
    /// Refuse where nothing claims root tasks
    #[arg(long, hide_short_help = true)]
    require_worker: bool,
    /// Ask for what is not given, show the diff, and ask before it is written
    #[arg(short, long)]
    interactive: bool,
}

/// `--dedupe`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Dedupe {
    /// While the first is queued or running.
    Active,
    /// For ever.
    Forever,
}

/// The request that a snapshot records: the arguments of a command line, from `new` on.
pub fn recorded_request(arguments: &[String]) -> Outcome<TaskRequest> {
    let unknown = || {
        let line = arguments.join(" ");
        let message = format!("the recorded request `{line}` is none of this release");
        Refusal::new("snapshot", message)
            .help("another release of the tool recorded it: run that one, or the command by hand")
    };
    let program = std::iter::once("cargo-oxy-task");
    let line = program.chain(arguments.iter().map(String::as_str));
    match Cli::try_parse_from(line).map(|cli| cli.command) {
        Ok(Command::New(args)) if !args.is_interactive() => args.request().map_err(|_| unknown()),
        _ => Err(unknown()),
    }
}

/// The variant's name; empty where it is still to be asked for.
fn variant_name(given: Option<&str>) -> Outcome<String> {
    given.map_or(Ok(String::new()), request::variant_name)
}

impl New {
    /// Whether what is not given is asked for.
    #[must_use]
    pub fn is_interactive(&self) -> bool {
        self.options.interactive
    }

    /// The validated request; refuses what is wrong without the workspace.
    ///
    /// The variant's name is empty where it is still to be asked for.
    pub fn request(&self) -> Outcome<TaskRequest> {
        let variant = variant_name(self.variant.as_deref())?;
        let fields = self
            .fields
            .iter()
            .map(|text| request::field(text))
            .collect::<Outcome<Vec<_>>>()?;
        let request = self.options.request(variant, fields)?;
        let is_open = self.is_interactive() && request.fields.is_empty();
        if !is_open {
            request::check_fields(&request.fields, request.key.as_deref())?;
        }
        Ok(request)
    }
}

impl MigrateSpawn {
    /// Whether what is not given is asked for.
    #[must_use]
    pub fn is_interactive(&self) -> bool {
        self.options.interactive
    }

    /// The site and the task; refuses what is wrong without the workspace.
    ///
    /// The path is as it was typed. It and the variant's name are empty where they are still to be
    /// asked for.
    pub fn request(&self) -> Outcome<SiteRequest> {
        let place = self.site.as_deref().map(place).transpose()?;
        let (path, line, column) = place.unwrap_or_default();
        let variant = variant_name(self.variant.as_deref())?;
        let task = self.options.request(variant, Vec::new())?;
        Ok(SiteRequest {
            path: path.to_owned(),
            line,
            column,
            types: pairs("--type", &self.types)?,
            arguments: pairs("--arg", &self.arguments)?,
            keeps_site: self.keep_site,
            force: self.force,
            task,
        })
    }
}

/// The path, the line and the column of `FILE:LINE[:COL]`.
fn place(text: &str) -> Outcome<(&str, usize, Option<usize>)> {
    let usage = || {
        let message = format!("`{text}` names no line of a file");
        Refusal::usage("site", message)
            .help("say where the call stands: `crates/app/src/api.rs:120`, with a column where the line has several")
    };
    let number = |text: &str| text.parse::<usize>().ok().filter(|n| *n > 0);
    let (rest, last) = text.rsplit_once(':').ok_or_else(usage)?;
    let last = number(last).ok_or_else(usage)?;
    let (path, line, column) = match rest.rsplit_once(':') {
        Some((path, line)) if number(line).is_some() => {
            (path, number(line).unwrap_or(last), Some(last))
        }
        _ => (rest, last, None),
    };
    if path.is_empty() {
        return Err(usage());
    }
    Ok((path, line, column))
}

/// Values by name.
fn pairs(option: &str, texts: &[String]) -> Outcome<Vec<(String, String)>> {
    let pair = |text: &String| {
        let (name, value) = text.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        (!name.is_empty() && !value.is_empty()).then(|| (name.to_owned(), value.to_owned()))
    };
    texts
        .iter()
        .map(|text| {
            pair(text).ok_or_else(|| {
                Refusal::usage("pair", format!("`{text}` is no `NAME=VALUE`")).help(format!(
                    "give the name, `=`, and what it is: `{option} limit=u32`"
                ))
            })
        })
        .collect()
}

impl TaskOptions {
    /// The request of a task with these fields.
    fn request(&self, variant: String, fields: Vec<request::Field>) -> Outcome<TaskRequest> {
        let key = self.key.as_deref().map(request::key).transpose()?;
        let retry_on = self.retry_on.iter().map(|text| request::retry_on(text));
        let retry_on = retry_on.collect::<Outcome<_>>()?;
        let dedupe = match self.dedupe {
            Some(Dedupe::Forever) => request::Dedupe::Forever,
            Some(Dedupe::Active) | None => request::Dedupe::Active,
        };
        let schedule = self.schedule.as_deref();
        let schedule = schedule.map(|text| request::scheduled(text, dedupe));
        let schedule = schedule.transpose()?;
        Ok(TaskRequest {
            variant,
            fields,
            key,
            dedupe,
            timeout: request::duration(self.timeout.as_deref().unwrap_or("30m"))?,
            retries: self.retries.unwrap_or(5),
            backoff: request::backoff(self.backoff.as_deref().unwrap_or("exp:1s..60s"))?,
            retry_on,
            status: self.status.as_deref().map(request::status).transpose()?,
            schedule,
            tag: self.tag.as_deref().map(request::tag).transpose()?,
            doc: self.doc.as_deref().map(request::doc).transpose()?,
            no_todo: self.no_todo,
            require_worker: self.require_worker,
            given: self.given(),
        })
    }

    /// What the options that were given decide.
    fn given(&self) -> Vec<(&'static str, &'static str)> {
        let all = [
            ("--dedupe", self.dedupe.is_some()),
            ("--timeout", self.timeout.is_some()),
            ("--retries", self.retries.is_some()),
            ("--backoff", self.backoff.is_some()),
            ("--retry-on", !self.retry_on.is_empty()),
            ("--status", self.status.is_some()),
            ("--schedule", self.schedule.is_some()),
        ];
        let given = all.into_iter().filter(|(_, is_given)| *is_given);
        given
            .flat_map(|(option, _)| request::decided(option))
            .collect()
    }
}

/// What `demo` scaffolds: the arguments of a `new`.
const DEMO_TASK: [&str; 11] = [
    "new",
    "CloneRepository",
    "clone_url:String",
    "branch:String",
    "target_dir:PathBuf",
    "workspace_id:Uuid",
    "auth_token:secret",
    "--key",
    "clone_url,target_dir",
    "--status",
    "workspaces.status@workspace_id:running=Cloning,done=Ready,failed=Failed",
];

/// The command that `demo` runs, as a person would type it.
#[must_use]
pub fn demo_command() -> String {
    format!("`cargo oxy-task {}`", DEMO_TASK.join(" "))
}

/// The request of that command.
pub fn demo_request() -> Outcome<TaskRequest> {
    let args = std::iter::once("cargo-oxy-task").chain(DEMO_TASK);
    match Cli::try_parse_from(args).map(|cli| cli.command) {
        Ok(Command::New(new)) => new.request(),
        _ => unreachable!("the arguments are those of a `new`"),
    }
}

impl Cli {
    /// The command line of this process, without the `oxy-task` that cargo puts first.
    ///
    /// # Errors
    ///
    /// Clap's, which also stands for a help that was asked for.
    pub fn parse_process() -> Result<Self, clap::Error> {
        let mut args: Vec<_> = std::env::args_os().collect();
        if args.get(1).is_some_and(|arg| arg == "oxy-task") {
            args.remove(1);
        }
        Self::try_parse_from(args).map_err(with_suggestion)
    }
}

/// The error with the command or value that was most likely meant, where clap found none: it takes two
/// letters of a short word that changed places for another word.
fn with_suggestion(mut error: clap::Error) -> clap::Error {
    let text = |error: &clap::Error, kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    if error.get(ContextKind::SuggestedSubcommand).is_none()
        && let Some(given) = text(&error, ContextKind::InvalidSubcommand)
    {
        let known = Cli::command();
        let names = known.get_subcommands().map(clap::Command::get_name);
        if let Some(name) = suggest::nearest(&given, names) {
            let names = ContextValue::Strings(vec![name.to_owned()]);
            error.insert(ContextKind::SuggestedSubcommand, names);
        }
    }
    if error.get(ContextKind::SuggestedValue).is_none()
        && let Some(given) = text(&error, ContextKind::InvalidValue)
        && let Some(ContextValue::Strings(known)) = error.get(ContextKind::ValidValue)
        && let Some(name) = suggest::nearest(&given, known.iter().map(String::as_str))
    {
        let name = ContextValue::String(name.to_owned());
        error.insert(ContextKind::SuggestedValue, name);
    }
    error
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::{Cli, Command};

    fn arguments(of: &[String]) -> Vec<String> {
        let all = std::iter::once("cargo-oxy-task").chain(of.iter().map(String::as_str));
        match Cli::try_parse_from(all).unwrap().command {
            Command::New(new) => new.request().unwrap().arguments(),
            _ => unreachable!("the arguments are those of a `new`"),
        }
    }

    /// What a request records of itself asks for the same request.
    #[test]
    fn a_request_is_recorded_as_the_command_line_gives_it() {
        for (given, recorded) in [
            ("new Ping", "new Ping"),
            (
                "new Sync slug:String depth:Option<u32> of:Vec<(String,u8)> a_ref:secret b:secret",
                "new Sync slug:String depth:Option<u32> of:Vec<(String, u8)> a:secret b:secret",
            ),
            (
                "new Sync a:u8 b:u8 --key a,b --dedupe forever --timeout 90m --retries 0 --backoff fixed:1500ms --no-todo",
                "new Sync a:u8 b:u8 --key a,b --dedupe forever --timeout 90m --retries 0 --backoff fixed:1500ms",
            ),
            (
                "new Sync --timeout 30m --retries 5 --backoff exp:1s..60s --dedupe active",
                "new Sync",
            ),
            (
                "new Sync id:Uuid --backoff exp:2s..2h --retry-on a --retry-on b --status jobs.state@id:done=Done --tag s-1",
                "new Sync id:Uuid --backoff exp:2s..2h --retry-on a --retry-on b --status jobs.state@id:done=Done --tag s-1",
            ),
        ] {
            let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
            let first = arguments(&words(given));
            assert_eq!(first.join(" "), recorded);
            assert_eq!(arguments(&first), first);
        }
        let of = [
            "new",
            "Sync",
            "--schedule",
            "0 3 * * 1-5",
            "--doc",
            "Two\nlines.",
        ];
        let first = arguments(&of.map(str::to_owned));
        assert_eq!(first[3..], ["0 0 3 * * MON-FRI", "--doc", "Two\nlines."]);
        assert_eq!(arguments(&first), first);
    }
}
