//! OXT007: a variant without its three tests: success, failure, and the same key twice.
//!
//! The tests of a task's own module are its tests. Of a variant that was written by hand every test
//! counts that names it, or calls a helper of its file that does: what it tests is not looked into.

use super::enqueues::calls;
use super::tokens::bare;
use super::{Checked, Finding, Level, Reading};
use crate::index::mentions;
use crate::landmarks::{STEPS, Step, VariantSteps, is_test};
use crate::note::Outcome;

/// How many tests a task has at least.
const TESTS: usize = 3;

/// Checks every variant that is not internal.
pub(super) fn check(reading: &Reading<'_>, checked: &mut Checked) -> Outcome<()> {
    let of = &reading.landmarks.spec.fact.name;
    let at = |name: &str| STEPS.iter().position(|step| *step == name);
    let (Some(enqueue), Some(tests)) = (at("enqueue"), at("tests")) else {
        return Ok(());
    };
    for variant in reading.steps {
        let is_internal = variant.steps[enqueue] == Step::Inapplicable;
        if is_internal || variant.steps[tests] != Step::Missing {
            continue;
        }
        let has_module = variant.is_written.is_some();
        if !has_module && tests_by_hand(reading, variant)? >= TESTS {
            continue;
        }
        let name = &variant.name;
        checked.findings.push(Finding {
            rule: "OXT007",
            level: Level::Warning,
            message: format!("`{of}::{name}` has fewer than three tests"),
            place: variant.place.clone(),
            help: "test that work which ends well is done, that work which fails is failed, and that the same key is enqueued once".to_owned(),
            function: format!("{of}::{name}"),
            tokens: name.clone(),
        });
    }
    Ok(())
}

/// Tests that name the variant, or call what does.
fn tests_by_hand(reading: &Reading<'_>, variant: &VariantSteps) -> Outcome<usize> {
    let index = reading.index;
    let mut count = 0;
    for path in index.containing(&format!("::{}", variant.name)) {
        if index.workspace.member_of(&path).is_none() {
            continue;
        }
        let facts = index.facts(&path)?;
        let code = |range| bare(facts.text(range));
        let named: Vec<&str> = facts
            .functions
            .iter()
            .filter(|f| mentions(&code(&f.range), &variant.name))
            .map(|f| f.name.as_str())
            .collect();
        let tests = facts.functions.iter().filter(|f| is_test(&facts, f));
        let of_it = tests.filter(|f| {
            let code = code(&f.range);
            mentions(&code, &variant.name) || named.iter().any(|name| calls(&code, name))
        });
        count += of_it.count();
    }
    Ok(count)
}
