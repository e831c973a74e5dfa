//! The reasons for which there is no snapshot.

use serde::{Deserialize, Serialize};

use crate::item::bounded;

/// Why there is no snapshot of what `init` has made: each worker is initialised on its own.
///
/// ```
/// use mtl_host::SnapshotRefusal;
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
    /// There is nothing to freeze.
    #[error("it has no `init`")]
    NoInit,
    /// The plugin was compiled before, and what it was compiled from is not there.
    #[error("it was compiled before, and what it was compiled from is needed")]
    Precompiled,
    /// The plugin does what cannot be told from outside afterwards.
    #[error("it cannot be frozen: {0}")]
    Unsupported(#[serde(with = "bounded::short")] String),
    /// A restored instance would have a number for a file, and no file.
    #[error("its `init` leaves a file open")]
    OpenFile,
    /// A restored instance would have what this one has closed.
    #[error("its `init` closes or renumbers what it was given open")]
    GivenFile,
    /// What was written once would be missing for the others.
    #[error("its `init` writes files")]
    Writes,
    /// All would take themselves for the same worker.
    #[error("its `init` asks which worker it is, or how many there are")]
    AsksWhichWorker,
    /// What a host function says, or does, may be for one worker.
    #[error("its `init` calls a host function")]
    HostFunction,
    /// There is more to freeze than may be.
    #[error("it has {bytes} bytes of memory after its `init`, and may have {limit}")]
    TooLarge {
        /// How many it has.
        bytes: u64,
        /// How many it may have.
        limit: u64,
    },
    /// There are too many pieces to freeze.
    #[error("its memory has {pieces} pieces between zeros after its `init`, and may have {limit}")]
    TooScattered {
        /// How many it has.
        pieces: usize,
        /// How many it may have.
        limit: usize,
    },
    /// The snapshot could not be compiled.
    #[error("its snapshot cannot be compiled: {0}")]
    NotCompiled(#[serde(with = "bounded::short")] String),
}

impl SnapshotRefusal {
    /// What the plugin's author, or whoever runs it, can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::OpenFile => Some("it can open the file in its `after_restore`"),
            Self::AsksWhichWorker => Some("it can ask in its `after_restore`"),
            Self::HostFunction => Some("it can call it in its `after_restore`"),
            Self::Precompiled => Some("take the .wasm that it was made from"),
            Self::Component
            | Self::NoInit
            | Self::Unsupported(_)
            | Self::GivenFile
            | Self::Writes
            | Self::TooLarge { .. }
            | Self::TooScattered { .. }
            | Self::NotCompiled(_) => None,
        }
    }
}
