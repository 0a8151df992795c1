//! What a rule finds, and what each rule is.

use crate::note::Place;

/// A rule.
pub struct Rule {
    /// Its code.
    pub id: &'static str,
    /// What it finds, in a sentence.
    pub about: &'static str,
}

/// Every rule, in order.
pub const RULES: [Rule; 8] = [
    Rule {
        id: "OXT001",
        about: "A spawn in an HTTP handler, or in what only handlers call, that is neither acceptable nor justified",
    },
    Rule {
        id: "OXT002",
        about: "A variant without an executor branch of its own",
    },
    Rule {
        id: "OXT003",
        about: "A variant that carries a secret by value",
    },
    Rule {
        id: "OXT004",
        about: "A variant enqueued without dedupe on a stable key",
    },
    Rule {
        id: "OXT005",
        about: "A variant enqueued without a policy, or with one that retries terminal errors",
    },
    Rule {
        id: "OXT006",
        about: "A domain status column written both by a task and by the site that enqueues it",
    },
    Rule {
        id: "OXT007",
        about: "A variant without its three tests",
    },
    Rule {
        id: "OXT008",
        about: "A wire tag or field that changed against the recorded snapshot, or two variants that share a tag",
    },
];

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It breaks the guideline, or rows.
    Error,
    /// It is to be looked at; it counts all the same.
    Warning,
}

impl Level {
    /// Its name in the output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's code.
    pub rule: &'static str,
    /// How much it matters.
    pub level: Level,
    /// What was found: lower case, no full stop.
    pub message: String,
    /// Where.
    pub place: Place,
    /// The next step.
    pub help: String,
    /// The function that it is in, or the variant that it is about.
    pub function: String,
    /// What of that function or variant: for a baseline, which must not depend on lines.
    pub tokens: String,
}

impl Finding {
    /// What a baseline knows it by: one line without its end.
    #[must_use]
    pub fn key(&self) -> String {
        let parts = [self.rule, &self.place.path, &self.function, &self.tokens];
        let plain = |part: &str| part.split_whitespace().collect::<Vec<_>>().join(" ");
        parts.map(plain).join("\t")
    }

    /// What findings are sorted by.
    pub(super) fn order(&self) -> (&str, usize, usize, &str, &str) {
        let Self {
            place,
            rule,
            message,
            ..
        } = self;
        (&place.path, place.line, place.column, rule, message)
    }
}
