//! How long a test waits: never for time to pass, and never for ever.

use std::thread;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, bounded};

/// Longer than anything here takes on the slowest machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Runs `test`; panics when it hangs.
pub(crate) fn watched<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, is_done) = bounded(1);
    let thread = thread::Builder::new().name("watched".into());
    let thread = thread.spawn(move || drop(done.send(test()))).expect("a thread for the test");
    match is_done.recv_timeout(PATIENCE) {
        Ok(result) => result,
        Err(RecvTimeoutError::Disconnected) => {
            let panic = thread.join().expect_err("the test has panicked");
            std::panic::resume_unwind(panic)
        }
        Err(RecvTimeoutError::Timeout) => panic!("the test hangs"),
    }
}
