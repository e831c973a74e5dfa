//! The errors of a worker's start.

use std::io;

use serde::{Deserialize, Serialize};

use crate::item::bounded;
use crate::item::fault::FaultKind;
use crate::item::instance_failure::InstanceFailure;
use crate::jail::system_limits;

/// An error of the code that opens a native worker.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The error of a worker that cannot start.
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
    /// The plugin could not be instantiated, or its start function failed.
    #[error("the plugin could not be instantiated: {message}")]
    Instantiate {
        /// The message.
        #[serde(with = "bounded::guest")]
        message: String,
    },
    /// The plugin was built for another version of the interface.
    #[error("the plugin speaks ABI {found}, this host speaks {supported}")]
    Abi {
        /// The ABI version of the plugin.
        found: i32,
        /// The ABI version of the host.
        supported: i32,
    },
    /// The start took longer than its limit, including `init`.
    #[error("the start {message}")]
    Timeout {
        /// The message, which names the limit.
        #[serde(with = "bounded::guest")]
        message: String,
    },
    /// The plugin needed more memory than its limit before the first item.
    #[error("{message}")]
    OutOfMemory {
        /// The message.
        #[serde(with = "bounded::guest")]
        message: String,
    },
    /// The plugin used up its fuel before `init` returned.
    #[error("{message}")]
    OutOfFuel {
        /// The message.
        #[serde(with = "bounded::guest")]
        message: String,
    },
    /// `init` returned an error.
    #[error("init failed: {message}")]
    InitRefused {
        /// The message of the plugin.
        #[serde(with = "bounded::guest")]
        message: String,
    },
    /// An item fills one parameter, but the called function has another number of parameters.
    #[error("init failed: {message}")]
    ParameterCount {
        /// The message, which names the parameters.
        #[serde(with = "bounded::guest")]
        message: String,
    },
    /// `init` failed, for example by a trap.
    #[error("init failed: {message}")]
    InitFailed {
        /// The message.
        #[serde(with = "bounded::guest")]
        message: String,
    },
    /// `after_restore` failed in an instance that started from a snapshot.
    #[error("after_restore failed: {message}")]
    RestoreFailed {
        /// The message.
        #[serde(with = "bounded::guest")]
        message: String,
    },
    // A child process never sends the variants below. They come last, so that skipped variants do not change the
    // numbers by which the child and its parent identify the variants above.
    /// The process of the worker could not be started.
    #[serde(skip)]
    #[error("its process could not be started")]
    Process {
        /// The error of the system.
        source: io::Error,
    },
    /// The process of the worker could not be jailed.
    #[serde(skip)]
    #[error("its process cannot be jailed: {message}")]
    Jail {
        /// True if the kernel lacks a feature of the jail that a best-effort jail can omit.
        is_missing_layer: bool,
        /// The feature that is missing or failed.
        message: String,
    },
    /// The process of the worker died before its first item.
    #[serde(skip)]
    #[error("{message}")]
    Crashed {
        /// A description of the death of the process.
        message: String,
    },
    /// The function that opens a native worker returned an error.
    #[serde(skip)]
    #[error("its native code could not be opened")]
    Native(#[source] Cause),
    /// The function that opens a native worker panicked.
    #[serde(skip)]
    #[error("its native code panicked: {message}")]
    NativePanicked {
        /// The message of the panic.
        message: String,
    },
}

impl StartError {
    pub(crate) fn instantiate(failure: InstanceFailure) -> Self {
        match failure.kind {
            FaultKind::Timeout => Self::Timeout { message: failure.message },
            FaultKind::OutOfMemory => Self::OutOfMemory { message: failure.message },
            FaultKind::OutOfFuel => Self::OutOfFuel { message: failure.message },
            _ => Self::Instantiate { message: failure.message },
        }
    }

    pub(crate) fn from_init(failure: InstanceFailure) -> Self {
        match failure.kind {
            FaultKind::Timeout => Self::Timeout { message: failure.message },
            FaultKind::OutOfMemory => Self::OutOfMemory { message: failure.message },
            FaultKind::OutOfFuel => Self::OutOfFuel { message: failure.message },
            _ => Self::InitFailed { message: failure.message },
        }
    }

    pub(crate) fn from_restore(failure: InstanceFailure) -> Self {
        match Self::from_init(failure) {
            Self::InitFailed { message } => Self::RestoreFailed { message },
            other => other,
        }
    }

    /// Returns whether another attempt may succeed. The result is true if the start took too long, the worker's process
    /// died, or the system lacked the resources for a process. After such an error, the pool repeats the start, both
    /// for a worker's first instance and for a replacement.
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
            Self::Timeout { .. } => "`init_timeout` limits how long a worker may take to start",
            Self::OutOfMemory { .. } => {
                "`memory` allows each worker more, `total_memory` all workers together"
            }
            Self::OutOfFuel { .. } => "`fuel` allows more, for the start and for each item",
            Self::Abi { found, supported } if found > supported => "update mtl-host",
            Self::Abi { .. } => "rebuild the plugin with the current SDK",
            Self::InitRefused { .. } => "`init` gives the plugin its arguments, `dir` its files",
            Self::ParameterCount { .. } => {
                "`ArgumentPassing::Args` takes a JSON array of the parameters as an item, `[]` for no parameter; \
                 `ArgumentPassing::Kwargs` takes a JSON object with their names"
            }
            Self::Jail { is_missing_layer: true, .. } => {
                "`Processes::layers` shows the layers that this machine has; `JailLevel::BestEffort` runs without those that it \
                 lacks"
            }
            // A system that is short of memory kills processes with SIGKILL.
            Self::Crashed { message } if message.contains("(SIGKILL)") => {
                "if the system killed it for lack of memory, `dmesg` shows it: start fewer workers, or \
                 give each less memory"
            }
            Self::Process { source } => {
                return system_limits::spawn_hint(source).map(Into::into);
            }
            Self::Crashed { message } if message.contains(system_limits::THREAD_REFUSED) => {
                system_limits::THREADS
            }
            Self::Instantiate { message } => {
                return system_limits::memory_hint(message).map(Into::into);
            }
            Self::Jail { is_missing_layer: false, .. }
            | Self::Crashed { .. }
            | Self::InitFailed { .. }
            | Self::RestoreFailed { .. }
            | Self::Native(_)
            | Self::NativePanicked { .. } => return None,
        };
        Some(hint.into())
    }
}
