//! The command `mtl-host`: the library's pool, for people and scripts.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main().into()
}
