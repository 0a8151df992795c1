//! The binary: arguments in, exit code out.

use std::process::ExitCode;

/// Parsing is a million small boxes on several threads, which is what this allocator is made for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cargo_oxy_task::commands::main()
}
