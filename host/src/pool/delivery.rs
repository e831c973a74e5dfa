//! The consumer's end of a run: takes outcomes from the workers, gives them in the order that
//! was asked for, and keeps the account.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvError, RecvTimeoutError, TryRecvError};

use crate::collector::Collector;
use crate::collector::policy::{ErrorPolicy, MaxFaults};
use crate::control::stop::StopFlag;
use crate::item::fault::{Fault, FaultKind};
use crate::outcome::Outcomes;
use crate::pool::reader::Reader;
use crate::queue::Left;
use crate::run::Run;
use crate::run::error::Error;
use crate::stats::{Counts, Summary};

/// How a run ended: the account in any case, and the error, if there was one.
///
/// ```
/// use mtl_host::{Engine, Error, ErrorPolicy, Plugin, Pool};
///
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/judge.wat")?;
/// let mut pool = Pool::builder(&plugin).on_error(ErrorPolicy::Deferred).build()?;
/// let (_, _, ended) = pool.map(["good", "!bad"]).collect_all();
/// assert_eq!(ended.summary.counts.records(), 1, "there is an account in any case");
/// assert!(matches!(ended.into_result(), Err(Error::ItemsFailed(_))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a run may have ended with an error"]
#[non_exhaustive]
pub struct Ended {
    /// What came of it.
    pub summary: Summary,
    /// Why it ended early or badly.
    pub error: Option<Error>,
}

impl Ended {
    pub(super) fn never_begun(error: Error) -> Self {
        Self { summary: Summary::default(), error: Some(error) }
    }

    /// The account, or the error.
    ///
    /// # Errors
    ///
    /// The run's error, if there was one.
    pub fn into_result(self) -> Result<Summary, Error> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.summary),
        }
    }
}

/// What [`Delivery::next`] has.
#[derive(Debug)]
pub(super) enum Next {
    /// Outcomes whose turn it is. They are to be settled when they have been taken.
    Due(Outcomes),
    /// Nothing yet; a blocking call would wait.
    NotYet,
    /// The run is over.
    End,
}

/// A run, seen from the consumer's end.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) run: Arc<Run>,
    pub(super) reader: Reader,
    pub(super) inbox: Option<Receiver<Outcomes>>,
    pub(super) collector: Collector,
    pub(super) max_faults: MaxFaults,
    pub(super) account: Account,
    pub(super) stop: StopFlag,
    /// True if workers that had not started when the run had to end were told not to.
    pub(super) has_recalled: bool,
    /// When it was looked last what workers have done that nothing interrupts.
    pub(super) looked: Instant,
}

/// What has been delivered so far.
#[derive(Debug)]
pub(super) struct Account {
    begun: Instant,
    counts: Counts,
    delivered: u64,
    undelivered: u64,
    /// By the policy: the first fault, or all of them.
    faults: Vec<Fault>,
}

impl Account {
    pub(super) fn begin() -> Self {
        let (counts, faults) = (Counts::default(), Vec::new());
        Self { begun: Instant::now(), counts, delivered: 0, undelivered: 0, faults }
    }
}

impl Delivery {
    /// The time between two looks at the results of native workers.
    const LOOK: Duration = Duration::from_millis(10);

    /// The next outcomes that are due; does not wait for them.
    pub(super) fn try_next(&mut self) -> Next {
        loop {
            if let Some(due) = self.collector.next_due() {
                return Next::Due(due);
            }
            match self.inbox.as_ref().map(Receiver::try_recv) {
                Some(Ok(outcomes)) => self.accept(outcomes),
                Some(Err(TryRecvError::Empty)) => return Next::NotYet,
                Some(Err(TryRecvError::Disconnected)) => self.all_have_left(),
                None => return Next::End,
            }
        }
    }

    /// The next outcomes that are due; waits for them.
    pub(super) fn next(&mut self) -> Option<Outcomes> {
        loop {
            match self.try_next() {
                Next::Due(outcomes) => return Some(outcomes),
                Next::End => return None,
                Next::NotYet => {}
            }
            match self.inbox.as_ref().map(|inbox| self.receive(inbox)) {
                Some(Ok(outcomes)) => self.accept(outcomes),
                Some(Err(RecvTimeoutError::Disconnected)) => self.all_have_left(),
                Some(Err(RecvTimeoutError::Timeout)) => self.look_around(),
                None => return None,
            }
        }
    }

    fn accept(&mut self, outcomes: Outcomes) {
        // With none of them, a worker only wakes this thread.
        if outcomes.kept() > 0 {
            self.collector.accept(outcomes);
        }
    }

    /// Waits for what a worker hands over, or until it is time to look for what nobody does.
    fn receive(&self, inbox: &Receiver<Outcomes>) -> Result<Outcomes, RecvTimeoutError> {
        let end = self.run.end.get().filter(|_| !self.has_recalled);
        let look = self.run.trays.are_any().then(|| self.looked + Self::LOOK);
        match [end, look].into_iter().flatten().min() {
            Some(time) => inbox.recv_deadline(time),
            None => inbox.recv().map_err(|RecvError| RecvTimeoutError::Disconnected),
        }
    }

