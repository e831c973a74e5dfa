//! The errors that end a run. The failure of one item is a [`Fault`], not an error.

use std::sync::Arc;

use crate::collector::policy::MaxFaults;
use crate::executor::retirement::Retirement;
use crate::executor::start_error::StartError;
use crate::item::fault::Fault;
use crate::item::index::WorkerIndex;
use crate::sink::SinkError;
use crate::source::SourceError;
use crate::stats::Counts;

/// An error that ended a run early, or that makes a finished run fail.
///
/// ```
/// use mtl_host::{Engine, Error, ErrorPolicy, Plugin, Pool};
///
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/judge.wat")?;
/// let mut pool = Pool::builder(&plugin).on_error(ErrorPolicy::Immediate).build()?;
/// let error = pool.map(["good", "!bad"]).try_collect::<Vec<_>>().unwrap_err();
/// assert!(matches!(&error, Error::ItemFailed(fault) if fault.message() == "!bad"));
/// assert!(error.hint().unwrap().contains("`ErrorPolicy::Ignore`"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A worker could not be started. Other workers may have run items, and the summary includes
    /// these items.
    #[error("worker {worker} could not be started")]
    Init {
        /// The worker.
        worker: WorkerIndex,
        /// The error of the start.
        source: Arc<StartError>,
    },
    /// All workers are retired, because they could not be started again or failed too often.
    #[error("no worker is left: worker {worker}, the last one, {}", source.summary())]
    NoWorkerLeft {
        /// The last worker.
        worker: WorkerIndex,
        /// The reason for its retirement.
        source: Retirement,
    },
    /// The source failed to read the input.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The source panicked.
    #[error("the source of the items panicked: {message}")]
    SourcePanicked {
        /// The message of the panic.
        message: String,
    },
    /// The sink failed to write the results.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// An item failed, and the policy is [`Immediate`](crate::ErrorPolicy::Immediate).
    #[error("an item failed")]
    ItemFailed(#[source] Fault),
    /// Items failed, and the policy is [`Deferred`](crate::ErrorPolicy::Deferred).
    #[error("{} failed", items(.0.len()))]
    ItemsFailed(
        /// All faults, in the order in which they came out.
        Vec<Fault>,
    ),
    /// More items failed than the limit allows.
    // Further items may fail before the run has ended; the summary has the final number.
    #[error("more items failed than the limit of {limit} allows")]
    TooManyFaults {
        /// The limit.
        limit: MaxFaults,
        /// The counts when the limit was exceeded.
        counts: Counts,
    },
    /// The operating system refused to start a thread.
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
    /// The number of outcomes differs from the number of items: a defect of this library.
    #[error("{read} items were read, but {accounted} have an outcome")]
    Unaccounted {
        /// The number of items that were read.
        read: u64,
        /// The number of items with an outcome.
        accounted: u64,
    },
}

fn items(number: usize) -> String {
    if number == 1 { "1 item".into() } else { format!("{number} items") }
}

impl Error {
    /// Returns the error and its causes in one line.
    pub(crate) fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }

    /// Returns a hint for the user.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Init { source, .. } => source.hint(),
            Self::NoWorkerLeft { source, .. } => source.hint(),
            Self::Source(error) => error.hint().map(Into::into),
            Self::ItemFailed(_) => {
                Some("to go on after failed items, use `ErrorPolicy::Ignore` or `Deferred`".into())
            }
            Self::TooManyFaults { .. } => {
                Some("the faults say why; to allow more, raise `max_faults`".into())
            }
            Self::Unaccounted { .. } => Some("this is a bug of mtl-host: please report it".into()),
            Self::Sink(error) => error.hint().map(Into::into),
            Self::SourcePanicked { .. } | Self::ItemsFailed(_) | Self::Thread(_) => None,
        }
    }
}
