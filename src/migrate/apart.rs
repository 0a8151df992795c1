//! Structs that no row can hold are taken apart: what the work uses of them travels on its own.

use std::collections::BTreeSet;
use std::ops::Range;

use super::SiteRequest;
use crate::index::{FileFacts, Index, derivable, names};
use crate::landmarks::SpecEnum;
use crate::note::{Outcome, Refusal};
use crate::spawn::{Found, Role, Taken, holds_secret};

/// Text of the work that is written otherwise where it moves: each place, and what stands there.
#[derive(Debug, Clone, Default)]
pub(super) struct Renamed(Vec<(Range<usize>, String)>);

impl Renamed {
    /// With a place that is written otherwise.
    pub(super) fn push(&mut self, range: Range<usize>, with: String) {
        self.0.push((range, with));
        self.0.sort_by_key(|(range, _)| range.start);
    }

    /// The text of a range as it is written where it moves.
    pub(super) fn text(&self, facts: &FileFacts, range: &Range<usize>) -> String {
        let mut text = String::new();
        let mut done = range.start;
        let inside =
            |of: &&(Range<usize>, String)| range.start <= of.0.start && of.0.end <= range.end;
        for (of, with) in self.0.iter().filter(inside) {
            text.push_str(facts.text(&(done..of.start)));
            text.push_str(with);
            done = of.end;
        }
        text.push_str(facts.text(&(done..range.end)));
        text
    }
}

/// Takes apart what cannot travel whole, and refuses what the work uses whole all the same.
pub(super) fn apart(
    index: &Index<'_>,
    spec: &SpecEnum,
    found: &mut Found,
    asked: &SiteRequest,
) -> Outcome<()> {
    let splitter = Splitter {
        index,
        spec,
        found,
        asked,
    };
    let mut all = Vec::new();
    for taken in &found.taken {
        splitter.split(taken, &mut all)?;
    }
    found.taken = all;
    Ok(())
}

/// The variables of the work for fields that were taken apart: each place, and the variable.
pub(super) fn variables(found: &Found, work: &Range<usize>) -> Vec<(String, String)> {
    let facts = &found.site.function.facts;
    let text = facts.text(work);
    let fields = || found.taken.iter().filter(|of| of.name.contains('.'));
    let mut taken: BTreeSet<String> = found.taken.iter().map(|of| of.name.clone()).collect();
    let mut variables = Vec::new();
    for of in fields() {
        let last = of.name.rsplit('.').next().unwrap_or_default();
        let long = of.name.replace('.', "_");
        let is_free = |name: &str| names(text, name, false).is_empty() && !taken.contains(name);
        let mut name = [last, &long]
            .into_iter()
            .find(|name| is_free(name))
            .map(str::to_owned);
        // Something has both names: as many underscores as it takes.
        let mut other = long.clone();
        while name.is_none() {
            other.push('_');
            name = Some(other.clone()).filter(|other| is_free(other));
        }
        let name = name.unwrap_or(other);
        taken.insert(name.clone());
        variables.push((of.name.clone(), name));
    }
    variables
}

struct Splitter<'a, 'w> {
    index: &'a Index<'w>,
    spec: &'a SpecEnum,
    found: &'a Found,
    asked: &'a SiteRequest,
}

impl Splitter<'_, '_> {
    fn split(&self, taken: &Taken, all: &mut Vec<Taken>) -> Outcome<()> {
        let is_given = self.asked.types.iter().any(|(name, _)| *name == taken.name);
        let why = if is_given { None } else { self.why(taken)? };
        match why {
            Some(_) if !taken.parts.is_empty() => {
                for part in &taken.parts {
                    self.split(part, all)?;
                }
                Ok(())
            }
            Some(why) => self.whole(taken, &why),
            None => {
                all.push(taken.clone());
                Ok(())
            }
        }
    }

    /// Refuses a struct that the work uses as a whole.
    fn whole(&self, taken: &Taken, why: &str) -> Outcome<()> {
        let facts = &self.found.site.function.facts;
        let name = &taken.name;
        let range = taken.whole.as_ref().or(taken.uses.first());
        let range = range.cloned().unwrap_or(taken.at..taken.at + 1);
        let ty = taken.ty.as_deref().unwrap_or_default();
        let message = format!(
            "the work takes `{name}` with it (its type is `{ty}`), which no row can hold: {why}"
        );
        let help = if taken.whole.is_some() {
            format!(
                "let the work use fields of `{name}` alone, which travel each on its own; or bind what it needs of it before the call"
            )
        } else {
            format!(
                "write its type where `{name}` is bound, and let the work call nothing else so: then its fields travel each on its own; or bind what the work needs of it before the call"
            )
        };
        Err(Refusal::new("capture-struct", message)
            .at(facts.place(&range))
            .help(help))
    }

    /// Why a struct of the workspace cannot be a field of a task.
    fn why(&self, taken: &Taken) -> Outcome<Option<String>> {
        let Some(ty) = taken.ty.as_ref().filter(|_| taken.name != "self") else {
            return Ok(None);
        };
        let path = pointee(ty);
        let Some(facts) = self.index.definition(path)? else {
            return Ok(None);
        };
        let name = path.rsplit("::").next().unwrap_or(path);
        if !facts.structs.iter().any(|of| of.name == name) {
            return Ok(None);
        }
        if let Some(of) = derivable(&facts.file, name)? {
            let mut fields = of.fields.iter();
            if let Some(secret) = fields.find(|of| holds_secret(&of.name, &of.ty)) {
                return Ok(Some(format!("its field `{}` is a secret", secret.name)));
            }
        }
        let workspace = self.index.workspace;
        match taken.role {
            Role::Secret => return Ok(None),
            Role::Handle | Role::Channel => {
                let why = "it is a handle of this process, or holds one";
                return Ok(Some(why.to_owned()));
            }
            Role::Unknown => {
                let why = "whether all of it can be written down is not known";
                return Ok((!taken.parts.is_empty()).then(|| why.to_owned()));
            }
            Role::Data => {}
        }
        let from = workspace.member(&self.spec.package);
        let to = workspace.member_of(&facts.file.path);
        let (Some(from), Some(to)) = (from, to) else {
            return Ok(None);
        };
        let is_above = from.name != to.name && workspace.check_cycle(from, to).is_err();
        Ok(is_above.then(|| format!("`{}` stands in `{}`, above the enum's crate", name, to.name)))
    }
}

/// A type behind references and pointers.
fn pointee(ty: &str) -> &str {
    let mut ty = ty.trim().trim_start_matches('&').trim();
    for head in ["std::sync::Arc<", "std::rc::Rc<", "Box<", "Arc<"] {
        if let Some(inner) = ty.strip_prefix(head).and_then(|of| of.strip_suffix('>')) {
            ty = pointee(inner);
        }
    }
    ty
}
