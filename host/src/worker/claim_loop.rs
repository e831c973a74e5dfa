//! The work on a claim: the worker runs its items, and retries those that failed.

use std::sync::Arc;
use std::time::Instant;

use super::WorkerLoop;
use super::restart_policy::RestartPolicy;
use super::worker_state::{WorkDone, WorkerState};
use crate::block::Span;
use crate::event::Event;
use crate::executor::{ClaimCursor, ExecutionEnd, Outlet};
use crate::item::instance_failure::InstanceFailure;
use crate::outcome::Outcomes;
use crate::queue::Claim;
use crate::run::Run;
use crate::run::ticket::Ticket;

/// An item that failed and has no final outcome. Either the item is tried again, or the outcomes of
/// earlier items were lost with the failure.
struct FailedItem {
    /// The position of the item in the span.
    at: usize,
    failure: InstanceFailure,
}

/// The state of a run after outcomes were handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RunState {
    /// The run takes more outcomes.
    Open,
    /// The run is over, and drops all outcomes.
    Closed,
}

impl WorkerLoop {
    /// Works on one run until no item is left for this worker.
    pub(crate) fn serve_run(&mut self, ticket: &Arc<Ticket>) {
        let queue = &ticket.run.queue;
        loop {
            if self.is_used_up() {
                self.replace();
            }
            // Opening an executor is expensive, so the worker first waits for an item.
            if matches!(self.state, WorkerState::Opening(_)) {
                if !queue.wait_for_work() {
                    return;
                }
                self.open();
            }
            if self.state == WorkerState::Retired {
                self.report_retirement(&ticket.run);
                return;
            }
            let Some(claim) = queue.claim(self.claim_size()) else { return };
            if self.run_claim(claim, ticket) == RunState::Closed {
                return;
            }
        }
    }

    /// Returns whether the executor has worked on as many items as it may.
    fn is_used_up(&self) -> bool {
        let most = self.worker.restart_policy.recycle;
        self.executor.is_some() && most.is_some_and(|items| self.since_open >= items.get())
    }

    /// Returns the number of items to claim. If executors are replaced after a fixed number of
    /// items, the claim does not reach beyond the next replacement.
    fn claim_size(&self) -> usize {
        let size = self.sizer.claim_size();
        let Some(most) = self.worker.restart_policy.recycle else { return size };
        let left = most.get().saturating_sub(self.since_open);
        size.min(usize::try_from(left).unwrap_or(usize::MAX))
    }

    /// Works on a claim, and hands over the outcomes.
    fn run_claim(&mut self, mut claim: Claim<'_>, ticket: &Arc<Ticket>) -> RunState {
        let retry_on = self.worker.restart_policy.retryable();
        let mut outcomes = self.outcomes(claim.span().clone(), ticket).retrying(retry_on);
        let failed = self.run_items(&mut outcomes, &claim, ticket);
        let done = outcomes.len();
        outcomes.cut();
        self.items += done as u64;
        // This must come before the other items go back to the queue: the policy may forbid their start.
        ticket.run.apply_policy(&outcomes);
        let Some(failed) = failed else {
            // This must come before the hand-over, which may wait for the consumer.
            claim.hold(bytes_to_hold(&outcomes));
            claim.end(done);
            return hand_over(outcomes, ticket);
        };
        claim.hold(bytes_to_hold(&outcomes));
        let item = claim.keep(failed.at, done);
        if hand_over(outcomes, ticket) == RunState::Closed {
            return RunState::Closed;
        }
        let mut outcomes = self.outcomes(item, ticket).retrying(retry_on);
        self.retry(failed.failure, &mut outcomes, &claim, ticket);
        self.items += 1;
        ticket.run.apply_policy(&outcomes);
        claim.hold(bytes_to_hold(&outcomes));
        claim.end(failed.at + 1);
        hand_over(outcomes, ticket)
    }

    fn outcomes(&self, span: Span, ticket: &Ticket) -> Outcomes {
        let Run { buffers, rule, .. } = &*ticket.run;
        Outcomes::in_buffer(buffers.take(), span, self.worker.index, *rule)
    }

    /// Works on claimed items until all items have an outcome or other workers have taken the
    /// remaining items. Stops earlier if an item failed without a final outcome.
    fn run_items(
        &mut self,
        outcomes: &mut Outcomes,
        claim: &Claim<'_>,
        ticket: &Arc<Ticket>,
    ) -> Option<FailedItem> {
        let start = Instant::now();
        self.is_failure_counted = false;
        let (ticks, outlet) = (self.worker.ticks.clone(), outlet(ticket));
        let run = &ticket.run;
        let cursor = ClaimCursor::new(claim, &ticks, &run.deadline, &outlet);
        let failed = loop {
            if let Some(reason) = outcomes.span().rejection(outcomes.len()) {
                let reason = reason.to_owned();
                outcomes.reject(reason);
            } else if let Some(failed) = self.run_executor(outcomes, &cursor, run) {
                break Some(failed);
            }
            if self.executor.is_none()
                || outcomes.is_complete()
                || outcomes.is_large()
                || !cursor.start_next()
            {
                break None;
            }
        };
        self.sizer.observe(outcomes.len(), start.elapsed());
        failed
    }

