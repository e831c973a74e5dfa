//! The consumer of a run: it takes outcomes from the workers, yields them in the requested order, and counts them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvError, RecvTimeoutError, TryRecvError};

use crate::collector::Collector;
use crate::collector::policy::{ErrorPolicy, MaxFaults};
use crate::control::stop::StopFlag;
use crate::item::fault::{Fault, FaultKind};
use crate::outcome::Outcomes;
use crate::pool::reader::Reader;
use crate::queue::Leftover;
use crate::run::Run;
use crate::run::error::Error;
use crate::stats::{Counts, Summary};

/// The end of a run: the summary, and the error if the run had one.
///
/// ```
/// use mtl_host::{Engine, Error, ErrorPolicy, Plugin, Pool};
///
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/judge.wat")?;
/// let mut pool = Pool::builder(&plugin).on_error(ErrorPolicy::Deferred).build()?;
/// let (_, _, ended) = pool.map(["good", "!bad"]).collect_all();
/// assert_eq!(ended.summary.counts.records(), 1, "a failed run has a summary");
/// assert!(matches!(ended.into_result(), Err(Error::ItemsFailed(_))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a run may have ended with an error"]
#[non_exhaustive]
pub struct RunResult {
    /// The counts of the run. They are complete even if the run failed.
    pub summary: Summary,
    /// The error that ended the run, or that failed items cause at its end.
    pub error: Option<Error>,
}

impl RunResult {
    pub(super) fn not_started(error: Error) -> Self {
        Self { summary: Summary::default(), error: Some(error) }
    }

    /// Returns the summary, or the error.
    ///
    /// # Errors
    ///
    /// Fails with the error of the run, if the run had one.
    pub fn into_result(self) -> Result<Summary, Error> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.summary),
        }
    }
}

/// The result of [`Consumer::try_next`].
#[derive(Debug)]
pub(super) enum Next {
    /// The next outcomes in order. The caller must settle them after use.
    Due(Outcomes),
    /// No outcomes yet: [`Consumer::next`] would wait.
    NotYet,
    /// The run is over.
    End,
}

/// The consumer's side of one run.
#[derive(Debug)]
pub(super) struct Consumer {
    pub(super) run: Arc<Run>,
    pub(super) reader: Reader,
    pub(super) inbox: Option<Receiver<Outcomes>>,
    pub(super) collector: Collector,
    pub(super) max_faults: MaxFaults,
    pub(super) tally: Tally,
    pub(super) stop: StopFlag,
    /// True after the run has taken back the tickets of workers that had not started.
    pub(super) has_recalled: bool,
    /// The time at which the consumer last fetched the outcomes of native workers.
    pub(super) last_fetch: Instant,
}

/// The counts of the items that the consumer has settled.
#[derive(Debug)]
pub(super) struct Tally {
    start: Instant,
    counts: Counts,
    delivered: u64,
    undelivered: u64,
    /// The faults that the policy needs: the first one, or all of them.
    faults: Vec<Fault>,
}

impl Tally {
    pub(super) fn begin() -> Self {
        let (counts, faults) = (Counts::default(), Vec::new());
        Self { start: Instant::now(), counts, delivered: 0, undelivered: 0, faults }
    }
}

impl Consumer {
    /// The time between two fetches of the outcomes of native workers.
    const FETCH_INTERVAL: Duration = Duration::from_millis(10);

    /// Returns the next outcomes in order, without waiting for them.
    pub(super) fn try_next(&mut self) -> Next {
        loop {
            if let Some(due) = self.collector.next_due() {
                return Next::Due(due);
            }
            match self.inbox.as_ref().map(Receiver::try_recv) {
                Some(Ok(outcomes)) => self.accept(outcomes),
                Some(Err(TryRecvError::Empty)) => return Next::NotYet,
                Some(Err(TryRecvError::Disconnected)) => self.on_workers_left(),
                None => return Next::End,
            }
        }
    }

    /// Returns the next outcomes in order, and waits for them if needed.
    pub(super) fn next(&mut self) -> Option<Outcomes> {
        loop {
            match self.try_next() {
                Next::Due(outcomes) => return Some(outcomes),
                Next::End => return None,
                Next::NotYet => {}
            }
            match self.inbox.as_ref().map(|inbox| self.receive(inbox)) {
                Some(Ok(outcomes)) => self.accept(outcomes),
                Some(Err(RecvTimeoutError::Disconnected)) => self.on_workers_left(),
                Some(Err(RecvTimeoutError::Timeout)) => self.fetch_native_outcomes(),
                None => return None,
            }
        }
    }

    fn accept(&mut self, outcomes: Outcomes) {
        // A worker sends empty outcomes only to wake this thread.
        if outcomes.len_not_handed_over() > 0 {
            self.collector.accept(outcomes);
        }
    }

    /// Waits until a worker hands over outcomes, or until it is time to call [`Self::fetch_native_outcomes`].
    fn receive(&self, inbox: &Receiver<Outcomes>) -> Result<Outcomes, RecvTimeoutError> {
        let end = self.run.deadline.get().filter(|_| !self.has_recalled);
        let next_fetch =
            self.run.early_outcomes.are_any().then(|| self.last_fetch + Self::FETCH_INTERVAL);
        match [end, next_fetch].into_iter().flatten().min() {
            Some(time) => inbox.recv_deadline(time),
            None => inbox.recv().map_err(|RecvError| RecvTimeoutError::Disconnected),
        }
    }

