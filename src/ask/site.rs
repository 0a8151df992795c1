//! Which call that spawns becomes a task.

use heck::ToUpperCamelCase;

use super::Ask;
use crate::migrate::SiteRequest;
use crate::note::{Outcome, Refusal};
use crate::request;
use crate::spawn::{Migratable, Surveyed, Verdict};

/// The sites that could become what is asked for, those that should first; forced, those too that
/// the guideline lets stay.
#[must_use]
pub fn migratable(sites: Vec<Surveyed>, asked: &SiteRequest) -> Vec<Surveyed> {
    let could = |of: &Surveyed| {
        let is_wanted = match of.judgement.verdict {
            Verdict::TaskSpec | Verdict::Undecided => true,
            Verdict::Acceptable => asked.force,
            Verdict::Structural | Verdict::Awaited => false,
        };
        is_wanted && of.judgement.migratable != Migratable::No && !of.site.hands_on
    };
    let mut sites: Vec<Surveyed> = sites.into_iter().filter(could).collect();
    sites.sort_by_key(|of| of.judgement.verdict);
    sites
}

/// Asks which of `sites` is meant.
pub fn site<'s>(ask: &dyn Ask, sites: &'s [Surveyed]) -> Outcome<&'s Surveyed> {
    if sites.is_empty() {
        return Err(Refusal::new(
            "no-spawn",
            "nothing that the workspace spawns could become a task",
        )
        .help("`cargo oxy-task survey` lists what is spawned, and why it may stay"));
    }
    let options = sites.iter().map(described).collect();
    Ok(&sites[ask.choice("The call", options)?])
}

/// A site in one line.
fn described(of: &Surveyed) -> String {
    let place = &of.site.place;
    let judgement = &of.judgement;
    let reason = match judgement.verdict {
        // Of a site that nothing decides, the last reason says what would.
        Verdict::Undecided => judgement.reasons.last(),
        _ => judgement.reasons.first(),
    };
    let because = reason.map_or("", |reason| reason.because.as_str());
    let rule = reason.and_then(|reason| reason.rule.as_deref());
    let rule = rule.map(|rule| format!("{rule} ")).unwrap_or_default();
    format!(
        "{}:{} {}, {}: {rule}{because}",
        place.path,
        place.line,
        of.site.function_name(),
        judgement.verdict.name(),
    )
}

/// The name of a variant for the work that `function` spawns; `None` where its own name gives none.
#[must_use]
pub fn variant_of(function: &str) -> Option<String> {
    let bare = function.trim_start_matches("r#");
    request::variant_name(&bare.to_upper_camel_case()).ok()
}

#[cfg(test)]
mod tests {
    use super::variant_of;

    #[test]
    fn a_variant_is_proposed_by_the_functions_name() {
        assert_eq!(variant_of("setup_github").as_deref(), Some("SetupGithub"));
        assert_eq!(variant_of("r#import").as_deref(), Some("Import"));
        // The modules that tasks share are taken.
        assert_eq!(variant_of("schedule"), None);
        assert_eq!(variant_of("_"), None);
    }
}
