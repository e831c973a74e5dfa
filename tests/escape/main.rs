//! Tests what a plugin could do after it has taken over its worker's process through a defect in
//! the engine. Native code replaces the plugin in the same jail, and tries to escape from the jail.
//!
//! The program starts itself as the worker, so it has its own `main` and no test harness.

#[path = "../harness.rs"]
mod harness;
mod hostile;
mod misdeeds;
mod tests;

use std::process::ExitCode;
use std::time::Duration;

use self::tests::TESTS;

/// A time limit far above the time of all tests.
const DEADLINE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    mtl_host::isolation::child_main_with(|_| Ok(hostile::answer));
    harness::run(TESTS, DEADLINE)
}
