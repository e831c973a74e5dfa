//! The executor of a native worker. It catches the worker's panics, and reuses one buffer for all
//! records.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::{NativeWorker, Reply, WorkerContext};
use crate::control::panic;
use crate::executor::start_error::StartError;
use crate::executor::{ClaimCursor, ExecutionEnd, Executor, SharedOutcomes, each_item};
use crate::item::fault::FaultKind;
use crate::item::format::Format;
use crate::item::instance_failure::InstanceFailure;
use crate::item::limits::ResultLimit;
use crate::outcome::{Outcomes, OutcomesState};

/// A function that opens a native worker, at the start and again after each panic.
pub(crate) type OpenNative =
    Box<dyn FnMut(&WorkerContext) -> Result<Box<dyn Executor>, StartError> + Send>;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Wraps the workers that `open` returns in executors.
pub(crate) fn open_with<W, F>(mut open: F) -> OpenNative
where
    W: NativeWorker + 'static,
    F: FnMut(&WorkerContext) -> Result<W, Cause> + Send + 'static,
{
    Box::new(move |context| {
        let worker = catch_panic(|| open(context))?.map_err(StartError::Native)?;
        Ok(Box::new(NativeExecutor {
            worker: Some(worker),
            record: Vec::new(),
            shared: Arc::default(),
            max_result: context.max_result,
        }))
    })
}

/// A native worker and the buffer of its records.
struct NativeExecutor<W> {
    /// Always `Some` until the executor is dropped.
    worker: Option<W>,
    record: Vec<u8>,
    shared: Arc<SharedOutcomes>,
    max_result: ResultLimit,
}

impl<W: NativeWorker> NativeExecutor<W> {
    fn worker(&mut self) -> &mut W {
        self.worker.as_mut().expect("only `drop` takes the worker")
    }

    fn call_item(&mut self, item: &[u8]) -> Result<OutcomesState, InstanceFailure> {
        let mut record = std::mem::take(&mut self.record);
        record.clear();
        let reply = catch_panic(|| self.worker().call(item, &mut record))?;
        let mut outcomes = self.shared.lock();
        match reply {
            Ok(Reply::Record) => outcomes.record(&record, self.max_result),
            Ok(Reply::NoRecord) => outcomes.no_record(),
            Err(failure) => {
                let InstanceFailure { kind, message, .. } = failure.into_instance_failure();
                outcomes.fault(kind, message);
            }
        }
        self.record = record;
        Ok(outcomes.state())
    }
}

impl<W: NativeWorker> Executor for NativeExecutor<W> {
    fn run(
        &mut self,
        outcomes: &mut Outcomes,
        until: usize,
        cursor: &ClaimCursor<'_>,
    ) -> ExecutionEnd {
        let (span, mut at) = (outcomes.span().clone(), outcomes.len());
        *self.shared.lock() = outcomes.take();
        cursor.outlet().offer(&self.shared);
        let end = each_item(until, cursor, || {
            let state = self.call_item(span.item(at))?;
            at = state.len;
            Ok(state)
        });
        *outcomes = self.shared.lock().take();
        end
    }

    fn format(&self) -> Format {
        let format = || self.worker.as_ref().map(W::format).unwrap_or_default();
        // This code ignores a panic in `format`. If the worker's state caused the panic, the next `call` will panic,
        // and the host will report that panic.
        catch_panic(format).unwrap_or_default()
    }

    fn has_finish_report(&self) -> bool {
        let has_report = || self.worker.as_ref().is_some_and(W::has_report);
        catch_panic(has_report).unwrap_or_default()
    }

    fn finish(&mut self) -> Result<Option<Vec<u8>>, InstanceFailure> {
        let report = catch_panic(|| self.worker().finish())?;
        report.map_err(super::Failure::into_instance_failure)
    }
}

impl<W> Drop for NativeExecutor<W> {
    /// Ignores a panic in the drop: the worker's items are done, and its thread continues.
    fn drop(&mut self) {
        let worker = self.worker.take();
        let dropped = catch_panic(|| drop(worker));
        drop(dropped);
    }
}

/// Calls foreign code. If the code panics, returns the panic's message. The host never uses the state of the code after
/// a panic, because the worker replaces its executor.
fn catch_panic<T>(call: impl FnOnce() -> T) -> Result<T, Panicked> {
    let caught = catch_unwind(AssertUnwindSafe(call));
    caught.map_err(|panic| Panicked { message: panic::message(&*panic) })
}

/// A panic of foreign code, with its message.
struct Panicked {
    message: String,
}

impl From<Panicked> for InstanceFailure {
    fn from(Panicked { message }: Panicked) -> Self {
        Self::new(FaultKind::Trap, format!("the worker panicked: {message}"))
    }
}

impl From<Panicked> for StartError {
    fn from(Panicked { message }: Panicked) -> Self {
        Self::NativePanicked { message }
    }
}
