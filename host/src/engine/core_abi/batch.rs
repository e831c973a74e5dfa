//! Passes many items to a plugin in one call of `call_batch`.
//!
//! ```text
//!  claim │ with outcomes │ items of the batch, started in advance        │ not started │
//!        │               │ header, end offsets, items: the host's buffer │
//! ```
//!
//! The host starts all items of a batch before the call, so no other worker can take them. The call should end within
//! one tick period of the watchdog. The host enforces this in three steps:
//!
//! 1. At the first tick, the host asks the plugin to stop before its next item.
//! 2. If the call still runs at the second tick, the host treats the current item as slow. The host returns the items
//!    after the current one to the queue, while the plugin works on the current item.
//! 3. If the plugin continues with a returned item, the host stops the plugin.
//!
//! The host does not trust the plugin's reports: the module `progress` checks them.

use std::ops::Range;

use wasmtime::{Memory, Module, StoreContextMut, UpdateDeadline};

use self::progress::{BatchProgress, TickResult};
use super::guest::Guest;
use super::{CoreInstance, State, record_answer};
use crate::block::Span;
use crate::control::deadline::Phase;
use crate::engine::context;
use crate::engine::state::{CommonState, InstanceParts, begin_phase};
use crate::executor::{ClaimCursor, ExecutionEnd};
use crate::item::fault::FaultKind;
use crate::item::instance_failure::InstanceFailure;
use crate::outcome::OutcomesState;
use crate::queue::ClaimReturner;

mod progress;

pub(crate) use self::progress::HEADER_LEN;

impl CoreInstance {
    /// Returns whether the items without outcomes may be passed in one call.
    pub(crate) fn takes_batches(&mut self, cursor: &ClaimCursor<'_>) -> bool {
        // An item whose answer may be retried must be the last one of its call.
        let answers = [FaultKind::Refused, FaultKind::BadItem, FaultKind::BadResult];
        let retry_on = self.outcomes().retry_on();
        let is_final = answers.iter().all(|kind| !retry_on.contains(*kind));
        self.call_batch.is_some() && is_final && cursor.claim_returner().is_some()
    }

    /// Runs batches. Each has as many items as fit into the buffer and as this worker can still start.
    pub(crate) fn run_batches(
        &mut self,
        span: &Span,
        until: usize,
        cursor: &ClaimCursor<'_>,
    ) -> ExecutionEnd {
        loop {
            let from = self.outcomes().len();
            let to = match self.call_next(span, until, cursor) {
                Ok(to) => to,
                Err(end) => return end,
            };
            let OutcomesState { len, is_due } = self.outcomes().state();
            if len == until {
                return ExecutionEnd::Done;
            }
            let is_cut_short = len < to;
            if is_cut_short || is_due || !cursor.start_next() {
                debug_assert!(len > from, "at least one item got its outcome");
                return ExecutionEnd::Yielded;
            }
        }
    }

    /// Calls the plugin with the started item and as many further items as fit into one batch. Returns the end
    /// (exclusive) of the range of these items.
    fn call_next(
        &mut self,
        span: &Span,
        until: usize,
        cursor: &ClaimCursor<'_>,
    ) -> Result<usize, ExecutionEnd> {
        let from = self.outcomes().len();
        let to =
            from + self.start_batch(span, from..until, cursor).map_err(ExecutionEnd::Failed)?;
        let (Some(function), Some(returner), 2..) =
            (self.call_batch.clone(), cursor.claim_returner(), to - from)
        else {
            return self.call_item(span).map(|()| to).map_err(ExecutionEnd::Failed);
        };
        let limit = self.max_result();
        begin_phase(&mut self.guest.store, Phase::Item);
        let (batch, returned) = self.guest.call_batch(span, &(from..to), returner, &function);
        if self.guest.store.data().common.meter.denied().is_some() {
            // From now on, items are passed one by one, so that a denied allocation can be charged to its item.
            self.call_batch = None;
        }
        let (bytes, state) = self.guest.bytes_and_state();
        let (progress, outcomes) = (batch.progress(), state.common.outcomes());
        let (done, failure) = progress.end(bytes, returned);
        let records = if progress.taken() == 0 { progress.records(bytes, done) } else { None };
        if !records.is_some_and(|(results, ends)| outcomes.records(results, ends, limit)) {
            for answer in progress.answers(bytes, done) {
                match answer {
                    Ok(answer) => record_answer(answer, outcomes, limit),
                    Err(failure) => {
                        // The plugin reported that it had also finished items after the failed one. Therefore these
                        // items may already have had side effects.
                        let (next, end) = (outcomes.len() + 1, from + done as usize);
                        cursor
                            .claim_returner()
                            .inspect(|returner| returner.record_started(next..end.max(next)));
                        return Err(ExecutionEnd::Failed(failure));
                    }
                }
            }
        }
        match failure {
            Some(failure) if progress.is_complete(done) => Err(ExecutionEnd::FailedIdle(failure)),
            Some(failure) => Err(ExecutionEnd::Failed(failure)),
            // The request to stop came before the first item, so the first item runs alone.
            None if done == 0 => self.call_item(span).map(|()| to).map_err(ExecutionEnd::Failed),
            None => Ok(to),
        }
    }

