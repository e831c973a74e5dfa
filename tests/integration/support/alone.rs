//! Tests of the library in a process of their own: nothing else runs there, so that threads can be
//! counted, and one that hangs can be ended.

use std::env;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::{DEADLINE, Host, ISOLATION, TIER, in_processes, program};

/// Says to a process which test it is to run in itself.
const ALONE: &str = "MTL_TEST_ALONE";

/// Runs `body`, of the test called `test` in `module`, in a process of its own. It fails when `body`
/// does, when it hangs, or when it leaves a thread of the library behind.
#[track_caller]
pub(crate) fn alone(module: &str, test: &str, body: impl FnOnce()) {
    alone_within(DEADLINE, module, test, body);
}

/// The same, with a deadline of its own.
#[track_caller]
pub(crate) fn alone_within(deadline: Duration, module: &str, test: &str, body: impl FnOnce()) {
    let Some(mut child) = in_itself(module, test, body) else { return wait_for_threads(0) };
    child.deadline = deadline;
    let child = child.run().code(0);
    let stdout = String::from_utf8_lossy(child.stdout_bytes()).into_owned();
    assert!(stdout.contains("1 passed"), "there is no test called `{test}`:\n{stdout}");
}

/// Runs `body`, of the test called `test` in `module`, if this process is there for that; otherwise
/// gives a run of such a process.
#[expect(clippy::disallowed_methods, reason = "whoever runs the tests says so")]
pub(crate) fn in_itself(module: &str, test: &str, body: impl FnOnce()) -> Option<Host> {
    let (_, module) = module.split_once("::").expect("a module of this crate");
    let name = format!("{module}::{test}");
    if env::var_os(ALONE).is_some_and(|value| value == *name) {
        body();
        return None;
    }
    let child = program(env::current_exe().unwrap()).args([&name, "--exact", "--nocapture"]);
    let isolation = if in_processes() { "process" } else { "thread" };
    let mut variables = vec![format!("{ALONE}={name}"), format!("{ISOLATION}={isolation}")];
    variables.extend(env::var(TIER).map(|tier| format!("{TIER}={tier}")));
    Some(child.under("env", variables))
}

/// The names of this process's threads that the library has started.
pub(crate) fn threads() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    // One that ends meanwhile has no name any more.
    let names = tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok());
    let names = names.map(|name| name.trim_end().to_owned());
    names.filter(|name| name.starts_with("mtl-")).collect()
}

/// Waits until there are no more than so many threads of the library: one that has been joined may
/// be seen for some microseconds more.
pub(crate) fn wait_for_threads(most: usize) {
    let deadline = Instant::now() + DEADLINE / 4;
    while threads().len() > most {
        assert!(Instant::now() < deadline, "threads are left behind: {:?}", threads());
        thread::yield_now();
    }
}
