//! Isolation: workers run on threads of this process, or each in its own jailed process.
//!
//! ```text
//! thread    worker's thread ─▶ instance
//!
//! process   worker's thread ─▶ remote ═ socket ═▶ child ─▶ the same instance, in a jail
//!                                │                  │
//!                                └──── page ────────┘  number of the child's current item
//! ```
//!
//! Both kinds of workers use the same code for the loop, for the worker's state and for claims, and
//! the pool counts their outcomes in the same way. Only the executors differ. `wire` decodes the
//! frames of a child; `remote` and `queue/loan` check the decoded values. If a child dies, only the
//! item that it was running fails.

pub(crate) mod child;
mod child_connection;
pub(crate) mod claim_page;
pub(crate) mod compiler;
mod eventfd;
#[cfg(test)]
mod in_jail;
mod prober;
mod process;
pub(crate) mod remote;
pub(crate) mod remote_plugin;
pub(crate) mod wire;

use std::fmt;
use std::path::{Path, PathBuf};

pub use self::child::child_main;
#[doc(hidden)]
pub use self::child::child_main_with;
pub use self::prober::LayersError;
#[doc(inline)]
pub use crate::jail::{JailLayer, JailLayers, JailLevel, LayerNeed, LayerStatus};

/// The isolation of a pool's workers: threads of this process, or processes of their own.
///
/// ```
/// use mtl_host::isolation::{Isolation, Processes};
///
/// assert_eq!(Isolation::default(), Isolation::Thread);
/// assert_eq!(Isolation::Process(Processes::new()).to_string(), "process");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Each worker on a thread of this process: only the WebAssembly engine confines a plugin.
    #[default]
    Thread,
    /// Each worker in a jailed process of its own: the jail confines a plugin even if the engine
    /// has a vulnerability.
    Process(Processes),
}

impl fmt::Display for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Thread => "thread",
            Self::Process(_) => "process",
        })
    }
}

/// The settings of workers' processes.
///
/// By default, the pool starts this program again for each worker, and [`child_main`] turns the new
/// process into a worker. If this program does not call [`child_main`] first, it must set another
/// program by [`program`](Self::program).
///
/// ```
/// use mtl_host::isolation::{JailLevel, Processes};
///
/// let processes = Processes::new().program("/usr/local/bin/mtl-host").jail(JailLevel::BestEffort);
/// assert_ne!(processes, Processes::new());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "pass it to `Isolation::Process`"]
pub struct Processes {
    program: Option<PathBuf>,
    jail: JailLevel,
}

impl Processes {
    /// Returns the defaults: processes of this program with the required jail.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the program that is started for each worker (default: this program). It must call
    /// [`child_main`] before anything else, and must have the same version of this library.
    pub fn program(mut self, path: impl Into<PathBuf>) -> Self {
        self.program = Some(path.into());
        self
    }

    /// Sets the layers that the jail must have (default: [`JailLevel::Required`]). If the machine lacks
    /// one of these layers, no worker starts.
    pub fn jail(mut self, jail: JailLevel) -> Self {
        self.jail = jail;
        self
    }

    /// Starts a child that enters the jail as a worker does. Returns the status of each layer on
    /// this machine.
    ///
    /// ```standalone_crate
    /// use mtl_host::isolation::{JailLayer, LayerNeed, Processes};
    ///
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     mtl_host::isolation::child_main();
    ///
    ///     let layers = Processes::new().layers()?;
    ///     for (layer, answer) in layers.iter() {
    ///         println!("{layer}: {answer}");
    ///     }
    ///     assert!(layers.get(JailLayer::Seccomp).is_some());
    ///     assert_eq!(layers.missing(LayerNeed::Required).count(), 0);
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if this program has not called [`child_main`] and no other program is set. Fails if
    /// the system cannot start the process, or if the process ends without an answer.
    pub fn layers(&self) -> Result<JailLayers, LayersError> {
        prober::layers(self)
    }

    fn jail_requirement(&self) -> JailLevel {
        self.jail
    }

    /// Returns the program of the workers. Returns `None` if no program is set and this program has
    /// not called [`child_main`].
    pub(crate) fn find_program(&self) -> Option<&Path> {
        match &self.program {
            Some(path) => Some(path),
            None => child::is_hooked().then(|| Path::new("/proc/self/exe")),
        }
    }
}
