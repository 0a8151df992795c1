//! Every exhaustive `match` over the enum, in every target of every member.
//!
//! A new variant is covered where an arm without a guard takes whatever comes. Everything
//! else would no longer compile (E0004) and gets an arm; a match of which that cannot be
//! said from its patterns alone is reported, never guessed.

use std::collections::BTreeSet;
use std::sync::Arc;

use memchr::memmem;

use super::SpecEnum;
use crate::index::{FileFacts, Index, MatchFact, Pattern};
use crate::note::{Note, Outcome};
use crate::request::{raw, raw_path};

/// A match over the enum.
pub struct MatchSite {
    /// The file.
    pub facts: Arc<FileFacts>,
    /// The match.
    pub fact: MatchFact,
    /// Whether a further variant needs an arm here.
    pub coverage: Coverage,
    /// Whether it is compiled for tests, examples or benches only.
    pub is_test: bool,
    /// The name of the function it stands in.
    pub function: String,
}

/// What a match does with a variant that it does not name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coverage {
    /// It would not compile: the arm's pattern around the variant, in two halves, and the
    /// path that the match writes before a variant's name (`TaskSpec::`, or nothing).
    Exhaustive {
        /// What stands before the variant, `(_, TaskSpec::` say.
        before: String,
        /// What stands after the variant's pattern, `)` say.
        after: String,
    },
    /// A catch-all takes it: the index of that arm.
    Wildcard(usize),
    /// Its patterns alone do not say.
    Undecided(&'static str),
}

impl MatchSite {
    /// Index of the arm that names `variant`, if there is one.
    #[must_use]
    pub fn arm_of(&self, variant: &str) -> Option<usize> {
        self.fact.arms.iter().position(|arm| {
            let mut holes = Vec::new();
            find_holes(&arm.pattern, &mut Vec::new(), &mut holes, &|path| {
                last(path) == variant
            });
            !holes.is_empty()
        })
    }

    /// The path that stands before the variants in the patterns; `None` where nothing does.
    fn owner(&self, spec: &SpecEnum) -> Option<String> {
        let known = |path: &str| spec.fact.variants.iter().any(|v| v.name == last(path));
        let mut holes = Vec::new();
        for arm in &self.fact.arms {
            find_holes(&arm.pattern, &mut Vec::new(), &mut holes, &known);
        }
        let (_, path) = holes.first()?;
        let (owner, _) = path.rsplit_once("::")?;
        Some(owner.to_owned())
    }

    /// Names of variants that the arm at `index` is for.
    #[must_use]
    pub fn variants_of(&self, index: usize, spec: &SpecEnum) -> Vec<String> {
        let mut holes = Vec::new();
        let known: BTreeSet<&str> = spec.fact.variants.iter().map(|v| v.name.as_str()).collect();
        find_holes(
            &self.fact.arms[index].pattern,
            &mut Vec::new(),
            &mut holes,
            &|path| known.contains(last(path)),
        );
        holes
            .into_iter()
            .map(|(_, path)| last(&path).to_owned())
            .collect()
    }
}

/// One step from a pattern into one of its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Tuple(usize, usize),
    TupleStruct(String, usize, usize),
    Struct(String, String),
}

/// Finds every match over the enum and says what each does with a further variant.
pub fn discover(
    index: &Index<'_>,
    spec: &SpecEnum,
    notes: &mut Vec<Note>,
) -> Outcome<Vec<MatchSite>> {
    let mut paths = BTreeSet::new();
    for name in &index.interest().names {
        paths.extend(index.containing(name));
    }
    let mut paths: Vec<String> = paths.into_iter().collect();
    paths.retain(|path| index.workspace.member_of(path).is_some());
    index.parse_all(&paths)?;
    let mut found = Vec::new();
    for path in &paths {
        let facts = index.facts(path)?;
        let is_other = |name: &str, at: usize| means_another(index, &facts, spec, name, at);
        opaque(&facts, spec, &is_other, notes);
        if !is_other(&spec.fact.name, 0) {
            doc_tests(&facts, spec, notes);
        }
        let all = sites(&facts, spec).into_iter();
        found.extend(all.filter(|site| {
            let owner = site.owner(spec).filter(|owner| owner != "Self");
            let owner = owner.as_deref().unwrap_or(&spec.fact.name);
            !is_other(owner, site.fact.range.start)
        }));
    }
    Ok(found)
}

