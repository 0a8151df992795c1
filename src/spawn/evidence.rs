//! What spawned work does: the calls of the table that it makes, and those that the workspace's own
//! functions make which it calls.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::effects::Effect;
use super::own::Own;
use super::program::{FnRef, Program};
use super::scope::Env;
use super::sites::Seen;
use crate::index::Code;
use crate::note::Outcome;
use crate::pool::pool;

/// How many calls deep the work is followed.
const DEPTH: usize = 10;

/// How many functions of the workspace are looked into for one site.
const FUNCTIONS: usize = 250;

/// Something that work does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub effect: Effect,
    /// The call that does it, as it is written.
    pub call: String,
    /// Where that stands.
    pub path: String,
    /// Its line.
    pub line: usize,
    /// The offset in the site's file of the call that leads there.
    pub from: usize,
    /// The function that the work calls to get there, if it does not do it itself.
    pub through: Option<String>,
    /// How many calls deep it is.
    pub depth: usize,
}

/// What work does, as far as it could be followed.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// What was found, the nearest first.
    pub findings: Vec<Finding>,
    /// Calls of the work itself that lead out of what is known, as they are written.
    pub unknown: Vec<(String, usize)>,
    /// Names of everything that the work itself calls.
    pub calls: Vec<String>,
}

/// How far work is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// A few calls further than what decides: for the reasons.
    Reasons,
    /// Until something decides.
    Decision,
}

/// Looks into work and what it calls; what a function does is read once.
pub struct Looker<'a, 'i, 'w> {
    /// The workspace.
    pub program: &'a Program<'i, 'w>,
    /// What the configuration counts: calls with their rules.
    pub configured: &'a [(String, String)],
    extent: Extent,
    known: Mutex<HashMap<(String, usize), Arc<Own>>>,
}

impl<'a, 'i, 'w> Looker<'a, 'i, 'w> {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(
        program: &'a Program<'i, 'w>,
        configured: &'a [(String, String)],
        extent: Extent,
    ) -> Self {
        Self {
            program,
            configured,
            extent,
            known: Mutex::default(),
        }
    }

    /// What the work of a site does.
    pub fn evidence(&self, seen: &Seen<'_, '_>) -> Outcome<Evidence> {
        let root = self.own(seen.function, seen.code, &[seen.work], seen.known)?;
        let file = &seen.function.facts;
        let mut evidence = Evidence {
            findings: Vec::new(),
            unknown: root.unknown,
            calls: root.names,
        };
        for (effect, call, at) in root.effects {
            evidence.findings.push(Finding {
                effect,
                call,
                path: file.file.path.clone(),
                line: file.place(&(at..at)).line,
                from: at,
                through: None,
                depth: 0,
            });
        }
        let mut done: BTreeSet<(String, usize)> = BTreeSet::new();
        let mut level: Vec<(FnRef, String, usize)> = root.calls;
        for depth in 1..=DEPTH {
            let is_decided = evidence.findings.iter().any(|finding| {
                matches!(
                    finding.effect,
                    Effect::Model | Effect::Git | Effect::Mail | Effect::Network
                )
            });
            let is_enough = match self.extent {
                Extent::Reasons => is_decided && depth > 3,
                Extent::Decision => is_decided,
            };
            if level.is_empty() || done.len() > FUNCTIONS || is_enough {
                break;
            }
            self.read_ahead(level.iter().map(|(function, ..)| function), &done);
            let mut next = Vec::new();
            for (function, through, from) in level {
                if !done.insert(function.key()) {
                    continue;
                }
                let own = self.of(&function)?;
                for (effect, call, at) in &own.effects {
                    // A schedule deeper down is the callee's own affair: a time limit, a poll.
                    if *effect == Effect::Tick && depth > 1 {
                        continue;
                    }
                    evidence.findings.push(Finding {
                        effect: effect.clone(),
                        call: call.clone(),
                        path: function.facts.file.path.clone(),
                        line: function.facts.place(&(*at..*at)).line,
                        from,
                        through: Some(through.clone()),
                        depth,
                    });
                }
                for (call, _) in &own.unknown {
                    evidence
                        .unknown
                        .push((format!("{call} of {through}"), from));
                }
                for (called, _, _) in &own.calls {
                    if !done.contains(&called.key()) {
                        next.push((called.clone(), through.clone(), from));
                    }
                }
            }
            level = next;
        }
        Ok(evidence)
    }

    /// Reads functions that are not `done` on all cores; what is wrong with one is said when it is
    /// asked for.
    pub(super) fn read_ahead<'f>(
        &self,
        functions: impl Iterator<Item = &'f FnRef>,
        done: &BTreeSet<(String, usize)>,
    ) {
        let open = functions.filter(|function| !done.contains(&function.key()));
        let open: Vec<&FnRef> = open.take(FUNCTIONS).collect();
        if let (Some(pool), true) = (pool(), open.len() > 1) {
            let read = |function: &&FnRef| drop(self.of(function));
            pool.install(|| open.par_iter().for_each(read));
        }
    }

    /// What a function does itself.
    pub(super) fn of(&self, function: &FnRef) -> Outcome<Arc<Own>> {
        let key = function.key();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = known.get(&key) {
            return Ok(Arc::clone(own));
        }
        drop(known);
        let own = match self.program.code(function) {
            Some(code) => {
                let body: Vec<&Code> = code.body.iter().collect();
                let env = Env::of(&code);
                self.own(function, &code, &body, &env.known)?
            }
            None => Own::default(),
        };
        let own = Arc::new(own);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(known.entry(key).or_insert(own)))
    }
}
