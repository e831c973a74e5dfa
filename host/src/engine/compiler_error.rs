//! The errors of a process that compiles a plugin.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use super::error::Subject;
use crate::control::deadline::Overdue;
use crate::item::limits::CompileMemory;
use crate::jail::system_limits;

/// The errors of a process that was to compile or inspect a plugin.
///
/// ```
/// use std::time::Duration;
/// use mtl_host::CompilerError;
///
/// let error = CompilerError::Timeout { limit: Duration::from_secs(9) };
/// assert_eq!(error.to_string(), "compiling the plugin took longer than 9s");
/// assert!(error.hint().unwrap().contains("`PluginLoader::compile_timeout`"));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum CompilerError {
    /// It took longer than it may.
    Timeout {
        /// The limit.
        limit: Duration,
    },
    /// It takes more memory than it may.
    Memory {
        /// The limit.
        limit: CompileMemory,
    },
    /// The process has died, or was killed since it is none of ours any more.
    Died {
        /// The message.
        message: String,
    },
    /// The process could not be jailed.
    Jail {
        /// True if the kernel lacks a part of the jail that one could do without.
        is_lack: bool,
        /// The missing part.
        message: String,
    },
    /// There is no process.
    Process {
        /// The answer of the system.
        source: io::Error,
    },
    /// Nothing would make a compiler of a process.
    NoProgram,
}

impl CompilerError {
    /// Writes the message about this plugin.
    pub(super) fn describe(&self, plugin: Subject<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout { limit } => write!(f, "compiling {plugin} {}", Overdue::Limit(*limit)),
            Self::Memory { limit } => {
                write!(f, "compiling {plugin} takes more memory than {limit:#}")
            }
            Self::Died { message } => write!(f, "{plugin} could not be compiled: {message}"),
            Self::Jail { message, .. } => {
                write!(f, "{plugin} cannot be compiled in a jail: {message}")
            }
            Self::Process { .. } => write!(f, "cannot start a process to compile {plugin}"),
            Self::NoProgram => f.write_str(
                "plugins cannot be compiled in processes: this program has not called `child_main`",
            ),
        }
    }

    /// Returns a hint for the user.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Timeout { .. } => Some("`PluginLoader::compile_timeout` allows it longer"),
            Self::Memory { .. } => Some("`PluginLoader::compile_memory` allows it more"),
            Self::Died { message, .. } if message.contains(system_limits::NO_THREAD) => {
                Some(system_limits::THREADS)
            }
            Self::Died { .. } => Some(
                "if it was memory that it lacked: `PluginLoader::compile_memory` allows it more",
            ),
            Self::Jail { is_lack: true, .. } => Some(
                "`Processes::layers` tells which layers this machine has; `Jail::BestEffort` does without those that it \
                 lacks",
            ),
            Self::NoProgram => Some(
                "call `mtl_host::child_main()` first of all in `main`, or name a program that does: \
                 `Processes::program`",
            ),
            Self::Process { source } => system_limits::hint_of_start(source),
            Self::Jail { is_lack: false, .. } => None,
        }
    }
}

impl fmt::Display for CompilerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.describe(Subject(None), f)
    }
}

impl Error for CompilerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Process { source } => Some(source),
            Self::Timeout { .. }
            | Self::Memory { .. }
            | Self::Died { .. }
            | Self::Jail { .. }
            | Self::NoProgram => None,
        }
    }
}
