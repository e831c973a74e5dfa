//! The state that the threads of one run share.

pub(crate) mod error;
pub(crate) mod ticket;
pub(crate) mod trays;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::collector::Order;
use crate::collector::policy::ErrorPolicy;
use crate::control::cancel::{Cancel, End};
use crate::control::stop::{StopFlag, Wake};
use crate::item::format::Format;
use crate::item::index::ItemIndex;
use crate::outcome::{Outcomes, RecordRule, Rooms};
use crate::queue::Queue;
use crate::run::error::Error;
use crate::run::ticket::Recall;
use crate::run::trays::Trays;
use crate::stats::Progress;

/// One run: its queue, and how it is to be done.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) queue: Queue,
    pub(crate) progress: Progress,
    pub(crate) order: Order,
    pub(crate) policy: ErrorPolicy,
    /// What a record must be, for the sink to take it.
    pub(crate) rule: RecordRule,
    /// What all records are, whatever the plugin says.
    pub(crate) results: Option<Format>,
    /// Ends a wait of the source.
    pub(crate) source_stop: Option<StopFlag>,
    cancel: Cancel,
    /// Takes back the tickets of workers that have not begun with the run.
    recalls: Vec<Recall>,
    /// When items that plugins have are to be done, once the run is to end.
    pub(crate) end: End,
    /// How long what goes on may take once the run is stopped.
    join_timeout: Option<Duration>,
    retried: AtomicU64,
    /// For the outcomes that workers are to fill.
    pub(crate) rooms: Rooms,
    pub(crate) trays: Trays,
    /// What traces of this run are told under.
    pub(crate) span: tracing::Span,
    /// The first error: later ones are its consequences.
    error: Mutex<Option<Error>>,
}

/// How a run is to be done.
#[derive(Debug)]
pub(crate) struct Plan {
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
    pub(crate) fn new(queue: Queue, progress: Progress, plan: Plan) -> Arc<Self> {
        let Plan { order, policy, rule, results, source_stop, cancel, join_timeout, recalls } =
            plan;
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
            end: End::default(),
            join_timeout,
            retried: AtomicU64::new(0),
            rooms: Rooms::default(),
            trays: Trays::default(),
            span: tracing::debug_span!("run"),
            error: Mutex::default(),
        })
    }

    /// Ends the run with `error`: nothing more is read or started, and what goes on is to end.
    pub(crate) fn fail(&self, error: Error) {
        self.note(error);
        self.stop();
        self.recall();
    }

    /// Ends the run with `error`: a worker cannot start, so that no other one needs to.
    pub(crate) fn fail_to_start(&self, error: Error) {
        self.fail(error);
        self.cancel.starts();
    }

    /// Notes how the run will end; what has been read is still worked on.
    pub(crate) fn note(&self, error: Error) {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    /// How the run has failed so far, in words.
    pub(crate) fn error_text(&self) -> Option<String> {
        let error = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        error.as_ref().map(Error::with_causes)
    }

    pub(crate) fn take_error(&self) -> Option<Error> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Counts an item that is tried again.
    pub(crate) fn note_retry(&self) {
        self.retried.fetch_add(1, Ordering::Relaxed);
    }

    /// How often an item was tried again.
    pub(crate) fn retried(&self) -> u64 {
        self.retried.load(Ordering::Relaxed)
    }

    /// Keeps items from being started, if the policy says so of an item that has failed.
    pub(crate) fn apply_policy(&self, outcomes: &Outcomes) {
        if let Some(failed) = outcomes.first_fault()
            && let Some(horizon) = self.policy.horizon(self.order, failed)
        {
            self.end_from(horizon);
        }
    }

    /// No item from `index` on is started, because of one that has failed.
    pub(crate) fn end_from(&self, index: ItemIndex) {
        self.queue.stop_from(index);
        self.recall();
    }

    /// Workers that are still starting are not waited for.
    pub(crate) fn recall(&self) {
        for recall in &self.recalls {
            recall.ticket_of(self);
        }
    }

    /// Nothing more is read or started; what a plugin has is finished, if that takes no longer
    /// than the end may take.
    pub(crate) fn stop(&self) {
        self.queue.stop_from(ItemIndex::default());
        self.stop_source();
        if let Some(timeout) = self.join_timeout {
            self.cancel.end_run_in(&self.end, timeout);
        }
    }

    /// Ends a wait of the source.
    pub(crate) fn stop_source(&self) {
        if let Some(stop) = &self.source_stop {
            stop.set();
        }
    }
}

impl Wake for Run {
    fn wake(&self) {
        self.stop();
        // Nothing is there for those who are still starting.
        self.cancel.starts();
    }
}
