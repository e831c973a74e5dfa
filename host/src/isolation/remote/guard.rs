//! How long a child is waited for.

use std::time::{Duration, Instant};

use crate::isolation::link::Patience;
use crate::isolation::page::Page;
use crate::sandbox::deadline::{Overdue, Phase, Watch};

/// How often one looks whether the child has gone on to another item.
const LOOK: Duration = Duration::from_millis(250);

/// What a child is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// To be jailed and to have its code.
    ToBeReady,
    /// What its deadline is for.
    Watched,
}

/// Waits as long as the watch of the worker allows.
#[derive(Debug)]
pub(super) struct Guard<'a> {
    watch: &'a Watch,
    /// Where the child says which item it is on, and what it said last: each has its own time.
    items: Option<(&'a Page, u32)>,
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

    pub(super) fn of_items(watch: &'a Watch, page: &'a Page) -> Self {
        let (_, started, _) = page.reach().told();
        Self { items: Some((page, started)), ..Self::of(watch) }
    }
}

impl Patience for Guard<'_> {
    fn go_on(&mut self) -> Result<Option<Instant>, Overdue> {
        if let Some((page, seen)) = &mut self.items {
            let (_, started, _) = page.reach().told();
            if std::mem::replace(seen, started) != started {
                self.watch.begin(Phase::Item);
            }
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
