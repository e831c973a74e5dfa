//! Gives outcomes to the sink, on the thread that called `run`.
//!
//! ```text
//!  outcomes in their order │ written  │ given: the sink holds them back │ not given yet
//!  items                   │ released │ held                            │ held
//! ```
//!
//! An item leaves the window only when its outcome is written. So, if the sink fails, the run knows the items whose
//! outcomes the sink has lost. If results are in input order, the output is a prefix of the complete output. The prefix
//! ends before the first item whose outcome was not written.

use std::collections::VecDeque;

use crate::collector::Order;
use crate::outcome::Outcomes;
use crate::pool::consumer::{Consumer, Next, RunResult};
use crate::sink::{OmitReason, Sink, SinkError};

/// Gives every outcome to the sink until the run ends.
pub(super) fn deliver(consumer: Consumer, sink: &mut dyn Sink) -> RunResult {
    let given = VecDeque::new();
    let mut writer = SinkWriter {
        consumer,
        sink,
        given,
        received: 0,
        given_bytes: 0,
        is_open: true,
        failed: false,
        lost: 0,
    };
    loop {
        match writer.consumer.try_next() {
            Next::Due(outcomes) => writer.take(outcomes),
            Next::End => break,
            Next::NotYet => {
                // A reader of the output may be waiting for the last record.
                writer.flush();
                match writer.consumer.next() {
                    Some(outcomes) => writer.take(outcomes),
                    None => break,
                }
            }
        }
    }
    writer.flush();
    writer.consumer.end()
}

/// A sink, and the outcomes that it has received and may still hold back.
struct SinkWriter<'a> {
    consumer: Consumer,
    sink: &'a mut dyn Sink,
    given: VecDeque<GivenOutcomes>,
    /// The number of outcomes in `given` that the sink has received.
    received: usize,
    /// The memory of the items in `given`, in bytes.
    given_bytes: usize,
    /// True while the sink may receive more outcomes.
    is_open: bool,
    /// True if the sink has failed.
    failed: bool,
    /// The number of outcomes that the sink has lost, in addition to those in [`Sink::unwritten`].
    lost: usize,
}

/// Outcomes that were given to the sink.
struct GivenOutcomes {
    outcomes: Outcomes,
    /// The number of outcomes that the sink has received: the first ones.
    given: usize,
    /// The number of outcomes that the sink has written.
    written: usize,
}

impl SinkWriter<'_> {
    /// Gives outcomes to the sink, as far as the policy allows, and counts all of them.
    fn take(&mut self, outcomes: Outcomes) {
        let had_failed = self.failed;
        // Items that were not run are not written. In input order, the output ends before the first of them.
        let is_leftover = outcomes.is_leftover();
        let ends = is_leftover
            && self.consumer.run.order == Order::Input
            && !self.sink.has_separate_records();
        self.is_open &= !ends;
        let items = if is_leftover { 0 } else { self.write(&outcomes) };
        self.consumer.count(&outcomes);
        self.received += items;
        self.given_bytes += outcomes.span().total_cost();
        self.given.push_back(GivenOutcomes { outcomes, given: items, written: 0 });
        if self.failed && !had_failed && self.sink.unwritten() > 0 {
            // The sink has lost the outcome on which it failed, but it may still write the outcomes that it holds
            // back.
            let flushed = self.sink.flush();
            self.check(flushed);
            // The sink may not count the outcome on which it failed.
            self.lost += usize::from(self.unwritten() == 0);
        }
        self.release_settled(self.unwritten());
        // Otherwise the reader would wait for room until the input pauses.
        if self.consumer.run.queue.should_release(self.received, self.given_bytes) {
            self.flush();
        }
    }

    /// Gives outcomes to the sink, and returns how many it received.
    fn write(&mut self, outcomes: &Outcomes) -> usize {
        let mut left = outcomes.iter();
        if outcomes.first_fault().is_none() && !self.failed && self.is_open {
            let result = self.sink.write_many(&mut left);
            self.check_write(result);
        }
        let mut given = left.given();
        for outcome in left {
            if self.failed || !self.is_open {
                break;
            }
            let result = self.sink.write(&outcome);
            self.check_write(result);
            given += 1;
            let run = &self.consumer.run;
            self.is_open = outcome.result.is_ok() || run.policy.writes_after_fault(run.order);
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

    /// Releases the outcomes that the sink has written, and the outcomes that it will never write. The sink has written
    /// all outcomes that it has received, except for the last `held`.
    fn release_settled(&mut self, held: usize) {
        let mut settled = 0;
        for GivenOutcomes { outcomes, given: items, written } in &mut self.given {
            let later = self.received - *items;
            // Some of these outcomes may still be written, and lost outcomes are reported in order.
            if held > later && !self.failed {
                break;
            }
            *written = *items - held.saturating_sub(later).min(*items);
            self.received -= *items;
            self.given_bytes -= outcomes.span().total_cost();
            settled += 1;
            for (at, outcome) in outcomes.iter().enumerate().skip(*written) {
                let reason = if at < *items { OmitReason::Lost } else { OmitReason::NotReached };
                if let Err(error) = self.sink.omit(&outcome, reason) {
                    self.consumer.run.fail(error.into());
                }
            }
        }
        let settled = self.given.drain(..settled);
        self.consumer.release(settled.map(|given| (given.outcomes, given.written)));
    }

    /// Returns how many outcomes the sink has received but not written.
    fn unwritten(&self) -> usize {
        self.sink.unwritten() + self.lost
    }

    /// Notes whether the sink accepted the last outcomes.
    fn check_write(&mut self, result: Result<(), SinkError>) {
        // A sink that holds nothing back does not count the outcome that it has just lost.
        self.lost += usize::from(result.is_err() && self.sink.unwritten() == 0);
        self.check(result);
    }

    /// Ends the run if the sink failed.
    fn check(&mut self, result: Result<(), SinkError>) {
        if let Err(error) = result {
            self.failed = true;
            self.consumer.run.fail(error.into());
        }
    }
}
