//! Which member depends on which: read from the manifests, never resolved.

use std::collections::BTreeSet;

use super::{Member, Workspace};
use crate::note::{Outcome, Refusal};

impl Workspace {
    /// Refuses a dependency of `from` on `to` that would close a circle, with the circle.
    pub fn check_cycle(&self, from: &Member, to: &Member) -> Outcome<()> {
        let mut path = vec![to.name.clone()];
        if !self.reaches(to, &from.name, &mut path, &mut BTreeSet::new()) {
            return Ok(());
        }
        let circle: Vec<String> = std::iter::once(from.name.clone()).chain(path).collect();
        Err(Refusal::new(
            "cycle",
            format!(
                "`{}` cannot depend on `{}`: {}",
                from.name,
                to.name,
                circle.join(" → ")
            ),
        )
        .help("use types that stand below, or move the type down"))
    }

    /// Whether `from` depends on `to`, by way of other members too.
    #[must_use]
    pub fn depends(&self, from: &Member, to: &Member) -> bool {
        self.reaches(from, &to.name, &mut Vec::new(), &mut BTreeSet::new())
    }

    /// Whether `at` depends on `goal`, however indirectly; `path` is then the way.
    fn reaches(
        &self,
        at: &Member,
        goal: &str,
        path: &mut Vec<String>,
        seen: &mut BTreeSet<String>,
    ) -> bool {
        if at.name == goal {
            return true;
        }
        if !seen.insert(at.name.clone()) {
            return false;
        }
        for dependency in at.dependencies.iter().filter(|d| d.is_normal) {
            if let Some(next) = self.member(&dependency.package) {
                path.push(next.name.clone());
                if self.reaches(next, goal, path, seen) {
                    return true;
                }
                path.pop();
            }
        }
        false
    }
}
