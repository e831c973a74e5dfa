//! One worker: a thread that keeps an executor and takes items from one run after another.
//!
//! The executor is opened once, at the start, so that its state lives as long as the worker.
//! When it breaks, the item it was on has its fault, the rest of the claim goes back to the
//! queue, and a fresh executor is opened.
//!
//! The loop decides nothing about wasm: it sees an [`Executor`].

pub(crate) mod executor;
pub(crate) mod native;
pub(crate) mod pace;
mod slot;
pub(crate) mod ticket;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crossbeam_channel::Receiver;

use self::executor::{Broken, Executor, Pause, Ran};
use self::pace::{ChunkSize, Pace};
use self::slot::{Attempt, Happened, Slot};
use self::ticket::Ticket;
use crate::error::Error;
use crate::event::{Audience, Event};
use crate::outcome::Outcomes;
use crate::plugin::StartError;
use crate::pool::Cancel;
use crate::pool::run::Run;
use crate::sandbox::watchdog::Ticks;

/// The number of a worker, counted from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerIndex(u32);

impl WorkerIndex {
    /// The worker with this number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for WorkerIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Opens an executor: at the start, and again after each that broke.
pub(crate) type Open = Box<dyn FnMut() -> Result<Box<dyn Executor>, StartError> + Send>;

/// What a worker is made of.
pub(crate) struct Worker {
    pub(crate) index: WorkerIndex,
    pub(crate) open: Open,
    pub(crate) chunk_size: ChunkSize,
    pub(crate) ticks: Ticks,
    pub(crate) audience: Audience,
    /// How many workers of the pool are not retired.
    pub(crate) live: Arc<AtomicUsize>,
    pub(crate) cancel: Cancel,
}

/// What a worker leaves behind when its pool is closed.
#[derive(Debug)]
#[non_exhaustive]
pub struct WorkerReport {
    /// Which worker.
    pub worker: WorkerIndex,
    /// How many items it has worked on, faults included.
    pub items: u64,
    /// How many of its instances broke; what they knew is not in the closing report.
    pub broken: u64,
    /// The plugin's closing report; none if it gives none, or if the worker was retired; or
    /// why there is none although the plugin would give one.
    pub closing: Result<Option<Vec<u8>>, Broken>,
}

impl Worker {
    /// Serves runs until the pool is closed.
    pub(crate) fn serve(self, tickets: &Receiver<Ticket>) -> WorkerReport {
        let pace = Pace::new(self.chunk_size);
        let slot = Slot::Opening(Attempt::First);
        let mut serving =
            Serving { worker: self, slot, executor: None, why: None, pace, items: 0, broken: 0 };
        serving.open();
        for ticket in tickets {
            serving.take_part(&ticket);
        }
        serving.finish()
    }
}

/// A worker at work.
struct Serving {
    worker: Worker,
    slot: Slot,
    executor: Option<Box<dyn Executor>>,
    /// Why the worker is retired, if it is by a fault of its own.
    why: Option<Arc<StartError>>,
    pace: Pace,
    items: u64,
    broken: u64,
}

impl Serving {
    /// Opens an executor, trying again as long as the slot says so.
    fn open(&mut self) {
        while let Slot::Opening(attempt) = self.slot {
            let begun = Instant::now();
            match (self.worker.open)() {
                Ok(executor) => {
                    self.slot = self.slot.after(Happened::Opened);
                    self.executor = Some(executor);
                    let (worker, took) = (self.worker.index, begun.elapsed());
                    self.worker.audience.tell(&Event::WorkerReady { worker, took });
                }
                Err(_) if !self.worker.cancel.lets_start() => {
                    // It was not wanted any more, which is no failure.
                    self.slot = Slot::Retired;
                    self.worker.live.fetch_sub(1, Ordering::AcqRel);
                }
                Err(error) => {
                    self.slot = self.slot.after(Happened::FailedToOpen);
                    if self.slot == Slot::Retired {
                        self.retire(error, attempt);
                    }
                }
            }
        }
    }

    fn retire(&mut self, error: StartError, attempt: Attempt) {
        if attempt != Attempt::First {
            let worker = self.worker.index;
            self.worker.audience.tell(&Event::WorkerRetired { worker, why: &error });
        }
        self.why = Some(Arc::new(error));
        self.worker.live.fetch_sub(1, Ordering::AcqRel);
    }

