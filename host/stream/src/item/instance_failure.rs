//! The failure of an instance.

use crate::item::fault::FaultKind;

/// The failure of an instance or of a native worker, or the reason why its finish report is
/// missing.
///
/// ```
/// use mtl_host::{Engine, FaultKind, InstanceFailure, Plugin, Pool};
///
/// // The finish report is the last item. If it starts with `!`, the plugin returns it as an error.
/// let plugin = Plugin::load(&Engine::new()?, "../fixtures/finish.wat")?;
/// let mut pool = Pool::builder(&plugin).jobs("1".parse()?).build()?;
/// pool.map(["!no report"]).try_collect::<Vec<_>>()?;
/// let failure = pool.close().remove(0).finish_report.unwrap_err();
/// assert_eq!(failure, InstanceFailure::new(FaultKind::Refused, "!no report"));
/// assert_eq!(failure.to_string(), "refused: !no report");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
#[non_exhaustive]
pub struct InstanceFailure {
    /// The kind of fault of the item that the instance was working on.
    pub kind: FaultKind,
    /// The message.
    pub message: String,
}

impl InstanceFailure {
    /// Creates a failure of this kind.
    #[must_use]
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}
