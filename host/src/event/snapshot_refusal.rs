//! The reasons why a plugin cannot have a snapshot.

use serde::{Deserialize, Serialize};

use crate::item::bounded;

/// The reason why the host cannot take a snapshot of a plugin. Each worker then initialises its own
/// instance.
///
/// ```
/// use mtl_host::event::SnapshotRefusal;
///
/// let refusal = SnapshotRefusal::OpenFile;
/// assert_eq!(refusal.to_string(), "its `init` leaves a file open");
/// assert!(refusal.hint().unwrap().contains("`after_restore`"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SnapshotRefusal {
    /// The plugin is a component.
    #[error("it is a component, and only core modules can be frozen")]
    Component,
    /// The plugin has no `init`, so a snapshot would save nothing.
    #[error("it has no `init`")]
    NoInit,
    /// The plugin was compiled ahead of time, so its original module is missing.
    #[error("it was compiled ahead of time, and a snapshot needs the original module")]
    Precompiled,
    /// The plugin uses a feature whose state cannot be saved.
    #[error("it cannot be frozen: {0}")]
    Unsupported(#[serde(with = "bounded::short")] String),
    /// A restored instance would have the number of a file that is not open.
    #[error("its `init` leaves a file open")]
    OpenFile,
    /// A restored instance would have a descriptor that `init` has closed or renumbered.
    #[error("its `init` closes or renumbers a descriptor that it was given")]
    ClosesDescriptor,
    /// The files were written once, and would be missing for the other workers.
    #[error("its `init` writes files")]
    Writes,
    /// All restored instances would take themselves for the same worker.
    #[error("its `init` asks which worker it is, or how many there are")]
    QueriesWorkerIndex,
    /// The effect or the result of a host function may apply to one worker only.
    #[error("its `init` calls a host function")]
    HostFunction,
    /// The memory is larger than the limit.
    #[error("it has {bytes} bytes of memory after its `init`, and the limit is {limit}")]
    TooLarge {
        /// The size of the memory in bytes.
        bytes: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The memory has more separate pieces than the limit.
    #[error(
        "its memory has {pieces} pieces between zeros after its `init`, and the limit is {limit}"
    )]
    TooScattered {
        /// The number of pieces.
        pieces: usize,
        /// The largest allowed number of pieces.
        limit: usize,
    },
    /// The snapshot could not be compiled.
    #[error("its snapshot cannot be compiled: {0}")]
    NotCompiled(#[serde(with = "bounded::short")] String),
}

impl SnapshotRefusal {
    /// Returns a hint for the plugin's author or user.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::OpenFile => Some("it can open the file in its `after_restore`"),
            Self::QueriesWorkerIndex => Some("it can ask in its `after_restore`"),
            Self::HostFunction => Some("it can call it in its `after_restore`"),
            Self::Precompiled => Some("take the .wasm that it was made from"),
            Self::Component
            | Self::NoInit
            | Self::Unsupported(_)
            | Self::ClosesDescriptor
            | Self::Writes
            | Self::TooLarge { .. }
            | Self::TooScattered { .. }
            | Self::NotCompiled(_) => None,
        }
    }
}
