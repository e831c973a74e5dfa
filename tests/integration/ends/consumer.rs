//! Checks a consumer that drops the results early, at each point, while workers run items.

use std::sync::{Arc, Condvar, Mutex};

use mtl_host::{Order, Pool, WorkerSpec};

use super::{ORDERS, numbers, one_by_one, text};
use crate::support::{DEADLINE, run_in_own_process};

const ITEMS: usize = 6;

/// A gate that lets items pass up to a number; later items wait until the number is raised.
#[derive(Default)]
struct Gate {
    /// The number of the first item that must wait, and the count of waiting items.
    state: Mutex<(usize, usize)>,
    changed: Condvar,
}

impl Gate {
    fn open(&self, until: usize) {
        self.state.lock().unwrap().0 = until;
        self.changed.notify_all();
    }

    fn pass(&self, item: usize) {
        let mut state = self.state.lock().unwrap();
        state.1 += 1;
        self.changed.notify_all();
        let waits = |state: &mut (usize, usize)| item >= state.0;
        let (mut state, waited) = self.changed.wait_timeout_while(state, DEADLINE, waits).unwrap();
        assert!(!waited.timed_out(), "the gate stays closed");
        state.1 -= 1;
    }

    fn wait_for_waiting(&self, workers: usize) {
        let state = self.state.lock().unwrap();
        let fewer = |state: &mut (usize, usize)| state.1 < workers;
        let (_state, waited) = self.changed.wait_timeout_while(state, DEADLINE, fewer).unwrap();
        assert!(!waited.timed_out(), "too few workers wait at the gate");
    }
}

/// Builds a pool of two workers that echo numbers after they pass the gate.
fn gated(gate: &Arc<Gate>, order: Order) -> Pool {
    let worker = |_| {
        let gate = Arc::clone(gate);
        WorkerSpec::native(move |_| {
            let gate = Arc::clone(&gate);
            Ok(move |item: &[u8]| {
                gate.pass(std::str::from_utf8(item)?.parse()?);
                Ok(item.to_vec())
            })
        })
    };
    one_by_one(Pool::builder_from_workers((0..2).map(worker))).order(order).build().unwrap()
}

/// Takes `taken` results, and drops the rest while workers wait at the gate.
fn drop_after(taken: usize, order: Order, is_closed: bool) {
    let gate = Arc::new(Gate::default());
    let mut pool = gated(&gate, order);
    gate.open(taken);
    let mut results = pool.map(numbers(ITEMS));
    let seen: Vec<_> = results.by_ref().take(taken).map(Result::unwrap).collect();
    gate.wait_for_waiting((ITEMS - taken).min(2));
    drop(results);
    let mut seen: Vec<_> = seen.iter().map(text).collect();
    if order == Order::Completion {
        seen.sort_unstable();
    }
    assert_eq!(seen, numbers(taken), "{order:?}");
    gate.open(usize::MAX);
    // The pool is still usable, and no worker has broken.
    let again: Vec<_> = pool.map(["7"]).map(Result::unwrap).collect();
    assert_eq!(again.iter().map(text).collect::<Vec<_>>(), ["7"]);
    if is_closed {
        assert_eq!(pool.close().iter().map(|report| report.failed_instances).sum::<u64>(), 0);
    }
}

#[test]
fn results_can_be_dropped_at_each_point_while_workers_are_busy() {
    run_in_own_process(
        module_path!(),
        "results_can_be_dropped_at_each_point_while_workers_are_busy",
        || {
            for order in ORDERS {
                for taken in 0..=ITEMS {
                    for is_closed in [false, true] {
                        drop_after(taken, order, is_closed);
                    }
                }
            }
        },
    );
}

#[test]
fn a_run_ended_at_any_point_accounts_for_all_read_items() {
    run_in_own_process(
        module_path!(),
        "a_run_ended_at_any_point_accounts_for_all_read_items",
        || {
            for order in ORDERS {
                for taken in 0..=ITEMS {
                    let gate = Arc::new(Gate::default());
                    gate.open(usize::MAX);
                    let mut pool = gated(&gate, order);
                    let mut results = pool.map(numbers(ITEMS));
                    assert_eq!(results.by_ref().take(taken).filter(Result::is_ok).count(), taken);
                    let summary = results.end().into_result().unwrap();
                    super::check_sum(&summary);
                    assert_eq!(summary.delivered, taken as u64);
                    assert!(summary.counts.records() >= taken as u64, "{summary:?}");
                }
            }
        },
    );
}
