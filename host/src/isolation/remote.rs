//! The parent's end of a worker in a child: an executor whose instance runs in another process.
//!
//! The parent sends the items of a claim together, and the child returns their outcomes together.
//! While the child works, its items are on loan (`queue/loan.rs`): other workers may take the items
//! that the child has not started. If the child dies, the shared page shows which item the child
//! was running. The child checks its deadlines itself, as an instance on a thread does. If the
//! child exceeds a deadline by [`GRACE`], the parent kills it.

mod child_deadline;
mod freeze;
pub(super) mod remote_claim;

use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use self::child_deadline::{ChildDeadline, Wait};
use self::remote_claim::RemoteClaim;
use super::Processes;
use super::child_connection::{ChildConnection, LinkError, Received};
use super::eventfd::EventFd;
use super::process::{Child, EXIT_TIMEOUT, READY_TIMEOUT};
use super::wire::finish_reply::{self, FinishReply};
use super::wire::items::Terms;
use super::wire::run_reply::{ChildExecutionEnd, ChildRunReply};
use super::wire::setup::{ChildSetup, StartMode, Task, WorkOrder};
use super::wire::start::Started;
use super::wire::{Frame, Order, Payload, ProtocolError, Reply, guest_event, items, start};
use crate::block::Span;
use crate::control::deadline::{Overdue, Phase, Watch};
use crate::control::sched_stat::ProcessRunDelay;
use crate::engine::{FINISH_REPORT, InstanceParts};
use crate::event::Event;
use crate::executor::start_error::StartError;
use crate::executor::{ClaimCursor, ExecutionEnd, Executor, SharedOutcomes};
use crate::isolation::claim_page::ClaimPage;
use crate::isolation::remote_plugin::RemotePlugin;
use crate::item::fault::FaultKind;
use crate::item::format::Format;
use crate::item::instance_failure::InstanceFailure;
use crate::outcome::{Outcomes, RecordRule};
use crate::sandbox::guest_event::GuestEvent;
use crate::sandbox::meter::Lease;
use crate::sandbox::network::Network;

/// The time by which a child may exceed its deadline before the parent kills the child. The child
/// itself checks the deadline, but a busy machine may delay the check.
pub(crate) const GRACE: Duration = Duration::from_secs(2);

/// The maximum size of a frame in bytes, in addition to the maximum size of one result. A child
/// sends its outcomes before their total size exceeds this limit.
const FRAME_EXTRA_BYTES: usize = 8 * 1024 * 1024;

/// The most bytes that one order may have, because a frame has its length in 32 bits.
const MAX_ORDER_BYTES: usize = 0xFF00_0000;

/// The most bytes of the order buffer that the parent keeps for the next order.
const MAX_KEPT_ORDER_BYTES: usize = 256 * 1024;

/// The part of a child's memory limit, in bytes, for its program and its stacks. It does not
/// include the memory for the child's instance, items and results.
const EXTRA_MEMORY: usize = 768 * 1024 * 1024;

/// A worker's instance that runs in a child.
#[derive(Debug)]
pub(crate) struct Remote {
    child: Child,
    services: Services,
    watch: Watch,
    started: Started,
    /// The outcomes that the child sent in parts.
    early_outcomes: Arc<SharedOutcomes>,
    /// The buffer of orders.
    order: Vec<u8>,
}

/// The parent's services for a child that works.
#[derive(Debug)]
struct Services {
    parts: InstanceParts,
    plugin: Arc<RemotePlugin>,
    page: Arc<ClaimPage>,
    network: Network,
    lease: Lease,
}

impl Remote {
    /// Starts a child with an instance.
    pub(crate) fn start(
        processes: &Processes,
        plugin: &Arc<RemotePlugin>,
        parts: &InstanceParts,
    ) -> Result<Self, StartError> {
        let mut remote =
            Self::start_child(processes, plugin, parts, plugin.work_order(parts), None)?;
        remote.wait_for_start()?;
        Ok(remote)
    }

