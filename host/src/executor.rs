//! The executor of a worker: an instance in this process, a child process, or native code.

pub(crate) mod native;
mod ran;
pub(crate) mod retirement;
pub(crate) mod start_error;

pub(crate) use self::ran::Ran;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::control::cancel::End;
use crate::control::watchdog::Ticks;
use crate::executor::start_error::StartError;
use crate::item::failure::Broken;
use crate::item::format::Format;
use crate::outcome::{Outcomes, Stand};
use crate::queue::{Claim, Loan, Reach, Rest, SharedReach};

/// Works on items, one after the other, and keeps its state between them.
pub(crate) trait Executor {
    /// Works on the items that have no outcome yet, up to the item at `until` (exclusive) of
    /// the span, and appends an outcome for each. The first of them is started; each other one
    /// is asked for of `turns`. An item whose fault is to be tried again is the last one.
    fn run(&mut self, outcomes: &mut Outcomes, until: usize, turns: &Turns<'_>) -> Ran;

    /// What the records are.
    fn format(&self) -> Format;

    /// Whether it may have a closing report.
    fn has_report(&self) -> bool;

    /// Ends the work and gives the closing report. Called once, at the end of its life.
    fn finish(&mut self) -> Result<Option<Vec<u8>>, Broken>;
}

/// Opens an executor: at the start, and again when it is to be replaced.
pub(crate) type Open = Box<dyn FnMut() -> Result<Box<dyn Executor>, StartError> + Send>;

/// Takes outcomes while their worker is still on a later item of the same claim.
pub(crate) trait Outlet: Send + Sync {
    /// Takes the outcomes that are there, or leaves them where they are. Returns whether nothing is left: if something
    /// is, it is to be asked again.
    fn hand_over(&self, outcomes: &mut Outcomes) -> bool;

    /// Lets whoever waits for outcomes take them from `tray`, since nothing interrupts the worker.
    fn offer(&self, tray: &Arc<Tray>);
}

/// The outcomes of a worker that nothing interrupts. Its thread adds to them, and the consumer takes from them
/// when it waits for results.
#[derive(Debug, Default)]
pub(crate) struct Tray(Mutex<Outcomes>);

impl Tray {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Outcomes> {
        // No code of others runs under it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs items by a function that works on one, and returns how far the outcomes are: what an executor does whose
/// items cross one by one.
pub(crate) fn each_item(
    until: usize,
    turns: &Turns<'_>,
    mut call: impl FnMut() -> Result<Stand, Broken>,
) -> Ran {
    loop {
        let stand = match call() {
            Ok(stand) => stand,
            Err(broken) => return Ran::Broken(broken),
        };
        if stand.len == until {
            return Ran::Done;
        }
        if stand.is_due || !turns.start_next() {
            return Ran::Yielded;
        }
    }
}

/// Gives an executor the items of a claim, one after the other, as long as it is to go on:
/// until others have the rest, the run is stopped, or the claim has taken far longer than a
/// claim should. Asked for each item, so it reads no clock.
pub(crate) struct Turns<'a> {
    /// None in a process that has the items from another one.
    claim: Option<&'a Claim<'a>>,
    reach: Reach<'a>,
    ticks: &'a Ticks,
    end: &'a End,
    outlet: &'a Arc<dyn Outlet>,
    due: u64,
}

impl<'a> Turns<'a> {
    /// A claim is to take about a millisecond, and a tick is several.
    const PATIENCE: u64 = 2;

    pub(crate) fn new(
        claim: &'a Claim<'a>,
        ticks: &'a Ticks,
        end: &'a End,
        outlet: &'a Arc<dyn Outlet>,
    ) -> Self {
        Self { claim: Some(claim), ..Self::borrowed(claim.reach(), ticks, end, outlet) }
    }

    /// Of items that another process has claimed, and lent to this one.
    pub(crate) fn borrowed(
        reach: Reach<'a>,
        ticks: &'a Ticks,
        end: &'a End,
        outlet: &'a Arc<dyn Outlet>,
    ) -> Self {
        Self { claim: None, reach, ticks, end, outlet, due: ticks.now() + Self::PATIENCE }
    }

    /// Returns where outcomes go while a later item takes its time.
    pub(crate) fn outlet(&self) -> &'a Arc<dyn Outlet> {
        self.outlet
    }

    /// Lends the items to another process: see [`Claim::lend`].
    pub(crate) fn lend(&self, page: Arc<dyn SharedReach>, sent: usize) -> Loan<'a> {
        self.claim.expect("what is borrowed is not lent").lend(page, sent)
    }

    /// When the items are to be done, once the run is to end.
    pub(crate) fn end(&self) -> &'a End {
        self.end
    }

    /// What gives back items that were started ahead of their turns; none in a process that has the
    /// items from another one, where each item has its turn.
    pub(crate) fn rest(&self) -> Option<Rest> {
        self.claim.map(Claim::rest)
    }

    /// Starts up to `most` more items ahead of their turns, with one that is started; says how many.
    pub(crate) fn start_ahead(&self, most: usize) -> usize {
        if self.ticks.now() >= self.due {
            return 0;
        }
        self.reach.start_ahead(u32::try_from(most).unwrap_or(u32::MAX)) as usize
    }

    /// Starts the next item; false when it is not this worker's any more.
    pub(crate) fn start_next(&self) -> bool {
        self.ticks.now() < self.due && self.reach.start_next()
    }
}

impl fmt::Debug for Turns<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turns").field("due", &self.due).finish_non_exhaustive()
    }
}
