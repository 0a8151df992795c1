//! The binary: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    cargo_oxy_task::commands::main()
}
