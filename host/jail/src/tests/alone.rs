//! Runs the body of a test in a process of its own, which may enter the jail.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, WaitOptions, WaitStatus, getpid, waitpid};

use super::TESTS;
use crate::test_timeout::with_timeout;

/// The variable that names the test that a process must run in itself.
const ALONE: &str = "MTL_TEST_JAIL";

/// Runs `body` of the test called `test` in a process with one thread, and passes the parent's
/// process ID to `body`. Fails if `body` panics or hangs.
#[track_caller]
pub(super) fn alone(test: &str, body: impl FnOnce(Pid)) {
    run_alone(test, body, |status| status.exit_status() == Some(0));
}

/// Does the same as [`alone`], but expects the process to end by one of these signals.
#[track_caller]
pub(super) fn ends_by(signals: &[i32], test: &str, body: impl FnOnce(Pid)) {
    run_alone(test, body, |status| {
        status.terminating_signal().is_some_and(|signal| signals.contains(&signal))
    });
}

#[track_caller]
fn run_alone(test: &str, body: impl FnOnce(Pid), is_right: impl FnOnce(WaitStatus) -> bool) {
    if is_alone(test) {
        let status = in_a_fork(body);
        assert!(is_right(status), "{status:?}");
        return;
    }
    let mut program = again(test);
    let Output { status, stdout, stderr } = with_timeout(move || program.output().unwrap());
    let stdout = String::from_utf8_lossy(&stdout);
    let stderr = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{status}\n{stdout}\n{stderr}");
    assert!(stdout.contains("1 passed"), "there is no test called `{test}`:\n{stdout}");
}

/// Returns whether this process was started for the test alone.
pub(super) fn is_alone(test: &str) -> bool {
    env::var_os(ALONE).is_some_and(|value| value == *test)
}

/// Returns the command that starts this program again for one test.
pub(super) fn again(test: &str) -> Command {
    let mut program = Command::new(env::current_exe().unwrap());
    program.args([&format!("{TESTS}::{test}"), "--exact", "--nocapture"]);
    program.env(ALONE, test).stdin(Stdio::null());
    program
}

/// Runs `body` in a forked process. A test runs in its own thread, next to the main thread. The
/// forked process has only the test's thread.
#[expect(unsafe_code, reason = "no safe function forks")]
pub(super) fn in_a_fork(body: impl FnOnce(Pid)) -> WaitStatus {
    let parent = getpid();
    // SAFETY: the child has only a copy of this thread, so it could wait forever for a lock that another thread holds.
    // The only other thread is the main thread, which waits for the test and holds no lock.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let code = i32::from(catch_unwind(AssertUnwindSafe(|| body(parent))).is_err());
        // SAFETY: `_exit` only ends the process and runs no exit handlers.
        unsafe { libc::_exit(code) };
    }
    waitpid(Pid::from_raw(child), WaitOptions::empty()).unwrap().unwrap().1
}
