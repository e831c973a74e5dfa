//! The time for which a child is waited for.

use std::time::{Duration, Instant};

use crate::control::deadline::{Overdue, Phase, Watch};
use crate::isolation::claim_page::ClaimPage;
use crate::isolation::link::Patience;

/// How often one looks whether the child has gone on to another item.
const LOOK: Duration = Duration::from_millis(250);

/// What a child is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// To be jailed and to have its code.
    ToBeReady,
    /// What its deadline is for.
    Watched,
    /// What is to be done within this time.
    For(Duration),
}

/// The items that the child has: each has its own time.
#[derive(Debug)]
struct Items<'a> {
    /// Where the child says which one it is on.
    page: &'a ClaimPage,
    /// How many it was sent.
    sent: u32,
    /// How many it has started, by what it said so far.
    started: u32,
}

impl Items<'_> {
    /// Whether the child has gone on to another item. It does so no more often than it has items,
    /// and never goes back, so that it cannot have more time by saying so.
    fn have_gone_on(&mut self) -> bool {
        let (_, told, _) = self.page.reach().told();
        let gone_on = self.started < told && told <= self.sent;
        if gone_on {
            self.started = told;
        }
        gone_on
    }
}

/// Waits as long as the watch of the worker allows.
#[derive(Debug)]
pub(super) struct Guard<'a> {
    watch: &'a Watch,
    items: Option<Items<'a>>,
    /// Until when, and how long that is from the begin.
    by: Option<(Instant, Duration)>,
}

impl<'a> Guard<'a> {
    pub(super) fn of(watch: &'a Watch) -> Self {
        Self { watch, items: None, by: None }
    }

    /// Beside what the watch says, no longer than `time` from now.
    pub(super) fn until(watch: &'a Watch, time: Duration) -> Self {
        Self { by: Some((Instant::now() + time, time)), ..Self::of(watch) }
    }

    /// So long for each item that the child goes on to, of `sent`. The first is started.
    pub(super) fn of_items(watch: &'a Watch, page: &'a ClaimPage, sent: usize) -> Self {
        let sent = u32::try_from(sent).unwrap_or(u32::MAX);
        Self { items: Some(Items { page, sent, started: 1 }), ..Self::of(watch) }
    }
}

impl Patience for Guard<'_> {
    fn go_on(&mut self) -> Result<Option<Instant>, Overdue> {
        if self.items.as_mut().is_some_and(Items::have_gone_on) {
            self.watch.begin(Phase::Item);
        }
        self.watch.check()?;
        let end = self.watch.end().map(|end| match self.items {
            // The next item may have begun meanwhile.
            Some(_) => end.min(Instant::now() + LOOK),
            None => end,
        });
        let Some((by, time)) = self.by else { return Ok(end) };
        if by <= Instant::now() {
            return Err(Overdue::Limit(time));
        }
        Ok(Some(end.map_or(by, |end| end.min(by))))
    }
}

#[cfg(test)]
mod tests;
