//! The whole survey: every site with its judgement.

use std::collections::BTreeSet;

use super::evidence::Looker;
use super::program::Program;
use super::reach::Reach;
use super::sites::{Site, sites};
use super::verdict::{Judge, Judgement};
use crate::index::{Index, mentions};
use crate::landmarks::{self, Config};
use crate::note::Outcome;

/// A site with what is said of it.
pub struct Surveyed {
    /// The site.
    pub site: Site,
    /// What the guideline says.
    pub judgement: Judgement,
}

/// Every site of the workspace, in the order of files and lines.
pub fn survey(index: &Index<'_>, config: &Config, with_tests: bool) -> Outcome<Vec<Surveyed>> {
    let program = Program::new(index);
    let judge = Judge {
        reach: Reach::new(&program, config)?,
        looker: Looker::new(&program, &config.evidence),
        machinery: machinery(index, config)?,
    };
    let found = sites(
        &program,
        &config.spawn_wrappers,
        with_tests,
        &|site, seen| judge.judge(site, seen),
    )?;
    let surveyed = found.into_iter();
    Ok(surveyed
        .map(|(site, judgement)| Surveyed { site, judgement })
        .collect())
}

/// Names of the types that the machinery of tasks is made of: what the enum's file declares, and
/// the structs that hold one of those. Empty for a workspace without the enum.
fn machinery(index: &Index<'_>, config: &Config) -> Outcome<Vec<String>> {
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
