//! Tests a parent whose child violates the protocol: the parent stops using the child, and continues.
//!
//! ```text
//! parent: a pool, or a loader, of the library ── starts ──▶ this program, as a child: `child.rs`
//!         `workers.rs`, `compilers.rs`                        it speaks the protocol of `wire.rs`
//! ```
//!
//! A defect in the engine could let a plugin take over its process. This program simulates a process that was taken
//! over. It runs without a jail, because the tests are about the parent. The program starts itself as the child, so it
//! has its own `main` and no test harness.

mod child;
mod compilers;
#[path = "../harness.rs"]
mod harness;
mod wire;
mod workers;

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use mtl_host::isolation::{Isolation, Processes};

/// A time limit far above the time of all tests, even on a machine under load.
const DEADLINE: Duration = Duration::from_secs(180);

fn main() -> ExitCode {
    if env::args().nth(1).as_deref() == Some("--mtl-host-worker-process") {
        child::misbehave();
        return ExitCode::SUCCESS;
    }
    harness::run(&[workers::TESTS, compilers::TESTS].concat(), DEADLINE)
}

/// Returns an isolation whose processes run this program.
fn fake_children() -> Isolation {
    let program = env::current_exe().expect("this program has a path");
    Isolation::Process(Processes::new().program(program))
}
