//! Checks a sink that fails at each write and each flush: the run ends and reports how far it came.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mtl_host::sink::{Sink, SinkError};
use mtl_host::source::Items;
use mtl_host::{Error, Order, Outcome, Pool};

use super::{ORDERS, check_sum, echoing, numbers};
use crate::support::run_in_own_process;

const ITEMS: usize = 8;

/// The call at which a sink fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fails {
    /// An error of the write after this many writes.
    Write(usize),
    /// A panic of the write after this many writes.
    Panic(usize),
    /// An error of the first flush after this many writes.
    Flush(usize),
}

struct Failing {
    fails: Fails,
    written: usize,
    has_failed: bool,
}

impl Failing {
    fn new(fails: Fails) -> Self {
        Self { fails, written: 0, has_failed: false }
    }
}

impl Sink for Failing {
    fn write(&mut self, _outcome: &Outcome<'_>) -> Result<(), SinkError> {
        assert!(!self.has_failed, "the run calls a failed sink again");
        assert!(self.fails != Fails::Panic(self.written), "the printer burns");
        self.has_failed = self.fails == Fails::Write(self.written);
        if self.has_failed {
            return Err(SinkError::other("no paper"));
        }
        self.written += 1;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        assert!(!self.has_failed, "the run calls a failed sink again");
        self.has_failed = matches!(self.fails, Fails::Flush(after) if self.written >= after);
        if self.has_failed { Err(SinkError::other("no ink")) } else { Ok(()) }
    }
}

fn pool(order: Order) -> Pool {
    // With such a small window, the reader waits for the sink.
    echoing(2).order(order).window("2".parse().unwrap()).build().unwrap()
}

#[test]
fn a_sink_failure_at_any_point_ends_the_run() {
    run_in_own_process(module_path!(), "a_sink_failure_at_any_point_ends_the_run", || {
        for order in ORDERS {
            for fails in (0..ITEMS).map(Fails::Write).chain((0..=ITEMS).map(Fails::Flush)) {
                let (mut pool, mut sink) = (pool(order), Failing::new(fails));
                let outcome = pool.run(Items::new(numbers(ITEMS)), &mut sink);
                assert!(
                    matches!(outcome.error, Some(Error::Sink(_))),
                    "{fails:?}: {:?}",
                    outcome.error
                );
                check_sum(&outcome.summary);
                assert_eq!(outcome.summary.delivered, sink.written as u64, "{fails:?}");
                let (Fails::Write(expected) | Fails::Panic(expected) | Fails::Flush(expected)) =
                    fails;
                assert!(sink.has_failed && sink.written >= expected, "{fails:?}: {}", sink.written);
                assert!(pool.map(["again"]).all(|result| result.is_ok()), "{fails:?}");
            }
        }
    });
}

#[test]
fn a_panicking_sink_ends_the_run_but_not_the_pool() {
    run_in_own_process(module_path!(), "a_panicking_sink_ends_the_run_but_not_the_pool", || {
        for order in ORDERS {
            for fails in (0..ITEMS).map(Fails::Panic) {
                let (mut pool, mut sink) = (pool(order), Failing::new(fails));
                // The input is endless, so the run ends only if it is stopped.
                let endless = Items::new((0..).map(|number: u64| number.to_string()));
                let run = catch_unwind(AssertUnwindSafe(|| pool.run(endless, &mut sink)));
                assert!(run.is_err(), "{fails:?}");
                assert!(pool.map(["again"]).all(|result| result.is_ok()), "{fails:?}");
            }
        }
    });
}