    /// Starts a child for `work`, and waits until it is jailed and has its code.
    fn start_child(
        processes: &Processes,
        plugin: &Arc<RemotePlugin>,
        parts: &InstanceParts,
        work: WorkOrder,
        snapshot_file: Option<BorrowedFd<'_>>,
    ) -> Result<Self, StartError> {
        let refused = |source| StartError::Process { source };
        let (page, page_file) = ClaimPage::create().map_err(refused)?;
        let event_fd = Arc::new(EventFd::new().map_err(refused)?);
        let child = Child::start(processes, &event_fd).map_err(refused)?;
        // On a busy machine, the child may wait for a core. That time does not count.
        let watch = parts.watch.lenient(GRACE, Box::new(ProcessRunDelay::process(child.id())));
        watch.add_alarm(&event_fd);
        let services = Services {
            parts: parts.clone(),
            plugin: Arc::clone(plugin),
            page: Arc::new(page),
            network: Network::new(&parts.grants.net, &parts.names, parts.guest_output.sink()),
            lease: Lease::of(&parts.pool_memory, parts.config.memory),
        };
        let started = Started { format: Format::Text, has_report: false };
        watch.begin(Phase::Preparing);
        let mut remote = Self {
            child,
            services,
            watch,
            started,
            early_outcomes: Arc::default(),
            order: Vec::new(),
        };
        let files = [page_file.as_fd(), plugin.file()];
        let files: Vec<_> = files.into_iter().chain(snapshot_file).collect();
        let handed_over = remote.child.hand_over(&files, &parts.grants.dirs);
        handed_over.map_err(|error| remote.map_start_error(error))?;
        remote.set_up(processes, work)?;
        Ok(remote)
    }

    fn set_up(&mut self, processes: &Processes, work: WorkOrder) -> Result<(), StartError> {
        let Services { parts, plugin, .. } = &self.services;
        let (memory, result) = (parts.config.memory.bytes(), parts.config.max_result.bytes());
        if parts.init.len() > memory.min(MAX_ORDER_BYTES) {
            return Err(StartError::OutOfMemory { message: too_large().message });
        }
        // A child may have three copies of an item in memory: as it was sent, in its block and in the instance. A child
        // that freezes has three more copies of the instance's memory: in pieces, as a part of a module, and in the
        // growing module.
        let copies = if matches!(work.start_mode, StartMode::Freeze { .. }) { 6 } else { 3 };
        let data = memory.saturating_mul(copies).saturating_add(result.saturating_mul(2));
        let setup = ChildSetup {
            jail: processes.jail_requirement(),
            engine: plugin.options(),
            data: data.saturating_add(EXTRA_MEMORY) as u64,
            task: Task::Work(Box::new(work)),
        };
        let order = setup.encode(&parts.init);
        let mut deadline = ChildDeadline::with_timeout(&self.watch, READY_TIMEOUT);
        let sent = self.child.connection.send(&order, &mut deadline);
        sent.map_err(|error| self.map_start_error(error))?;
        let ready = self.serve(Wait::ToBeReady, |received| match received.kind {
            Reply::Ready => Ok(Ok(received.payload.message())),
            Reply::Unjailed => {
                let mut payload = received.payload;
                let is_lack = payload.byte()? != 0;
                Ok(Err(StartError::Jail { is_missing_layer: is_lack, message: payload.message() }))
            }
            _ => Err(ProtocolError("an unexpected reply (expected: ready)")),
        });
        let lacks = ready.map_err(|error| self.map_start_error(error))??;
        if !lacks.is_empty() {
            let parts = &self.services.parts;
            let lacks = lacks.as_str();
            parts.observers.notify(&Event::JailIncomplete { worker: parts.index, missing: lacks });
        }
        Ok(())
    }

    /// Waits until the instance has started.
    fn wait_for_start(&mut self) -> Result<(), StartError> {
        self.watch.begin(Phase::Starting);
        let started = self.serve(Wait::Watched, |received| match received.kind {
            Reply::Started => Started::decode(received.payload).map(Ok),
            Reply::NotStarted => start::start_error(received.payload).map(Err),
            _ => Err(ProtocolError("an unexpected reply (expected: started)")),
        });
        self.started = started.map_err(|error| self.map_start_error(error))??;
        Ok(())
    }

