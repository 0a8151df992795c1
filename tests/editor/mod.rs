//! A variant and its arms put into one file, and everything looked at that must hold afterwards.
#![allow(dead_code, reason = "each test file uses its part of the helpers")]

use std::collections::BTreeMap;
use std::sync::Arc;

use cargo_oxy_task::edit::{FileChange, invert, is_layout};
use cargo_oxy_task::format::Rustfmt;
use cargo_oxy_task::index::{EnumFact, FileFacts, read};
use cargo_oxy_task::landmarks::{Coverage, MatchSite, SpecEnum, interest, sites};
use cargo_oxy_task::note::{Outcome, Refusal};
use cargo_oxy_task::pieces::{owner, put_arm, put_variant};
use cargo_oxy_task::plan::Plan;
use cargo_oxy_task::workspace::SourceFile;

/// What goes into every enum.
pub const VARIANT: &str = "OxyTaskProbe";

/// What was found of an enum.
pub struct Done {
    /// Matches that got an arm.
    pub arms: usize,
    /// Matches in which a catch-all takes the variant.
    pub wildcards: usize,
    /// Matches of which their patterns do not say.
    pub undecided: usize,
}

/// A file that stands nowhere.
pub fn source(path: &str, text: String) -> Arc<SourceFile> {
    Arc::new(SourceFile {
        path: path.to_owned(),
        absolute: path.into(),
        text,
    })
}

/// The enum as the tool would have it, were it the one that tasks are variants of.
pub fn spec(facts: &Arc<FileFacts>, fact: &EnumFact, module: &str) -> SpecEnum {
    SpecEnum {
        facts: Arc::clone(facts),
        fact: fact.clone(),
        package: String::new(),
        path: format!("{module}::{}", fact.name),
        how: String::new(),
        namesakes: Vec::new(),
    }
}

/// Plans the variant, and an arm in each match that would not compile without one.
pub fn plan(
    spec: &SpecEnum,
    sites: &[MatchSite],
    rustfmt: &Rustfmt,
    known: &mut BTreeMap<String, String>,
) -> Outcome<Vec<FileChange>> {
    let mut plan = Plan::default();
    let text = format!("/// Tried.\n{VARIANT},");
    put_variant(&mut plan, "variant", &spec.facts, &spec.fact, text);
    for site in sites {
        if let Coverage::Exhaustive { before, after } = &site.coverage {
            let owner = owner(spec, site, before);
            let text = format!("{owner}{VARIANT}{after} => unreachable!(),");
            put_arm(&mut plan, "arm", site, spec, text);
        }
    }
    plan.finish(rustfmt, known)?;
    plan.changes()
}

pub fn exhaustive(sites: &[MatchSite]) -> usize {
    let is = |site: &&MatchSite| matches!(site.coverage, Coverage::Exhaustive { .. });
    sites.iter().filter(is).count()
}

/// Whether the bytes of `part` stand in `whole` in their order.
fn holds_in_order(whole: &str, part: &str) -> bool {
    let mut bytes = whole.bytes();
    part.bytes().all(|byte| bytes.any(|other| other == byte))
}

/// Tries one enum of a file; `is_formatted` says that rustfmt leaves the file as it is. Gives what
/// was found, or what went wrong.
pub fn try_enum(
    file: &Arc<SourceFile>,
    fact: &EnumFact,
    is_formatted: bool,
    rustfmt: &Rustfmt,
    known: &mut BTreeMap<String, String>,
) -> Result<Done, String> {
    let said = |refused: Refusal| format!("refused: {}", refused.message);
    let interest = interest(fact, std::iter::once(file.text.as_str()));
    let facts = Arc::new(read(file, &interest).map_err(said)?);
    let spec = spec(&facts, fact, "krate");
    let sites_before = sites(&facts, &spec);
    let count = |is: fn(&Coverage) -> bool| {
        let found = sites_before.iter().filter(|site| is(&site.coverage));
        found.count()
    };
    let done = Done {
        arms: exhaustive(&sites_before),
        wildcards: count(|coverage| matches!(coverage, Coverage::Wildcard(_))),
        undecided: count(|coverage| matches!(coverage, Coverage::Undecided(_))),
    };
    let changes = plan(&spec, &sites_before, rustfmt, known).map_err(said)?;
    let [change] = changes.as_slice() else {
        return Err(format!("{} files change", changes.len()));
    };
    let after = &change.after;
    if invert(after, &change.edits, &file.text).as_deref() != Some(file.text.as_str()) {
        return Err("the original does not come back".to_owned());
    }
    let is_kept = if change.edits.iter().all(|edit| edit.removed == 0) {
        holds_in_order(after, &file.text)
    } else {
        holds_in_order(
            &after.replace(is_layout, ""),
            &file.text.replace(is_layout, ""),
        )
    };
    if !is_kept {
        return Err("bytes of the original are gone".to_owned());
    }
    if let Err(e) = syn::parse_file(after) {
        return Err(format!("does not parse any more: {e}"));
    }
    let edited = Arc::new(SourceFile {
        text: after.clone(),
        ..(**file).clone()
    });
    let mut interest = interest;
    interest.variants.insert(VARIANT.to_owned());
    let facts = Arc::new(read(&edited, &interest).map_err(said)?);
    let same = |other: &&EnumFact| other.name == fact.name && other.module == fact.module;
    let holds = |other: &EnumFact| other.variants.iter().any(|v| v.name == VARIANT);
    let fact = facts.enums.iter().filter(same).find(|e| holds(e));
    let Some(fact) = fact else {
        return Err("the variant is not in the enum".to_owned());
    };
    let spec = self::spec(&facts, fact, "krate");
    let sites = sites(&facts, &spec);
    let with_arm = sites.iter().filter(|site| site.arm_of(VARIANT).is_some());
    if with_arm.count() != exhaustive(&sites_before) {
        return Err("an arm is not in its match".to_owned());
    }
    let formatted = is_formatted.then(|| rustfmt.file(after));
    if let Some(formatted) = formatted.transpose().map_err(said)? {
        let lines = after.lines().zip(formatted.lines());
        if let Some((line, better)) = lines.into_iter().find(|(line, better)| line != better) {
            return Err(format!(
                "is not formatted any more: `{line}`, not `{better}`"
            ));
        }
    }
    Ok(done)
}
