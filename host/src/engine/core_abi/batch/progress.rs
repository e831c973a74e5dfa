//! Tracks the progress of a batch, and reads its results.
//!
//! ```text
//!  items  │ done: answers can be read │ in progress │ to do │ returned to the queue │
//!         0                           done          assigned                count
//! ```
//!
//! The plugin reports its progress in words of its own memory, and may change these words at any time. If a report is
//! invalid, the first item that the report concerns gets the fault. The host does not read the results of later items.

use std::ops::Range;

use super::super::guest_memory;
use super::super::packed_result::{PackedResult, PluginAnswer};
use crate::item::fault::FaultKind;
use crate::item::instance_failure::InstanceFailure;

/// The length of the words before the end offsets, in bytes.
pub(crate) const HEADER_LEN: u32 = 16;
const DONE: u32 = 4;
const OUT: u32 = 8;
const STOP: u32 = 12;

/// A batch and its progress.
#[derive(Debug)]
pub(crate) struct BatchProgress {
    /// The address of the batch.
    at: u32,
    count: u32,
    /// The number of items that were done at the last check.
    seen: u32,
    /// The number of items whose answers were taken during the call.
    taken: u32,
    /// The number of items that the plugin still owns, counted from the first item of the batch. The host has returned
    /// the remaining items of the batch to the queue.
    assigned: u32,
    stop_requested: bool,
    overran: bool,
}

/// The state that a tick of the watchdog finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TickResult {
    /// The plugin is on the same item as at the tick before.
    NoProgress,
    /// The plugin is on another item, whose time begins now.
    NextItem,
    /// The plugin finished items that were returned to the queue, although the host had asked it to stop.
    ReturnedItem,
}

impl BatchProgress {
    /// The largest offset at which the host reads a result. It limits the memory that the host needs for the results of
    /// one claim, even if the plugin's memory is much larger.
    const MAX_RESULT_OFFSET: u32 = 16 * 1024 * 1024;

    /// Returns the number of items that the plugin still owns, counted from the first item of the batch.
    pub(crate) fn assigned(&self) -> u32 {
        self.assigned
    }

    /// Returns the items whose answers the host can take before the call ends. The range excludes the last item of the
    /// batch, because this item gets the failure if the call fails later.
    pub(crate) fn ready(&self) -> Range<u32> {
        self.taken..self.seen.min(self.count - 1)
    }

    /// Counts one more answer as taken. A taken answer is final.
    pub(crate) fn take(&mut self) {
        self.taken += 1;
    }

    /// Returns the number of items whose answers were taken.
    pub(crate) fn taken(&self) -> u32 {
        self.taken
    }

    pub(crate) fn new(at: u32, count: u32) -> Self {
        Self {
            at,
            count,
            seen: 0,
            taken: 0,
            assigned: count,
            stop_requested: false,
            overran: false,
        }
    }

    /// Checks the progress at a tick of the watchdog. At the first tick, the host asks the plugin to stop. At a later
    /// tick, the host makes the current item the last item that the plugin owns.
    pub(crate) fn tick(&mut self, bytes: &mut [u8]) -> TickResult {
        let done = word(bytes, self.at + DONE);
        if self.assigned < self.count && done > self.assigned {
            self.overran = true;
            return TickResult::ReturnedItem;
        }
        let has_advanced = self.seen < done && done <= self.count;
        self.seen = if has_advanced { done } else { self.seen };
        if !self.stop_requested {
            self.stop_requested = true;
            let stop =
                guest_memory::range(self.at + STOP, 4).and_then(|range| bytes.get_mut(range));
            stop.expect("the buffer is in the memory").copy_from_slice(&1_u32.to_le_bytes());
        } else if self.assigned == self.count && self.seen < self.count {
            // The plugin is on this item, or is about to check whether to stop.
            self.assigned = self.seen + 1;
        }
        if has_advanced { TickResult::NextItem } else { TickResult::NoProgress }
    }

