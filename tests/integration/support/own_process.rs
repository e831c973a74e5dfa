//! Runs each test of the library in its own process. No other test runs in this process, so a test can count its
//! threads, and a hanging test can be killed.

use std::env;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::{DEADLINE, Host, ISOLATION, TIER, in_processes, program};

/// The variable that names the test which a process runs.
const OWN_PROCESS_TEST: &str = "MTL_TEST_ALONE";

/// Runs `body`, the body of the test `test` in `module`, in its own process. Fails if `body` fails, hangs, or leaves a
/// thread of the library behind.
#[track_caller]
pub(crate) fn run_in_own_process(module: &str, test: &str, body: impl FnOnce()) {
    run_in_own_process_within(DEADLINE, module, test, body);
}

/// Does the same as [`run_in_own_process`], with another deadline.
#[track_caller]
pub(crate) fn run_in_own_process_within(
    deadline: Duration,
    module: &str,
    test: &str,
    body: impl FnOnce(),
) {
    let Some(mut child) = own_process_run(module, test, body) else { return wait_for_threads(0) };
    child.deadline = deadline;
    let child = child.run().code(0);
    let stdout = String::from_utf8_lossy(child.stdout_bytes()).into_owned();
    assert!(stdout.contains("1 passed"), "no test is called `{test}`:\n{stdout}");
}

/// Runs `body` if this process was started for the test called `test` in `module`. Otherwise returns a run of such a
/// process.
#[expect(clippy::disallowed_methods, reason = "the parent process names the test")]
pub(crate) fn own_process_run(module: &str, test: &str, body: impl FnOnce()) -> Option<Host> {
    let (_, module) = module.split_once("::").expect("a module of this crate");
    let name = format!("{module}::{test}");
    if env::var_os(OWN_PROCESS_TEST).is_some_and(|value| value == *name) {
        body();
        return None;
    }
    let child = program(env::current_exe().unwrap()).args([&name, "--exact", "--nocapture"]);
    let isolation = if in_processes() { "process" } else { "thread" };
    let mut variables =
        vec![format!("{OWN_PROCESS_TEST}={name}"), format!("{ISOLATION}={isolation}")];
    variables.extend(env::var(TIER).map(|tier| format!("{TIER}={tier}")));
    Some(child.under("env", variables))
}

/// Returns the names of the threads that the library has started in this process.
pub(crate) fn threads() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    // A thread that ends meanwhile has no `comm` file.
    let names = tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok());
    let names = names.map(|name| name.trim_end().to_owned());
    names.filter(|name| name.starts_with("mtl-")).collect()
}

/// Waits until at most `max` threads of the library are left. The kernel may list a joined thread for some
/// microseconds longer.
pub(crate) fn wait_for_threads(max: usize) {
    let deadline = Instant::now() + DEADLINE / 4;
    while threads().len() > max {
        assert!(Instant::now() < deadline, "threads of the library are left: {:?}", threads());
        thread::yield_now();
    }
}
