//! Deadlines for a child.

use std::time::{Duration, Instant};

use crate::control::deadline::{Overdue, Phase, Watch};
use crate::isolation::child_connection::WaitPolicy;
use crate::isolation::claim_page::ClaimPage;

/// The interval at which the parent checks whether the child has started another item.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// The event for which the parent waits. It decides the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// The child is jailed and has its code.
    ToBeReady,
    /// A phase of the guest, which the watch of the worker limits.
    Watched,
    /// A task with the given time limit.
    For(Duration),
}

/// The items that the child was sent. Each item has its own time.
#[derive(Debug)]
struct Items<'a> {
    /// The page by which the child reports its progress.
    page: &'a ClaimPage,
    /// The number of items that the child was sent.
    sent: u32,
    /// The highest number of started items that the child has reported.
    started: u32,
}

impl Items<'_> {
    /// Returns whether the number of started items that the child reports has grown since the last
    /// call. A reported number above the number of sent items is ignored. So the method returns
    /// true at most once for each sent item, and a child that sends false reports cannot delay its
    /// deadline forever.
    fn has_advanced(&mut self) -> bool {
        let (_, reported, _) = self.page.progress().load();
        let has_advanced = self.started < reported && reported <= self.sent;
        if has_advanced {
            self.started = reported;
        }
        has_advanced
    }
}

/// A wait that ends when the watch of the worker or a fixed time ends it.
#[derive(Debug)]
pub(super) struct ChildDeadline<'a> {
    watch: &'a Watch,
    items: Option<Items<'a>>,
    /// The fixed end of the wait and its length, if it has one.
    fixed: Option<(Instant, Duration)>,
}

impl<'a> ChildDeadline<'a> {
    pub(super) fn of(watch: &'a Watch) -> Self {
        Self { watch, items: None, fixed: None }
    }

    /// Returns a wait that ends after `time`, or earlier if the deadline of the watch comes first.
    pub(super) fn with_timeout(watch: &'a Watch, time: Duration) -> Self {
        Self { fixed: Some((Instant::now() + time, time)), ..Self::of(watch) }
    }

    /// Returns a wait for `sent` items. The time limit restarts whenever the child starts an item.
    /// The wait treats the first item as started from the beginning.
    pub(super) fn of_items(watch: &'a Watch, page: &'a ClaimPage, sent: usize) -> Self {
        let sent = u32::try_from(sent).unwrap_or(u32::MAX);
        Self { items: Some(Items { page, sent, started: 1 }), ..Self::of(watch) }
    }
}

impl WaitPolicy for ChildDeadline<'_> {
    fn next_deadline(&mut self) -> Result<Option<Instant>, Overdue> {
        if self.items.as_mut().is_some_and(Items::has_advanced) {
            self.watch.begin(Phase::Item);
        }
        self.watch.check()?;
        let end = self.watch.end().map(|end| match self.items {
            // The child may start the next item before this end.
            Some(_) => end.min(Instant::now() + POLL_INTERVAL),
            None => end,
        });
        let Some((fixed, time)) = self.fixed else { return Ok(end) };
        if fixed <= Instant::now() {
            return Err(Overdue::Limit(time));
        }
        Ok(Some(end.map_or(fixed, |end| end.min(fixed))))
    }
}

#[cfg(test)]
mod tests;
