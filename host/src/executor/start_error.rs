//! The reasons for which a worker does not start.

use std::io;

use serde::{Deserialize, Serialize};

use crate::item::bounded;
use crate::item::failure::Broken;
use crate::item::fault::FaultKind;
use crate::jail::system_limits;

/// An error of the code that opens a native worker.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The errors of a worker's start.
///
/// ```
/// use mtl_host::{Engine, Error, Init, Plugin, Pool, StartError};
///
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/init.wat")?;
/// let mut pool = Pool::builder(&plugin).init(Init::Same(b"refuse".to_vec())).build()?;
/// let Some(Error::Init { source, .. }) = pool.map(["item"]).end().error else {
///     panic!("it refuses these arguments");
/// };
/// assert_eq!(source.to_string(), "init failed: these arguments are no good");
/// assert!(source.hint().unwrap().starts_with("`init` gives"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StartError {
    /// The instance could not be made, or broke in its own start.
    #[error("the plugin could not be instantiated: {message}")]
    Instantiate {
        /// The message.
        #[serde(with = "bounded::guest")]
        message: String,
    },
    /// The plugin was built for another version of the interface.
    #[error("the plugin speaks ABI {found}, this host speaks {supported}")]
    Abi {
        /// The plugin's version.
        found: i32,
        /// The host's.
        supported: i32,
    },
    /// It took longer than it may, until `init` was done.
    #[error("the start {message}")]
    Timeout {
        /// The limit.
        #[serde(with = "bounded::guest")]
        message: String,
    },
    /// It takes more memory than it may have, before its first item.
    #[error("{message}")]
    OutOfMemory {
        /// The message.
        #[serde(with = "bounded::guest")]
        message: String,
    },
    /// It computes more than it may, until `init` is done.
    #[error("{message}")]
    OutOfFuel {
        /// The message.
        #[serde(with = "bounded::guest")]
        message: String,
    },
    /// `init` answered with an error.
    #[error("init failed: {message}")]
    InitRefused {
        /// In the plugin's words.
        #[serde(with = "bounded::guest")]
        message: String,
    },
    /// An item is one parameter, and the function that takes items has another number of them.
    #[error("init failed: {message}")]
    Parameters {
        /// The parameters.
        #[serde(with = "bounded::guest")]
        message: String,
    },
    /// `init` broke.
    #[error("init broke: {message}")]
    InitBroke {
        /// The message.
        #[serde(with = "bounded::guest")]
        message: String,
    },
    /// It started from a snapshot, and its `after_restore` broke.
    #[error("after_restore broke: {message}")]
    RestoreBroke {
        /// The message.
        #[serde(with = "bounded::guest")]
        message: String,
    },
    // A child sends none of these. They come last: only so has each of the others one number for both ends.
    /// Its process could not be started.
    #[serde(skip)]
    #[error("its process could not be started")]
    Process {
        /// The answer of the system.
        source: io::Error,
    },
    /// Its process could not be jailed.
    #[serde(skip)]
    #[error("its process cannot be jailed: {message}")]
    Jail {
        /// True if the kernel lacks a part of the jail that a run could do without.
        is_lack: bool,
        /// The part that is missing, or failed.
        message: String,
    },
    /// Its process died before its first item.
    #[serde(skip)]
    #[error("{message}")]
    Crashed {
        /// How.
        message: String,
    },
    /// The function that opens a native worker returned an error.
    #[serde(skip)]
    #[error("it is native, and did not open")]
    Native(#[source] Cause),
    /// The function that opens a native worker panicked.
    #[serde(skip)]
    #[error("it is native, and panicked: {message}")]
    NativePanicked {
        /// The message of the panic.
        message: String,
    },
}

impl StartError {
    pub(crate) fn instantiate(broken: Broken) -> Self {
        match broken.kind {
            FaultKind::Timeout => Self::Timeout { message: broken.message },
            FaultKind::OutOfMemory => Self::OutOfMemory { message: broken.message },
            FaultKind::OutOfFuel => Self::OutOfFuel { message: broken.message },
            _ => Self::Instantiate { message: broken.message },
        }
    }

    pub(crate) fn init_broke(broken: Broken) -> Self {
        match broken.kind {
            FaultKind::Timeout => Self::Timeout { message: broken.message },
            FaultKind::OutOfMemory => Self::OutOfMemory { message: broken.message },
            FaultKind::OutOfFuel => Self::OutOfFuel { message: broken.message },
            _ => Self::InitBroke { message: broken.message },
        }
    }

    pub(crate) fn restore_broke(broken: Broken) -> Self {
        match Self::init_broke(broken) {
            Self::InitBroke { message } => Self::RestoreBroke { message },
            other => other,
        }
    }

    /// Returns whether another attempt may succeed: the start took longer than it may, its process
    /// died, or the system had no room for a process. A pool tries such a first start again, as it
    /// does a replacement.
    ///
    /// ```
    /// use mtl_host::StartError;
    ///
    /// let killed = StartError::Crashed { message: "killed by signal 9".into() };
    /// let refused = StartError::InitRefused { message: "no such file".into() };
    /// assert!(killed.is_transient() && !refused.is_transient());
    /// ```
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Crashed { .. } => true,
            Self::Process { source } => {
                matches!(source.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::OutOfMemory)
            }
            _ => false,
        }
    }

    /// Returns a hint for the user.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Timeout { .. } => "`init_timeout` says how long a worker may take to start",
            Self::OutOfMemory { .. } => {
                "`memory` allows each worker more, `total_memory` all together"
            }
            Self::OutOfFuel { .. } => "`fuel` allows more, for the start as for each item",
            Self::Abi { found, supported } if found > supported => "update mtl-host",
            Self::Abi { .. } => "rebuild the plugin with the current SDK",
            Self::InitRefused { .. } => "`init` gives the plugin its arguments, `dir` its files",
            Self::Parameters { .. } => {
                "`ArgumentPassing::Args` takes a JSON array of the parameters as an item, `[]` if there is none; \
                 `ArgumentPassing::Kwargs` takes an object by their names"
            }
            Self::Jail { is_lack: true, .. } => {
                "`Processes::layers` tells which layers this machine has; `Jail::BestEffort` does without those that it \
                 lacks"
            }
            // Whoever is short of memory kills.
            Self::Crashed { message } if message.contains("(SIGKILL)") => {
                "if the system has killed it for want of memory, `dmesg` says so: start fewer workers, or \
                 give each less"
            }
            Self::Process { source } => {
                return system_limits::hint_of_start(source).map(Into::into);
            }
            Self::Crashed { message } if message.contains(system_limits::NO_THREAD) => {
                system_limits::THREADS
            }
            Self::Instantiate { message } => {
                return system_limits::hint_of_memory(message).map(Into::into);
            }
            Self::Jail { is_lack: false, .. }
            | Self::Crashed { .. }
            | Self::InitBroke { .. }
            | Self::RestoreBroke { .. }
            | Self::Native(_)
            | Self::NativePanicked { .. } => return None,
        };
        Some(hint.into())
    }
}
