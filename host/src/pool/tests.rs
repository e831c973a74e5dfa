//! Tests of the pool with scripted executors: no wasm, no files.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::*;
use crate::block::BlockBuilder;
use crate::control::watchdog::Watchdog;
use crate::executor::start_error::StartError;
use crate::executor::{ClaimCursor, ExecutionEnd, Executor, each_item};
use crate::item::fault::{Fault, FaultKind};
use crate::item::instance_failure::InstanceFailure;
use crate::item::limits::ResultLimit;
use crate::outcome::Outcomes;
use crate::sink::{Memory, OmitReason, SinkError};
use crate::source::{FillStatus, SourceError};
use crate::test_timeout::{TEST_TIMEOUT, with_timeout};

mod ends;
mod flow;
mod model;
mod restarts;
mod retries;
mod workers;

/// The scripted reply of an executor.
enum Reply {
    Record(Vec<u8>),
    NoRecord,
    Refused,
    /// The executor fails.
    Fail,
}

type Call = Box<dyn FnMut(&[u8]) -> Reply>;

struct Scripted {
    call: Call,
    /// Dropped with the executor, so that a test can see its end.
    _alive: Option<Sender<()>>,
}

impl Executor for Scripted {
    fn run(
        &mut self,
        outcomes: &mut Outcomes,
        until: usize,
        cursor: &ClaimCursor<'_>,
    ) -> ExecutionEnd {
        each_item(until, cursor, || {
            match (self.call)(outcomes.span().item(outcomes.len())) {
                Reply::Record(record) => outcomes.record(&record, ResultLimit::DEFAULT),
                Reply::NoRecord => outcomes.no_record(),
                Reply::Refused => outcomes.fault(FaultKind::Refused, "no"),
                Reply::Fail => return Err(InstanceFailure::new(FaultKind::Trap, "failed")),
            }
            Ok(outcomes.state())
        })
    }

    fn format(&self) -> Format {
        Format::Text
    }

    fn has_finish_report(&self) -> bool {
        true
    }

    fn finish(&mut self) -> Result<Option<Vec<u8>>, InstanceFailure> {
        Ok(Some(b"done".to_vec()))
    }
}

fn settings() -> Settings {
    Settings {
        order: Order::Input,
        policy: ErrorPolicy::Ignore,
        max_faults: MaxFaults::Unlimited,
        window: Window::default(),
        chunk_size: ChunkSize::Auto,
        restart_policy: RestartPolicy::default(),
        join_timeout: None,
        results: None,
        stop: StopFlag::new(),
        observers: Observers::default(),
        has_deadlines: false,
        confinement: None,
    }
}

/// Starts a pool whose workers all reply by `call`, which gets the worker's number.
fn pool<F>(workers: usize, settings: Settings, call: F) -> Pool
where
    F: Fn(usize, &[u8]) -> Reply + Send + Sync + 'static,
{
    let call = Arc::new(call);
    start(
        settings,
        (0..workers).map(|number| {
            let call = Arc::clone(&call);
            Box::new(move || {
                let call = Arc::clone(&call);
                Ok(boxed(move |item: &[u8]| call(number, item)))
            }) as Open
        }),
    )
}

fn boxed(call: impl FnMut(&[u8]) -> Reply + 'static) -> Box<dyn Executor> {
    Box::new(Scripted { call: Box::new(call), _alive: None })
}

fn start(settings: Settings, opens: impl Iterator<Item = Open>) -> Pool {
    // The clock stands still, except in tests that need it.
    Pool::start(opens.collect(), settings, &Ticks::default(), Cancel::default()).unwrap()
}

fn echo(_worker: usize, item: &[u8]) -> Reply {
    Reply::Record(item.to_vec())
}

fn numbers(count: u64) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

fn text(result: Result<Record, Fault>) -> String {
    match result {
        Ok(record) => match record.bytes() {
            Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            None => "(none)".into(),
        },
        Err(fault) => fault.to_string(),
    }
}
