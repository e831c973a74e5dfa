//! The command `mtl-host`: the library's pool, for people and scripts.

use std::process::ExitCode;

fn main() -> ExitCode {
    // A worker's process is this program, too.
    mtl_host::child_main();
    mtl_host_cli::main()
}
