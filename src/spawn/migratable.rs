//! Whether a site could become a task as it stands, and what has to be done first.

use super::captures::Role;
use super::sites::Site;
use super::types;
use super::verdict::Verdict;

/// Whether the site could become a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migratable {
    /// As it stands.
    Yes,
    /// After steps.
    WithSteps,
    /// Not.
    No,
}

impl Migratable {
    /// Its name in the output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::WithSteps => "with-steps",
            Self::No => "no",
        }
    }
}

/// Whether a site could become a task, and what is to be done first.
pub(super) fn migratable(site: &Site, verdict: Verdict) -> (Migratable, Vec<String>) {
    if matches!(verdict, Verdict::Awaited | Verdict::Structural) {
        return (Migratable::No, Vec::new());
    }
    let mut steps = Vec::new();
    let mut is_possible = true;
    for capture in &site.captures {
        let name = &capture.name;
        match capture.role {
            Role::Data => {
                if let Some(ty) = capture.ty.as_deref().filter(|ty| ty.starts_with('&') && types::head(ty) != "str") {
                    steps.push(format!("`{name}` is borrowed (`{ty}`): carry a value of its own"));
                }
            }
            Role::Handle => steps.push(format!("`{name}` is a handle: let the executor hold one")),
            Role::Secret => steps.push(format!("`{name}` is a secret: carry a reference (`{name}_ref`) and resolve it in the executor")),
            Role::Channel => {
                is_possible = false;
                steps.push(format!("`{name}` is an end of a channel: report by events of the task"));
            }
            Role::Unknown => steps.push(match &capture.ty {
                Some(ty) => format!("whether `{name}` (`{ty}`) can be written down is not known"),
                None => format!("the type of `{name}` is not known: give it with `--type {name}=…`"),
            }),
        }
    }
    let migratable = match (is_possible, steps.is_empty()) {
        (false, _) => Migratable::No,
        (true, true) => Migratable::Yes,
        (true, false) => Migratable::WithSteps,
    };
    (migratable, steps)
}
