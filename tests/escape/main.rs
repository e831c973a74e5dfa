//! What a plugin could do that has taken its worker's process over, by a hole in the engine: native
//! code works in the plugin's place, in the same jail, and tries to get out.
//!
//! This program is its own worker, so it has a `main` of its own and no test harness.

#[path = "../harness.rs"]
mod harness;
mod hostile;
mod misdeeds;
mod tests;

use std::process::ExitCode;
use std::time::Duration;

use self::tests::TESTS;

/// Far more than all of them need.
const DEADLINE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    mtl_host::child_main_with(|_| Ok(hostile::answer));
    harness::run(TESTS, DEADLINE)
}
