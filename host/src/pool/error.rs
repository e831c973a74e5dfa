//! The errors of building a pool.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use crate::engine::LoadError;
use crate::item::argument_passing::ArgumentPassing;
use crate::item::index::WorkerIndex;
use crate::jail::system_limits;
use crate::sandbox::net_grant::NetGrant;

/// An error of building a pool.
///
/// ```
/// use mtl_host::{BuildError, Engine, Init, Plugin, Pool};
///
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
/// let pool = Pool::builder(&plugin).init(Init::Same(b"args".to_vec())).build();
/// let error = pool.unwrap_err();
/// assert!(matches!(error, BuildError::NoInit { .. }));
/// assert!(error.to_string().ends_with("takes no init arguments: it does not export `init`"));
/// assert!(error.hint().unwrap().starts_with("leave out the init arguments"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The number of init arguments differs from the number of workers.
    #[error("{given} init arguments were given for {jobs} workers")]
    InitCount {
        /// The number of init arguments.
        given: usize,
        /// The number of workers that `jobs` sets.
        jobs: u32,
    },
    /// A plugin without `init` has init arguments.
    #[error("plugin `{plugin}` takes no init arguments: it does not export `init`")]
    NoInit {
        /// The plugin.
        plugin: PathBuf,
    },
    /// The number of listed workers differs from the number that `jobs` sets.
    #[error("{listed} workers are listed, but `jobs` is {jobs}")]
    WorkerCount {
        /// The number of listed workers.
        listed: usize,
        /// The number of workers that `jobs` sets.
        jobs: u32,
    },
    /// The pool has both a list of workers and init arguments for all workers.
    #[error("init arguments for all workers cannot be combined with a list of workers")]
    InitWithWorkerList,
    /// Two plugins of the pool were loaded with different engines.
    #[error("plugin `{plugin}` was loaded with another engine than `{first}`")]
    DifferentEngines {
        /// The plugin.
        plugin: PathBuf,
        /// The pool's first plugin.
        first: PathBuf,
    },
    /// A native worker has a setting that applies only to plugins.
    #[error("worker {worker} is native: `{setting}` is for plugins")]
    Native {
        /// The worker.
        worker: WorkerIndex,
        /// The name of the setting.
        setting: &'static str,
    },
    /// A native worker is part of a pool whose workers run in processes.
    #[error("worker {worker} is native: it cannot run in a process of its own")]
    NativeProcess {
        /// The worker.
        worker: WorkerIndex,
    },
    /// Workers are to run in processes, but the host has no program to start for them.
    #[error("workers cannot run in processes: this program has not called `child_main`")]
    NoWorkerProgram,
    /// A plugin was compiled in a child process, so its code may run only in child processes.
    #[error("plugin `{plugin}` was compiled in a process, and runs in processes only")]
    OnlyInProcesses {
        /// The plugin.
        plugin: PathBuf,
    },
    /// A plugin's code cannot be passed to child processes.
    #[error(transparent)]
    Code(#[from] LoadError),
    /// The pool sets an argument passing that the plugin does not query.
    #[error("plugin `{plugin}` takes each item whole, not by `{passing}`")]
    PassingUnsupported {
        /// The plugin.
        plugin: PathBuf,
        /// The argument passing of the pool.
        passing: ArgumentPassing,
    },
    /// A plugin has a fuel limit, but its engine does not count fuel.
    #[error("plugin `{plugin}` was loaded with an engine that counts no fuel")]
    NoFuel {
        /// The plugin.
        plugin: PathBuf,
    },
    /// The pool has no worker.
    #[error("the pool has no worker")]
    NoWorker,
    /// A directory to grant cannot be opened.
    #[error("cannot grant the directory `{path}`")]
    Dir {
        /// The path of the directory on the host.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// Granted directories cannot be passed to plugins on threads, because `/proc` is not mounted.
    #[error("cannot open the granted directories through `/proc/self/fd`")]
    Preopen(#[source] std::io::Error),
    /// One worker has a writable directory with symbolic links, and another one without.
    #[error("`{with}` is granted with symbolic links, and `{without}` without, to the same worker")]
    MixedSymlinks {
        /// The path of the directory that may hold symbolic links.
        with: PathBuf,
        /// The path of the directory that may not.
        without: PathBuf,
    },
    /// A worker has more directory grants than it can hold open.
    #[error("plugin `{plugin}` is granted {granted} directories, and a worker has {max} at most")]
    TooManyDirs {
        /// The plugin.
        plugin: PathBuf,
        /// The number of directories that the worker is granted.
        granted: usize,
        /// The largest number of directories that a worker can have.
        max: usize,
    },
    /// A plugin that cannot connect to anything has a network grant.
    #[error(
        "plugin `{plugin}` cannot connect to anything: it imports neither `wasi:sockets/tcp` nor \
         `wasi:http/outgoing-handler`"
    )]
    NoNet {
        /// The plugin.
        plugin: PathBuf,
    },
    /// The name in a network grant has no address.
    #[error("cannot grant `{grant}`: its name cannot be looked up")]
    Name {
        /// The grant.
        grant: NetGrant,
        /// The error of the system.
        source: std::io::Error,
    },
    /// The name in a network grant has only addresses of this machine or of private networks.
    #[error(
        "cannot grant `{grant}`: its name leads to this machine or a private network: {}",
        format_addresses(addresses)
    )]
    InternalName {
        /// The grant.
        grant: NetGrant,
        /// The addresses of the name.
        addresses: Vec<IpAddr>,
    },
    /// The system allows too few memory mappings for the number of workers in one process.
    #[error("the system has memory mappings for {max} workers, but not for {workers}")]
    TooManyWorkers {
        /// The number of workers of the pool.
        workers: usize,
        /// The largest number of workers that the system allows.
        max: u64,
    },
    /// The operating system refused to start a thread.
    #[error("cannot start a worker's thread")]
    Thread(#[source] std::io::Error),
}

