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
//! back to the queue while it works. One that goes on all the same is stopped.
//!
//! The plugin is trusted in nothing: see `progress`.

use std::ops::Range;

use wasmtime::{Memory, Module, StoreContextMut, UpdateDeadline};

use self::progress::{BatchProgress, Found};
use super::guest::Guest;
use super::{CoreInstance, State, note};
use crate::block::Span;
use crate::control::deadline::Phase;
use crate::engine::context;
use crate::engine::state::{Common, InstanceParts, begin};
use crate::executor::{Ran, Turns};
use crate::item::failure::Broken;
use crate::item::fault::FaultKind;
use crate::outcome::Stand;
use crate::queue::Rest;

mod progress;

pub(crate) use self::progress::HEAD;

impl CoreInstance {
    /// Whether the items without outcomes may cross together.
    pub(crate) fn takes_batches(&mut self, turns: &Turns<'_>) -> bool {
        // An item whose answer is not its last word has to be the last one.
        let answers = [FaultKind::Refused, FaultKind::BadItem, FaultKind::BadResult];
        let retry_on = self.outcomes().retry_on();
        let is_final = answers.iter().all(|kind| !retry_on.contains(*kind));
        self.call_batch.is_some() && is_final && turns.rest().is_some()
    }

    /// Items cross together, as many as there is room for and nobody else has.
    pub(crate) fn run_batches(&mut self, span: &Span, until: usize, turns: &Turns<'_>) -> Ran {
        loop {
            let from = self.outcomes().len();
            let to = match self.call_some(span, until, turns) {
                Ok(to) => to,
                Err(ran) => return ran,
            };
            let Stand { len, is_due } = self.outcomes().stand();
            if len == until {
                return Ran::Done;
            }
            let is_cut_short = len < to;
            if is_cut_short || is_due || !turns.start_next() {
                debug_assert!(len > from, "at least one item got its outcome");
                return Ran::Yielded;
            }
        }
    }

    /// Works on the item that is started, and on those with it that can cross at once; says up to
    /// which.
    fn call_some(&mut self, span: &Span, until: usize, turns: &Turns<'_>) -> Result<usize, Ran> {
        let from = self.outcomes().len();
        let to = from + self.start_some(span, from..until, turns).map_err(Ran::Broken)?;
        let (Some(function), Some(rest), 2..) = (self.call_batch.clone(), turns.rest(), to - from)
        else {
            return self.call_item(span).map(|()| to).map_err(Ran::Broken);
        };
        let limit = self.max_result();
        begin(&mut self.guest.store, Phase::Item);
        let (crossing, returned) = self.guest.pass_batch(span, &(from..to), rest, &function);
        if self.guest.store.data().common.meter.denied().is_some() {
            // From here on it is to be known by which item.
            self.call_batch = None;
        }
        let (bytes, state) = self.guest.bytes_and_state();
        let (progress, outcomes) = (crossing.progress(), state.common.outcomes());
        let (done, broken) = progress.end(bytes, returned);
        let records = if progress.taken() == 0 { progress.records(bytes, done) } else { None };
        if !records.is_some_and(|(results, ends)| outcomes.records(results, ends, limit)) {
            for answer in progress.answers(bytes, done) {
                match answer {
                    Ok(answer) => note(answer, outcomes, limit),
                    Err(broken) => {
                        // Those after it were done as well, as far as one can know.
                        let (next, end) = (outcomes.len() + 1, from + done as usize);
                        turns.rest().inspect(|rest| rest.note_begun(next..end.max(next)));
                        return Err(Ran::Broken(broken));
                    }
                }
            }
        }
        match broken {
            Some(broken) if progress.is_through(done) => Err(Ran::Idle(broken)),
            Some(broken) => Err(Ran::Broken(broken)),
            // It was told to stop before it had begun.
            None if done == 0 => self.call_item(span).map(|()| to).map_err(Ran::Broken),
            None => Ok(to),
        }
    }

