//! Whether anything claims what is enqueued: said first of all where nothing does.

use super::Piece;
use crate::note::{Outcome, Refusal};
use crate::plan::Plan;
use crate::task::Context;

/// The piece.
pub const PIECE: Piece = Piece {
    id: "worker",
    about: "a word where nothing claims root tasks",
    plan,
};

fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    let workers = &context.landmarks.workers;
    if workers.iter().any(|worker| !worker.is_driven) {
        return Ok(());
    }
    let places: Vec<String> = workers
        .iter()
        .map(|worker| format!("{} (in `{}`)", worker.place, worker.function))
        .collect();
    let what = if places.is_empty() {
        "nothing in this workspace starts a worker: what is enqueued stays queued".to_owned()
    } else {
        format!(
            "no worker stands: one lives only while a run is driven, at {}; what is enqueued between runs stays queued",
            places.join(" and ")
        )
    };
    let place = workers.first().map_or_else(
        || {
            context
                .landmarks
                .spec
                .facts
                .place(&context.landmarks.spec.fact.name_range)
        },
        |worker| worker.place.clone(),
    );
    if context.task.request.require_worker {
        return Err(Refusal::new("no-worker", what)
            .at(place)
            .help("start a worker that outlives runs, or leave --require-worker out"));
    }
    plan.open_at(
        place,
        format!("{what}; start a worker in the program that serves"),
    );
    Ok(())
}
