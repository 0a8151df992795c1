//! The second dispatch: what recovery does with a run, by the string of its source type.
//!
//! No compiler error names it when a variant is missing, so it is looked for: a match over
//! string literals in another method of the executor's trait impl, which takes a row of the
//! run's entity.

use std::sync::Arc;

use super::{Executor, Queue, SpecEnum};
use crate::index::{FileFacts, Index, MatchFact};
use crate::note::{Outcome, Place};

/// What was found of recovery's dispatch.
pub enum ResumeReading {
    /// One match: it gets a branch.
    Found(Box<ResumeDispatch>),
    /// The executor's impl has no method that takes a run.
    Absent,
    /// A method takes a run, but not exactly one match of it dispatches on the source type.
    Unclear(Place),
}

/// The match that recovery goes through.
pub struct ResumeDispatch {
    /// The file.
    pub facts: Arc<FileFacts>,
    /// The match.
    pub fact: MatchFact,
    /// Index of the arm that takes every other string, if there is one.
    pub catch_all: Option<usize>,
    /// The method it stands in.
    pub method: String,
    /// The run as an expression that is a reference.
    pub run: String,
}

/// Looks for the dispatch beside the executor's match.
pub fn discover(
    index: &Index<'_>,
    spec: &SpecEnum,
    executor: &Executor,
    queue: &Queue,
) -> Outcome<ResumeReading> {
    let facts = &executor.facts;
    let Some(run) = &queue.run else {
        return Ok(ResumeReading::Absent);
    };
    let wanted = format!("{}::Model", run.entity);
    let block = facts.impls.iter().position(|b| {
        b.trait_path.as_deref() == Some(&executor.trait_path) && b.self_type == executor.self_type
    });
    let mut method = None;
    let mut found = Vec::new();
    for (at, function) in facts.functions.iter().enumerate() {
        let takes = function.params.iter().find(|(_, ty)| {
            index
                .resolve(facts, ty.trim_start_matches('&'))
                .is_some_and(|path| path == wanted)
        });
        let Some((run, ty)) = takes.filter(|_| function.in_impl == block && block.is_some()) else {
            continue;
        };
        let run = if ty.starts_with('&') {
            run.clone()
        } else {
            format!("&{run}")
        };
        method = Some((function, run));
        let tags: Vec<String> = spec
            .fact
            .variants
            .iter()
            .flat_map(|v| spec.tags(v))
            .collect();
        found.extend(facts.matches.iter().filter(|m| {
            m.in_fn == Some(at)
                && m.in_macro.is_none()
                && m.arms.iter().any(|arm| {
                    arm.pattern.strings().iter().any(|text| {
                        tags.iter().any(|tag| tag == text) || m.scrutinee.contains("source")
                    })
                })
        }));
    }
    let Some((method, run)) = method else {
        return Ok(ResumeReading::Absent);
    };
    Ok(match found.as_slice() {
        [one] => ResumeReading::Found(Box::new(ResumeDispatch {
            facts: Arc::clone(facts),
            fact: (*one).clone(),
            catch_all: one
                .arms
                .iter()
                .position(|arm| !arm.has_guard && arm.pattern.is_irrefutable(&|_| false)),
            method: method.name.clone(),
            run,
        })),
        _ => ResumeReading::Unclear(facts.place(&method.name_range)),
    })
}