    /// Runs the executor. Returns the item that failed without a final outcome, or `None`.
    fn run_executor(
        &mut self,
        outcomes: &mut Outcomes,
        cursor: &ClaimCursor<'_>,
        run: &Run,
    ) -> Option<FailedItem> {
        let executor = self.executor.as_mut().expect("a worker claims only with an executor");
        outcomes.set_format(run.results.unwrap_or_else(|| executor.format()));
        let before = outcomes.len();
        let until = outcomes.span().next_rejection(before);
        let end = executor.run(outcomes, until, cursor);
        // The item on which the executor fails does not count as finished.
        self.since_open += (outcomes.len() - before) as u64;
        match end {
            ExecutionEnd::Failed(failure) => self.on_failed_item(outcomes.len(), failure, outcomes),
            ExecutionEnd::Lost { at, failure } => self.on_failed_item(at, failure, outcomes),
            // No item caused the failure. If the executor has finished an item, no item fails.
            // Otherwise the next item fails, because an executor that always fails before its first
            // item would be replaced without end.
            ExecutionEnd::FailedIdle(failure) if self.work_done() == WorkDone::Some => {
                self.on_instance_failure(&failure);
                None
            }
            ExecutionEnd::FailedIdle(failure) => {
                self.on_failed_item(outcomes.len(), failure, outcomes)
            }
            ExecutionEnd::Done | ExecutionEnd::Yielded => {
                let at = outcomes.len();
                outcomes.take_back_fault().map(|failure| FailedItem { at: at - 1, failure })
            }
        }
    }

    /// Handles an executor that failed on the item at `at`. If the item is not tried again, this
    /// method appends the fault of the item.
    fn on_failed_item(
        &mut self,
        at: usize,
        failure: InstanceFailure,
        outcomes: &mut Outcomes,
    ) -> Option<FailedItem> {
        self.on_instance_failure(&failure);
        if at > outcomes.len() || self.worker.restart_policy.allows_retry(failure.kind) {
            return Some(FailedItem { at, failure });
        }
        outcomes.fault(failure.kind, failure.message);
        None
    }

    /// Retries an item if the policy allows it for this fault. Each attempt uses a fresh executor.
    /// The retries end when the item succeeds, fails with a fault that is not retried, or has used
    /// up its attempts.
    fn retry(
        &mut self,
        mut failed: InstanceFailure,
        outcomes: &mut Outcomes,
        claim: &Claim<'_>,
        ticket: &Arc<Ticket>,
    ) {
        let item = outcomes.next_index();
        let (ticks, outlet) = (self.worker.ticks.clone(), outlet(ticket));
        let run = &ticket.run;
        let RestartPolicy { retries, .. } = self.worker.restart_policy;
        let retries =
            if self.worker.restart_policy.allows_retry(failed.kind) { retries } else { 0 };
        for attempt in 1..=retries {
            // An item of a stopped run is not started again.
            if run.queue.horizon() <= item || !self.worker.cancel.allows_work() {
                break;
            }
            if self.executor.is_some() {
                self.replace();
            }
            self.open();
            if self.state == WorkerState::Retired {
                break;
            }
            let worker = self.worker.index;
            self.worker.observers.notify(&Event::Retry { worker, item, attempt, reason: &failed });
            run.count_retry();
            let cursor = ClaimCursor::new(claim, &ticks, &run.deadline, &outlet);
            match self.run_executor(outcomes, &cursor, run) {
                Some(again) => failed = again.failure,
                None => return,
            }
        }
        outcomes.fault(failed.kind, failed.message);
    }
}

/// Returns the outlet for outcomes that are handed over before their claim is finished.
fn outlet(ticket: &Arc<Ticket>) -> Arc<dyn Outlet> {
    Arc::<Ticket>::clone(ticket)
}

/// Returns the bytes that the window must hold for the outcomes that [`hand_over`] sends.
fn bytes_to_hold(outcomes: &Outcomes) -> usize {
    if outcomes.len_not_handed_over() == 0 { 0 } else { outcomes.result_bytes() }
}

/// Sends outcomes to the consumer. The window already holds them.
fn hand_over(outcomes: Outcomes, ticket: &Ticket) -> RunState {
    if outcomes.len_not_handed_over() == 0 {
        return RunState::Open;
    }
    match ticket.outbox.send(outcomes) {
        Ok(()) => RunState::Open,
        Err(_) => RunState::Closed,
    }
}
