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

use super::{Piece, arm_siblings};
use crate::format::{Form, Fragment};
use crate::landmarks::{Coverage, Scrutinee};
use crate::note::{Outcome, Refusal};
use crate::plan::Plan;
use crate::render::render;
use crate::task::Context;
use crate::trivia::Spot;
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
    fields: Vec<(String, String)>,
    snake: String,
    assignment: String,
    input: String,
}

fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    let executor = &context.landmarks.executor;
    let site = &context.landmarks.matches[executor.site];
    let task = context.task;
    let file = &site.facts.file;
    let title = format!("arm in `{}`", executor.self_type);
    if site.arm_of(&task.request.variant).is_some() {
        plan.present(PIECE.id, title, &file.path);
        return Ok(());
    }
    let Coverage::Exhaustive { before, after } = &site.coverage else {
        return Err(
            Refusal::new("executor-shape", "the executor's match has a wildcard")
                .at(site.facts.place(&site.fact.range)),
        );
    };
    let text = render(&Arm {
        before: super::arms::owner(context, site, before),
        after: after.clone(),
        variant: task.ident(),
        fields: task
            .fields
            .iter()
            .zip(&task.traits)
            .map(|((field, _), traits)| {
                let name = field.ident();
                let value = match executor.scrutinee {
                    Scrutinee::Borrowed => types::cloned(traits.copies, &name),
                    Scrutinee::Owned => name.clone(),
                };
                (name, value)
            })
            .collect(),
        snake: task.snake.clone(),
        assignment: executor.assignment.clone(),
        input: super::task_module::input(context),
    })?;
    let siblings = arm_siblings(&site.facts, &site.fact);
    let index = super::arms::last_named(site, &context.landmarks.spec);
    let spot = Spot::after(file, &siblings, index, site.fact.close);
    let fragment = Fragment {
        form: Form::Arm,
        indent: file.indent_at(siblings[index].start).to_owned(),
        text,
    };
    plan.draft(PIECE.id, title, file, "executor_arm", fragment, spot);
    Ok(())
}
