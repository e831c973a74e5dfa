//! The thread that reads: it fills blocks from the source and pushes them into the queue.

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
use crate::source::{Filled, Source};

/// A reader at work, or done.
#[derive(Debug)]
pub(super) struct Reader {
    /// None where somebody else waits for the thread.
    thread: Option<JoinHandle<()>>,
    /// None when its end has been waited for.
    done: Option<Receiver<()>>,
}

/// What a reader's thread does.
pub(super) type Reading<'source> = Box<dyn FnOnce() + Send + 'source>;

/// Starts a thread that does this, and gives what waits for it, unless somebody else does.
pub(super) type Launch<'launch, 'source> =
    &'launch dyn Fn(Builder, Reading<'source>) -> io::Result<Option<JoinHandle<()>>>;

impl Reader {
    /// How long a source may take to notice that it is not wanted any more. One that is blocked
    /// in code of others is let go then, and ends when that code returns.
    const GRACE: Duration = Duration::from_secs(1);

    pub(super) fn start<'source>(
        mut source: impl Source + 'source,
        run: Arc<Run>,
        launch: Launch<'_, 'source>,
    ) -> Result<Self, Error> {
        let (ending, done) = bounded::<()>(0);
        let read = move || {
            run.span.in_scope(|| read_all(&mut source, &run));
            drop(source);
            drop(ending);
        };
        let thread = launch(Builder::new().name("mtl-reader".into()), Box::new(read));
        Ok(Self { thread: thread.map_err(Error::Thread)?, done: Some(done) })
    }

    /// Waits for the reader's end. The run must have stopped, or read all.
    pub(super) fn end(&mut self) {
        let Some(done) = self.done.take() else { return };
        let thread = self.thread.take();
        match done.recv_timeout(Self::GRACE) {
            // The sender is dropped at the thread's end, by a panic too.
            Err(RecvTimeoutError::Disconnected) | Ok(()) => {
                // What a panic had to say has been noted in the run.
                let _ = thread.map(JoinHandle::join);
            }
            Err(RecvTimeoutError::Timeout) => drop(thread),
        }
    }
}

/// Reads until the source ends or the run is stopped, and closes the queue in any case.
fn read_all(source: &mut impl Source, run: &Run) {
    let reading = catch_unwind(AssertUnwindSafe(|| read_blocks(source, run)));
    match reading {
        Ok(Ok(())) => {}
        Ok(Err(error)) => run.note(error),
        Err(panic) => run.note(Error::SourcePanicked { message: panic::message(&*panic) }),
    }
    run.queue.close();
}

fn read_blocks(source: &mut impl Source, run: &Run) -> Result<(), Error> {
    let mut block = BlockBuilder::new();
    let mut has_room = HasRoom::No;
    while has_room == HasRoom::Yes || run.queue.wait_for_room().is_ok() {
        let filled = source.fill(&mut block);
        // What was read before an error is worked on.
        let pushed = run.queue.push(&mut block);
        let filled = filled?;
        let Ok(room) = pushed else { break };
        has_room = room;
        if filled == Filled::End {
            run.progress.all_read(run.queue.pushed());
            break;
        }
    }
    Ok(())
}