impl BuildError {
    /// Returns a hint for the user.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::InitCount { .. } => {
                "give init arguments once for all workers, or once for each worker; \
                 without `jobs`, their number sets the number of workers"
            }
            Self::NoInit { .. } => "leave out the init arguments",
            Self::WorkerCount { .. } => "leave out `jobs`: the list sets the number of workers",
            Self::InitWithWorkerList => {
                "give each worker its own init arguments with `WorkerSpec::init`"
            }
            Self::DifferentEngines { .. } => "load all plugins of a pool with the same `Engine`",
            Self::Native { .. } => {
                "remove the setting: the function that opens a native worker gives it what it needs"
            }
            Self::NativeProcess { .. } => "use `Isolation::Thread` for pools with native code",
            Self::NoWorkerProgram => {
                "call `mtl_host::isolation::child_main()` first in `main`, or name a program that does with \
                 `Processes::program`"
            }
            Self::OnlyInProcesses { .. } => {
                "use `Isolation::Process` for the pool, or load the plugin with `Isolation::Thread`"
            }
            Self::Code(_) | Self::NoWorker => return None,
            Self::PassingUnsupported { .. } => {
                "leave out `argument_passing`, or write the worker with named parameters, if its SDK has \
                 them: in Rust, with `#[mtl_plugin::worker]`"
            }
            Self::NoFuel { .. } => "load the plugin with `Engine::with_fuel()`",
            Self::Dir { .. } => "grant a directory that exists",
            Self::Preopen(_) => "mount `/proc`: the host opens granted directories through it",
            Self::MixedSymlinks { .. } => {
                "grant all writable directories of a worker with symbolic links, or none, or use one \
                 worker for each kind"
            }
            Self::TooManyDirs { .. } => {
                "grant a parent directory of these: a grant covers everything below it"
            }
            Self::NoNet { .. } => {
                "leave out the grant, or build the plugin as a component: WASI of core modules \
                 cannot connect"
            }
            Self::Name { .. } => "grant a name that this machine can look up, or an address",
            Self::InternalName { grant, addresses } => {
                let first = addresses.first()?;
                let address = SocketAddr::new(*first, grant.port());
                return Some(format!(
                    "if you want this connection, grant the address as well: `{address}`"
                ));
            }
            Self::TooManyWorkers { .. } => system_limits::MAPS,
            Self::Thread(error) if system_limits::spawn_hint(error).is_some() => {
                return Some(format!(
                    "fewer workers need fewer threads; {}",
                    system_limits::THREADS
                ));
            }
            Self::Thread(_) => "fewer workers need fewer threads",
        };
        Some(hint.into())
    }
}

/// Formats addresses for a message.
fn format_addresses(addresses: &[IpAddr]) -> String {
    const MAX: usize = 8;
    let shown: Vec<_> = addresses.iter().take(MAX).map(ToString::to_string).collect();
    match addresses.len().saturating_sub(MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
