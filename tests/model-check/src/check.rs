//! Runs a model in every order of its steps.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};
use std::{env, panic, process, thread};

use loom::model::Builder;

/// The number of times per execution that loom may interrupt a thread which could continue.
///
/// Few defects need more than two or three interruptions, and each further interruption multiplies the number of
/// executions by ten.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Interruptions {
    AtMost(usize),
    Any,
}

/// The time limit of a model without bounds, which may have too many orders to try them all.
const LONGEST: Duration = Duration::from_secs(120);

/// Returns whether this run uses no bounds, as in `tests/run model-check-all`.
#[expect(clippy::disallowed_methods, reason = "the test runner removes the bounds")]
fn is_unbounded() -> bool {
    match env::var("MTL_MODEL_BOUNDS").as_deref() {
        Ok("none") => true,
        Ok(other) => panic!("MTL_MODEL_BOUNDS is `{other}`; the only value is `none`"),
        Err(_) => false,
    }
}

/// Runs `model` in every order of its steps within the bound on interruptions.
pub(crate) fn check(interruptions: Interruptions, model: impl Fn() + Send + Sync + 'static) {
    end_at_the_first_panic();
    let executions = Arc::new(AtomicU64::new(0));
    let mut builder = Builder::new();
    (builder.preemption_bound, builder.max_duration) = match interruptions {
        Interruptions::AtMost(_) if is_unbounded() => (None, Some(LONGEST)),
        Interruptions::AtMost(most) => (Some(most), None),
        Interruptions::Any => (None, None),
    };
    let (bound, longest, began) = (builder.preemption_bound, builder.max_duration, Instant::now());
    let counted = Arc::clone(&executions);
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    let executions = executions.load(Ordering::Relaxed);
    let bound = bound.map_or("any number of".into(), |most| format!("at most {most}"));
    let is_left = longest.is_some_and(|longest| began.elapsed() >= longest);
    let end = if is_left { ", stopped at the time limit" } else { "" };
    println!("{executions} executions, {bound} interruptions{end}");
    assert!(executions > 1, "the model has only one order of steps");
}

/// Aborts at the first panic. Otherwise, the panic would run the destructors of values in the model's threads. These
/// destructors take locks, which loom does not support after a panic. The errors from loom would then hide the message
/// of the first panic.
fn end_at_the_first_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|panic| {
            let thread = thread::current();
            let model = thread.name().unwrap_or("a model");
            // The test harness captures what `eprintln!` prints, and shows it only at the end of a test. A test that
            // aborts never reaches its end.
            let _ = writeln!(io::stderr(), "\n{model}: {panic}");
            process::abort();
        }));
    });
}
