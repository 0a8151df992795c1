//! Which of the guideline's seven steps each variant has, and where.
//!
//! A variant with a module of its own has what stands there. One that only the crates of the enum,
//! the queue and the executor build is internal: what concerns callers does not apply to it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use heck::ToSnakeCase;

use super::field_owner::constructions;
use super::{Construction, Landmarks, task_modules};
use crate::index::{FileFacts, FnFact, Index, VariantFact, mentions};
use crate::note::{Outcome, Place};

/// The seven steps, in the guideline's order.
pub const STEPS: [&str; 7] = [
    "variant",
    "executor",
    "enqueue",
    "status",
    "idempotency",
    "policy",
    "tests",
];

/// How many tests a task has at least: success, failure, idempotency.
const TESTS: usize = 3;

/// Whether a variant has one step.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// It stands here.
    Present(Place),
    /// It is missing.
    Missing,
    /// It does not apply.
    Inapplicable,
}

/// One variant with its steps.
pub struct VariantSteps {
    /// Its name.
    pub name: String,
    /// Its wire tag.
    pub tag: String,
    /// Where it is declared.
    pub place: Place,
    /// The steps, in the order of [`STEPS`].
    pub steps: [Step; 7],
    /// Whether a person wrote its work; `None` where it has no module of its own.
    pub is_written: Option<bool>,
}

/// The steps of every variant, in the enum's order; refuses files that do not parse.
pub fn steps(index: &Index<'_>, landmarks: &Landmarks) -> Outcome<Vec<VariantSteps>> {
    let spec = &landmarks.spec;
    let mut built: BTreeMap<String, Vec<Construction>> = BTreeMap::new();
    for construction in constructions(index, spec)? {
        let of = built.entry(construction.variant.clone()).or_default();
        of.push(construction);
    }
    let modules = task_modules(index, spec, &landmarks.executor)?;
    let all = spec.fact.variants.iter().map(|variant| {
        let module = modules.iter().find(|module| module.variant == variant.name);
        let reading = Reading {
            index,
            landmarks,
            variant,
            built: built.get(&variant.name).map_or(&[], Vec::as_slice),
        };
        Ok(VariantSteps {
            name: variant.name.clone(),
            tag: spec.tags(variant).swap_remove(0),
            place: spec.facts.place(&variant.name_range),
            steps: reading.steps(module.is_some())?,
            is_written: module.map(|module| module.is_written),
        })
    });
    all.collect()
}

/// What the steps of one variant are read from.
struct Reading<'a> {
    index: &'a Index<'a>,
    landmarks: &'a Landmarks,
    variant: &'a VariantFact,
    built: &'a [Construction],
}

