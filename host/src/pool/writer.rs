//! Gives outcomes to the sink, on the thread that called `run`.
//!
//! ```text
//!  outcomes in their order │ written │ given: the sink holds them back │ still to be given
//!  items                   │ let go  │ held                            │ held
//! ```
//!
//! An item leaves the window when its outcome is written, so that what a sink loses is known item by item. In input
//! order the output is a prefix: it ends before the first item that was left when the run ended.

use std::collections::VecDeque;

use crate::collector::Order;
use crate::outcome::Outcomes;
use crate::pool::delivery::{Delivery, Ended, Next};
use crate::sink::{LeftOut, Sink, SinkError};

/// Gives every outcome to the sink, until the run is over or something ends it.
pub(super) fn deliver(delivery: Delivery, sink: &mut dyn Sink) -> Ended {
    let given = VecDeque::new();
    let mut writing = Writing {
        delivery,
        sink,
        given,
        held: 0,
        held_bytes: 0,
        goes_on: true,
        failed: false,
        lost: 0,
    };
    loop {
        match writing.delivery.try_next() {
            Next::Due(outcomes) => writing.take(outcomes),
            Next::End => break,
            Next::NotYet => {
                // Somebody may be waiting for the last record.
                writing.flush();
                match writing.delivery.next() {
                    Some(outcomes) => writing.take(outcomes),
                    None => break,
                }
            }
        }
    }
    writing.flush();
    writing.delivery.end()
}

/// A sink, what it was given, and whether anything more goes there.
struct Writing<'a> {
    delivery: Delivery,
    sink: &'a mut dyn Sink,
    given: VecDeque<Given>,
    /// The number of outcomes in `given` that were given.
    held: usize,
    /// The memory of the items in `given`, in bytes.
    held_bytes: usize,
    /// True while more is to be written.
    goes_on: bool,
    /// Whether the sink has failed.
    failed: bool,
    /// The number of outcomes that it lost then, beside those that it says it holds.
    lost: usize,
}

/// Outcomes of which the first were given to the sink.
struct Given {
    outcomes: Outcomes,
    items: usize,
    /// The number of those that turned out to be written.
    written: usize,
}

impl Writing<'_> {
    /// Writes outcomes up to where writing ends.
    fn take(&mut self, outcomes: Outcomes) {
        let had_failed = self.failed;
        // What nobody worked on is not written, and in order nothing behind it.
        let is_left = outcomes.is_left();
        let ends = is_left && self.delivery.run.order == Order::Input && !self.sink.stands_alone();
        self.goes_on &= !ends;
        let items = if is_left { 0 } else { self.write(&outcomes) };
        self.delivery.count(&outcomes);
        self.held += items;
        self.held_bytes += outcomes.span().total_cost();
        self.given.push_back(Given { outcomes, items, written: 0 });
        if self.failed && !had_failed && self.sink.held() > 0 {
            // What it lost is lost, but what it holds back may be good.
            let flushed = self.sink.flush();
            self.check(flushed);
            // It may have forgotten the outcome with which it failed.
            self.lost += usize::from(self.unwritten() == 0);
        }
        self.let_go(self.unwritten());
        // Otherwise the reader would wait until nothing comes any more.
        if self.delivery.run.queue.are_many(self.held, self.held_bytes) {
            self.flush();
        }
    }

    /// Gives outcomes to the sink; returns how many of them it was given.
    fn write(&mut self, outcomes: &Outcomes) -> usize {
        let mut left = outcomes.iter();
        if outcomes.first_fault().is_none() && !self.failed && self.goes_on {
            let taken = self.sink.write_many(&mut left);
            self.check_write(taken);
        }
        let mut given = left.given();
        for outcome in left {
            if self.failed || !self.goes_on {
                break;
            }
            let taken = self.sink.write(&outcome);
            self.check_write(taken);
            given += 1;
            let run = &self.delivery.run;
            self.goes_on = outcome.result.is_ok() || run.policy.writes_on(run.order);
        }
        given
    }

    /// Lets the sink pass on what it holds back.
    fn flush(&mut self) {
        if !self.failed {
            let flushed = self.sink.flush();
            self.check(flushed);
        }
        // One that was flushed holds nothing back, whatever it says.
        self.let_go(if self.failed { self.unwritten() } else { 0 });
    }

    /// Lets go of the outcomes that are written, which are all but the last `held` that were given, and of those that
    /// will not be.
    fn let_go(&mut self, held: usize) {
        let mut settled = 0;
        for Given { outcomes, items, written } in &mut self.given {
            let later = self.held - *items;
            // Some of it may still be written, or is not to be told of before what comes earlier is.
            if held > later && !self.failed {
                break;
            }
            *written = *items - held.saturating_sub(later).min(*items);
            self.held -= *items;
            self.held_bytes -= outcomes.span().total_cost();
            settled += 1;
            for (at, outcome) in outcomes.iter().enumerate().skip(*written) {
                let why = if at < *items { LeftOut::Lost } else { LeftOut::Behind };
                if let Err(error) = self.sink.left_out(&outcome, why) {
                    self.delivery.run.fail(error.into());
                }
            }
        }
        let settled = self.given.drain(..settled);
        self.delivery.release(settled.map(|given| (given.outcomes, given.written)));
    }

    /// Returns how many of the outcomes that were given are not written.
    fn unwritten(&self) -> usize {
        self.sink.held() + self.lost
    }

    /// Notes whether the sink took what it was given last.
    fn check_write(&mut self, taken: Result<(), SinkError>) {
        // One that holds nothing back need not say that it has lost this one.
        self.lost += usize::from(taken.is_err() && self.sink.held() == 0);
        self.check(taken);
    }

    /// A sink that fails ends the run.
    fn check(&mut self, taken: Result<(), SinkError>) {
        if let Err(error) = taken {
            self.failed = true;
            self.delivery.run.fail(error.into());
        }
    }
}
