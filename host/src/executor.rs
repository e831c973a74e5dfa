//! The executor of a worker: an instance in this process, a child process, or native code.

mod execution_end;
pub(crate) mod native;
pub(crate) mod retirement;
pub(crate) mod start_error;

pub(crate) use self::execution_end::ExecutionEnd;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::control::cancel::EndTime;
use crate::control::watchdog::Ticks;
use crate::executor::start_error::StartError;
use crate::item::format::Format;
use crate::item::instance_failure::InstanceFailure;
use crate::outcome::{Outcomes, OutcomesState};
use crate::queue::{Claim, ClaimProgress, ClaimReturner, Loan, SharedClaimProgress};

/// An executor, which works on items one after another and keeps its state between them.
pub(crate) trait Executor {
    /// Works on the items of the span that have no outcome yet, up to position `until` (exclusive). Appends an outcome
    /// for each item.
    ///
    /// The caller has started the first of these items. The executor starts each further item through `cursor`. It
    /// stops after an item whose fault allows a retry.
    fn run(
        &mut self,
        outcomes: &mut Outcomes,
        until: usize,
        cursor: &ClaimCursor<'_>,
    ) -> ExecutionEnd;

    /// Returns the format of the records.
    fn format(&self) -> Format;

    /// Returns whether the executor may give a finish report.
    fn has_finish_report(&self) -> bool;

    /// Ends the work and returns the finish report. The worker calls this once, at the end of the executor's life.
    fn finish(&mut self) -> Result<Option<Vec<u8>>, InstanceFailure>;
}

/// A function that opens an executor. The worker calls it at the start, and again to replace the executor.
pub(crate) type Open = Box<dyn FnMut() -> Result<Box<dyn Executor>, StartError> + Send>;

/// The destination of outcomes that are handed over while their worker is still on a later item of the same claim.
pub(crate) trait Outlet: Send + Sync {
    /// Takes the outcomes, if this is possible without waiting. Returns false if outcomes remain; the caller then tries
    /// again later.
    fn hand_over(&self, outcomes: &mut Outcomes) -> bool;

    /// Lets the consumer take finished outcomes from `outcomes` at any time. The executor of a native worker calls this
    /// function before the worker starts on items, because nothing interrupts such a worker. The executor of a child
    /// process calls this function if `hand_over` returned false.
    fn offer(&self, outcomes: &Arc<SharedOutcomes>);
}

/// The outcomes that a worker shares with the consumer. The worker's thread adds each outcome and continues with the
/// next item. The consumer takes the outcomes when it waits for results.
#[derive(Debug, Default)]
pub(crate) struct SharedOutcomes(Mutex<Outcomes>);

impl SharedOutcomes {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Outcomes> {
        // No foreign code runs under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs items one by one with `call`, which works on one item and returns the state of the outcomes.
pub(crate) fn each_item(
    until: usize,
    cursor: &ClaimCursor<'_>,
    mut call: impl FnMut() -> Result<OutcomesState, InstanceFailure>,
) -> ExecutionEnd {
    loop {
        let state = match call() {
            Ok(state) => state,
            Err(failure) => return ExecutionEnd::Failed(failure),
        };
        if state.len == until {
            return ExecutionEnd::Done;
        }
        if state.is_due || !cursor.start_next() {
            return ExecutionEnd::Yielded;
        }
    }
}

/// The cursor that gives an executor the items of its claim, one after another.
///
/// The cursor ends in three cases:
///
/// * Other workers have taken the remaining items of the claim.
/// * The run is stopped.
/// * `MAX_TICKS` ticks of the watchdog have passed since the start of the claim.
///
/// The cursor measures time in ticks, because reading a clock for each item would be slow.
pub(crate) struct ClaimCursor<'a> {
    /// `None` in a process whose items another process has claimed.
    claim: Option<&'a Claim<'a>>,
    progress: ClaimProgress<'a>,
    ticks: &'a Ticks,
    end: &'a EndTime,
    outlet: &'a Arc<dyn Outlet>,
    due: u64,
}

impl<'a> ClaimCursor<'a> {
    /// The number of ticks after which the cursor starts no further item of the claim. A claim should take one
    /// millisecond, and consecutive ticks are several milliseconds apart.
    const MAX_TICKS: u64 = 2;

    pub(crate) fn new(
        claim: &'a Claim<'a>,
        ticks: &'a Ticks,
        end: &'a EndTime,
        outlet: &'a Arc<dyn Outlet>,
    ) -> Self {
        Self { claim: Some(claim), ..Self::borrowed(claim.progress(), ticks, end, outlet) }
    }

    /// Returns the cursor for items that another process has claimed and lent to this one.
    pub(crate) fn borrowed(
        progress: ClaimProgress<'a>,
        ticks: &'a Ticks,
        end: &'a EndTime,
        outlet: &'a Arc<dyn Outlet>,
    ) -> Self {
        Self { claim: None, progress, ticks, end, outlet, due: ticks.now() + Self::MAX_TICKS }
    }

    /// Returns the outlet for outcomes that are handed over while a later item is still running.
    pub(crate) fn outlet(&self) -> &'a Arc<dyn Outlet> {
        self.outlet
    }

    /// Lends the items to another process: see [`Claim::lend`].
    pub(crate) fn lend(&self, progress: Arc<dyn SharedClaimProgress>, sent: usize) -> Loan<'a> {
        self.claim.expect("borrowed items are not lent").lend(progress, sent)
    }

    /// Returns the deadline of the items, which the end of the run sets.
    pub(crate) fn end(&self) -> &'a EndTime {
        self.end
    }

    /// Returns the handle through which the executor returns early-started items to the queue. Returns `None` if
    /// another process has claimed the items: in this case, this process starts no item early.
    pub(crate) fn claim_returner(&self) -> Option<ClaimReturner> {
        self.claim.map(Claim::returner)
    }

    /// Starts up to `max` more items early, while the executor works on one item. Returns their number.
    pub(crate) fn start_ahead(&self, max: usize) -> usize {
        if self.ticks.now() >= self.due {
            return 0;
        }
        self.progress.start_ahead(u32::try_from(max).unwrap_or(u32::MAX)) as usize
    }

    /// Starts the next item. Returns false if it no longer belongs to this worker.
    pub(crate) fn start_next(&self) -> bool {
        self.ticks.now() < self.due && self.progress.start_next()
    }
}

impl fmt::Debug for ClaimCursor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimCursor").field("due", &self.due).finish_non_exhaustive()
    }
}
