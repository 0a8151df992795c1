//! The types that the machinery of tasks is made of: what deals with one is no request's work.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use crate::index::{Index, mentions};
use crate::landmarks::{self, Config};
use crate::note::Outcome;

/// Names of types, looked for when they are first asked for.
pub struct Machinery<'a, 'w> {
    index: &'a Index<'w>,
    config: &'a Config,
    names: OnceLock<Outcome<Vec<String>>>,
}

impl<'a, 'w> Machinery<'a, 'w> {
    /// Nothing is looked for yet.
    #[must_use]
    pub fn new(index: &'a Index<'w>, config: &'a Config) -> Self {
        Self {
            index,
            config,
            names: OnceLock::new(),
        }
    }

    /// What the enum's file declares, and the structs that hold one of those; nothing for a
    /// workspace without the enum.
    pub fn names(&self) -> Outcome<&[String]> {
        match self.names.get_or_init(|| find(self.index, self.config)) {
            Ok(names) => Ok(names),
            Err(refusal) => Err(refusal.clone()),
        }
    }
}

fn find(index: &Index<'_>, config: &Config) -> Outcome<Vec<String>> {
    let Ok(spec) = landmarks::discover_spec(index, config) else {
        return Ok(Vec::new());
    };
    let enums = spec.facts.enums.iter().map(|e| e.name.clone());
    let structs = spec.facts.structs.iter().map(|s| s.name.clone());
    let near: BTreeSet<String> = enums.chain(structs).collect();
    let mut all = near.clone();
    for name in &near {
        for path in index.containing(name) {
            if index.workspace.member_of(&path).is_none() || index.is_for_tests(&path) {
                continue;
            }
            for of in &index.facts(&path)?.structs {
                if of.fields.iter().any(|field| mentions(&field.ty, name)) {
                    all.insert(of.name.clone());
                }
            }
        }
    }
    Ok(all.into_iter().collect())
}
