//! What a plugin could do that has taken its worker's process over, by a hole in the engine: native
//! code works in the plugin's place, in the same jail, and tries to get out.
//!
//! This program is its own worker, so it has a `main` of its own and no test harness: it lists and
//! runs its tests as one does.

mod hostile;
mod misdeeds;
mod tests;

use std::process::{self, ExitCode};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use std::{env, panic, thread};

use self::tests::TESTS;

fn main() -> ExitCode {
    mtl_host::child_main_with(|_| Ok(hostile::answer));

    let arguments: Vec<_> = env::args().skip(1).filter(|argument| argument != "terse").collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let named: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    // What is ignored is asked for by itself, and nothing is.
    let is_wanted = |name: &str| {
        !has("--ignored") && (named.is_empty() || named.iter().any(|part| name.contains(&***part)))
    };
    let tests = TESTS.iter().filter(|(name, _)| is_wanted(name));
    if has("--list") {
        tests.for_each(|(name, _)| say(&format!("{name}: test")));
        return ExitCode::SUCCESS;
    }
    let (_done, is_done) = mpsc::channel();
    let _watch = thread::Builder::new().spawn(move || ends_what_hangs(&is_done));
    let mut failed = 0;
    for (name, test) in tests {
        let ended = panic::catch_unwind(test);
        failed += u8::from(ended.is_err());
        say(&format!("test {name} ... {}", if ended.is_ok() { "ok" } else { "FAILED" }));
    }
    ExitCode::from(failed)
}

/// Far more than all of them need.
const DEADLINE: Duration = Duration::from_secs(60);

fn ends_what_hangs(is_done: &mpsc::Receiver<()>) {
    if is_done.recv_timeout(DEADLINE) == Err(RecvTimeoutError::Timeout) {
        say("the test hangs");
        process::abort();
    }
}

#[expect(clippy::print_stdout, reason = "whoever runs tests reads it there")]
fn say(line: &str) {
    println!("{line}");
}
