//! What claims tasks: the places outside tests that make a worker with the executor.

use super::Executor;
use crate::index::{Index, mentions};
use crate::note::{Outcome, Place};

/// A place that starts a worker.
pub struct WorkerSite {
    /// Where.
    pub place: Place,
    /// The function it stands in.
    pub function: String,
    /// How it comes to claim tasks.
    pub claims: Claims,
    /// Whether it lives only while one run is driven: then nothing claims tasks between runs.
    pub is_driven: bool,
}

/// How a worker claims tasks.
pub enum Claims {
    /// The function itself does, in a loop.
    InLoop,
    /// The function makes a worker by this call.
    Made(String),
}

/// Functions that are given the executor and claim tasks in a loop of their own.
fn claim_loops(index: &Index<'_>, name: &str) -> Outcome<Vec<WorkerSite>> {
    let given = format!("dyn {name}");
    let mut sites = Vec::new();
    let mut paths = index.containing(&format!("{given}>"));
    paths.retain(|path| !index.is_for_tests(path));
    for path in paths {
        let facts = index.facts(&path)?;
        for function in facts.functions.iter().filter(|f| !f.is_test) {
            let text = facts.text(&function.range);
            let takes = function.params.iter().any(|(_, ty)| ty.contains(&given));
            let loops = mentions(text, "loop") || mentions(text, "while");
            if takes && loops && text.contains("claim") {
                sites.push(WorkerSite {
                    place: facts.place(&function.name_range),
                    function: function.name.clone(),
                    claims: Claims::InLoop,
                    is_driven: is_driven(text),
                });
            }
        }
    }
    Ok(sites)
}

/// Whether a function speaks of one run.
fn is_driven(text: &str) -> bool {
    mentions(text, "run_id") || text.contains("run::Model")
}

/// Finds the type that holds a `dyn` of the executor's trait, and where it is constructed.
///
/// A function that speaks of one run (a `run_id`, a run's row) drives that run; a worker made
/// there ends with it.
pub fn discover(index: &Index<'_>, executor: &Executor) -> Outcome<Vec<WorkerSite>> {
    let name = executor
        .trait_path
        .rsplit("::")
        .next()
        .unwrap_or(&executor.trait_path);
    let mut workers = Vec::new();
    for path in index.containing(&format!("dyn {name}>")) {
        let facts = index.facts(&path)?;
        workers.extend(
            facts
                .structs
                .iter()
                .filter(|s| {
                    s.fields
                        .iter()
                        .any(|f| f.ty.contains(&format!("dyn {name}")))
                })
                .map(|s| s.name.clone()),
        );
    }
    workers.sort();
    workers.dedup();
    let mut sites = claim_loops(index, name)?;
    for worker in workers {
        let call = format!("{worker}::new");
        let mut paths = index.containing(&call);
        paths.retain(|path| !index.is_for_tests(path));
        for path in paths {
            let facts = index.facts(&path)?;
            for function in facts.functions.iter().filter(|f| !f.is_test) {
                if let Some(at) = facts.calls_of(function, &call).into_iter().next() {
                    sites.push(WorkerSite {
                        place: facts.place(&(at..at + call.len())),
                        function: function.name.clone(),
                        claims: Claims::Made(call.clone()),
                        is_driven: is_driven(facts.text(&function.range)),
                    });
                }
            }
        }
    }
    Ok(sites)
}