/// Whether `name`, the enum's or a path to one of its name, means another enum at an offset.
#[must_use]
pub fn means_another(
    index: &Index<'_>,
    facts: &FileFacts,
    spec: &SpecEnum,
    name: &str,
    at: usize,
) -> bool {
    let path = index.resolve_at(facts, name, at);
    spec.namesakes.contains(&path) || index.is_outside(facts, &path)
}

/// Notes the matches that are left alone because of what stands in them.
fn opaque(
    facts: &FileFacts,
    spec: &SpecEnum,
    is_other: &dyn Fn(&str, usize) -> bool,
    notes: &mut Vec<Note>,
) {
    let all = facts.opaque.iter();
    for (range, why) in all.filter(|(range, _)| !is_other(&spec.fact.name, range.start)) {
        notes.push(
            Note::warning(
                "opaque-match",
                format!("a match over `{}` {why} is left alone", spec.fact.name),
            )
            .at(facts.place(range))
            .help("look whether it needs an arm; the compiler names it (E0004) where it does"),
        );
    }
}

/// The matches over the enum in one file.
#[must_use]
pub fn sites(facts: &Arc<FileFacts>, spec: &SpecEnum) -> Vec<MatchSite> {
    facts
        .matches
        .iter()
        .filter_map(|fact| {
            let mut coverage = coverage(fact, spec)?;
            let bare = matches!(&coverage, Coverage::Exhaustive { before, .. } if !before.ends_with("::"));
            if bare && imports_other_variants(facts, spec) {
                coverage = Coverage::Undecided(
                    "its variants stand without their enum, and the file imports those of two enums",
                );
            }
            Some(MatchSite {
                coverage,
                is_test: fact.is_test,
                function: fact
                    .in_fn
                    .map(|at| facts.functions[at].name.clone())
                    .unwrap_or_default(),
                facts: Arc::clone(facts),
                fact: fact.clone(),
            })
        })
        .collect()
}

/// Whether the file imports, by a glob, what may be the variants of another enum.
fn imports_other_variants(facts: &FileFacts, spec: &SpecEnum) -> bool {
    let names_enum = |path: &str| {
        let name = last(path);
        let renamed = |u: &crate::index::UseFact| u.name == name && last(&u.path) == spec.fact.name;
        name == spec.fact.name || facts.uses.iter().any(renamed)
    };
    facts.uses.iter().any(|u| {
        u.name == "*" && last(&u.path).starts_with(char::is_uppercase) && !names_enum(&u.path)
    })
}

