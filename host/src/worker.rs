//! One worker: a thread that owns an executor and takes items from one run after another.
//!
//! The worker opens the executor when the worker starts, and uses it for all runs. So the
//! executor's state persists between runs. If the executor fails, the current item has a fault or
//! is tried again. The worker returns the remaining items of its claim to the queue, and opens a
//! fresh executor.
//!
//! The loop does not depend on wasm: it uses only the trait [`Executor`].

pub(crate) mod chunk_sizer;
mod claim_loop;
pub(crate) mod restart_policy;
mod worker_state;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use self::chunk_sizer::{ChunkSize, ChunkSizer};
use self::restart_policy::RestartPolicy;
use self::worker_state::{StartFailure, WorkDone, WorkerEvent, WorkerState};
use crate::control::cancel::Cancel;
use crate::control::watchdog::Ticks;
use crate::event::{Event, FinishReport, Observers};
use crate::executor::retirement::Retirement;
use crate::executor::start_error::StartError;
use crate::executor::{Executor, Open};
use crate::item::fault::FaultKind;
use crate::item::format::Format;
use crate::item::index::WorkerIndex;
use crate::item::instance_failure::InstanceFailure;
use crate::run::Run;
use crate::run::error::Error;
use crate::run::ticket::TicketReceiver;

/// The settings and shared parts with which a worker's thread starts.
pub(crate) struct Worker {
    pub(crate) index: WorkerIndex,
    pub(crate) open: Open,
    pub(crate) chunk_size: ChunkSize,
    pub(crate) restart_policy: RestartPolicy,
    pub(crate) ticks: Ticks,
    pub(crate) observers: Observers,
    /// The number of workers of the pool that are not retired.
    pub(crate) live: Arc<AtomicUsize>,
    pub(crate) cancel: Cancel,
}

/// The report of a worker whose pool was closed.
///
/// ```
/// use mtl_host::{Engine, Plugin, Pool};
///
/// // The plugin returns its last item as its finish report.
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/finish.wat")?;
/// let mut pool = Pool::builder(&plugin).jobs("1".parse()?).build()?;
/// pool.map(["first", "last"]).try_collect::<Vec<_>>()?;
/// for report in pool.close() {
///     assert_eq!((report.items, report.failed_instances), (2, 0));
///     assert_eq!(report.finish_report, Ok(Some(b"last".to_vec())));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct WorkerReport {
    /// The worker.
    pub worker: WorkerIndex,
    /// The number of items that the worker has worked on, faults included.
    pub items: u64,
    /// The number of instances that failed. The finish report does not cover their state.
    pub failed_instances: u64,
    /// The number of failed instances that would have given a finish report.
    pub lost_reports: u64,
    /// The finish report of the worker's last instance. It is `None` if the plugin gives no report
    /// or the worker was retired. It is an error if the plugin failed to give its report.
    pub finish_report: Result<Option<Vec<u8>>, InstanceFailure>,
    /// The number of items that the last instance has worked on, and the format of its report.
    last: (u64, Format),
}

impl WorkerReport {
    /// Returns the report of a worker that did not end in time.
    pub(crate) fn of_abandoned(worker: WorkerIndex) -> Self {
        let failure = InstanceFailure::new(FaultKind::Timeout, "the worker did not end in time");
        Self {
            worker,
            items: 0,
            failed_instances: 0,
            lost_reports: 0,
            finish_report: Err(failure),
            last: (0, Format::Text),
        }
    }

    /// Notifies observers of the finish report, if the plugin gives one.
    pub(crate) fn notify_observers(&self, observers: &Observers) {
        let (items, format) = self.last;
        let closing = match &self.finish_report {
            Ok(None) => return,
            Ok(Some(bytes)) => FinishReport::Report { bytes, format },
            Err(failure) => FinishReport::Failed(failure),
        };
        observers.notify(&Event::Finished { worker: self.worker, items, report: closing });
    }
}

impl Worker {
    /// Serves runs until the pool is closed.
    pub(crate) fn serve(self, tickets: &TicketReceiver) -> WorkerReport {
        let mut worker_loop = WorkerLoop {
            sizer: ChunkSizer::new(self.chunk_size),
            worker: self,
            state: WorkerState::NEW,
            executor: None,
            retirement: None,
            since_open: 0,
            items: 0,
            instances: 0,
            failed_instances: 0,
            lost_reports: 0,
            is_failure_counted: false,
        };
        worker_loop.open();
        while let Some(ticket) = tickets.next().map(Arc::new) {
            let worker = worker_loop.worker.index.get();
            let span = tracing::debug_span!(parent: &ticket.run.span, "worker", worker);
            span.in_scope(|| worker_loop.serve_run(&ticket));
        }
        let report = worker_loop.report();
        // The function that opens executors may be foreign code. Dropping it may panic.
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(worker_loop)));
        drop(dropped);
        report
    }
}

