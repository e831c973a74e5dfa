//! Replaces the test harness in a program that is its own worker. Such a program has its own `main`, and lists and runs
//! its tests as a harness does.

use std::process::{self, ExitCode};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use std::{env, panic, thread};

/// A test with its name.
pub(crate) type Test = (&'static str, fn());

/// Lists or runs the tests, as this program's arguments request. Ends the program if the tests hang.
pub(crate) fn run(tests: &[Test], deadline: Duration) -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).filter(|argument| argument != "terse").collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let named: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    // A runner selects ignored tests with `--ignored`. No test here is ignored.
    let is_wanted = |name: &str| {
        !has("--ignored") && (named.is_empty() || named.iter().any(|part| name.contains(&***part)))
    };
    let tests = tests.iter().filter(|(name, _)| is_wanted(name));
    if has("--list") {
        tests.for_each(|(name, _)| say(&format!("{name}: test")));
        return ExitCode::SUCCESS;
    }
    let (_done, is_done) = mpsc::channel();
    let _watch = thread::Builder::new().spawn(move || ends_what_hangs(&is_done, deadline));
    let mut failed = 0;
    for (name, test) in tests {
        let ended = panic::catch_unwind(test);
        failed += u8::from(ended.is_err());
        say(&format!("test {name} ... {}", if ended.is_ok() { "ok" } else { "FAILED" }));
    }
    ExitCode::from(failed)
}

fn ends_what_hangs(is_done: &mpsc::Receiver<()>, deadline: Duration) {
    if is_done.recv_timeout(deadline) == Err(RecvTimeoutError::Timeout) {
        say("the test hangs");
        process::abort();
    }
}

#[expect(clippy::print_stdout, reason = "test runners read standard output")]
fn say(line: &str) {
    println!("{line}");
}
