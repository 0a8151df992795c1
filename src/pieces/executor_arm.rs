//! The executor's arm: hands the fields to the task's module.
//!
//! ```text
//! TaskSpec::CloneRepository { clone_url } => Ok(self.execute_clone_repository(
//!     &assignment,
//!     tasks::clone_repository::CloneRepository {
//!         clone_url: clone_url.clone(),
//!     },
//! )),
//! ```

use askama::Template;

use super::Piece;
use crate::index::{ArmFact, FnFact};
use crate::landmarks::{Coverage, Scrutinee};
use crate::note::{Outcome, Refusal};
use crate::plan::Plan;
use crate::render::render;
use crate::task::Context;
use crate::types;

/// The piece.
pub const PIECE: Piece = Piece {
    id: "executor_arm",
    about: "the executor's arm",
    plan,
};

#[derive(Template)]
#[template(path = "executor_arm.rs", escape = "none")]
struct Arm {
    before: String,
    after: String,
    variant: String,
    /// Each field with the variable that it is bound to, and the value that is handed on.
    fields: Vec<(String, String, String)>,
    snake: String,
    module: String,
    assignment: String,
    input: String,
}

fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    let executor = &context.landmarks.executor;
    let site = &context.landmarks.matches[executor.site];
    let task = context.task;
    let file = &site.facts.file;
    let title = format!("arm in `{}`", executor.self_type);
    if let Some(arm) = site.arm_of(&task.request.variant) {
        check_arm(context, &site.fact.arms[arm])?;
        plan.present(PIECE.id, title, &file.path);
        return Ok(());
    }
    check_method(context)?;
    let Coverage::Exhaustive { before, after } = &site.coverage else {
        return Err(
            Refusal::new("executor-shape", "the executor's match has a wildcard")
                .at(site.facts.place(&site.fact.range)),
        );
    };
    let text = render(&Arm {
        before: super::owner(&context.landmarks.spec, site, before),
        after: after.clone(),
        variant: task.ident(),
        fields: task
            .fields
            .iter()
            .zip(&task.traits)
            .map(|((field, _), traits)| {
                let name = field.ident();
                // The arm hands the assignment on too.
                let bound = if name == executor.assignment {
                    format!("its_{name}")
                } else {
                    name.clone()
                };
                let value = match executor.scrutinee {
                    Scrutinee::Borrowed => types::cloned(traits.copies, &bound),
                    Scrutinee::Owned => bound.clone(),
                };
                (name, bound, value)
            })
            .collect(),
        snake: task.snake.clone(),
        module: task.module(),
        assignment: executor.assignment.clone(),
        input: super::task_module::input(context),
    })?;
    let (spot, fragment) = super::arms::placed(site, &context.landmarks.spec, text);
    plan.draft(PIECE.id, title, file, "executor_arm", fragment, spot);
    Ok(())
}

/// Refuses a variant that something else than a task's module runs: it was written by hand.
fn check_arm(context: &Context<'_>, arm: &ArmFact) -> Outcome<()> {
    let site = &context.landmarks.matches[context.landmarks.executor.site];
    let task = context.task;
    let module = super::task_module::path(context);
    let call = format!("tasks::{}::", task.module());
    if context.index.workspace.files.contains_key(&module)
        || site.facts.text(&arm.body).contains(&call)
    {
        return Ok(());
    }
    let variant = &task.request.variant;
    let why = format!(
        "`{}::{variant}` has an executor already",
        context.landmarks.spec.fact.name
    );
    Err(Refusal::new("variant-exists", why)
        .at(site.facts.place(&arm.range))
        .help(format!(
            "name the new task otherwise; to make this one a generated task, take this arm out, and with it the method `execute_{}` where there is one",
            task.snake
        )))
}

/// Refuses where the executor has a method of the name that the task's module would give it.
fn check_method(context: &Context<'_>) -> Outcome<()> {
    let executor = &context.landmarks.executor;
    let name = format!("execute_{}", context.task.snake);
    let own = super::task_module::path(context);
    let Some(member) = context.index.workspace.member_of(&executor.facts.file.path) else {
        return Ok(());
    };
    for path in context.index.containing_in(member, &name) {
        let facts = context.index.facts(&path)?;
        let is_inherent = |function: &&FnFact| {
            let of = function.in_impl.map(|n| &facts.impls[n]);
            of.is_some_and(|of| of.trait_path.is_none() && of.self_type == executor.self_type)
        };
        let mut methods = facts.functions.iter().filter(|f| f.name == name);
        if let Some(method) = methods.find(is_inherent).filter(|_| path != own) {
            let why = format!("`{}` has a method `{name}` already", executor.self_type);
            return Err(Refusal::new("variant-name", why)
                .at(facts.place(&method.name_range))
                .help(format!(
                    "say more of the work: `{}Something`",
                    context.task.request.variant
                )));
        }
    }
    Ok(())
}
