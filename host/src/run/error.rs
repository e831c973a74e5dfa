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

/// Why a run ended before its work was done, or ended badly.
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
    /// A worker could not be started at all. Others may have worked: the summary counts their items.
    #[error("worker {worker} could not be started")]
    Init {
        /// Which worker.
        worker: WorkerIndex,
        /// What went wrong.
        source: Arc<StartError>,
    },
    /// Every worker is retired: it broke and could not be started again, or broke too often.
    #[error("no worker is left: worker {worker}, the last one, {}", source.summary())]
    NoWorkerLeft {
        /// The last one.
        worker: WorkerIndex,
        /// Why it takes no more items.
        source: Retirement,
    },
    /// The input could not be read on.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The source panicked.
    #[error("the source of the items panicked: {message}")]
    SourcePanicked {
        /// The message of the panic.
        message: String,
    },
    /// The results could not be written.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// An item failed, and the policy is [`Immediate`](crate::ErrorPolicy::Immediate).
    #[error("an item failed")]
    ItemFailed(#[source] Fault),
    /// Items failed, and the policy is [`Deferred`](crate::ErrorPolicy::Deferred).
    #[error("{} failed", items(.0.len()))]
    ItemsFailed(
        /// All of them, in the order in which they came out.
        Vec<Fault>,
    ),
    /// More items failed than may.
    // Others may fail before the run has ended: the summary has their number.
    #[error("more items failed than the limit of {limit} allows")]
    TooManyFaults {
        /// How many may.
        limit: MaxFaults,
        /// How it stood when the limit was passed.
        counts: Counts,
    },
    /// The operating system refused a thread.
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
    /// The items that have an outcome are not those that were read: a defect of this library.
    #[error("{read} items were read, but {accounted} have an outcome")]
    Unaccounted {
        /// How many were read.
        read: u64,
        /// How many have an outcome.
        accounted: u64,
    },
}

fn items(number: usize) -> String {
    if number == 1 { "1 item".into() } else { format!("{number} items") }
}

impl Error {
    /// The error and what caused it, in one line.
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
