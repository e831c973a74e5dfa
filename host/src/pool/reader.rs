//! The reader: a thread that fills blocks from the source and pushes them into the queue.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use crate::block::BlockBuilder;
use crate::control::panic;
use crate::queue::HasRoom;
use crate::run::Run;
use crate::run::error::Error;
use crate::source::{FillStatus, Source};

/// The reader of a run, running or ended.
#[derive(Debug)]
pub(super) struct Reader {
    /// `None` if the caller's scope joins the thread.
    thread: Option<JoinHandle<()>>,
    /// `None` after [`Reader::end`].
    done: Option<Receiver<()>>,
}

/// The function that the reader's thread runs.
pub(super) type ReaderTask<'source> = Box<dyn FnOnce() + Send + 'source>;

/// A function that starts the reader's thread. It returns the handle to join the thread, or `None`
/// if a scope joins the thread.
pub(super) type SpawnReader<'spawn, 'source> =
    &'spawn dyn Fn(Builder, ReaderTask<'source>) -> io::Result<Option<JoinHandle<()>>>;

impl Reader {
    /// The time that a source has to notice that the run has stopped. If foreign code still blocks
    /// the reader after that time, the run leaves the reader's thread behind. The thread ends when
    /// the foreign code returns.
    const GRACE: Duration = Duration::from_secs(1);

    pub(super) fn start<'source>(
        mut source: impl Source + 'source,
        run: Arc<Run>,
        spawn: SpawnReader<'_, 'source>,
    ) -> Result<Self, Error> {
        let (ending, done) = bounded::<()>(0);
        let read = move || {
            run.span.in_scope(|| read_all(&mut source, &run));
            drop(source);
            drop(ending);
        };
        let thread = spawn(Builder::new().name("mtl-reader".into()), Box::new(read));
        Ok(Self { thread: thread.map_err(Error::Thread)?, done: Some(done) })
    }

    /// Waits for the reader to end. The run must have stopped, or the reader must have read
    /// everything.
    pub(super) fn end(&mut self) {
        let Some(done) = self.done.take() else { return };
        let thread = self.thread.take();
        match done.recv_timeout(Self::GRACE) {
            // The sender is dropped when the thread ends, even by a panic.
            Err(RecvTimeoutError::Disconnected) | Ok(()) => {
                // The run has noted the message of a panic.
                let _ = thread.map(JoinHandle::join);
            }
            Err(RecvTimeoutError::Timeout) => drop(thread),
        }
    }
}

/// Reads until the source ends or the run is stopped, and closes the queue in either case.
fn read_all(source: &mut impl Source, run: &Run) {
    let result = catch_unwind(AssertUnwindSafe(|| read_blocks(source, run)));
    match result {
        Ok(Ok(())) => {}
        Ok(Err(error)) => run.record_error(error),
        Err(panic) => run.record_error(Error::SourcePanicked { message: panic::message(&*panic) }),
    }
    run.queue.close();
}

fn read_blocks(source: &mut impl Source, run: &Run) -> Result<(), Error> {
    let mut block = BlockBuilder::new();
    let mut has_room = HasRoom::No;
    while has_room == HasRoom::Yes || run.queue.wait_for_room().is_ok() {
        let filled = source.fill(&mut block);
        // Items that were read before an error are still worked on.
        let pushed = run.queue.push(&mut block);
        let filled = filled?;
        let Ok(room) = pushed else { break };
        has_room = room;
        if filled == FillStatus::End {
            run.progress.set_total(run.queue.pushed());
            break;
        }
    }
    Ok(())
}