    /// Serves the child until it sends another reply, which `decode` reads.
    fn serve<T>(
        &mut self,
        wait: Wait,
        decode: impl FnOnce(Received<'_>) -> Result<T, ProtocolError>,
    ) -> Result<T, LinkError> {
        let Self { child, services, watch, .. } = self;
        let mut deadline = match wait {
            Wait::ToBeReady => ChildDeadline::with_timeout(watch, READY_TIMEOUT),
            Wait::Watched => ChildDeadline::of(watch),
            Wait::For(time) => ChildDeadline::with_timeout(watch, time),
        };
        decode(next(&mut child.connection, services, &mut deadline, refuse_part)?)
            .map_err(LinkError::from)
    }

    /// Maps a lost connection to the error of the start.
    fn map_start_error(&mut self, error: LinkError) -> StartError {
        let limit = self.services.parts.config.init_timeout;
        let failure = self.map_failure(error, limit);
        match failure.kind {
            FaultKind::Timeout => StartError::Timeout { message: failure.message },
            _ => StartError::Crashed { message: failure.message },
        }
    }

    /// Returns the end of the longest prefix of `items` that fits into one order. The prefix ends
    /// before the first item that is larger than the memory limit of the instance.
    fn fitting(&self, span: &Span, items: Range<usize>) -> usize {
        let memory = self.services.parts.config.memory.bytes();
        let mut total = 0_usize;
        let fits = |at: &usize| {
            let bytes = span.item(*at).len();
            total = total.saturating_add(bytes).saturating_add(items::PER_ITEM);
            bytes <= memory && total <= MAX_ORDER_BYTES
        };
        items.start + items.take_while(fits).count()
    }

    /// Maps a lost connection to a failure of the instance.
    fn map_failure(&mut self, error: LinkError, limit: Option<Duration>) -> InstanceFailure {
        match error {
            LinkError::Ended => {
                let mut deadline = ChildDeadline::with_timeout(&self.watch, EXIT_TIMEOUT);
                let exit = self.child.wait(&mut deadline);
                InstanceFailure::new(FaultKind::Crashed, exit.to_string())
            }
            LinkError::Overdue(Overdue::Limit(waited)) => {
                // The parent has waited longer by `GRACE`; the message names the limit itself.
                let limit = limit.filter(|limit| limit.checked_add(GRACE) == Some(waited));
                let limit = limit.unwrap_or(waited);
                let message = format!("took longer than {limit:?}, and its process was killed");
                InstanceFailure::new(FaultKind::Timeout, message)
            }
            LinkError::Overdue(overdue) => {
                InstanceFailure::new(FaultKind::Timeout, overdue.to_string())
            }
            LinkError::Protocol(error) => {
                let message = format!("its process was killed because {error}");
                InstanceFailure::new(FaultKind::Crashed, message)
            }
            LinkError::Io(error) => {
                let message = format!("the socket to its process failed: {error}");
                InstanceFailure::new(FaultKind::Crashed, message)
            }
        }
    }
}

/// Refuses a part: a child without items has no outcomes.
fn refuse_part(_: Payload<'_>) -> Result<(), ProtocolError> {
    Err(ProtocolError("outcomes, although it has no items"))
}

/// Forwards events, answers requests, and passes parts to `on_part`, until another kind of reply
/// arrives. Returns that reply.
fn next<'connection>(
    connection: &'connection mut ChildConnection,
    services: &mut Services,
    deadline: &mut ChildDeadline<'_>,
    mut on_part: impl FnMut(Payload<'_>) -> Result<(), ProtocolError>,
) -> Result<Received<'connection>, LinkError> {
    let most =
        services.parts.config.max_result.bytes().max(crate::engine::MAX_ANSWER) + FRAME_EXTRA_BYTES;
    loop {
        // The deadline is checked here, because a child that sends without pause never makes `receive` wait.
        super::child_connection::WaitPolicy::next_deadline(deadline)?;
        let received = connection.receive(most, deadline)?;
        let answer = match received.kind {
            Reply::Call => services.answer(received.payload)?,
            Reply::Take => services.grant_memory(received.payload)?,
            Reply::TakeDisk => services.grant_disk(received.payload)?,
            Reply::Part => {
                on_part(received.payload)?;
                continue;
            }
            _ if services.pass_on_event(received)? => continue,
            _ => break,
        };
        connection.send(&answer, deadline)?;
    }
    Ok(connection.last_frame())
}

