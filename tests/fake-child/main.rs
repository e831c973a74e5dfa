//! A parent and a child that keeps to no protocol: the parent ends what the child is at, and goes on.
//!
//! ```text
//! parent: a pool, or a loader, of the library ── starts ──▶ this program, as a child: `child.rs`
//!         `workers.rs`, `compilers.rs`                        it answers by a protocol of its own: `wire.rs`
//! ```
//!
//! What a hole in the engine would let a plugin do to its process is done here by code of ours, without a
//! jail: it is the parent that is tried. This program is its own child, so it has a `main` of its own and no
//! test harness.

mod child;
mod compilers;
#[path = "../harness.rs"]
mod harness;
mod wire;
mod workers;

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use mtl_host::{Isolation, Processes};

/// Far more than all of them need, on a machine that others use as well.
const DEADLINE: Duration = Duration::from_secs(180);

fn main() -> ExitCode {
    if env::args().nth(1).as_deref() == Some("--mtl-host-worker-process") {
        child::misbehave();
        return ExitCode::SUCCESS;
    }
    harness::run(&[workers::TESTS, compilers::TESTS].concat(), DEADLINE)
}

/// Processes that are this program.
fn fake_children() -> Isolation {
    let program = env::current_exe().expect("it is running");
    Isolation::Process(Processes::new().program(program))
}
