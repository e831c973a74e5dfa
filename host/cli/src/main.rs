//! The program `mtl-host`: the library's pool, for people and scripts.

use std::process::ExitCode;

fn main() -> ExitCode {
    // The process of a worker runs this same program.
    mtl_host::isolation::child_main();
    mtl_host_cli::main()
}
