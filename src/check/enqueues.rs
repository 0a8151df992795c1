//! Where a variant is enqueued: by the function of its own module, or by hand.
//!
//! A place that builds a variant and hands it to nobody is none: it may be what a decision returns,
//! or what a request is compared with.

use heck::ToSnakeCase;

use super::tokens::bare;
use crate::index::{FileFacts, FnFact, Index};
use crate::landmarks::{Landmarks, constructions, function_around};
use crate::note::{Outcome, Place};

/// Calls that bring a task into the queue, beside the function that was found to do it.
const CALLS: [&str; 3] = ["enqueue_once(", ".assign(", ".enqueue("];

/// A place outside the machinery that builds a variant and enqueues it.
pub(super) struct ByHand {
    /// The variant.
    pub(super) variant: String,
    /// Where it is built.
    pub(super) place: Place,
    /// The function that it is built in.
    pub(super) function: String,
    /// The code of that function, and of those in its file that it calls.
    pub(super) code: String,
}

/// A task with a module of its own.
pub(super) struct Module {
    /// The variant.
    pub(super) variant: String,
    /// The module's name, which is its file's.
    pub(super) name: String,
    /// The module's file.
    pub(super) path: String,
}

/// Everything that is enqueued.
pub(super) struct Enqueues {
    /// By hand, in the order of the files.
    pub(super) by_hand: Vec<ByHand>,
    /// By its own module, in the order of the enum.
    pub(super) modules: Vec<Module>,
}

impl Enqueues {
    /// Reads them.
    pub(super) fn read(index: &Index<'_>, landmarks: &Landmarks) -> Outcome<Self> {
        let modules = crate::landmarks::task_modules(index, &landmarks.spec, &landmarks.executor)?;
        let modules = modules.into_iter().map(|module| {
            let name = module.variant.to_snake_case();
            Module {
                path: landmarks.executor.task_file(&name),
                variant: module.variant,
                name,
            }
        });
        let modules: Vec<Module> = modules.collect();
        let machinery = [
            &landmarks.spec.package,
            &landmarks.queue.package,
            &landmarks.executor.package,
        ];
        let function = landmarks.queue.function.rsplit("::").next();
        let own = format!("{}(", function.unwrap_or_default());
        let calls: Vec<&str> = CALLS.into_iter().chain([own.as_str()]).collect();
        let mut by_hand = Vec::new();
        for built in constructions(index, &landmarks.spec)? {
            let has_module = modules.iter().any(|module| module.variant == built.variant);
            if built.is_test || has_module || machinery.contains(&&built.package) {
                continue;
            }
            let facts = index.facts(&built.path)?;
            let Some(around) = function_around(&facts, &built.range) else {
                continue;
            };
            let code = with_called(&facts, around);
            if calls.iter().any(|call| code.contains(call)) {
                by_hand.push(ByHand {
                    place: facts.place(&built.range),
                    variant: built.variant,
                    function: around.name.clone(),
                    code,
                });
            }
        }
        Ok(Self { by_hand, modules })
    }
}

/// The code of a function, and of those of its file that it calls by name.
fn with_called(facts: &FileFacts, function: &FnFact) -> String {
    let mut code = bare(facts.text(&function.range));
    let called = facts.functions.iter().filter(|other| {
        let is_other = other.range != function.range && !other.is_test;
        is_other && calls(&code, &other.name)
    });
    let called: Vec<String> = called.map(|f| bare(facts.text(&f.range))).collect();
    for other in called {
        code.push('\n');
        code.push_str(&other);
    }
    code
}

/// Whether code calls something of that name.
pub(super) fn calls(code: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(&format!("{name}(")).any(|(at, _)| {
        let before = &code[..at];
        !before.ends_with(is_word) && !before.ends_with("fn ")
    })
}