    /// Fetches the outcomes of native workers. After the run's deadline, the consumer no longer waits for workers that
    /// have not started.
    fn fetch_native_outcomes(&mut self) {
        self.last_fetch = Instant::now();
        for outcomes in self.run.early_outcomes.take(&self.run.buffers) {
            self.run.apply_policy(&outcomes);
            self.run.queue.hold(outcomes.result_bytes());
            self.collector.accept(outcomes);
        }
        if self.run.deadline.get().is_some_and(|end| end <= Instant::now()) {
            self.has_recalled = true;
            self.run.recall();
        }
    }

    /// Ends the run when all workers have left. Items that no worker has claimed count as not run.
    fn on_workers_left(&mut self) {
        self.inbox = None;
        // Without workers, nothing would take the items that the reader reads.
        self.run.stop();
        self.reader.end();
        for Leftover { span, was_started } in self.run.queue.take_leftovers() {
            let outcomes =
                if was_started { Outcomes::of_lost_items(span) } else { Outcomes::not_run(span) };
            self.run.queue.hold(outcomes.result_bytes());
            self.collector.accept(outcomes);
        }
    }

    /// Counts outcomes and releases their items. The first `delivered` of the outcomes were passed on.
    pub(super) fn settle(&mut self, outcomes: Outcomes, delivered: usize) {
        self.count(&outcomes);
        self.release([(outcomes, delivered)]);
    }

    /// Counts outcomes, and ends the run if too many items failed.
    pub(super) fn count(&mut self, outcomes: &Outcomes) {
        let before = self.tally.counts;
        self.tally.counts.add(outcomes);
        if !outcomes.is_leftover() {
            outcomes.faults().for_each(|fault| self.keep_fault(fault));
        }
        let counts = self.tally.counts;
        let items = counts.total() - before.total();
        let failed = counts.failed() - before.failed();
        self.run.progress.advance(items, failed, outcomes.span().input_bytes());
        // A limit in percent applies only after enough items have been tried. So this check may end the run long after
        // the last failure.
        let tried = counts.total() - counts.not_run();
        if !outcomes.is_leftover() && self.max_faults.is_exceeded_by(counts.failed(), tried) {
            self.run.fail(Error::TooManyFaults { limit: self.max_faults, counts });
        }
    }

    /// Releases items that were counted. Each entry contains outcomes, and the number of these outcomes that were
    /// delivered. All items are released in one step, so that a reader that waits for room can read many items at once.
    pub(super) fn release(&mut self, settled: impl IntoIterator<Item = (Outcomes, usize)>) {
        let (mut items, mut bytes) = (0, 0);
        for (outcomes, delivered) in settled {
            // In the usual case all items are done and delivered.
            let not_run = if outcomes.is_leftover() {
                outcomes.faults().filter(|fault| fault.kind() == FaultKind::NotRun).count()
            } else {
                0
            };
            let done = outcomes.len() - not_run;
            let delivered = delivered.min(done);
            self.tally.delivered += delivered as u64;
            self.tally.undelivered += (done - delivered) as u64;
            items += outcomes.span().len();
            bytes += outcomes.span().total_cost() + outcomes.result_bytes();
            self.run.buffers.keep(outcomes.into_buffer());
        }
        if items > 0 {
            self.run.queue.release(items, bytes);
        }
    }

    fn keep_fault(&mut self, fault: &Fault) {
        let is_needed = match self.run.policy {
            ErrorPolicy::Ignore => false,
            ErrorPolicy::Immediate => self.tally.faults.is_empty(),
            ErrorPolicy::Deferred => true,
        };
        if is_needed && fault.kind() != FaultKind::NotRun {
            self.tally.faults.push(fault.clone());
        }
    }

    /// Ends the run, even if items are left, and returns its summary. Outcomes that the consumer has not taken are
    /// counted as undelivered.
    pub(super) fn end(mut self) -> RunResult {
        self.run.stop();
        while let Some(outcomes) = self.next() {
            self.settle(outcomes, 0);
        }
        let tally = &mut self.tally;
        let faults = std::mem::take(&mut tally.faults);
        let read = self.run.queue.pushed();
        let mut summary = Summary::default();
        summary.read = read;
        summary.counts = tally.counts;
        summary.delivered = tally.delivered;
        summary.undelivered = tally.undelivered;
        summary.retried = self.run.retried();
        summary.took = tally.start.elapsed();
        summary.stopped = self.stop.is_set();
        let accounted = tally.counts.total();
        self.run.span.in_scope(|| {
            let Summary { read, counts, retried, took, .. } = summary;
            let (failed, not_run) = (counts.failed(), counts.not_run());
            tracing::debug!(read, failed, not_run, retried, ?took, "the run has ended");
        });
        let error = (read != accounted).then_some(Error::Unaccounted { read, accounted });
        let error =
            error.or_else(|| self.run.take_error()).or_else(|| judge(self.run.policy, faults));
        RunResult { summary, error }
    }
}

/// Returns the error that failed items cause in a run that has done its work.
fn judge(policy: ErrorPolicy, mut faults: Vec<Fault>) -> Option<Error> {
    match policy {
        ErrorPolicy::Ignore => None,
        ErrorPolicy::Immediate => faults.pop().map(Error::ItemFailed),
        ErrorPolicy::Deferred if faults.is_empty() => None,
        ErrorPolicy::Deferred => Some(Error::ItemsFailed(faults)),
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.run.stop();
        // A worker that sends now finds no receiver, and leaves the run.
        self.inbox = None;
        self.reader.end();
    }
}
