//! The program `mtl-host`, which makes the library's pool available to people and scripts.

use std::process::ExitCode;

fn main() -> ExitCode {
    // This program is also the program of the workers' processes. In such a process, this call does not return.
    mtl_host::isolation::child_main();
    mtl_host_cli::main()
}