impl Reading<'_> {
    fn steps(&self, has_module: bool) -> Outcome<[Step; 7]> {
        let landmarks = self.landmarks;
        let declared = Step::Present(landmarks.spec.facts.place(&self.variant.name_range));
        let site = &landmarks.matches[landmarks.executor.site];
        let arm = site.arm_of(&self.variant.name);
        let executor = found(arm.map(|arm| site.facts.place(&site.fact.arms[arm].pattern_range)));
        let [enqueue, status, idempotency, policy, tests] = if has_module {
            self.of_module()?
        } else {
            self.by_hand()?
        };
        Ok([
            declared,
            executor,
            enqueue,
            status,
            idempotency,
            policy,
            tests,
        ])
    }

    /// What the variant's own module has.
    fn of_module(&self) -> Outcome<[Step; 5]> {
        let path = self
            .landmarks
            .executor
            .task_file(&self.variant.name.to_snake_case());
        let facts = self.index.facts(&path)?;
        let function = |name: &str| {
            let mut all = facts.functions.iter().filter(|f| !f.is_test);
            let found_fn = all.find(|f| f.name == name);
            found(found_fn.map(|f| facts.place(&f.name_range)))
        };
        let item = |key: &str| facts.items.iter().find(|item| item.key == key);
        let status = match (item("const TABLE"), item("impl StatusPort<()> for Status")) {
            (Some(table), _) => Step::Present(facts.place(&first_word(&facts, &table.range))),
            (None, Some(_)) => Step::Inapplicable,
            (None, None) => Step::Missing,
        };
        let tests: Vec<Place> = facts
            .functions
            .iter()
            .filter(|f| is_test(&facts, f))
            .map(|f| facts.place(&f.name_range))
            .collect();
        Ok([
            function("enqueue"),
            status,
            function("idempotency_key"),
            function("policy"),
            enough(tests),
        ])
    }

    /// What hand-written code around the places that build the variant has.
    fn by_hand(&self) -> Outcome<[Step; 5]> {
        let landmarks = self.landmarks;
        let own = [
            &landmarks.spec.package,
            &landmarks.queue.package,
            &landmarks.executor.package,
        ];
        let is_inner = |c: &&Construction| own.contains(&&c.package);
        let (tests, code): (Vec<&Construction>, Vec<&Construction>) =
            self.built.iter().partition(|c| c.is_test);
        let tests = self.tests(&tests)?;
        if !code.is_empty() && code.iter().all(is_inner) {
            let none = || Step::Inapplicable;
            return Ok([none(), none(), none(), none(), tests]);
        }
        let outer = code.iter().find(|c| !is_inner(c));
        let Some(site) = outer else {
            let none = || Step::Missing;
            return Ok([none(), Step::Inapplicable, none(), none(), tests]);
        };
        let facts = self.index.facts(&site.path)?;
        let says = |words: &[&str]| {
            let around = function_around(&facts, &site.range);
            let text = around.map(|f| facts.text(&f.range));
            let text = text.unwrap_or_default();
            let is_said = words.iter().any(|word| mentions(text, word));
            found(is_said.then(|| facts.place(&site.range)))
        };
        let policy = landmarks.policy.policy.rsplit("::").next();
        Ok([
            Step::Present(facts.place(&site.range)),
            // No column is known to follow it.
            Step::Inapplicable,
            says(&["enqueue_once", "TaskKey", "idempotency_key"]),
            says(&[policy.unwrap_or_default()]),
            tests,
        ])
    }

    /// The tests that build the variant.
    fn tests(&self, built: &[&Construction]) -> Outcome<Step> {
        let mut places: Vec<Place> = Vec::new();
        for construction in built {
            let facts = self.index.facts(&construction.path)?;
            let around = function_around(&facts, &construction.range);
            if let Some(test) = around.filter(|f| is_test(&facts, f)) {
                let place = facts.place(&test.name_range);
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
        Ok(enough(places))
    }
}

fn found(place: Option<Place>) -> Step {
    place.map_or(Step::Missing, Step::Present)
}

/// The first of at least as many tests as a task has.
fn enough(tests: Vec<Place>) -> Step {
    if tests.len() < TESTS {
        return Step::Missing;
    }
    found(tests.into_iter().next())
}

/// The innermost function around a place.
#[must_use]
pub fn function_around<'f>(facts: &'f Arc<FileFacts>, range: &Range<usize>) -> Option<&'f FnFact> {
    let holds = |f: &&FnFact| f.range.start <= range.start && range.end <= f.range.end;
    let around = facts.functions.iter().filter(holds);
    around.min_by_key(|f| f.range.len())
}

/// Whether the function is a test: it has an attribute `#[test]`, or one of that name of a crate.
#[must_use]
pub fn is_test(facts: &FileFacts, function: &FnFact) -> bool {
    let head = &facts.file.text[function.range.start..function.name_range.start];
    head.lines().any(|line| {
        let line = line.trim();
        let attribute = line.strip_prefix("#[").unwrap_or_default();
        let path = attribute.split(['(', ']']).next().unwrap_or_default();
        path.rsplit("::").next() == Some("test")
    })
}

/// The first line of an item that is no documentation or attribute.
fn first_word(facts: &FileFacts, range: &Range<usize>) -> Range<usize> {
    let mut at = range.start;
    for line in facts.text(range).split_inclusive('\n') {
        let code = line.trim_start();
        if !code.is_empty() && !code.starts_with("//") && !code.starts_with('#') {
            let start = at + line.len() - code.len();
            return start..start + code.trim_end().len();
        }
        at += line.len();
    }
    range.clone()
}
