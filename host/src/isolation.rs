//! The place where workers run: threads of this process, or a jailed process for each.
//!
//! ```text
//! thread    worker's thread ─▶ instance
//!
//! process   worker's thread ─▶ remote ═ socket ═▶ child ─▶ the same instance, in a jail
//!                                │                  │
//!                                └──── page ────────┘  which item the child is on
//! ```
//!
//! The worker's loop, its slot, its claims and its account are the same for both: a child is another
//! executor. What a child says is decoded by `wire`, and believed no further than `remote` and
//! `queue/loan` say. A child that dies costs the item it was on.

pub(crate) mod child;
pub(crate) mod claim_page;
pub(crate) mod compiler;
mod eventfd;
#[cfg(test)]
mod in_jail;
mod link;
mod prober;
mod process;
pub(crate) mod remote;
pub(crate) mod remote_plugin;
pub(crate) mod wire;

use std::fmt;
use std::path::{Path, PathBuf};

pub use self::child::{child_main, child_main_with};
pub use self::prober::LayersError;

use crate::jail::{Jail, JailLayers};

/// Where the workers of a pool run.
///
/// ```
/// use mtl_host::{Isolation, Processes};
///
/// assert_eq!(Isolation::default(), Isolation::Thread);
/// assert_eq!(Isolation::Process(Processes::new()).to_string(), "process");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Each on a thread of this process: what a plugin cannot do rests on the WebAssembly engine.
    #[default]
    Thread,
    /// Each in a process of its own, in a jail: what a plugin cannot do holds even if the engine
    /// has a hole.
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

/// How workers' processes are made.
///
/// A process is this program, started again: [`child_main`] makes it a worker. A program that does
/// not call that at its begin names one that does, by [`program`](Self::program).
///
/// ```
/// use mtl_host::{Jail, Processes};
///
/// let processes = Processes::new().program("/usr/local/bin/mtl-host").jail(Jail::BestEffort);
/// assert_ne!(processes, Processes::new());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "it is given to `Isolation::Process`"]
pub struct Processes {
    program: Option<PathBuf>,
    jail: Jail,
}

impl Processes {
    /// This program, jailed in every way that there is.
    pub fn new() -> Self {
        Self::default()
    }

    /// The program that is started for each worker: one that calls [`child_main`] first of all, of
    /// the same version of this library. Default: this one.
    pub fn program(mut self, path: impl Into<PathBuf>) -> Self {
        self.program = Some(path.into());
        self
    }

    /// The layers that the jail needs (default: [`Jail::Required`]). If the machine lacks one of them, no worker
    /// starts.
    pub fn jail(mut self, jail: Jail) -> Self {
        self.jail = jail;
        self
    }

    /// Tries the layers of the jail, in a process that enters one as workers do, and returns the answers of the
    /// kernel.
    ///
    /// ```standalone_crate
    /// use mtl_host::{JailLayer, LayerNeed, Processes};
    ///
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     mtl_host::child_main();
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
    /// When this program makes no workers, the system starts no process, or the process ends without an answer.
    pub fn layers(&self) -> Result<JailLayers, LayersError> {
        prober::layers(self)
    }

    fn required_layers(&self) -> Jail {
        self.jail
    }

    /// The program, if there is one that makes workers.
    pub(crate) fn find_program(&self) -> Option<&Path> {
        match &self.program {
            Some(path) => Some(path),
            None => child::is_hooked().then(|| Path::new("/proc/self/exe")),
        }
    }
}
