//! The branch in recovery's dispatch, which no compiler error asks for.
//!
//! ```text
//! "clone_repository" => Err(tasks::left_to_the_queue(run)),
//! ```

use super::Piece;
use super::arms::arm_siblings;
use crate::format::{Form, Fragment};
use crate::landmarks::ResumeReading;
use crate::note::Outcome;
use crate::plan::Plan;
use crate::task::Context;
use crate::trivia::Spot;

/// The piece.
pub const PIECE: Piece = Piece {
    id: "resume_branch",
    about: "the branch in recovery's dispatch on the source type",
    plan,
};

fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    let task = context.task;
    let executor = &context.landmarks.executor;
    let dispatch = match &context.landmarks.resume {
        ResumeReading::Found(dispatch) => dispatch,
        ResumeReading::Absent => return Ok(()),
        ResumeReading::Unclear(place) => {
            plan.open_at(
                place.clone(),
                format!("recovery dispatches here in a way that cannot be read: give runs of source type \"{}\" the value `Err(tasks::left_to_the_queue(run))`", task.tag),
            );
            plan.undecided(PIECE.id, "recovery's dispatch", &executor.facts.file.path);
            return Ok(());
        }
    };
    let file = &dispatch.facts.file;
    let title = format!("branch in `{}`", dispatch.method);
    let stands = dispatch
        .fact
        .arms
        .iter()
        .any(|arm| arm.pattern.strings().contains(&task.tag.as_str()));
    if stands {
        plan.present(PIECE.id, title, &file.path);
        return Ok(());
    }
    let siblings = arm_siblings(&dispatch.facts, &dispatch.fact);
    let spot = match dispatch.catch_all {
        Some(index) => Spot::before(file, &siblings, index),
        None => Spot::after(file, &siblings, siblings.len() - 1, dispatch.fact.close),
    };
    let fragment = Fragment {
        form: Form::Arm,
        indent: file.indent_at(siblings[0].start).to_owned(),
        text: format!(
            "\"{}\" => Err(tasks::left_to_the_queue({})),",
            task.tag, dispatch.run
        ),
    };
    plan.draft(PIECE.id, title, file, "resume_branch", fragment, spot);
    Ok(())
}
