//! A trial: runs items through a fresh instance, and ends it.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use mtl_host::event::{Event, Observer, SnapshotRefusal};
use mtl_host::limits::{ChunkSize, MaxRestarts};
use mtl_host::source::Items;
use mtl_host::{ArgumentPassing, Error, Init, Pool, PoolBuilder};

use super::subject::Subject;
use super::transcript::{AnswerRecorder, Transcript};
use super::verdict::{EarlyEnd, Verdict};
use crate::{hints, system_limits};

/// The settings of a trial. The first failure of the plugin ends the trial.
pub(super) struct Trial<'a> {
    subject: &'a Subject<'a>,
    init: Option<&'a [u8]>,
    passing: ArgumentPassing,
    chunk: ChunkSize,
    snapshot: Option<Arc<SnapshotRecorder>>,
}

impl Subject<'_> {
    /// Returns a trial of this plugin with the usual settings.
    pub(super) fn trial(&self) -> Trial<'_> {
        Trial::of(self)
    }
}

impl<'a> Trial<'a> {
    /// The chunk size of all trials except the check of batches: the plugin receives items one by
    /// one. With adaptive chunks, the number of items in a batch would depend on timing.
    const ALONE: ChunkSize = ChunkSize::Fixed(NonZeroUsize::MIN);
    const TOGETHER: ChunkSize = ChunkSize::Fixed(NonZeroUsize::new(256).unwrap());

    fn of(subject: &'a Subject<'a>) -> Self {
        Self {
            subject,
            init: subject.init.as_deref(),
            passing: subject.passing(),
            chunk: Self::ALONE,
            snapshot: None,
        }
    }

    pub(super) fn init(self, init: &'a [u8]) -> Self {
        Self { init: Some(init), ..self }
    }

    pub(super) fn passing(self, passing: ArgumentPassing) -> Self {
        Self { passing, ..self }
    }

    /// Lets items cross in batches, if the plugin supports them.
    pub(super) fn together(self) -> Self {
        Self { chunk: Self::TOGETHER, ..self }
    }

    /// Starts from a snapshot, and records its events in `recorder`.
    pub(super) fn snapshot(self, recorder: &Arc<SnapshotRecorder>) -> Self {
        Self { snapshot: Some(Arc::clone(recorder)), ..self }
    }

    /// Runs the items, and ends the instance.
    pub(super) fn run<T: AsRef<[u8]>>(self, items: &[T]) -> Result<Transcript, EarlyEnd> {
        let mut pool = self.start()?;
        let mut transcript = run_items(&mut pool, items)?;
        if transcript.failure().is_none() {
            let report = pool.close().pop().expect("the pool has one worker");
            transcript.finish_report = report.finish_report;
        }
        Ok(transcript)
    }

    /// Returns a pool with one worker, whose instance starts with the first items.
    pub(super) fn start(self) -> Result<Pool, EarlyEnd> {
        Ok(self.builder().build()?)
    }

    fn builder(&self) -> PoolBuilder {
        let Subject { args, .. } = self.subject;
        let mut builder = Pool::builder(self.subject.plugin())
            .jobs("1".parse().expect("1 is a number of workers"))
            .isolation(self.subject.isolation())
            .timeout(args.timeout.get())
            .init_timeout(args.timeout.get())
            .memory(args.memory)
            .total_memory(system_limits::total_memory())
            .max_restarts(MaxRestarts::AtMost(0))
            .argument_passing(self.passing)
            .chunk_size(self.chunk);
        if let Some(init) = self.init {
            builder = builder.init(Init::Same(init.to_vec()));
        }
        for grant in &self.subject.dirs {
            builder = builder.dir(grant.clone());
        }
        for (name, value) in &self.subject.env {
            builder = builder.env(name, value);
        }
        if let Some(recorder) = &self.snapshot {
            builder = builder.snapshot().observer(Arc::clone(recorder) as _);
        }
        builder
    }
}

/// Runs items on an instance, which continues to live.
pub(super) fn run_items<T: AsRef<[u8]>>(
    pool: &mut Pool,
    items: &[T],
) -> Result<Transcript, EarlyEnd> {
    let items: Vec<_> = items.iter().map(|item| item.as_ref().to_vec()).collect();
    let mut recorder = AnswerRecorder::default();
    let outcome = pool.run(Items::new(items.clone()), &mut recorder);
    let AnswerRecorder { answers, format } = recorder;
    let transcript = Transcript { items, answers, format, finish_report: Ok(None) };
    match outcome.error {
        None => Ok(transcript),
        // The failed item is more useful than the error of the run.
        Some(_) if transcript.failure().is_some() => Ok(transcript),
        Some(error) => Err(start_verdict(&error).into()),
    }
}

fn start_verdict(error: &Error) -> Verdict {
    let detail = match error {
        Error::Init { source, .. } => crate::report::chain(source.as_ref()),
        error => crate::report::chain(error),
    };
    let verdict = Verdict::fail(detail);
    match hints::run(error) {
        Some(hint) => verdict.hint(hint),
        None => verdict.hint(
            "the start calls `_initialize`, `mtl_abi_version` and `init`: let `init` return an error that \
             explains the problem, instead of a trap",
        ),
    }
}

/// An observer that records whether a snapshot was taken.
#[derive(Debug, Default)]
pub(super) struct SnapshotRecorder(Mutex<Option<Result<TakenSnapshot, SnapshotRefusal>>>);

/// A snapshot that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TakenSnapshot {
    pub(super) bytes: u64,
    pub(super) has_random: bool,
}

impl SnapshotRecorder {
    pub(super) fn get(&self) -> Option<Result<TakenSnapshot, SnapshotRefusal>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for SnapshotRecorder {
    fn notify(&self, event: &Event<'_>) {
        let snapshot = match *event {
            Event::SnapshotTaken { bytes, has_random, .. } => {
                Ok(TakenSnapshot { bytes, has_random })
            }
            Event::SnapshotRefused { reason: why, .. } => Err(why.clone()),
            _ => return,
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(snapshot);
    }
}
