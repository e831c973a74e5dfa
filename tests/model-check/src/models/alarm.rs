//! Checks a thread that sleeps on behalf of a guest. The thread must wake up if the guest's event occurs or if the
//! guest is cancelled, even directly before the sleep.

use std::sync::Arc;

use loom::thread;

use crate::check::{Interruptions, check};
use crate::control::alarm::Notify;
use crate::control::cancel::Cancel;
use crate::run::join;
use crate::sync::atomic::{AtomicBool, Ordering};

/// A new instance sleeps while its run is stopped and its pool is dropped.
pub fn pool_is_dropped() {
    check(Interruptions::AtMost(4), || {
        let cancel = Cancel::default();
        let cancellers = [Cancel::cancel_starts, Cancel::cancel_all].map(|cancel_level| {
            let cancel = cancel.clone();
            thread::spawn(move || cancel_level(&cancel))
        });
        let alarm = cancel.alarm();
        while cancel.allows_work() {
            alarm.wait(None);
        }
        join(cancellers);
        assert!(!cancel.allows_work(), "a cancellation is never undone");
    });
}

/// Two guests sleep. An event wakes the first guest, and then the drop of the pool wakes both.
pub fn event_occurs() {
    check(Interruptions::Any, || {
        let cancel = Cancel::default();
        let (first, second) = (cancel.alarm(), cancel.alarm());
        let ready = Arc::new(AtomicBool::new(false));
        let event = {
            let (ready, alarm) = (Arc::clone(&ready), Arc::clone(&first));
            thread::spawn(move || {
                ready.store(true, Ordering::Release);
                alarm.notify();
            })
        };
        let sleeper = {
            let cancel = cancel.clone();
            thread::spawn(move || {
                while cancel.allows_work() {
                    second.wait(None);
                }
            })
        };
        while !ready.load(Ordering::Acquire) {
            first.wait(None);
        }
        cancel.cancel_all();
        join([event, sleeper]);
    });
}