    /// Takes what native workers have done. A worker that has not even started when the run has to end is not
    /// waited for.
    fn look_around(&mut self) {
        self.looked = Instant::now();
        for outcomes in self.run.trays.take(&self.run.rooms) {
            self.run.apply_policy(&outcomes);
            self.run.queue.hold(outcomes.result_bytes());
            self.collector.accept(outcomes);
        }
        if self.run.end.get().is_some_and(|end| end <= Instant::now()) {
            self.has_recalled = true;
            self.run.recall();
        }
    }

    /// No worker will send anything any more: what none has claimed was not run.
    fn all_have_left(&mut self) {
        self.inbox = None;
        // Without workers, a reader that goes on would read for nobody.
        self.run.stop();
        self.reader.end();
        for Left { span, is_begun } in self.run.queue.take_left() {
            let outcomes = if is_begun { Outcomes::unknown(span) } else { Outcomes::not_run(span) };
            self.run.queue.hold(outcomes.result_bytes());
            self.collector.accept(outcomes);
        }
    }

    /// Takes outcomes into the account, of which `delivered` were handed on, and lets their
    /// items go.
    pub(super) fn settle(&mut self, outcomes: Outcomes, delivered: usize) {
        self.count(&outcomes);
        self.release([(outcomes, delivered)]);
    }

    /// Counts what became of items, and ends the run if too many failed.
    pub(super) fn count(&mut self, outcomes: &Outcomes) {
        let before = self.account.counts;
        self.account.counts.add(outcomes);
        if !outcomes.is_left() {
            outcomes.faults().for_each(|fault| self.keep(fault));
        }
        let counts = self.account.counts;
        let items = counts.total() - before.total();
        let failed = counts.failed() - before.failed();
        self.run.progress.advance(items, failed, outcomes.span().input_bytes());
        // A share may be passed by what failed long before there was enough to judge by.
        let tried = counts.total() - counts.not_run();
        if !outcomes.is_left() && self.max_faults.is_exceeded_by(counts.failed(), tried) {
            self.run.fail(Error::TooManyFaults { limit: self.max_faults, counts });
        }
    }

    /// Lets go of items that were counted, all at once: a reader that waits for room reads as many together. With the
    /// outcomes goes how many of them were handed on.
    pub(super) fn release(&mut self, all: impl IntoIterator<Item = (Outcomes, usize)>) {
        let (mut items, mut bytes) = (0, 0);
        for (outcomes, delivered) in all {
            // As a rule all are done and delivered.
            let not_run = if outcomes.is_left() {
                outcomes.faults().filter(|fault| fault.kind() == FaultKind::NotRun).count()
            } else {
                0
            };
            let done = outcomes.len() - not_run;
            let delivered = delivered.min(done);
            self.account.delivered += delivered as u64;
            self.account.undelivered += (done - delivered) as u64;
            items += outcomes.span().len();
            bytes += outcomes.span().total_cost() + outcomes.result_bytes();
            self.run.rooms.keep(outcomes.into_room());
        }
        if items > 0 {
            self.run.queue.release(items, bytes);
        }
    }

    fn keep(&mut self, fault: &Fault) {
        let wanted = match self.run.policy {
            ErrorPolicy::Ignore => false,
            ErrorPolicy::Immediate => self.account.faults.is_empty(),
            ErrorPolicy::Deferred => true,
        };
        if wanted && fault.kind() != FaultKind::NotRun {
            self.account.faults.push(fault.clone());
        }
    }

    /// Ends the run, however far it is, and closes the account. What was not taken out is
    /// counted, not delivered.
    pub(super) fn end(mut self) -> Ended {
        self.run.stop();
        while let Some(outcomes) = self.next() {
            self.settle(outcomes, 0);
        }
        let account = &mut self.account;
        let faults = std::mem::take(&mut account.faults);
        let read = self.run.queue.pushed();
        let mut summary = Summary::default();
        summary.read = read;
        summary.counts = account.counts;
        summary.delivered = account.delivered;
        summary.undelivered = account.undelivered;
        summary.retried = self.run.retried();
        summary.took = account.begun.elapsed();
        summary.stopped = self.stop.is_set();
        let accounted = account.counts.total();
        self.run.span.in_scope(|| {
            let Summary { read, counts, retried, took, .. } = summary;
            let (failed, not_run) = (counts.failed(), counts.not_run());
            tracing::debug!(read, failed, not_run, retried, ?took, "the run has ended");
        });
        let error = (read != accounted).then_some(Error::Unaccounted { read, accounted });
        let error =
            error.or_else(|| self.run.take_error()).or_else(|| judge(self.run.policy, faults));
        Ended { summary, error }
    }
}

/// The error that failed items make of a run whose work is done.
fn judge(policy: ErrorPolicy, mut faults: Vec<Fault>) -> Option<Error> {
    match policy {
        ErrorPolicy::Ignore => None,
        ErrorPolicy::Immediate => faults.pop().map(Error::ItemFailed),
        ErrorPolicy::Deferred if faults.is_empty() => None,
        ErrorPolicy::Deferred => Some(Error::ItemsFailed(faults)),
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.run.stop();
        // Workers that want to send find nobody, and leave.
        self.inbox = None;
        self.reader.end();
    }
}