    /// Starts as many items as there is room for, with the one that is started; says how many that
    /// are.
    fn start_some(
        &mut self,
        span: &Span,
        items: Range<usize>,
        turns: &Turns<'_>,
    ) -> Result<usize, Broken> {
        let room = (Guest::BATCH - HEAD) as usize;
        let fitting = span.fitting(items, room, size_of::<u32>());
        if self.call_batch.is_none() || fitting < 2 {
            return Ok(1);
        }
        begin(&mut self.guest.store, Phase::Item);
        if !self.guest.make_room()? {
            // What small items need there may be room for.
            self.call_batch = None;
            return Ok(1);
        }
        Ok(1 + turns.start_ahead(fitting - 1))
    }
}

/// A batch that the instance is on.
#[derive(Debug)]
pub(crate) struct Crossing {
    memory: Memory,
    /// The place of its first item in the claim.
    first: usize,
    rest: Rest,
    progress: BatchProgress,
}

impl Crossing {
    pub(crate) fn new(memory: Memory, at: u32, items: &Range<usize>, rest: Rest) -> Self {
        let count = u32::try_from(items.len()).expect("no more fit into a buffer");
        Self { memory, first: items.start, rest, progress: BatchProgress::new(at, count) }
    }

    /// What became of it, as far as it can be believed.
    pub(crate) fn progress(&self) -> &BatchProgress {
        &self.progress
    }

    /// The watchdog has ticked: what the plugin is not to come to goes back to the queue.
    fn tick(&mut self, bytes: &mut [u8]) -> Found {
        let before = self.progress.own();
        let found = self.progress.tick(bytes);
        let own = self.progress.own();
        if own < before {
            self.rest.give_back(self.first + own as usize);
        }
        found
    }

    /// Takes the answers to the items that are done: they need not wait for the one that the plugin is on. What
    /// does not hold is left for the end of the crossing.
    fn take_answers(&mut self, bytes: &[u8], common: &mut Common) {
        let limit = common.config.max_result;
        let ready = self.progress.ready();
        if ready.is_empty() {
            return;
        }
        for answer in self.progress.answers(bytes, ready.end).map_while(Result::ok) {
            note(answer, common.outcomes(), limit);
            self.progress.take();
        }
    }
}

/// What the epoch does: says whether the guest may go on.
pub(crate) fn tick(mut store: StoreContextMut<'_, State>) -> wasmtime::Result<UpdateDeadline> {
    if let Some(mut crossing) = store.data_mut().crossing.take() {
        let memory = crossing.memory;
        let (bytes, State { crossing: place, common, .. }) = memory.data_and_store_mut(&mut store);
        let found = crossing.tick(bytes);
        if found != Found::Others {
            crossing.take_answers(bytes, common);
        }
        *place = Some(crossing);
        match found {
            Found::Same => {}
            // What memory it was refused is not forgotten: that may have been for this item already.
            Found::Another => common.watch.begin(Phase::Item),
            Found::Others => wasmtime::bail!("it did not stop"),
        }
    }
    let common = &mut store.data_mut().common;
    common.hand_over();
    common.watch.check()?;
    Ok(UpdateDeadline::Continue(1))
}

/// When a module may be given many items at once: what waits is not noticed by the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Batches {
    /// It imports what may wait.
    Never,
    /// It imports what may wait for files, and for nothing else.
    WithoutFiles,
    /// All that it imports comes back at once.
    Always,
}

impl Batches {
    /// Of WASI, what comes back at once whatever is granted.
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

    pub(crate) fn of(module: &Module) -> Self {
        let all = module.imports().map(|import| match (import.module(), import.name()) {
            (context::INTERFACE, _) => Self::Always,
            ("wasi_snapshot_preview1", "poll_oneoff") => Self::Never,
            ("wasi_snapshot_preview1", name) if Self::PROMPT.contains(&name) => Self::Always,
            // Of files there are only those in directories that are granted.
            ("wasi_snapshot_preview1", _) => Self::WithoutFiles,
            _ => Self::Never,
        });
        all.fold(Self::Always, |all, one| match (all, one) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::WithoutFiles, _) | (_, Self::WithoutFiles) => Self::WithoutFiles,
            (Self::Always, Self::Always) => Self::Always,
        })
    }

    /// Whether an instance may be given many items at once that is granted this.
    pub(crate) fn are_for(self, parts: &InstanceParts) -> bool {
        // Fuel is for one item.
        parts.config.fuel.is_none()
            && match self {
                Self::Never => false,
                Self::WithoutFiles => !parts.grants.has_dirs(),
                Self::Always => true,
            }
    }
}
