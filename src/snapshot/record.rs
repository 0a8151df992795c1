//! What a snapshot says: the wire form, and of a task that was scaffolded how that was done.

use serde::{Deserialize, Serialize};

use super::WireForm;

/// One snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What stands in rows.
    pub form: WireForm,
    /// How the task was scaffolded, if this tool did it.
    pub scaffolded: Option<Scaffolded>,
}

/// How a task was scaffolded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaffolded {
    /// The arguments of the command line, from `new` on; those of its defaults are left out.
    pub request: Vec<String>,
    /// What that brought.
    pub pieces: Vec<RecordedPiece>,
}

/// One thing that scaffolding brought.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedPiece {
    /// The file that it stands in.
    pub path: String,
    /// What it is: a kind of an edit in the words of the command line's JSON, or `file`.
    pub kind: String,
    /// A digest of its text without what rustfmt sets: a file that was formatted is as it was.
    pub hash: String,
    /// The crate or package, of a dependency and of its edge in the lock file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependency: Option<String>,
    /// What went in, with `\n` for line ends; none of a file, nor of a call that was switched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What that took the place of, where it was anything: a comment behind a comma that was missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
    /// The package of the lock file, or the table of the manifest, that it stands in: its text alone
    /// may stand in several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
}