impl Services {
    /// Returns the terms for the items of an order. The parent checks all records against the
    /// record rule. If items with bad records are retried, the child checks its records too,
    /// because it must stop at the first bad record.
    fn terms(&self, outcomes: &Outcomes) -> Terms {
        let stops = self.parts.config.retry_on.contains(FaultKind::BadResult);
        let rule = if stops { outcomes.rule() } else { RecordRule::Any };
        Terms { rule, format: outcomes.format() }
    }

    /// Passes on a guest event. Returns false if the reply is of another kind.
    fn pass_on_event(&self, received: Received<'_>) -> Result<bool, ProtocolError> {
        if received.kind != Reply::Guest {
            return Ok(false);
        }
        match guest_event::decode(received.payload)? {
            GuestEvent::Output { stream, line } => {
                self.parts.guest_output.line(stream, line.as_bytes());
            }
            GuestEvent::Log { level, message } => self.parts.guest_output.log(level, message),
            GuestEvent::Dropped { lines, bytes } => {
                self.parts.guest_output.note_dropped(lines, bytes);
            }
            GuestEvent::Denied(denial) => self.network.report_denial(&denial),
        }
        Ok(true)
    }

    /// Calls a host function, which runs in this process.
    fn answer(&self, mut payload: Payload<'_>) -> Result<Vec<u8>, ProtocolError> {
        let number = payload.number()?;
        let answer = self.plugin.functions().call(number, self.parts.index, payload.rest());
        let answer = answer.ok_or(ProtocolError("a call of an unknown host function"))?;
        let frame = Frame::order(Order::Answer);
        Ok(match answer {
            Ok(Ok(bytes)) => frame.byte(0).rest(&bytes),
            Ok(Err(text)) => frame.byte(1).rest(text.as_bytes()),
            Err(trap) => frame.byte(2).rest(trap.to_string().as_bytes()),
        }
        .seal())
    }

    /// Grants the child more memory, if the pool's limit allows it.
    fn grant_memory(&mut self, mut payload: Payload<'_>) -> Result<Vec<u8>, ProtocolError> {
        let bytes = usize::try_from(payload.long()?).unwrap_or(usize::MAX);
        payload.end()?;
        let order = if self.lease.take(bytes) { Order::Granted } else { Order::Denied };
        Ok(Frame::order(order).seal())
    }
}

impl Services {
    /// Grants the child more bytes to write to files, if its worker's limit allows it.
    fn grant_disk(&self, mut payload: Payload<'_>) -> Result<Vec<u8>, ProtocolError> {
        let bytes = payload.long()?;
        payload.end()?;
        let is_granted = self.parts.disk.take(bytes).is_ok();
        Ok(Frame::order(if is_granted { Order::Granted } else { Order::Denied }).seal())
    }
}

