//! What the tool has to say: findings that go on (`Note`) and refusals that do not (`Refusal`).
//!
//! Both carry a code, a place and the next step, so that every report can show
//! them in its own form without knowing where they came from.

use std::fmt;

use serde::Serialize;

/// A place in a source file. Lines and columns count from 1; columns count characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Path relative to the workspace root, with `/`.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The text of that line, for quoting.
    #[serde(skip)]
    pub source: String,
    /// How many characters of the line are meant; at least 1.
    #[serde(skip)]
    pub width: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path, self.line, self.column)
    }
}

/// How much a note matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Stops the command.
    Error,
    /// Is to be looked at before the change is merged.
    Warning,
    /// Is good to know.
    Note,
}

/// A finding that does not stop the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Stable code, `kebab-case`.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What was found: lower case, no full stop.
    pub message: String,
    /// Where, if it has a place.
    pub place: Option<Place>,
    /// The next step, if there is one.
    pub help: Option<String>,
}

impl Note {
    /// A warning with `message`.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Warning,
            message: message.into(),
            place: None,
            help: None,
        }
    }

    /// The warning that what stands at `place` says otherwise than `option`.
    #[must_use]
    pub fn left_alone(option: &str, place: Place) -> Self {
        let message = format!("{option} changes nothing: this stands already, in another form");
        Self::warning("left-alone", message)
            .at(place)
            .help("change it by hand: what stands may be a person's")
    }

    /// The same, at `place`.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The same, with the next step.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Why a command stopped. Nothing has been written when one is returned.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Stable code, `kebab-case`.
    pub code: &'static str,
    /// The cause: lower case, no full stop.
    pub message: String,
    /// Where, if it has a place.
    pub place: Option<Place>,
    /// Further places that matter, each with what is there.
    pub also: Vec<(Place, String)>,
    /// The next step, if there is one.
    pub help: Option<String>,
    /// Whether the command line itself is wrong (exit 2) or the workspace does not allow it (exit 1).
    pub fault: Fault,
}

/// Who can mend what was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The command line is malformed; exit code 2.
    Usage,
    /// The workspace, or the request on this workspace; exit code 1.
    Workspace,
}

impl Refusal {
    /// A refusal that speaks of the workspace.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            place: None,
            also: Vec::new(),
            help: None,
            fault: Fault::Workspace,
        }
    }

    /// A refusal that speaks of the command line.
    pub fn usage(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            fault: Fault::Usage,
            ..Self::new(code, message)
        }
    }

    /// The same, at `place`.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The same, with a further place and what is there.
    #[must_use]
    pub fn and(mut self, place: Place, label: impl Into<String>) -> Self {
        self.also.push((place, label.into()));
        self
    }

    /// The same, with the next step.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The exit code of the process: 2 for a wrong command line, 1 otherwise.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.fault {
            Fault::Usage => 2,
            Fault::Workspace => 1,
        }
    }
}

/// The result of everything that can be refused.
pub type Outcome<T> = Result<T, Refusal>;
