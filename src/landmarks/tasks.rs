//! Tasks that stand in modules of their own, and whether their work is written.

use heck::ToSnakeCase;

use super::{Executor, SpecEnum};
use crate::index::Index;
use crate::note::{Outcome, Place};

/// What the work of a new task says until a person writes it.
const UNWRITTEN: &str = " is not written yet";

/// A variant with a module of its own.
pub struct TaskModule {
    /// The variant.
    pub variant: String,
    /// Its work: the method `run` of the input.
    pub work: Place,
    /// Whether a person wrote it.
    pub is_written: bool,
}

/// The modules of tasks, in the order of the variants.
pub fn modules(
    index: &Index<'_>,
    spec: &SpecEnum,
    executor: &Executor,
) -> Outcome<Vec<TaskModule>> {
    let mut found = Vec::new();
    for variant in &spec.fact.variants {
        let path = executor.task_file(&variant.name.to_snake_case());
        if !index.workspace.files.contains_key(&path) {
            continue;
        }
        let facts = index.facts(&path)?;
        let mut methods = facts.functions.iter().filter(|f| !f.is_test && f.has_self);
        if let Some(run) = methods.find(|f| f.name == "run") {
            let missing = format!("the work of {}{UNWRITTEN}", variant.name);
            found.push(TaskModule {
                variant: variant.name.clone(),
                work: facts.place(&run.name_range),
                is_written: !facts.text(&run.range).contains(&missing),
            });
        }
    }
    Ok(found)
}
