//! `survey`: every call that spawns, with its verdict.

use crate::cli::{Common, Survey};
use crate::index::Index;
use crate::note::Outcome;
use crate::report::Shell;
use crate::spawn;

/// Runs the command.
pub(super) fn run(shell: &Shell, common: &Common, args: &Survey) -> Outcome<()> {
    let (opened, _) = super::open(common, |_| ())?;
    let index = Index::new(&opened.workspace, opened.memory);
    let program = spawn::Program::new(&index);
    let found = spawn::sites(&program, &opened.config.spawn_wrappers, args.include_tests, &|_, _| Ok(()))?;
    for (s, _) in &found {
        let c: Vec<String> = s.captures.iter().map(|c| format!("{}:{}:{}", c.name, c.ty.as_deref().unwrap_or("?"), c.role.name())).collect();
        shell.product(&format!("{}:{}:{} {} [{}] {} {:?} {} {}", s.place.path, s.place.line, s.place.column, s.call, s.spawner, s.function.fact().name, s.fate, s.hands_on, c.join(" | ")));
    }
    Ok(())
}
