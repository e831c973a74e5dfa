//! Checks that a thread which sleeps for a guest is woken by its event and by its end, also if
//! either comes just before the sleep.

use std::sync::Arc;

use loom::thread;

use crate::check::{Interruptions, check};
use crate::control::alarm::Notify;
use crate::control::cancel::Cancel;
use crate::run::join;
use crate::sync::atomic::{AtomicBool, Ordering};

/// An instance is created and sleeps, while its run is stopped and its pool is dropped.
pub fn of_a_pool_that_is_dropped() {
    check(Interruptions::AtMost(4), || {
        let cancel = Cancel::default();
        let cancellers = [Cancel::starts, Cancel::all].map(|cancels| {
            let cancel = cancel.clone();
            thread::spawn(move || cancels(&cancel))
        });
        let alarm = cancel.alarm();
        while cancel.lets_work() {
            alarm.wait(None);
        }
        join(cancellers);
        assert!(!cancel.lets_work(), "a cancellation is never undone");
    });
}

/// Two guests sleep. The first is woken by its event, then both by the end of the pool.
pub fn of_what_it_waits_for() {
    check(Interruptions::Any, || {
        let cancel = Cancel::default();
        let (mine, other) = (cancel.alarm(), cancel.alarm());
        let ready = Arc::new(AtomicBool::new(false));
        let event = {
            let (ready, alarm) = (Arc::clone(&ready), Arc::clone(&mine));
            thread::spawn(move || {
                ready.store(true, Ordering::Release);
                alarm.ring();
            })
        };
        let sleeper = {
            let cancel = cancel.clone();
            thread::spawn(move || {
                while cancel.lets_work() {
                    other.wait(None);
                }
            })
        };
        while !ready.load(Ordering::Acquire) {
            mine.wait(None);
        }
        cancel.all();
        join([event, sleeper]);
    });
}
