//! Why a plugin was not compiled in a process of its own, whatever there is to be said of it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::control::deadline::Overdue;
use crate::item::limits::CompileMemory;
use crate::jail::system_limits;

/// Why a process has not compiled a plugin, or looked into it.
///
/// ```
/// use std::time::Duration;
/// use mtl_host::CompilerError;
///
/// let error = CompilerError::Timeout { path: "it.wasm".into(), limit: Duration::from_secs(9) };
/// assert_eq!(error.to_string(), "compiling plugin `it.wasm` took longer than 9s");
/// assert!(error.hint().unwrap().starts_with("`--compile-timeout TIME`"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompilerError {
    /// It took longer than it may.
    #[error("compiling plugin `{path}` {}", Overdue::Limit(*limit))]
    Timeout {
        /// As the user named it.
        path: PathBuf,
        /// How long it may take.
        limit: Duration,
    },
    /// It takes more memory than it may.
    #[error("compiling plugin `{path}` takes more memory than {limit:#}")]
    Memory {
        /// As the user named it.
        path: PathBuf,
        /// What it may take.
        limit: CompileMemory,
    },
    /// The process has died, or was killed since it is none of ours any more.
    #[error("plugin `{path}` could not be compiled: {message}")]
    Died {
        /// As the user named it.
        path: PathBuf,
        /// What happened.
        message: String,
    },
    /// The process could not be jailed.
    #[error("plugin `{path}` cannot be compiled in a jail: {message}")]
    Jail {
        /// As the user named it.
        path: PathBuf,
        /// Whether the kernel lacks a part of the jail, and one could do without.
        is_lack: bool,
        /// What is missing.
        message: String,
    },
    /// There is no process.
    #[error("cannot start a process to compile plugin `{path}`")]
    Process {
        /// As the user named it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nothing would make a compiler of a process.
    #[error("plugins cannot be compiled in processes: this program has not called `child_main`")]
    NoProgram,
}

impl CompilerError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Timeout { .. } => Some("`--compile-timeout TIME` allows it longer"),
            Self::Memory { .. } => Some("`--compile-memory SIZE` allows it more"),
            Self::Died { message, .. } if message.contains(system_limits::NO_THREAD) => {
                Some(system_limits::THREADS)
            }
            Self::Died { .. } => {
                Some("if it was memory that it lacked: `--compile-memory SIZE` allows it more")
            }
            Self::Jail { is_lack: true, .. } => Some(
                "`mtl-host doctor` shows the layers that this machine has; `--jail best-effort` does without those \
                 that it lacks",
            ),
            Self::NoProgram => Some(
                "call `mtl_host::child_main()` first of all in `main`, or name a program that does: \
                 `Processes::program`",
            ),
            Self::Process { source, .. } => system_limits::hint_of_start(source),
            Self::Jail { is_lack: false, .. } => None,
        }
    }
}
