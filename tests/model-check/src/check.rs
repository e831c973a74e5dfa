//! Runs a model in every order.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::{panic, process, thread};

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

/// Runs `model` in every order of its steps that has so many interruptions.
pub(crate) fn check(interruptions: Interruptions, model: impl Fn() + Send + Sync + 'static) {
    end_at_the_first_panic();
    let executions = Arc::new(AtomicU64::new(0));
    let mut builder = Builder::new();
    builder.preemption_bound = match interruptions {
        Interruptions::AtMost(most) => Some(most),
        Interruptions::Any => None,
    };
    let counted = Arc::clone(&executions);
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    let executions = executions.load(Ordering::Relaxed);
    println!("{executions} executions, interruptions: {interruptions:?}");
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
