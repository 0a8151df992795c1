//! OXT002: a variant without an executor branch of its own: what only a catch-all takes, what
//! shares the branch of another variant, and what ends in a `todo!`.

use super::tokens::bare;
use super::{Checked, Finding, Level, Reading};

/// Bodies that do no work.
const EMPTY: [&str; 2] = ["todo!(", "unimplemented!("];

/// Checks every variant.
pub(super) fn check(reading: &Reading<'_>, checked: &mut Checked) {
    let landmarks = reading.landmarks;
    let spec = &landmarks.spec;
    let site = &landmarks.matches[landmarks.executor.site];
    let of = &spec.fact.name;
    let executor = &landmarks.executor.self_type;
    for variant in &spec.fact.variants {
        let name = &variant.name;
        let (place, message) = match site.arm_of(name) {
            None => (
                spec.facts.place(&variant.name_range),
                format!("`{of}::{name}` has no branch of its own in `{executor}`"),
            ),
            Some(arm) => {
                let place = site.facts.place(&site.fact.arms[arm].pattern_range);
                let body = bare(site.facts.text(&site.fact.arms[arm].body));
                let body = body.trim_start_matches('{');
                let others = site.variants_of(arm, spec);
                let others: Vec<&String> = others.iter().filter(|other| *other != name).collect();
                if EMPTY.iter().any(|empty| body.starts_with(empty)) {
                    (
                        place,
                        format!(
                            "the branch of `{of}::{name}` in `{executor}` is not written: it panics"
                        ),
                    )
                } else if let Some(other) = others.first() {
                    let message = format!(
                        "`{of}::{name}` has no branch of its own in `{executor}`: it shares that of `{other}`"
                    );
                    (place, message)
                } else {
                    continue;
                }
            }
        };
        checked.findings.push(Finding {
            rule: "OXT002",
            level: Level::Error,
            message,
            place,
            help: format!("give it an arm that starts its work; `cargo oxy-task new {name}` with the fields that it has adds what is missing"),
            function: format!("{of}::{name}"),
            tokens: name.clone(),
        });
    }
}
