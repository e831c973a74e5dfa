//! The errors of a process that compiles a plugin.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use super::error::Subject;
use crate::control::deadline::Overdue;
use crate::item::limits::CompileMemory;
use crate::jail::system_limits;

/// An error of the process that compiles or inspects a plugin.
///
/// ```
/// use std::time::Duration;
/// use mtl_host::load::CompilerError;
///
/// let error = CompilerError::Timeout { limit: Duration::from_secs(9) };
/// assert_eq!(error.to_string(), "compiling the plugin took longer than 9s");
/// assert!(error.hint().unwrap().contains("`PluginLoader::compile_timeout`"));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum CompilerError {
    /// Compiling took longer than the limit.
    Timeout {
        /// The limit.
        limit: Duration,
    },
    /// Compiling needed more memory than the limit.
    Memory {
        /// The limit.
        limit: CompileMemory,
    },
    /// The process died, or this process killed it because it was overdue or broke the protocol.
    Died {
        /// A description of the failure.
        message: String,
    },
    /// The process could not be jailed.
    Jail {
        /// True if a jail layer that `JailLevel::BestEffort` can omit is missing from the kernel.
        is_missing_layer: bool,
        /// The missing part.
        message: String,
    },
    /// The process could not be started.
    Process {
        /// The system's error.
        source: io::Error,
    },
    /// This program never calls `child_main`, so it cannot run as a compiler process.
    NoProgram,
}

impl CompilerError {
    /// Writes the message, with this plugin as its subject.
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
            Self::Timeout { .. } => Some("raise the limit with `PluginLoader::compile_timeout`"),
            Self::Memory { .. } => Some("raise the limit with `PluginLoader::compile_memory`"),
            Self::Died { message, .. } if message.contains(system_limits::THREAD_REFUSED) => {
                Some(system_limits::THREADS)
            }
            Self::Died { .. } => {
                Some("if it ran out of memory, raise the limit with `PluginLoader::compile_memory`")
            }
            Self::Jail { is_missing_layer: true, .. } => Some(
                "`Processes::layers` shows the layers that this machine has; `JailLevel::BestEffort` runs without those that it \
                 lacks",
            ),
            Self::NoProgram => Some(
                "call `mtl_host::isolation::child_main()` first in `main`, or name a program that does with \
                 `Processes::program`",
            ),
            Self::Process { source } => system_limits::spawn_hint(source),
            Self::Jail { is_missing_layer: false, .. } => None,
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