impl Executor for Remote {
    fn run(
        &mut self,
        outcomes: &mut Outcomes,
        until: usize,
        cursor: &ClaimCursor<'_>,
    ) -> ExecutionEnd {
        self.watch.set_run_end(cursor.end());
        self.watch.begin(Phase::Item);
        let first = outcomes.len();
        let until = self.fitting(outcomes.span(), first..until);
        if until == first {
            return ExecutionEnd::Failed(too_large());
        }
        let Self { child, services, watch, started, early_outcomes, order } = self;
        let (span, items) = (outcomes.span().clone(), first..until);
        let terms = services.terms(outcomes);
        let head = items::order(std::mem::take(order), &span, items.clone(), terms);
        let page = Arc::clone(&services.page);
        page.set_begun(false);
        let mut claim =
            RemoteClaim::new(cursor.lend(Arc::clone(&page) as _, until - first), until - first);
        let mut deadline = ChildDeadline::of_items(watch, &page, until - first);
        let limit = services.parts.config.max_result;
        *early_outcomes.lock() = outcomes.take();
        let on_part = |payload: Payload<'_>| {
            let mut outcomes = early_outcomes.lock();
            claim.add_part(payload, &mut outcomes, limit)?;
            let is_taken = cursor.outlet().hand_over(&mut outcomes);
            // The consumer locks one batch after the other, so the thread that offers one must not hold its lock.
            drop(outcomes);
            if !is_taken {
                // The child does not send these outcomes again, so the batch is offered to the consumer.
                cursor.outlet().offer(early_outcomes);
            }
            Ok(())
        };
        let sent = child.connection.send_before(&head, span.bytes(items), &mut deadline);
        *order = head;
        order.clear();
        order.shrink_to(MAX_KEPT_ORDER_BYTES);
        let received = sent.and_then(|()| {
            match next(&mut child.connection, services, &mut deadline, on_part)? {
                Received { kind: Reply::Ran, payload } => Ok(ChildRunReply::decode(payload)?),
                _ => Err(ProtocolError("an unexpected reply (expected: ran)").into()),
            }
        });
        let (checked_reply, started_items) = claim.settle(received);
        *outcomes = early_outcomes.lock().take();
        let at = first + started_items - 1;
        let error = match checked_reply {
            Ok(reply) => {
                started.format = reply.format;
                reply.add_to(outcomes, limit);
                return match reply.ended {
                    ChildExecutionEnd::Done => ExecutionEnd::Done,
                    ChildExecutionEnd::Yielded => ExecutionEnd::Yielded,
                    ChildExecutionEnd::Failed(failure) => ExecutionEnd::Failed(failure),
                };
            }
            Err(error) => error,
        };
        let was_idle = matches!(error, LinkError::Ended) && !page.has_begun();
        let limit = self.services.parts.config.timeout;
        let failure = self.map_failure(error, limit);
        if was_idle {
            ExecutionEnd::FailedIdle(failure)
        } else {
            ExecutionEnd::Lost { at, failure }
        }
    }

    fn format(&self) -> Format {
        self.started.format
    }

    fn has_finish_report(&self) -> bool {
        self.started.has_report
    }

    fn finish(&mut self) -> Result<Option<Vec<u8>>, InstanceFailure> {
        if !self.started.has_report {
            return Ok(None);
        }
        self.watch.begin(Phase::Finishing);
        let mut deadline = ChildDeadline::of(&self.watch);
        let sent = self.child.connection.send(&Frame::order(Order::Finish).seal(), &mut deadline);
        let limit = self.services.parts.config.init_timeout;
        let finished = sent.and_then(|()| self.serve(Wait::Watched, finished));
        let report = finished.map_err(|error| self.map_failure(error, limit))??;
        let result = self.services.parts.config.max_result;
        match result.too_long(FINISH_REPORT, report.as_ref().map_or(0, Vec::len)) {
            None => Ok(report),
            Some(failure) => Err(failure),
        }
    }
}

/// Returns the failure for an item or `init` arguments that are larger than the memory limit of an
/// instance.
fn too_large() -> InstanceFailure {
    let message = "the item is larger than the plugin's memory";
    InstanceFailure::new(FaultKind::OutOfMemory, message)
}

/// Reads the finish report, which is the only reply that a child may send when it finishes.
fn finished(Received { kind, payload }: Received<'_>) -> Result<FinishReply, ProtocolError> {
    match kind {
        Reply::Finished => finish_reply::decode(payload),
        _ => Err(ProtocolError("an unexpected reply (expected: finished)")),
    }
}