/// Mentions a match in a documentation example: rustdoc compiles it, the tool leaves it alone.
fn doc_tests(facts: &FileFacts, spec: &SpecEnum, notes: &mut Vec<Note>) {
    let text = &facts.file.text;
    if memmem::find(text.as_bytes(), b"```").is_none() {
        return;
    }
    let needle = format!("{}::", spec.fact.name);
    let mut fence = false;
    let mut matching = false;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_start();
        let doc = trimmed
            .strip_prefix("///")
            .or_else(|| trimmed.strip_prefix("//!"));
        if let Some(doc) = doc {
            if doc.trim_start().starts_with("```") {
                fence = !fence;
                matching = false;
            } else if fence && doc.contains("match ") {
                matching = true;
            }
            if fence && matching && doc.contains(&needle) && doc.contains("=>") {
                let at = offset + line.find(&needle).unwrap_or(0);
                notes.push(
                    Note::warning(
                        "doc-test-match",
                        format!(
                            "an example in the documentation matches on `{}`; it is left alone",
                            spec.fact.name
                        ),
                    )
                    .at(facts.place(&(at..at + needle.len())))
                    .help("add the arm by hand if the example is compiled and has no wildcard"),
                );
                matching = false;
            }
        } else {
            fence = false;
            matching = false;
        }
        offset += line.len();
    }
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// Where variants of the enum stand in `pattern`: the steps to each, and its path as written.
fn find_holes(
    pattern: &Pattern,
    steps: &mut Vec<Step>,
    holes: &mut Vec<(Vec<Step>, String)>,
    is_variant: &dyn Fn(&str) -> bool,
) {
    match pattern {
        Pattern::Path(path) | Pattern::Struct(path, _) | Pattern::TupleStruct(path, _)
            if is_variant(path) =>
        {
            holes.push((steps.clone(), path.clone()));
        }
        Pattern::Name(name, None) if is_variant(name) => holes.push((steps.clone(), name.clone())),
        Pattern::Name(_, Some(inner)) => find_holes(inner, steps, holes, is_variant),
        Pattern::Or(cases) => {
            for case in cases {
                find_holes(case, steps, holes, is_variant);
            }
        }
        Pattern::Tuple(parts) => {
            for (i, part) in parts.iter().enumerate() {
                steps.push(Step::Tuple(i, arity(parts, i)));
                find_holes(part, steps, holes, is_variant);
                steps.pop();
            }
        }
        Pattern::TupleStruct(path, parts) => {
            for (i, part) in parts.iter().enumerate() {
                steps.push(Step::TupleStruct(path.clone(), i, arity(parts, i)));
                find_holes(part, steps, holes, is_variant);
                steps.pop();
            }
        }
        Pattern::Struct(path, fields) => {
            for (field, part) in fields {
                steps.push(Step::Struct(path.clone(), field.clone()));
                find_holes(part, steps, holes, is_variant);
                steps.pop();
            }
        }
        _ => {}
    }
}

/// The arity of a tuple whose pattern leaves out the fields behind the place that is meant.
const OPEN: usize = usize::MAX;

/// The arity of a tuple whose pattern leaves out fields before that place: which one it is
/// cannot be told from the pattern.
const UNKNOWN: usize = usize::MAX - 1;

/// How many fields a tuple pattern says that its tuple has, seen from the place `at`.
fn arity(parts: &[Pattern], at: usize) -> usize {
    match parts.iter().position(|part| *part == Pattern::Rest) {
        None => parts.len(),
        Some(rest) if rest > at => OPEN,
        Some(_) => UNKNOWN,
    }
}

/// How a pattern meets the hole at the end of `steps`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Takes every value, whatever stands in the hole.
    All,
    /// Takes every value of the hole, but only some of what stands around it.
    Some,
    /// Does not take an unnamed variant in the hole.
    None,
}

fn reach(pattern: &Pattern, steps: &[Step], is_variant: &dyn Fn(&str) -> bool) -> Reach {
    if pattern.is_irrefutable(is_variant) {
        return Reach::All;
    }
    if let Pattern::Or(cases) = pattern {
        let reaches: Vec<Reach> = cases.iter().map(|c| reach(c, steps, is_variant)).collect();
        return if reaches.contains(&Reach::All) {
            Reach::All
        } else if reaches.contains(&Reach::Some) {
            Reach::Some
        } else {
            Reach::None
        };
    }
    if let Pattern::Name(_, Some(inner)) = pattern {
        return reach(inner, steps, is_variant);
    }
    let Some((step, rest)) = steps.split_first() else {
        return Reach::None;
    };
    let (inner, others): (Option<&Pattern>, Vec<&Pattern>) = match (step, pattern) {
        (Step::Tuple(at, len), Pattern::Tuple(parts)) if fits(parts, *at, *len) => {
            (parts.get(*at), others(parts, *at))
        }
        (Step::TupleStruct(path, at, len), Pattern::TupleStruct(other, parts))
            if last(path) == last(other) && fits(parts, *at, *len) =>
        {
            (parts.get(*at), others(parts, *at))
        }
        (Step::Struct(path, field), Pattern::Struct(other, fields))
            if last(path) == last(other) =>
        {
            let inner = fields.iter().find(|(name, _)| name == field);
            let rest = fields.iter().filter(|(name, _)| name != field);
            match inner {
                Some((_, inner)) => (Some(inner), rest.map(|(_, p)| p).collect()),
                None => (Some(&Pattern::Wild), rest.map(|(_, p)| p).collect()),
            }
        }
        // `(.., x)` against a fixed place, or another constructor at that place.
        (Step::Tuple(..), Pattern::Tuple(parts))
        | (Step::TupleStruct(..), Pattern::TupleStruct(_, parts))
            if parts.contains(&Pattern::Rest) =>
        {
            return Reach::Some;
        }
        _ => return Reach::None,
    };
    let Some(inner) = inner else {
        return Reach::None;
    };
    let free = others.iter().all(|part| part.is_irrefutable(is_variant));
    match (reach(inner, rest, is_variant), free) {
        (Reach::None, _) => Reach::None,
        (Reach::All, true) => Reach::All,
        _ => Reach::Some,
    }
}

