//! Gives outcomes to the sink, on the thread that called `run`.

use crate::outcome::Outcomes;
use crate::pool::delivery::{Delivery, Ended, Next};
use crate::pool::run::Run;
use crate::sink::{Sink, SinkError};

/// Gives every outcome to the sink, until the run is over or something ends it.
pub(super) fn deliver(mut delivery: Delivery, sink: &mut dyn Sink) -> Ended {
    let mut writing = Writing { sink, goes_on: true, failed: false };
    let mut waiting = Vec::new();
    loop {
        let outcomes = match delivery.try_next() {
            Next::Due(outcomes) => outcomes,
            Next::End => break,
            Next::NotYet => {
                // Somebody may be waiting for the last record.
                writing.flush(&delivery.run);
                match delivery.next() {
                    Some(outcomes) => outcomes,
                    None => break,
                }
            }
        };
        // Items that were not run are written only where one after them was.
        let is_not_run = outcomes.is_not_run();
        waiting.push(outcomes);
        if is_not_run {
            continue;
        }
        for outcomes in waiting.drain(..) {
            let delivered = writing.write(&outcomes, &delivery.run);
            delivery.settle(outcomes, delivered);
        }
    }
    for outcomes in waiting {
        delivery.settle(outcomes, 0);
    }
    writing.flush(&delivery.run);
    delivery.end()
}

/// A sink, and whether anything more goes there.
struct Writing<'a> {
    sink: &'a mut dyn Sink,
    /// Whether the policy still wants outcomes written.
    goes_on: bool,
    /// Whether the sink has failed.
    failed: bool,
}

impl Writing<'_> {
    /// Writes outcomes up to where writing ends; says how many were written.
    fn write(&mut self, outcomes: &Outcomes, run: &Run) -> usize {
        let mut written = 0;
        let mut left = outcomes.iter();
        if outcomes.first_fault().is_none() && !self.failed && self.goes_on {
            let taken = self.sink.write_many(&mut left);
            self.check(taken, run);
            written = left.given().saturating_sub(usize::from(self.failed));
        }
        for outcome in left {
            if self.failed || !self.goes_on {
                break;
            }
            let taken = self.sink.write(&outcome);
            self.check(taken, run);
            written += usize::from(!self.failed);
            self.goes_on = outcome.result.is_ok() || run.policy.writes_on(run.order);
        }
        written
    }

    fn flush(&mut self, run: &Run) {
        if !self.failed {
            let flushed = self.sink.flush();
            self.check(flushed, run);
        }
    }

    /// A sink that fails ends the run.
    fn check(&mut self, taken: Result<(), SinkError>, run: &Run) {
        if let Err(error) = taken {
            self.failed = true;
            run.fail(error.into());
        }
    }
}
