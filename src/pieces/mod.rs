//! What a task consists of, one file a piece. The list below is the order of the plan.

mod arms;
mod call_site;
mod dead_letters;
mod dependencies;
mod derives;
mod executor_arm;
mod fields;
mod gate;
mod gate_test;
mod journal;
mod modules;
mod registration;
mod resume_branch;
mod schedule;
mod secrets;
mod snapshot;
mod status_table;
mod task_module;
mod tasks_mod;
mod variant;
mod work;
mod worker;

pub use task_module::standing_key;

pub use arms::{named_by_compiler, owner, put as put_arm};
pub use variant::put as put_variant;

use crate::note::Outcome;
use crate::plan::Plan;
use crate::task::Context;

/// One thing that the generator adds.
pub struct Piece {
    /// Its name.
    pub id: &'static str,
    /// What it adds, in a sentence.
    pub about: &'static str,
    /// Plans it.
    pub plan: fn(&Context<'_>, &mut Plan) -> Outcome<()>,
}

/// Every piece, in the order in which they are planned.
pub const PIECES: [Piece; 22] = [
    worker::PIECE,
    variant::PIECE,
    fields::PIECE,
    derives::PIECE,
    executor_arm::PIECE,
    arms::PIECE,
    resume_branch::PIECE,
    gate::PIECE,
    gate_test::PIECE,
    tasks_mod::PIECE,
    journal::PIECE,
    dead_letters::PIECE,
    status_table::PIECE,
    schedule::PIECE,
    secrets::PIECE,
    task_module::PIECE,
    modules::PIECE,
    work::PIECE,
    call_site::PIECE,
    registration::PIECE,
    dependencies::PIECE,
    snapshot::PIECE,
];

/// Plans every piece of a task.
pub fn plan(context: &Context<'_>) -> Outcome<Plan> {
    let mut plan = Plan::default();
    for piece in &PIECES {
        (piece.plan)(context, &mut plan)?;
    }
    Ok(plan)
}

/// The last segment of a path.
fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_a_piece_of_the_list() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pieces");
        let mut files: Vec<String> = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "mod.rs")
            .collect();
        files.sort();
        let mut ids: Vec<String> = PIECES
            .iter()
            .map(|piece| format!("{}.rs", piece.id))
            .collect();
        ids.sort();
        assert_eq!(files, ids);
    }
}
