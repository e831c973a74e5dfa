//! Many items in one crossing, by `call_batch`.
//!
//! ```text
//!  claim │ have outcomes │ of the batch: started ahead of their turns │ not started │
//!                        │ words, ends and items: in the host's buffer │
//! ```
//!
//! All items of a batch are started before the crossing, so that no other worker takes them. It is
//! not to outlive a tick of the watchdog: at the first one, the plugin is told to stop before its next
//! item. If it has not come back at the second, it is on a dear item: what comes after that goes
//! back to the queue while it works.
//!
//! The plugin is trusted in nothing: what it wrote is read when it has stopped, in whatever way, and
//! what does not hold is the fault of the first item that it does not hold for.

use std::ops::Range;

use wasmtime::{Memory, Module, StoreContextMut, UpdateDeadline};

use super::State;
use super::word::{Answer, Word};
use crate::fault::FaultKind;
use crate::plugin::context;
use crate::queue::Rest;
use crate::sandbox::deadline::Phase;
use crate::worker::executor::Broken;

/// The words before the ends.
pub(super) const HEAD: u32 = 16;
const DONE: u32 = 4;
const OUT: u32 = 8;
const STOP: u32 = 12;

/// A batch that the instance is on.
#[derive(Debug)]
pub(super) struct Crossing {
    memory: Memory,
    /// Where the batch is.
    at: u32,
    count: u32,
    /// The place of its first item in the claim.
    first: usize,
    rest: Rest,
    /// How many items were done when it was looked at last.
    seen: u32,
    /// How many of the items are still to be done here.
    own: u32,
    is_told: bool,
}

impl Crossing {
    pub(super) fn new(memory: Memory, at: u32, items: &Range<usize>, rest: Rest) -> Self {
        let count = u32::try_from(items.len()).expect("no more fit into a buffer");
        let first = items.start;
        Self { memory, at, count, first, rest, seen: 0, own: count, is_told: false }
    }

    /// How many items are done, and why the instance is broken, if it is: `returned` is how it came
    /// back. The item after those is at fault.
    pub(super) fn end(&self, bytes: &[u8], returned: Result<i32, Broken>) -> (u32, Option<Broken>) {
        let done = word(bytes, self.at + DONE);
        let broken = returned.map_or_else(Some, |code| self.lie(done, code));
        let done = done.min(self.own);
        // What breaks after the last item was on that item.
        let last = if broken.is_some() { self.own - 1 } else { self.own };
        (done.min(last), broken)
    }

    /// Why a batch that came back by itself is not lawful.
    fn lie(&self, done: u32, code: i32) -> Option<Broken> {
        let Self { count, seen, .. } = *self;
        let message = if code != 0 {
            format!("`call_batch` returned {code}")
        } else if done > count {
            format!("`call_batch` says that {done} of {count} items are done")
        } else if done < seen {
            format!("`call_batch` says that {done} items are done, and said {seen} before")
        } else if done == 0 && !self.is_told {
            "`call_batch` returned before any item was done".to_owned()
        } else {
            return None;
        };
        Some(Broken::new(FaultKind::BadResult, message))
    }

    /// The answers to the first `done` items. After one that does not hold there are no others.
    pub(super) fn answers<'a>(
        &self,
        bytes: &'a [u8],
        done: u32,
    ) -> impl Iterator<Item = Result<Answer<'a>, Broken>> {
        let out = word(bytes, self.at + OUT);
        let ends = self.at + HEAD;
        let mut start = 0;
        (0..done).map(move |item| {
            let end = word(bytes, ends + 4 * item);
            let answer = Word::between(out, start, end);
            start = Word::length(end);
            answer.and_then(|answer| answer.read(bytes))
        })
    }

    /// The watchdog has ticked: an item that is new has its time from here on, and the plugin is to
    /// come back.
    fn tick(&mut self, bytes: &mut [u8]) -> bool {
        let done = word(bytes, self.at + DONE);
        let goes_on = self.seen < done && done <= self.count;
        self.seen = if goes_on { done } else { self.seen };
        if !self.is_told {
            self.is_told = true;
            let stop = Word::range(self.at + STOP, 4).and_then(|place| bytes.get_mut(place));
            stop.expect("the buffer is in the memory").copy_from_slice(&1_u32.to_le_bytes());
        } else if self.own == self.count && self.seen < self.count {
            // It is on this one, or about to ask whether to stop.
            self.own = self.seen + 1;
            self.rest.give_back(self.first + self.own as usize);
        }
        goes_on
    }
}

/// What the epoch does: says whether the guest may go on.
pub(super) fn tick(mut store: StoreContextMut<'_, State>) -> wasmtime::Result<UpdateDeadline> {
    if let Some(mut crossing) = store.data_mut().crossing.take() {
        let goes_on = crossing.tick(crossing.memory.data_mut(&mut store));
        let State { crossing: place, common, .. } = store.data_mut();
        *place = Some(crossing);
        if goes_on {
            common.watch.begin(Phase::Item);
            common.meter.begin_call();
        }
    }
    store.data().common.watch.check()?;
    Ok(UpdateDeadline::Continue(1))
}

/// Whether all that a module imports comes back at once: what waits is not noticed by the epoch.
pub(super) fn never_waits(module: &Module) -> bool {
    const PROMPT: [&str; 18] = [
        "args_get",
        "args_sizes_get",
        "clock_res_get",
        "clock_time_get",
        "environ_get",
        "environ_sizes_get",
        "fd_close",
        "fd_fdstat_get",
        "fd_fdstat_set_flags",
        "fd_filestat_get",
        "fd_prestat_dir_name",
        "fd_prestat_get",
        "fd_seek",
        "fd_tell",
        "fd_write",
        "proc_exit",
        "random_get",
        "sched_yield",
    ];
    module.imports().all(|import| match import.module() {
        "wasi_snapshot_preview1" => PROMPT.contains(&import.name()),
        name => name == context::INTERFACE,
    })
}

fn word(bytes: &[u8], at: u32) -> u32 {
    let word = Word::bytes(bytes, at, 4).expect("a memory never shrinks, and the batch was in it");
    u32::from_le_bytes(word.try_into().expect("four bytes"))
}
