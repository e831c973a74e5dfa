//! The progress of a batch, and its results.
//!
//! ```text
//!  items  │ done: their answers are read │ at work │ to be done │ given back │
//!         0                              done                   own          count
//! ```
//!
//! All of it is what the plugin says, in words that it may write to at any time. What does not hold is
//! the fault of the first item that it does not hold for; of what comes after that, nothing is read.

use std::ops::Range;

use super::super::guest_memory;
use super::super::packed_result::{Answer, PackedResult};
use crate::item::failure::Broken;
use crate::item::fault::FaultKind;

/// The words before the ends.
pub(crate) const HEAD: u32 = 16;
const DONE: u32 = 4;
const OUT: u32 = 8;
const STOP: u32 = 12;

/// A batch, and how far it has gone.
#[derive(Debug)]
pub(crate) struct BatchProgress {
    /// Where the batch is.
    at: u32,
    count: u32,
    /// How many items were done when it was looked at last.
    seen: u32,
    /// The number of items whose answers were taken while it went on.
    taken: u32,
    /// How many of the items are to be done here: others have the rest.
    own: u32,
    is_told: bool,
    went_on: bool,
}

/// What a tick of the watchdog finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// It is on the item that it was on before.
    Same,
    /// It is on another one, which has its time from here on.
    Another,
    /// It has done what others have by now, though it was told to stop before.
    Others,
}

impl BatchProgress {
    /// Results that begin after so many bytes of others are not read: what the host keeps for a claim
    /// is bounded, whatever the plugin has of memory.
    const MOST_RESULTS: u32 = 16 * 1024 * 1024;

    /// How many of the items are to be done here.
    pub(crate) fn own(&self) -> u32 {
        self.own
    }

    /// Returns the items whose answers can be taken before it ends. The last one cannot: what breaks after it was on
    /// it.
    pub(crate) fn ready(&self) -> Range<u32> {
        self.taken..self.seen.min(self.count - 1)
    }

    /// Notes that the answer of the next item was taken: nothing undoes it.
    pub(crate) fn take(&mut self) {
        self.taken += 1;
    }

    /// Returns the number of items whose answers were taken.
    pub(crate) fn taken(&self) -> u32 {
        self.taken
    }

    pub(crate) fn new(at: u32, count: u32) -> Self {
        Self { at, count, seen: 0, taken: 0, own: count, is_told: false, went_on: false }
    }

    /// Looks where it is. At the first tick it is told to stop; at the next it is on its last item.
    pub(crate) fn tick(&mut self, bytes: &mut [u8]) -> Found {
        let done = word(bytes, self.at + DONE);
        if self.own < self.count && done > self.own {
            self.went_on = true;
            return Found::Others;
        }
        let goes_on = self.seen < done && done <= self.count;
        self.seen = if goes_on { done } else { self.seen };
        if !self.is_told {
            self.is_told = true;
            let stop =
                guest_memory::range(self.at + STOP, 4).and_then(|place| bytes.get_mut(place));
            stop.expect("the buffer is in the memory").copy_from_slice(&1_u32.to_le_bytes());
        } else if self.own == self.count && self.seen < self.count {
            // It is on this one, or about to ask whether to stop.
            self.own = self.seen + 1;
        }
        if goes_on { Found::Another } else { Found::Same }
    }

    /// How many items are done, and how the instance broke, if it did: `returned` is how it came
    /// back. The item after those is at fault, unless all of its own are done.
    pub(crate) fn end(&self, bytes: &[u8], returned: Result<i32, Broken>) -> (u32, Option<Broken>) {
        let done = word(bytes, self.at + DONE);
        let broken = match returned {
            _ if self.went_on => Some(bad("`call_batch` went on when it was told to stop".into())),
            Ok(code) => self.lie(done, code),
            Err(broken) => Some(broken),
        };
        // What breaks after the last item was on that one. But after the last of its own it was on
        // one that others have.
        let is_on_last = self.own == self.count || done > self.count;
        let own =
            if broken.is_some() && is_on_last && !self.went_on { self.own - 1 } else { self.own };
        (done.min(own).max(self.taken), broken)
    }

    /// Why a batch that came back by itself is not lawful.
    fn lie(&self, done: u32, code: i32) -> Option<Broken> {
        let Self { count, seen, .. } = *self;
        Some(bad(if code != 0 {
            format!("`call_batch` returned {code}")
        } else if done > count {
            format!("`call_batch` says that {done} of {count} items are done")
        } else if done < seen {
            format!("`call_batch` says that {done} items are done, and said {seen} before")
        } else if done == 0 && !self.is_told {
            "`call_batch` returned before any item was done".to_owned()
        } else {
            return None;
        }))
    }

    /// Whether nothing is left of it, once `done` items are done.
    pub(crate) fn is_through(&self, done: u32) -> bool {
        done == self.own
    }

    /// The results of the first `done` items and where each of them ends, if all are records, which
    /// lie back to back as they should. Else each is to be looked at.
    pub(crate) fn records<'a>(
        &self,
        bytes: &'a [u8],
        done: u32,
    ) -> Option<(&'a [u8], impl Iterator<Item = usize> + use<'a>)> {
        let ends = guest_memory::bytes(bytes, self.at + HEAD, 4 * done)?;
        let ends = ends.as_chunks().0.iter().map(|end| u32::from_le_bytes(*end));
        let length = ends.clone().next_back()?;
        // An end that has a flag is larger.
        if length > Self::MOST_RESULTS || !ends.clone().is_sorted() {
            return None;
        }
        let out = word(bytes, self.at + OUT);
        // Each result has an address, even where it is empty.
        out.checked_add(length)?;
        let results = guest_memory::bytes(bytes, out, length)?;
        Some((results, ends.map(|end| end as usize)))
    }

    /// The answers to the first `done` items that were not taken. After one that does not hold there are no others.
    pub(crate) fn answers<'a>(
        &self,
        bytes: &'a [u8],
        done: u32,
    ) -> impl Iterator<Item = Result<Answer<'a>, Broken>> + use<'a> {
        let out = word(bytes, self.at + OUT);
        let ends = self.at + HEAD;
        let mut start = 0;
        (0..done)
            .map(move |item| {
                if start > Self::MOST_RESULTS {
                    return Err(bad(format!(
                        "`call_batch` went on after {start} bytes of results"
                    )));
                }
                let end = word(bytes, ends + 4 * item);
                let answer = PackedResult::between(out, start, end);
                start = PackedResult::length(end);
                answer.and_then(|answer| answer.read(bytes))
            })
            .skip(self.taken as usize)
    }
}

fn bad(message: String) -> Broken {
    Broken::new(FaultKind::BadResult, message)
}

fn word(bytes: &[u8], at: u32) -> u32 {
    let word =
        guest_memory::bytes(bytes, at, 4).expect("a memory never shrinks, and the batch was in it");
    u32::from_le_bytes(word.try_into().expect("four bytes"))
}

#[cfg(test)]
mod tests;
