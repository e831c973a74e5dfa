//! Runs what enters the jail in a process of its own.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, WaitOptions, WaitStatus, getpid, waitpid};

use super::TESTS;
use crate::patience::watched;

/// Says to a process which test it is to run in itself.
const ALONE: &str = "MTL_TEST_JAIL";

/// Runs `body`, of the test called `test`, in a process with one thread, which is told its parent.
/// It fails when `body` does, or hangs.
#[track_caller]
pub(super) fn alone(test: &str, body: impl FnOnce(Pid)) {
    run_alone(test, body, |status| status.exit_status() == Some(0));
}

/// The same, but it ends by one of these signals.
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
    let Output { status, stdout, stderr } = watched(move || program.output().unwrap());
    let stdout = String::from_utf8_lossy(&stdout);
    let stderr = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{status}\n{stdout}\n{stderr}");
    assert!(stdout.contains("1 passed"), "there is no test called `{test}`:\n{stdout}");
}

/// Whether this process is the one that a test has to itself.
pub(super) fn is_alone(test: &str) -> bool {
    env::var_os(ALONE).is_some_and(|value| value == *test)
}

/// This program once more, to run a test alone.
pub(super) fn again(test: &str) -> Command {
    let mut program = Command::new(env::current_exe().unwrap());
    program.args([&format!("{TESTS}::{test}"), "--exact", "--nocapture"]);
    program.env(ALONE, test).stdin(Stdio::null());
    program
}

/// A test runs in a thread beside the main one. A process that is forked has that thread alone.
#[expect(unsafe_code, reason = "nothing safe forks")]
pub(super) fn in_a_fork(body: impl FnOnce(Pid)) -> WaitStatus {
    let parent = getpid();
    // SAFETY: the other thread of this process waits for the test, and holds no lock.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let code = i32::from(catch_unwind(AssertUnwindSafe(|| body(parent))).is_err());
        // SAFETY: it only ends the process, without what is left to do at its end.
        unsafe { libc::_exit(code) };
    }
    waitpid(Pid::from_raw(child), WaitOptions::empty()).unwrap().unwrap().1
}
