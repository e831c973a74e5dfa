//! Runs a model in every order.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};
use std::{env, panic, process, thread};

use loom::model::Builder;

/// How often in one execution a thread may be interrupted that could go on.
///
/// A defect that needs more than two or three interruptions is rare; each more costs ten times
/// as many executions.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Interruptions {
    AtMost(usize),
    Any,
}

/// Without bounds a model may have more orders than anybody can wait for: it is left after this time.
const LONGEST: Duration = Duration::from_secs(120);

/// Returns whether this run leaves the bounds out, as `tests/run model-check-all` does.
#[expect(clippy::disallowed_methods, reason = "whoever runs the models says so")]
fn is_unbounded() -> bool {
    match env::var("MTL_MODEL_BOUNDS").as_deref() {
        Ok("none") => true,
        Ok(other) => panic!("MTL_MODEL_BOUNDS is `{other}`; the only value is `none`"),
        Err(_) => false,
    }
}

/// Runs `model` in every order of its steps that has so many interruptions.
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
    let end = if is_left { ", left before the end" } else { "" };
    println!("{executions} executions, {bound} interruptions{end}");
    assert!(executions > 1, "nothing in this model can go in two ways");
}

/// A panic leaves a model's threads in the middle, and the destructors of what they hold take
/// locks, which loom cannot do any more: what is said would drown in what follows from it.
fn end_at_the_first_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|panic| {
            let thread = thread::current();
            let model = thread.name().unwrap_or("a model");
            // Not by a macro: a test's output is kept until its end, which this is not.
            let _ = writeln!(io::stderr(), "\n{model}: {panic}");
            process::abort();
        }));
    });
}
