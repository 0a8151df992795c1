//! The terminal: status lines in cargo's form, errors in rustc's.

use std::io::Write;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use anstyle::{AnsiColor, Effects, Style};

use super::{Report, unified};
use crate::check::{self, Finding};
use crate::cli::Color;
use crate::note::{Note, Place, Refusal, Severity};
use crate::plan::State;

/// Where output goes, and how.
pub struct Shell {
    quiet: bool,
    verbose: bool,
}

const GOOD: Style = AnsiColor::Green.on_default().effects(Effects::BOLD);
const WARN: Style = AnsiColor::Yellow.on_default().effects(Effects::BOLD);

impl Shell {
    /// A shell that colours as asked.
    #[must_use]
    pub fn new(color: Color, quiet: bool, verbose: bool) -> Self {
        match color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::AlwaysAnsi,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
        Self { quiet, verbose }
    }

    /// Whether more detail was asked for.
    #[must_use]
    pub fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// The product, on stdout. A pipe that was closed ends the output, not the program.
    pub fn product(&self, text: &str) {
        let end = if text.ends_with('\n') || text.is_empty() {
            ""
        } else {
            "\n"
        };
        // In one piece: a diff of a thousand lines is not a thousand writes.
        let stdout = std::io::stdout();
        let choice = anstream::AutoStream::choice(&stdout);
        let is_plain = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
        let bytes = if text.chars().all(is_plain) {
            format!("{text}{end}").into_bytes()
        } else {
            let mut styled = anstream::AutoStream::new(Vec::new(), choice);
            let _ = write!(styled, "{text}{end}");
            styled.into_inner()
        };
        let mut out = stdout.lock();
        let _ = out.write_all(&bytes).and_then(|()| out.flush());
    }

    /// A diff, on stdout, in git's colours where these may be.
    pub(super) fn diff(&self, diff: &str) {
        if self.is_colored() {
            self.product(&colored(diff));
        } else {
            self.product(diff);
        }
    }

    /// What another program printed, on stderr and as it is.
    pub fn pass_on(&self, bytes: &[u8]) {
        let _ = std::io::stderr().lock().write_all(bytes);
    }

    /// Whether what goes to stdout may hold colours.
    fn is_colored(&self) -> bool {
        anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
    }

    /// A status line on stderr: the verb right-aligned, then the object.
    pub fn status(&self, verb: &str, object: &str) {
        if !self.quiet {
            self.line(GOOD, verb, object);
        }
    }

    /// Another tool writes in this workspace, and this one waits for its end.
    pub fn blocked(&self) {
        self.attention("Blocking", "waiting for another oxy-task that writes here");
    }

    /// A status line that wants to be looked at.
    pub fn attention(&self, verb: &str, object: &str) {
        if !self.quiet {
            self.line(WARN, verb, object);
        }
    }

    fn line(&self, style: Style, verb: &str, object: &str) {
        let object = printable(object);
        self.say(&format!("{style}{verb:>12}{style:#} {object}\n"));
    }

    /// Text with styles, on stderr. In one piece: what passes a style on writes part by part.
    fn say(&self, text: &str) {
        let stderr = std::io::stderr();
        let choice = anstream::AutoStream::choice(&stderr);
        let mut styled = anstream::AutoStream::new(Vec::new(), choice);
        let _ = styled.write_all(text.as_bytes());
        let _ = stderr.lock().write_all(&styled.into_inner());
    }

    /// A warning in rustc's form.
    pub fn note(&self, note: &Note) {
        if self.quiet && note.severity != Severity::Error {
            return;
        }
        let level = match note.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        };
        let places: Vec<(&Place, String)> = note.place.iter().map(|p| (p, String::new())).collect();
        self.diagnostic(
            level,
            note.code,
            &note.message,
            &places,
            note.help.as_deref(),
        );
    }

    fn diagnostic(
        &self,
        level: Level<'_>,
        code: &str,
        message: &str,
        places: &[(&Place, String)],
        help: Option<&str>,
    ) {
        let text = rendered(level, code, message, places, help);
        self.say(&format!("{text}\n\n"));
    }
}

/// A finding in rustc's form, with an empty line below.
pub(super) fn finding(of: &Finding) -> String {
    let level = match of.level {
        check::Level::Error => Level::ERROR,
        check::Level::Warning => Level::WARNING,
    };
    let places = [(&of.place, String::new())];
    let text = rendered(level, of.rule, &of.message, &places, Some(&of.help));
    format!("{text}\n\n")
}