    /// Returns the number of finished items, and the instance failure, if any. `returned` is the result of the call. If
    /// the plugin still owned unfinished items, the first of them gets the failure.
    pub(crate) fn end(
        &self,
        bytes: &[u8],
        returned: Result<i32, InstanceFailure>,
    ) -> (u32, Option<InstanceFailure>) {
        let done = word(bytes, self.at + DONE);
        let failure = match returned {
            _ if self.overran => Some(bad("`call_batch` did not stop when asked".into())),
            Ok(code) => self.report_error(done, code),
            Err(failure) => Some(failure),
        };
        // If the plugin fails after the last item of the batch, this last item gets the failure. If the host has
        // returned items to the queue, and the plugin fails after the last item that it owned, the failure concerns a
        // returned item.
        let is_on_last = self.assigned == self.count || done > self.count;
        let most = if failure.is_some() && is_on_last && !self.overran {
            self.assigned - 1
        } else {
            self.assigned
        };
        (done.min(most).max(self.taken), failure)
    }

    /// Returns the failure of a batch that returned normally, if its report is inconsistent.
    fn report_error(&self, done: u32, code: i32) -> Option<InstanceFailure> {
        let Self { count, seen, .. } = *self;
        Some(bad(if code != 0 {
            format!("`call_batch` returned {code}")
        } else if done > count {
            format!("`call_batch` reports {done} of {count} items as done")
        } else if done < seen {
            format!("`call_batch` reports {done} items as done, after it reported {seen}")
        } else if done == 0 && !self.stop_requested {
            "`call_batch` returned before any item was done".to_owned()
        } else {
            return None;
        }))
    }

    /// Returns whether the plugin owned no further item after the first `done` items.
    pub(crate) fn is_complete(&self, done: u32) -> bool {
        done == self.assigned
    }

    /// Returns the results of the first `done` items and their end offsets, if all results are valid records without
    /// gaps between them. Otherwise returns `None`; the caller must then read each answer separately.
    pub(crate) fn records<'a>(
        &self,
        bytes: &'a [u8],
        done: u32,
    ) -> Option<(&'a [u8], impl Iterator<Item = usize> + use<'a>)> {
        let ends = guest_memory::bytes(bytes, self.at + HEADER_LEN, 4 * done)?;
        let ends = ends.as_chunks().0.iter().map(|end| u32::from_le_bytes(*end));
        let length = ends.clone().next_back()?;
        // An end offset with a flag would be larger than this limit.
        if length > Self::MAX_RESULT_OFFSET || !ends.clone().is_sorted() {
            return None;
        }
        let out = word(bytes, self.at + OUT);
        // Even an empty result must have a valid address.
        out.checked_add(length)?;
        let results = guest_memory::bytes(bytes, out, length)?;
        Some((results, ends.map(|end| end as usize)))
    }

    /// Returns the answers to the first `done` items, except those that the host has already taken. If an answer is
    /// invalid, the caller must not use the answers after it.
    pub(crate) fn answers<'a>(
        &self,
        bytes: &'a [u8],
        done: u32,
    ) -> impl Iterator<Item = Result<PluginAnswer<'a>, InstanceFailure>> + use<'a> {
        let out = word(bytes, self.at + OUT);
        let ends = self.at + HEADER_LEN;
        let mut start = 0;
        (0..done)
            .map(move |item| {
                if start > Self::MAX_RESULT_OFFSET {
                    return Err(bad(format!(
                        "`call_batch` continued after {start} bytes of results"
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

fn bad(message: String) -> InstanceFailure {
    InstanceFailure::new(FaultKind::BadResult, message)
}

fn word(bytes: &[u8], at: u32) -> u32 {
    let word = guest_memory::bytes(bytes, at, 4)
        .expect("a memory never shrinks, and it contained the batch");
    u32::from_le_bytes(word.try_into().expect("four bytes"))
}

#[cfg(test)]
mod tests;
