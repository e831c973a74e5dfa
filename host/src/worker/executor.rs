//! What a worker works with: an instance in this process, or whatever stands for one.

use std::fmt;

use crate::block::ItemIndex;
use crate::fault::FaultKind;
use crate::outcome::{Format, Outcomes};
use crate::queue::Queue;
use crate::sandbox::watchdog::Ticks;

/// Works on items, one after the other, and keeps its state between them.
pub(crate) trait Executor {
    /// Works on the items that have no outcome yet, up to the item at `until` (exclusive) of
    /// the span, and appends an outcome for each. Between two items it asks `pause`.
    fn run(&mut self, outcomes: &mut Outcomes, until: usize, pause: &Pause<'_>) -> Ran;

    /// What the records are.
    fn format(&self) -> Format;

    /// Ends the work and gives the closing report. Called once, at the end.
    fn finish(&mut self) -> Result<Option<Vec<u8>>, Broken>;
}

/// How [`Executor::run`] ended.
#[derive(Debug)]
pub(crate) enum Ran {
    /// All items up to `until` have their outcome.
    Done,
    /// The pause was due; at least one item got its outcome.
    Yielded,
    /// The item after the last outcome broke the executor, which is never used again.
    Broken(Broken),
}

/// Runs items by a function that works on one: what an executor does whose items cross one
/// by one.
pub(crate) fn each_item(
    outcomes: &mut Outcomes,
    until: usize,
    pause: &Pause<'_>,
    mut call: impl FnMut(&mut Outcomes) -> Result<(), Broken>,
) -> Ran {
    loop {
        if let Err(broken) = call(outcomes) {
            return Ran::Broken(broken);
        }
        if outcomes.len() == until {
            return Ran::Done;
        }
        if pause.is_due(outcomes.next_index()) {
            return Ran::Yielded;
        }
    }
}

/// How an executor broke.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
#[non_exhaustive]
pub struct Broken {
    /// What the item that broke it is charged with.
    pub kind: FaultKind,
    /// What happened.
    pub message: String,
}

impl Broken {
    pub(crate) fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// Tells an executor when to leave the rest of a claim to others: when the run is being
/// stopped, or when the claim has taken far longer than a claim should. Asked for each item,
/// so it reads two atomics and no clock.
pub(crate) struct Pause<'a> {
    queue: &'a Queue,
    ticks: &'a Ticks,
    due: u64,
}

impl<'a> Pause<'a> {
    /// A claim is to take about a millisecond, and a tick is several.
    const PATIENCE: u64 = 2;

    pub(crate) fn new(queue: &'a Queue, ticks: &'a Ticks) -> Self {
        Self { queue, ticks, due: ticks.now() + Self::PATIENCE }
    }

    /// Whether the item at `next` is to be left to others.
    pub(crate) fn is_due(&self, next: ItemIndex) -> bool {
        self.queue.horizon() <= next || self.ticks.now() >= self.due
    }
}

impl fmt::Debug for Pause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pause").field("due", &self.due).finish_non_exhaustive()
    }
}
