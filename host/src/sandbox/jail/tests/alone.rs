//! Runs what enters the jail in a process of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::{env, thread};

use rustix::process::{Pid, WaitOptions, getpid, waitpid};

/// Says to a process which test it is to run in itself.
const ALONE: &str = "MTL_TEST_JAIL";

/// Runs `body`, of the test called `test`, in a process with one thread, which is told its parent.
/// It fails when `body` does.
#[track_caller]
pub(super) fn alone(test: &str, body: impl FnOnce(Pid)) {
    let name = format!("sandbox::jail::tests::{test}");
    if env::var_os(ALONE).is_some_and(|value| value == *name) {
        return in_a_fork(body);
    }
    let output = Command::new(env::current_exe().unwrap())
        .args([&name, "--exact", "--nocapture"])
        .env(ALONE, &name)
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{stdout}\n{stderr}", output.status);
    assert!(stdout.contains("1 passed"), "there is no test called `{name}`:\n{stdout}");
}

/// A test runs in a thread beside the main one. A process that is forked has that thread alone.
#[expect(unsafe_code, reason = "nothing safe forks")]
fn in_a_fork(body: impl FnOnce(Pid)) {
    let parent = getpid();
    // SAFETY: the other thread of this process waits for the test, and holds no lock.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let code = i32::from(catch_unwind(AssertUnwindSafe(|| body(parent))).is_err());
        // SAFETY: it only ends the process, without what is left to do at its end.
        unsafe { libc::_exit(code) };
    }
    let (_, status) = waitpid(Pid::from_raw(child), WaitOptions::empty()).unwrap().unwrap();
    assert_eq!(status.exit_status(), Some(0), "{status:?} in {:?}", thread::current().name());
}
