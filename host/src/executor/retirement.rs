//! The reason why a worker takes no more items.

use std::sync::Arc;

use crate::executor::start_error::StartError;
use crate::item::instance_failure::InstanceFailure;

/// The reason why a worker is retired. Its `Display` output is the last error of the worker.
///
/// ```
/// use mtl_host::limits::MaxRestarts;
/// use mtl_host::{Engine, Error, Plugin, Pool};
///
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/misbehave.wat")?;
/// let pool = Pool::builder(&plugin).jobs("1".parse()?).max_restarts(MaxRestarts::AtMost(0));
/// let (_, _, ended) = pool.build()?.map(["trap"]).collect_all();
/// let Some(Error::NoWorkerLeft { source, .. }) = ended.error else {
///     panic!("it was not to be restarted");
/// };
/// assert_eq!(source.summary(), "failed too often in a row");
/// assert!(source.hint().unwrap().starts_with("`max_restarts`"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Retirement {
    /// The worker could not be started again.
    #[error(transparent)]
    NotStarted(Arc<StartError>),
    /// The worker failed on more items in a row than it may.
    #[error(transparent)]
    FailedTooOften(InstanceFailure),
}

impl Retirement {
    /// Returns a short summary of the reason.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        match self {
            Self::NotStarted(_) => "could not be started again",
            Self::FailedTooOften(_) => "failed too often in a row",
        }
    }

    /// Returns a hint for the user.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotStarted(error) => error.hint(),
            Self::FailedTooOften(_) => {
                Some("`max_restarts` limits how often a worker may fail in a row".into())
            }
        }
    }
}