/// Whether the part at `at` of a tuple pattern is the field that a step over `len` fields means.
fn fits(parts: &[Pattern], at: usize, len: usize) -> bool {
    let own = arity(parts, at);
    own == len || (len == OPEN && at < own && own != UNKNOWN)
}

fn others(parts: &[Pattern], at: usize) -> Vec<&Pattern> {
    parts
        .iter()
        .enumerate()
        .filter(|(i, _)| *i != at)
        .map(|(_, part)| part)
        .collect()
}

/// What the match does with a further variant; `None` when it is not over the enum.
fn coverage(fact: &MatchFact, spec: &SpecEnum) -> Option<Coverage> {
    let known: BTreeSet<&str> = spec.fact.variants.iter().map(|v| v.name.as_str()).collect();
    let is_variant = |path: &str| known.contains(last(path));
    let mut holes = Vec::new();
    for arm in &fact.arms {
        find_holes(&arm.pattern, &mut Vec::new(), &mut holes, &is_variant);
    }
    let (steps, path) = holes.first()?.clone();
    if holes.iter().any(|(other, _)| *other != steps) {
        return Some(Coverage::Undecided(
            "its patterns name the enum at more than one place",
        ));
    }
    let is_open = |step: &Step| matches!(step, Step::Tuple(_, len) | Step::TupleStruct(_, _, len) if *len == UNKNOWN);
    if steps.iter().any(is_open) {
        return Some(Coverage::Undecided(
            "its patterns leave out fields of a tuple with `..` before the enum",
        ));
    }
    let mut partial = false;
    for (i, arm) in fact.arms.iter().enumerate() {
        if arm.has_guard {
            continue;
        }
        match reach(&arm.pattern, &steps, &is_variant) {
            Reach::All => return Some(Coverage::Wildcard(i)),
            Reach::Some => partial = true,
            Reach::None => {}
        }
    }
    if partial {
        return Some(Coverage::Undecided(
            "some of its arms take every variant, but only together with other values",
        ));
    }
    let owner = path
        .rsplit_once("::")
        .map_or(String::new(), |(owner, _)| format!("{}::", raw_path(owner)));
    let (mut before, mut after) = (owner, String::new());
    for step in steps.iter().rev() {
        match step {
            Step::Tuple(at, len) => wrap("", *at, *len, &mut before, &mut after),
            Step::TupleStruct(path, at, len) => wrap(path, *at, *len, &mut before, &mut after),
            Step::Struct(path, field) => {
                before = format!("{} {{ {}: {before}", raw_path(path), raw(field));
                after.push_str(", .. }");
            }
        }
    }
    Some(Coverage::Exhaustive { before, after })
}

/// Puts `path(_, ` and `, _)` around a pattern at place `at` of `len`; `, ..)` where fields
/// behind it are left out.
fn wrap(path: &str, at: usize, len: usize, before: &mut String, after: &mut String) {
    *before = format!("{}({}{before}", raw_path(path), "_, ".repeat(at));
    if len == OPEN {
        after.push_str(", ..");
    } else {
        after.push_str(&", _".repeat(len - at - 1));
    }
    after.push(')');
}