/// A running worker.
struct WorkerLoop {
    worker: Worker,
    state: WorkerState,
    executor: Option<Box<dyn Executor>>,
    /// The reason why the worker is retired, if the pool did not stop it.
    retirement: Option<Arc<Retirement>>,
    sizer: ChunkSizer,
    /// The number of items that the current executor has worked on.
    since_open: u64,
    items: u64,
    /// The number of executors that the worker has opened.
    instances: u64,
    failed_instances: u64,
    lost_reports: u64,
    /// True if an executor has already failed on the current item. All failures of an item count as
    /// one restart.
    is_failure_counted: bool,
}

impl WorkerLoop {
    /// Opens an executor, and tries again as long as the worker state is `Opening`.
    fn open(&mut self) {
        while let WorkerState::Opening(_) = self.state {
            let start = Instant::now();
            match (self.worker.open)() {
                Ok(executor) => {
                    self.transition(WorkerEvent::Opened);
                    self.executor = Some(executor);
                    self.since_open = 0;
                    self.instances += 1;
                    let (worker, took) = (self.worker.index, start.elapsed());
                    self.worker.observers.notify(&Event::WorkerReady { worker, took });
                }
                Err(_) if !self.worker.cancel.allows_start() => {
                    // The pool cancelled the start, so this is no failure.
                    self.state = WorkerState::Retired;
                    self.worker.live.fetch_sub(1, Ordering::AcqRel);
                }
                Err(error) => {
                    self.transition(WorkerEvent::FailedToOpen(self.start_failure(&error)));
                    self.retire_if_due(Retirement::NotStarted(Arc::new(error)));
                }
            }
        }
    }

    /// Returns whether another start may succeed.
    fn start_failure(&self, error: &StartError) -> StartFailure {
        let may_succeed = error.is_transient() && self.worker.cancel.allows_retry();
        if may_succeed { StartFailure::Transient } else { StartFailure::Lasting }
    }

    fn transition(&mut self, event: WorkerEvent) {
        self.state = self.state.after(event, self.worker.restart_policy.max_restarts);
    }

    /// Notes the reason if the worker is now retired.
    fn retire_if_due(&mut self, reason: Retirement) {
        if self.state != WorkerState::Retired {
            return;
        }
        // If a worker was never ready, its failure ends the run with an error and is not reported
        // here. A failure that the pool itself caused by an interruption is not reported either.
        if self.instances > 0 && self.worker.cancel.allows_work() {
            let worker = self.worker.index;
            self.worker.observers.notify(&Event::WorkerRetired { worker, reason: &reason });
        }
        self.retirement = Some(Arc::new(reason));
        self.worker.live.fetch_sub(1, Ordering::AcqRel);
    }

    /// Returns whether the current executor has finished an item.
    fn work_done(&self) -> WorkDone {
        if self.since_open > 0 { WorkDone::Some } else { WorkDone::None }
    }

    /// Handles the failure of the executor, whose state is lost.
    fn on_instance_failure(&mut self, failure: &InstanceFailure) {
        // A failure that the pool itself caused by an interruption is not reported.
        if self.worker.cancel.allows_work() {
            let (worker, items) = (self.worker.index, self.since_open);
            self.worker.observers.notify(&Event::InstanceFailed { worker, items, reason: failure });
            if self.executor.as_ref().is_some_and(|executor| executor.has_finish_report()) {
                self.lost_reports += 1;
                let closing = FinishReport::Lost(failure);
                self.worker.observers.notify(&Event::Finished { worker, items, report: closing });
            }
        }
        self.failed_instances += 1;
        self.executor = None;
        let is_counted = std::mem::replace(&mut self.is_failure_counted, true);
        let event = if is_counted {
            WorkerEvent::FailedAgain
        } else {
            WorkerEvent::Failed(self.work_done())
        };
        self.transition(event);
        self.retire_if_due(Retirement::FailedTooOften(failure.clone()));
    }

    /// Finishes the executor, so that the next item gets a fresh one.
    fn replace(&mut self) {
        self.report().notify_observers(&self.worker.observers);
        self.transition(WorkerEvent::Replaced(self.work_done()));
    }

    /// Ends the run with an error if this worker's retirement requires it.
    fn report_retirement(&self, run: &Run) {
        let worker = self.worker.index;
        match self.retirement.as_deref() {
            None => {}
            Some(Retirement::NotStarted(source)) if self.instances == 0 => {
                run.fail_to_start(Error::Init { worker, source: Arc::clone(source) });
            }
            Some(reason) if self.worker.live.load(Ordering::Acquire) == 0 => {
                run.fail(Error::NoWorkerLeft { worker, source: reason.clone() });
            }
            Some(_) => {}
        }
    }

    /// Finishes the open executor, if any, and returns the report of the worker so far.
    fn report(&mut self) -> WorkerReport {
        let (worker, items) = (self.worker.index, self.items);
        let (failed_instances, lost_reports) = (self.failed_instances, self.lost_reports);
        let mut report = WorkerReport {
            worker,
            items,
            failed_instances,
            lost_reports,
            finish_report: Ok(None),
            last: (0, Format::Text),
        };
        if let Some(mut executor) = self.executor.take()
            && self.worker.cancel.allows_work()
        {
            report.finish_report = executor.finish();
            report.last = (self.since_open, executor.format());
        }
        report
    }
}