    /// Works on one run until no item is left for this worker.
    fn take_part(&mut self, ticket: &Ticket) {
        let queue = &ticket.run.queue;
        loop {
            // A replacement is dear: it is made when there is an item for it.
            if matches!(self.slot, Slot::Opening(_)) {
                if !queue.wait_for_work() {
                    return;
                }
                self.open();
            }
            if self.slot == Slot::Retired {
                self.withdraw(&ticket.run);
                return;
            }
            let Some(mut claim) = queue.claim(self.pace.claim()) else { return };
            let mut outcomes = Outcomes::new(claim.take(), self.worker.index, ticket.run.rule);
            self.work_through(&mut outcomes, &ticket.run);
            // Before the rest goes back: under some policies nobody is to start it.
            apply_policy(&outcomes, &ticket.run);
            claim.give_back(outcomes.cut());
            // Before the hand-over, which may have to wait for the consumer.
            drop(claim);
            if outcomes.len() > 0 && !hand_over(outcomes, ticket) {
                return;
            }
        }
    }

    /// Says that this worker will never work again, if it is by a fault of its own.
    fn withdraw(&self, run: &Run) {
        let Some(why) = &self.why else { return };
        let (worker, source) = (self.worker.index, Arc::clone(why));
        if self.broken == 0 {
            run.fail_to_start(Error::Init { worker, source });
        } else if self.worker.live.load(Ordering::Acquire) == 0 {
            run.fail(Error::NoWorkerLeft { worker, source });
        }
    }

    /// Works on claimed items until all have their outcome, the executor breaks, or it is
    /// time to let others have the rest.
    fn work_through(&mut self, outcomes: &mut Outcomes, run: &Run) {
        let executor = self.executor.as_mut().expect("a worker without an executor claims nothing");
        outcomes.set_format(run.results.unwrap_or_else(|| executor.format()));
        let begun = Instant::now();
        let pause = Pause::new(&run.queue, &self.worker.ticks);
        let broke = loop {
            let at = outcomes.len();
            if outcomes.is_complete() || (at > 0 && pause.is_due(outcomes.next_index())) {
                break false;
            }
            if let Some(why) = outcomes.span().rejection(at) {
                let why = why.to_owned();
                outcomes.reject(why);
                continue;
            }
            let until = outcomes.span().next_rejection(at);
            match executor.run(outcomes, until, &pause) {
                Ran::Done => {}
                Ran::Yielded => break false,
                Ran::Broken(broken) => {
                    self.tell_broken(&broken);
                    outcomes.fault(broken.kind, broken.message);
                    break true;
                }
            }
        };
        self.pace.observe(outcomes.len(), begun.elapsed());
        self.items += outcomes.len() as u64;
        if broke {
            self.broken += 1;
            self.executor = None;
            self.slot = self.slot.after(Happened::Broke);
        }
    }

    fn tell_broken(&self, why: &Broken) {
        // What the pool itself has interrupted is nothing to tell of.
        if self.worker.cancel.lets_work() {
            let worker = self.worker.index;
            self.worker.audience.tell(&Event::WorkerBroke { worker, why });
        }
    }

    fn finish(mut self) -> WorkerReport {
        let closing = match &mut self.executor {
            Some(executor) if self.worker.cancel.lets_work() => executor.finish(),
            Some(_) | None => Ok(None),
        };
        let Self { worker, items, broken, .. } = self;
        WorkerReport { worker: worker.index, items, broken, closing }
    }
}

/// Keeps items from being started, if the policy says so of an item that has failed.
fn apply_policy(outcomes: &Outcomes, run: &Run) {
    if let Some(failed) = outcomes.first_fault()
        && let Some(horizon) = run.policy.horizon(run.order, failed)
    {
        run.queue.stop_from(horizon);
    }
}

/// Sends outcomes on; says whether somebody still wants any.
fn hand_over(outcomes: Outcomes, ticket: &Ticket) -> bool {
    ticket.run.queue.hold(outcomes.result_bytes());
    ticket.outbox.send(outcomes).is_ok()
}
