//! Gives outcomes to the sink, on the thread that called `run`.
//!
//! ```text
//!  outcomes in their order │ written  │ given: the sink holds them back │ still to be given
//!  items                   │ released │ held                            │ held
//! ```
//!
//! An item leaves the window when its outcome is written, so each item that a sink loses is known. In input order, the
//! output is a prefix: it ends before the first item that was left when the run ended.

use std::collections::VecDeque;

use crate::collector::Order;
use crate::outcome::Outcomes;
use crate::pool::consumer::{Consumer, Next, RunOutcome};
use crate::sink::{OmitReason, Sink, SinkError};

/// Gives every outcome to the sink until the run ends.
pub(super) fn deliver(delivery: Consumer, sink: &mut dyn Sink) -> RunOutcome {
    let given = VecDeque::new();
    let mut writing = SinkWriter {
        delivery,
        sink,
        given,
        held: 0,
        held_bytes: 0,
        is_open: true,
        failed: false,
        lost: 0,
    };
    loop {
        match writing.delivery.try_next() {
            Next::Due(outcomes) => writing.take(outcomes),
            Next::End => break,
            Next::NotYet => {
                // A reader of the output may be waiting for the last record.
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

/// A sink, and the outcomes that it has received and may still hold back.
struct SinkWriter<'a> {
    delivery: Consumer,
    sink: &'a mut dyn Sink,
    given: VecDeque<GivenOutcomes>,
    /// The number of outcomes in `given` that the sink has received.
    held: usize,
    /// The memory of the items in `given`, in bytes.
    held_bytes: usize,
    /// True while the sink shall receive more outcomes.
    is_open: bool,
    /// True if the sink has failed.
    failed: bool,
    /// The number of outcomes that the sink has lost, in addition to those in [`Sink::held`].
    lost: usize,
}

/// Outcomes. The sink has received the first `items` of them.
struct GivenOutcomes {
    outcomes: Outcomes,
    given: usize,
    /// The number of outcomes that the sink has written.
    written: usize,
}

impl SinkWriter<'_> {
    /// Gives outcomes to the sink, as far as the policy allows, and counts all of them.
    fn take(&mut self, outcomes: Outcomes) {
        let had_failed = self.failed;
        // Items that were not run are not written. In input order, the output ends before the first of them.
        let is_left = outcomes.is_leftover();
        let ends = is_left && self.delivery.run.order == Order::Input && !self.sink.stands_alone();
        self.is_open &= !ends;
        let items = if is_left { 0 } else { self.write(&outcomes) };
        self.delivery.count(&outcomes);
        self.held += items;
        self.held_bytes += outcomes.span().total_cost();
        self.given.push_back(GivenOutcomes { outcomes, given: items, written: 0 });
        if self.failed && !had_failed && self.sink.held() > 0 {
            // The sink has lost the outcome on which it failed, but it may still write the outcomes that it holds
            // back.
            let flushed = self.sink.flush();
            self.check(flushed);
            // The sink may not count the outcome on which it failed.
            self.lost += usize::from(self.unwritten() == 0);
        }
        self.release_settled(self.unwritten());
        // Otherwise the reader would wait for room until the input pauses.
        if self.delivery.run.queue.should_release(self.held, self.held_bytes) {
            self.flush();
        }
    }

    /// Gives outcomes to the sink, and returns how many it received.
    fn write(&mut self, outcomes: &Outcomes) -> usize {
        let mut left = outcomes.iter();
        if outcomes.first_fault().is_none() && !self.failed && self.is_open {
            let taken = self.sink.write_many(&mut left);
            self.check_write(taken);
        }
        let mut given = left.given();
        for outcome in left {
            if self.failed || !self.is_open {
                break;
            }
            let taken = self.sink.write(&outcome);
            self.check_write(taken);
            given += 1;
            let run = &self.delivery.run;
            self.is_open = outcome.result.is_ok() || run.policy.writes_on(run.order);
        }
        given
    }

    /// Makes the sink write the outcomes that it holds back.
    fn flush(&mut self) {
        if !self.failed {
            let flushed = self.sink.flush();
            self.check(flushed);
        }
        // A sink that was flushed holds nothing back, whatever `held` returns.
        self.release_settled(if self.failed { self.unwritten() } else { 0 });
    }

    /// Releases the outcomes that are written, and those that never will be. All outcomes that the sink has received
    /// are written, except for the last `held`.
    fn release_settled(&mut self, held: usize) {
        let mut settled = 0;
        for GivenOutcomes { outcomes, given: items, written } in &mut self.given {
            let later = self.held - *items;
            // Some of these outcomes may still be written, and lost outcomes are reported in order.
            if held > later && !self.failed {
                break;
            }
            *written = *items - held.saturating_sub(later).min(*items);
            self.held -= *items;
            self.held_bytes -= outcomes.span().total_cost();
            settled += 1;
            for (at, outcome) in outcomes.iter().enumerate().skip(*written) {
                let why = if at < *items { OmitReason::Lost } else { OmitReason::NotReached };
                if let Err(error) = self.sink.left_out(&outcome, why) {
                    self.delivery.run.fail(error.into());
                }
            }
        }
        let settled = self.given.drain(..settled);
        self.delivery.release(settled.map(|given| (given.outcomes, given.written)));
    }

    /// Returns how many outcomes the sink has received but not written.
    fn unwritten(&self) -> usize {
        self.sink.held() + self.lost
    }

    /// Notes whether the sink accepted the last outcomes.
    fn check_write(&mut self, taken: Result<(), SinkError>) {
        // A sink that holds nothing back does not count the outcome that it has just lost.
        self.lost += usize::from(taken.is_err() && self.sink.held() == 0);
        self.check(taken);
    }

    /// Ends the run if the sink failed.
    fn check(&mut self, taken: Result<(), SinkError>) {
        if let Err(error) = taken {
            self.failed = true;
            self.delivery.run.fail(error.into());
        }
    }
}
