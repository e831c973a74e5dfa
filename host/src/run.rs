//! The state that the threads of one run share.

pub(crate) mod early_outcomes;
pub(crate) mod error;
pub(crate) mod ticket;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::collector::Order;
use crate::collector::policy::ErrorPolicy;
use crate::control::cancel::{Cancel, EndTime};
use crate::control::stop::{StopFlag, Wake};
use crate::item::format::Format;
use crate::item::index::ItemIndex;
use crate::outcome::{OutcomeBuffers, Outcomes, RecordRule};
use crate::queue::Queue;
use crate::run::early_outcomes::EarlyOutcomes;
use crate::run::error::Error;
use crate::run::ticket::Recall;
use crate::stats::Progress;

/// One run: its queue, its settings and its state.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) queue: Queue,
    pub(crate) progress: Progress,
    pub(crate) order: Order,
    pub(crate) policy: ErrorPolicy,
    /// The rule that a record must meet for the sink to accept it.
    pub(crate) rule: RecordRule,
    /// The format of all records, if the pool sets it.
    pub(crate) results: Option<Format>,
    /// The flag that interrupts a source which waits for input.
    pub(crate) source_stop: Option<StopFlag>,
    cancel: Cancel,
    /// The handles that take back the tickets of workers that have not joined the run.
    recalls: Vec<Recall>,
    /// The deadline for the current items, once the run must end.
    pub(crate) deadline: EndTime,
    /// The time that current items may take after the run is stopped.
    join_timeout: Option<Duration>,
    retried: AtomicU64,
    /// The memory for outcomes, which is reused.
    pub(crate) buffers: OutcomeBuffers,
    pub(crate) early_outcomes: EarlyOutcomes,
    /// The span for traces of this run.
    pub(crate) span: tracing::Span,
    /// The first error. Later errors are its consequences.
    error: Mutex<Option<Error>>,
}

/// The settings of a run.
#[derive(Debug)]
pub(crate) struct RunSettings {
    pub(crate) order: Order,
    pub(crate) policy: ErrorPolicy,
    pub(crate) rule: RecordRule,
    pub(crate) results: Option<Format>,
    pub(crate) source_stop: Option<StopFlag>,
    pub(crate) cancel: Cancel,
    pub(crate) join_timeout: Option<Duration>,
    pub(crate) recalls: Vec<Recall>,
}

impl Run {
    pub(crate) fn new(queue: Queue, progress: Progress, settings: RunSettings) -> Arc<Self> {
        let RunSettings {
            order,
            policy,
            rule,
            results,
            source_stop,
            cancel,
            join_timeout,
            recalls,
        } = settings;
        Arc::new(Self {
            queue,
            progress,
            order,
            policy,
            rule,
            results,
            source_stop,
            cancel,
            recalls,
            deadline: EndTime::default(),
            join_timeout,
            retried: AtomicU64::new(0),
            buffers: OutcomeBuffers::default(),
            early_outcomes: EarlyOutcomes::default(),
            span: tracing::debug_span!("run"),
            error: Mutex::default(),
        })
    }

    /// Ends the run with `error`. Nothing more is read or started, and current items must end.
    pub(crate) fn fail(&self, error: Error) {
        self.record_error(error);
        self.stop();
        self.recall();
    }

    /// Ends the run with `error` because a worker cannot start, and cancels the starts of other
    /// workers.
    pub(crate) fn fail_to_start(&self, error: Error) {
        self.fail(error);
        self.cancel.cancel_starts();
    }

    /// Notes the error of the run. Items that have been read are still worked on.
    pub(crate) fn record_error(&self, error: Error) {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    /// Returns the text of the run's error, if it has one.
    pub(crate) fn error_text(&self) -> Option<String> {
        let error = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        error.as_ref().map(Error::with_causes)
    }

    pub(crate) fn take_error(&self) -> Option<Error> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Counts a retry of an item.
    pub(crate) fn count_retry(&self) {
        self.retried.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of retries.
    pub(crate) fn retried(&self) -> u64 {
        self.retried.load(Ordering::Relaxed)
    }

    /// Stops the start of further items if an item failed and the policy requires it.
    pub(crate) fn apply_policy(&self, outcomes: &Outcomes) {
        if let Some(failed) = outcomes.first_fault()
            && let Some(horizon) = self.policy.horizon(self.order, failed)
        {
            self.stop_from(horizon);
        }
    }

    /// Stops the start of all items from `index` on, because an item failed.
    pub(crate) fn stop_from(&self, index: ItemIndex) {
        self.queue.stop_from(index);
        self.recall();
    }

    /// Stops waiting for workers that are still starting.
    pub(crate) fn recall(&self) {
        for recall in &self.recalls {
            recall.revoke(self);
        }
    }

    /// Stops reading and starting items. Plugins finish their current items, within the join
    /// timeout.
    pub(crate) fn stop(&self) {
        self.queue.stop_from(ItemIndex::default());
        self.stop_source();
        if let Some(timeout) = self.join_timeout {
            self.cancel.end_run_in(&self.deadline, timeout);
        }
    }

    /// Interrupts a source that waits for input.
    pub(crate) fn stop_source(&self) {
        if let Some(stop) = &self.source_stop {
            stop.set();
        }
    }
}

impl Wake for Run {
    fn wake(&self) {
        self.stop();
        // Workers that are still starting would find no items.
        self.cancel.cancel_starts();
    }
}