/// A message in rustc's form: the lines that it speaks of, what is meant underlined.
fn rendered(
    level: Level<'_>,
    code: &str,
    message: &str,
    places: &[(&Place, String)],
    help: Option<&str>,
) -> String {
    let message = printable(message);
    let code = printable(code);
    let sources: Vec<(String, String, usize)> = places
        .iter()
        .map(|(place, label)| {
            // What is not printed as it is has another length: places count characters.
            let source = printable(&place.source);
            let before = source.chars().take(place.column - 1);
            let start = before.map(char::len_utf8).sum();
            (source, printable(label), start)
        })
        .collect();
    let paths: Vec<String> = places.iter().map(|(p, _)| printable(&p.path)).collect();
    let mut group = Group::with_title(level.primary_title(message.as_str()).id(code.as_str()));
    for (((place, _), (source, label, start)), path) in places.iter().zip(&sources).zip(&paths) {
        let end = source[*start..]
            .char_indices()
            .nth(place.width)
            .map_or(source.len(), |(at, _)| start + at);
        let annotation = AnnotationKind::Primary.span(*start..end.max(*start));
        let annotation = if label.is_empty() {
            annotation
        } else {
            annotation.label(label.as_str())
        };
        group = group.element(
            Snippet::source(source.as_str())
                .path(path.as_str())
                .line_start(place.line)
                .annotation(annotation),
        );
    }
    let help = help.map(printable);
    if let Some(help) = &help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    Renderer::styled().render(&[group])
}

/// Text of the workspace without control characters: an escape sequence in a source file must
/// not reach the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' => '\n',
            '\t' => ' ',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// Shows a refusal as an error.
pub(super) fn refusal(shell: &Shell, refusal: &Refusal) {
    let mut places: Vec<(&Place, String)> =
        refusal.place.iter().map(|p| (p, String::new())).collect();
    places.extend(
        refusal
            .also
            .iter()
            .map(|(place, label)| (place, label.clone())),
    );
    shell.diagnostic(
        Level::ERROR,
        refusal.code,
        &refusal.message,
        &places,
        refusal.help.as_deref(),
    );
}

/// Shows what would be written: what there is to note, and the diff on stdout.
pub(super) fn propose(report: &Report<'_>, shell: &Shell) {
    for note in &report.plan.notes {
        shell.note(note);
    }
    shell.diff(&unified(report.changes));
}

/// Shows a report: the diff on stdout for a dry run, status lines and the summary on stderr.
pub(super) fn show(report: &Report<'_>, shell: &Shell) {
    let notes = report.plan.notes.iter();
    for note in notes.filter(|_| !report.proposed) {
        shell.note(note);
    }
    for step in &report.plan.steps {
        let line = format!("{} in {}", step.title, step.path);
        match step.state {
            State::Pending if report.applied => shell.status("Added", &line),
            State::Pending => shell.status("Would add", &line),
            State::Present if shell.is_verbose() || report.plan.is_complete() => {
                shell.status("Present", &line);
            }
            State::Present => {}
            State::Undecided => shell.attention("Left", &line),
        }
    }
    if !report.applied {
        shell.diff(&unified(report.changes));
    }
    if report.plan.is_complete() {
        shell.status("Finished", "nothing is missing; nothing was written");
        return;
    }
    let edited = report.changes.iter().filter(|c| c.before.is_some()).count();
    let verb = if report.applied {
        "Finished"
    } else {
        "Dry run"
    };
    let name = format!(
        "{}::{}",
        report.landmarks.spec.fact.name, report.task.request.variant
    );
    shell.status(
        verb,
        &format!(
            "`{name}` (wire tag `{}`): {edited} files edited, {} made",
            report.task.tag,
            report.changes.len() - edited
        ),
    );
    if let Some(note) = left_out_of_key(report) {
        shell.status("Key", &note);
    }
    for open in &report.plan.open {
        let (path, line) = open.resolve(report.changes);
        shell.attention("To do", &format!("{path}:{line}: {}", open.what));
    }
    shell.attention("Deploy", &report.deployment());
}

/// What the idempotency key is, where it was not given.
fn left_out_of_key(report: &Report<'_>) -> Option<String> {
    if report.task.request.key.is_some() || !report.task.further.is_empty() {
        return None;
    }
    let fields = report.task.key.join(", ");
    Some(if fields.is_empty() {
        "the task has no fields but secrets: at most one is active at a time".to_owned()
    } else {
        format!(
            "{fields}; leave out with --key what is fresh at every call, or nothing is ever a duplicate"
        )
    })
}

/// The diff in git's colours; they go where the output is no terminal.
fn colored(diff: &str) -> String {
    let add = AnsiColor::Green.on_default();
    let remove = AnsiColor::Red.on_default();
    let hunk = AnsiColor::Cyan.on_default();
    let head = Style::new().effects(Effects::BOLD);
    let mut out = String::new();
    for line in diff.split_inclusive('\n') {
        let (text, end) = line
            .strip_suffix('\n')
            .map_or((line, ""), |text| (text, "\n"));
        let style = match text.as_bytes() {
            [b'+', b'+', b'+', ..]
            | [b'-', b'-', b'-', ..]
            | [b'd', b'i', ..]
            | [b'n', b'e', ..] => head,
            [b'+', ..] => add,
            [b'-', ..] => remove,
            [b'@', ..] => hunk,
            _ => {
                out.push_str(line);
                continue;
            }
        };
        out.push_str(&format!("{style}{text}{style:#}{end}"));
    }
    out
}
