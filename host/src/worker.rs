//! One worker: a thread that keeps an executor and takes items from one run after another.
//!
//! The worker opens the executor once, when it starts, so that the executor's state lives as long
//! as the worker. If the executor fails, its current item has a fault or is tried again. The items
//! that it has not started go back to the queue, and the worker opens a fresh executor.
//!
//! The loop knows nothing about wasm: it sees only an [`Executor`].

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
    pub(crate) renewal: RestartPolicy,
    pub(crate) ticks: Ticks,
    pub(crate) audience: Observers,
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
        let why = InstanceFailure::new(FaultKind::Timeout, "the worker did not end in time");
        Self {
            worker,
            items: 0,
            failed_instances: 0,
            lost_reports: 0,
            finish_report: Err(why),
            last: (0, Format::Text),
        }
    }

    /// Notifies observers of the finish report, if the plugin gives one.
    pub(crate) fn notify_observers(&self, audience: &Observers) {
        let (items, format) = self.last;
        let closing = match &self.finish_report {
            Ok(None) => return,
            Ok(Some(bytes)) => FinishReport::Report { bytes, format },
            Err(broken) => FinishReport::Failed(broken),
        };
        audience.notify(&Event::Finished { worker: self.worker, items, closing });
    }
}

impl Worker {
    /// Serves runs until the pool is closed.
    pub(crate) fn serve(self, tickets: &TicketReceiver) -> WorkerReport {
        let mut serving = WorkerLoop {
            pace: ChunkSizer::new(self.chunk_size),
            worker: self,
            slot: WorkerState::NEW,
            executor: None,
            retirement: None,
            since_open: 0,
            items: 0,
            instances: 0,
            broken: 0,
            lost: 0,
            is_failure_counted: false,
        };
        serving.open();
        while let Some(ticket) = tickets.next().map(Arc::new) {
            let worker = serving.worker.index.get();
            let span = tracing::debug_span!(parent: &ticket.run.span, "worker", worker);
            span.in_scope(|| serving.serve_run(&ticket));
        }
        let report = serving.report();
        // The function that opens executors may be foreign code, which may panic when it is
        // dropped.
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(serving)));
        drop(dropped);
        report
    }
}

/// A running worker.
struct WorkerLoop {
    worker: Worker,
    slot: WorkerState,
    executor: Option<Box<dyn Executor>>,
    /// The reason why the worker is retired, if the pool did not stop it.
    retirement: Option<Arc<Retirement>>,
    pace: ChunkSizer,
    /// The number of items that the current executor has worked on.
    since_open: u64,
    items: u64,
    /// The number of executors that the worker has opened.
    instances: u64,
    broken: u64,
    lost: u64,
    /// True if the current item has already broken an executor. All its failures count as one
    /// restart.
    is_failure_counted: bool,
}

impl WorkerLoop {
    /// Opens an executor, and tries again as long as the worker state is `Opening`.
    fn open(&mut self) {
        while let WorkerState::Opening(_) = self.slot {
            let begun = Instant::now();
            match (self.worker.open)() {
                Ok(executor) => {
                    self.transition(WorkerEvent::Opened);
                    self.executor = Some(executor);
                    self.since_open = 0;
                    self.instances += 1;
                    let (worker, took) = (self.worker.index, begun.elapsed());
                    self.worker.audience.notify(&Event::WorkerReady { worker, took });
                }
                Err(_) if !self.worker.cancel.allows_start() => {
                    // The pool cancelled the start, so this is no failure.
                    self.slot = WorkerState::Retired;
                    self.worker.live.fetch_sub(1, Ordering::AcqRel);
                }
                Err(error) => {
                    self.transition(WorkerEvent::FailedToOpen(self.failure(&error)));
                    let why = Retirement::NotStarted(Arc::new(error));
                    self.retire_if_due(why);
                }
            }
        }
    }

    /// Returns whether a failed start may be tried again.
    fn failure(&self, error: &StartError) -> StartFailure {
        let is_worth_it = error.is_transient() && self.worker.cancel.allows_retry();
        if is_worth_it { StartFailure::Transient } else { StartFailure::Lasting }
    }

    fn transition(&mut self, happened: WorkerEvent) {
        self.slot = self.slot.after(happened, self.worker.renewal.max_restarts);
    }

    /// Notes the reason if the worker is now retired.
    fn retire_if_due(&mut self, why: Retirement) {
        if self.slot != WorkerState::Retired {
            return;
        }
        // A worker that was never ready ends the run with an error, so it is not reported here. Nor
        // is a failure that the pool itself caused by an interruption.
        if self.instances > 0 && self.worker.cancel.allows_work() {
            let worker = self.worker.index;
            self.worker.audience.notify(&Event::WorkerRetired { worker, why: &why });
        }
        self.retirement = Some(Arc::new(why));
        self.worker.live.fetch_sub(1, Ordering::AcqRel);
    }

    /// Returns whether the current executor has finished an item.
    fn work_done(&self) -> WorkDone {
        if self.since_open > 0 { WorkDone::Some } else { WorkDone::None }
    }

    /// Handles the failure of the executor, whose state is lost.
    fn on_instance_failure(&mut self, why: &InstanceFailure) {
        // A failure that the pool itself caused by an interruption is not reported.
        if self.worker.cancel.allows_work() {
            let (worker, items) = (self.worker.index, self.since_open);
            self.worker.audience.notify(&Event::InstanceFailed { worker, items, why });
            if self.executor.as_ref().is_some_and(|executor| executor.has_finish_report()) {
                self.lost += 1;
                let closing = FinishReport::Lost(why);
                self.worker.audience.notify(&Event::Finished { worker, items, closing });
            }
        }
        self.broken += 1;
        self.executor = None;
        let is_charged = std::mem::replace(&mut self.is_failure_counted, true);
        let broke =
            if is_charged { WorkerEvent::BrokeAgain } else { WorkerEvent::Broke(self.work_done()) };
        self.transition(broke);
        self.retire_if_due(Retirement::FailedTooOften(why.clone()));
    }

    /// Finishes the executor, so that the next item gets a fresh one.
    fn replace(&mut self) {
        self.report().notify_observers(&self.worker.audience);
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
            Some(why) if self.worker.live.load(Ordering::Acquire) == 0 => {
                run.fail(Error::NoWorkerLeft { worker, source: why.clone() });
            }
            Some(_) => {}
        }
    }

    /// Finishes the executor, if there is one, and returns the report of the worker so far.
    fn report(&mut self) -> WorkerReport {
        let (worker, items) = (self.worker.index, self.items);
        let (broken, lost) = (self.broken, self.lost);
        let mut report = WorkerReport {
            worker,
            items,
            failed_instances: broken,
            lost_reports: lost,
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
