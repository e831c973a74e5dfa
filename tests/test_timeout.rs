//! Bounds the time of a test: a test never sleeps for a fixed time, and never waits for ever.

use std::thread;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, bounded};

/// The longest time that a test may wait, even on the slowest machine.
pub(crate) const TEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Runs `test`, and panics if it hangs.
pub(crate) fn with_timeout<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, is_done) = bounded(1);
    let thread = thread::Builder::new().name("with_timeout".into());
    let thread = thread.spawn(move || drop(done.send(test()))).expect("a thread for the test");
    match is_done.recv_timeout(TEST_TIMEOUT) {
        Ok(result) => result,
        Err(RecvTimeoutError::Disconnected) => {
            let panic = thread.join().expect_err("the test has panicked");
            std::panic::resume_unwind(panic)
        }
        Err(RecvTimeoutError::Timeout) => panic!("the test hangs"),
    }
}
