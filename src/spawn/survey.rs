//! The whole survey: every site with its judgement.

use super::evidence::{Extent, Looker};
use super::machinery::Machinery;
use super::program::Program;
use super::reach::Reach;
use super::sites::{Site, sites};
use super::verdict::{Judge, Judgement};
use crate::index::Index;
use crate::landmarks::Config;
use crate::note::{Outcome, Place};

/// A site with what is said of it.
pub struct Surveyed {
    /// The site.
    pub site: Site,
    /// What the guideline says.
    pub judgement: Judgement,
}

/// What a survey gives.
pub struct Survey {
    /// Every site, in the order of files and lines.
    pub sites: Vec<Surveyed>,
    /// Where something may spawn that is not looked into: bodies of `macro_rules!` and other code
    /// outside of functions.
    pub unseen: Vec<Place>,
}

/// Surveys the workspace.
pub fn survey(index: &Index<'_>, config: &Config, with_tests: bool) -> Outcome<Survey> {
    let program = Program::new(index);
    let judge = Judge {
        reach: Reach::new(&program, config),
        looker: Looker::new(&program, &config.evidence, Extent::Reasons),
        machinery: Machinery::new(index, config),
    };
    let found = sites(
        &program,
        &config.spawn_wrappers,
        with_tests,
        &|site, seen| judge.judge(site, seen),
    )?;
    let surveyed = found.into_iter();
    Ok(Survey {
        sites: surveyed
            .map(|(site, judgement)| Surveyed { site, judgement })
            .collect(),
        unseen: unseen(&program)?,
    })
}

/// Words that spawn, as they are looked for where no code is read.
const WORDS: [&str; 2] = ["spawn(", "spawn_blocking("];

/// Where something outside of functions may spawn.
fn unseen(program: &Program<'_, '_>) -> Outcome<Vec<Place>> {
    let mut unseen = Vec::new();
    for path in program.index.containing("spawn") {
        if !program.is_real(&path) {
            continue;
        }
        let facts = program.index.facts(&path)?;
        let items = facts.items.iter();
        let others = items.filter(|item| {
            let kind = item.key.split(' ').next().unwrap_or_default();
            matches!(kind, "macro" | "static" | "const")
        });
        for item in others {
            let text = facts.text(&item.range);
            let found = WORDS
                .iter()
                .filter_map(|word| text.find(word).map(|at| (at, word.len() - 1)));
            if let Some((at, len)) = found.min() {
                let start = item.range.start + at;
                unseen.push(facts.place(&(start..start + len)));
            }
        }
    }
    Ok(unseen)
}