    /// Starts as many further items as fit into one batch. Returns the number of started items, including the item
    /// that was started before.
    fn start_batch(
        &mut self,
        span: &Span,
        items: Range<usize>,
        cursor: &ClaimCursor<'_>,
    ) -> Result<usize, InstanceFailure> {
        let capacity = (Guest::BATCH - HEADER_LEN) as usize;
        let fitting = span.fitting(items, capacity, size_of::<u32>());
        if self.call_batch.is_none() || fitting < 2 {
            return Ok(1);
        }
        begin_phase(&mut self.guest.store, Phase::Item);
        if !self.guest.reserve_batch()? {
            // The memory may still suffice for small items, so they are passed one by one.
            self.call_batch = None;
            return Ok(1);
        }
        Ok(1 + cursor.start_ahead(fitting - 1))
    }
}

/// A batch that an instance is working on.
#[derive(Debug)]
pub(crate) struct BatchCall {
    memory: Memory,
    /// The index of the batch's first item in the claim.
    first: usize,
    returner: ClaimReturner,
    progress: BatchProgress,
}

impl BatchCall {
    pub(crate) fn new(
        memory: Memory,
        at: u32,
        items: &Range<usize>,
        returner: ClaimReturner,
    ) -> Self {
        let count = u32::try_from(items.len()).expect("a buffer holds fewer items");
        Self { memory, first: items.start, returner, progress: BatchProgress::new(at, count) }
    }

    /// Returns the progress of the batch, as far as the plugin's report is plausible.
    pub(crate) fn progress(&self) -> &BatchProgress {
        &self.progress
    }

    /// Handles a tick of the watchdog. Items that the plugin should no longer start go back to the queue.
    fn tick(&mut self, bytes: &mut [u8]) -> TickResult {
        let before = self.progress.assigned();
        let result = self.progress.tick(bytes);
        let assigned = self.progress.assigned();
        if assigned < before {
            self.returner.give_back(self.first + assigned as usize);
        }
        result
    }

    /// Records the answers to finished items during the call, so that the outcomes of these items need not wait for the
    /// current item. Stops at the first invalid answer; when the call ends, that answer becomes a fault.
    fn take_answers(&mut self, bytes: &[u8], common: &mut CommonState) {
        let limit = common.config.max_result;
        let ready = self.progress.ready();
        if ready.is_empty() {
            return;
        }
        for answer in self.progress.answers(bytes, ready.end).map_while(Result::ok) {
            record_answer(answer, common.outcomes(), limit);
            self.progress.take();
        }
    }
}

/// Handles a tick of the epoch, and decides whether the guest may continue.
pub(crate) fn tick(mut store: StoreContextMut<'_, State>) -> wasmtime::Result<UpdateDeadline> {
    if let Some(mut batch) = store.data_mut().batch_call.take() {
        let memory = batch.memory;
        let (bytes, State { batch_call: current, common, .. }) =
            memory.data_and_store_mut(&mut store);
        let result = batch.tick(bytes);
        if result != TickResult::ReturnedItem {
            batch.take_answers(bytes, common);
        }
        *current = Some(batch);
        match result {
            TickResult::NoProgress => {}
            // The meter keeps its denials: they may already concern this new item.
            TickResult::NextItem => common.watch.begin(Phase::Item),
            TickResult::ReturnedItem => wasmtime::bail!("`call_batch` did not stop"),
        }
    }
    let common = &mut store.data_mut().common;
    common.hand_over();
    common.watch.check()?;
    Ok(UpdateDeadline::Continue(1))
}

/// The condition under which the host may pass many items to a module in one call. The plugin must not be able to block
/// in an imported function, because the engine's epoch interruption has no effect in such a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BatchSupport {
    /// The module imports a function that may block.
    Never,
    /// The module imports functions that may block, but only on files.
    WithoutFiles,
    /// All imports of the module return promptly.
    Always,
}

impl BatchSupport {
    /// The WASI functions that return promptly, whatever is granted.
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
            // The only files are those in granted directories.
            ("wasi_snapshot_preview1", _) => Self::WithoutFiles,
            _ => Self::Never,
        });
        all.fold(Self::Always, |all, one| match (all, one) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::WithoutFiles, _) | (_, Self::WithoutFiles) => Self::WithoutFiles,
            (Self::Always, Self::Always) => Self::Always,
        })
    }

    /// Returns whether an instance with these grants and settings may receive many items in one call.
    pub(crate) fn allows(self, parts: &InstanceParts) -> bool {
        // Fuel is granted for each single item.
        parts.config.fuel.is_none()
            && match self {
                Self::Never => false,
                Self::WithoutFiles => !parts.grants.has_dirs(),
                Self::Always => true,
            }
    }
}
