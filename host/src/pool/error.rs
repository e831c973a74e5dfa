//! The errors of a pool that cannot be built.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use crate::engine::LoadError;
use crate::item::index::WorkerIndex;
use crate::item::passing::ArgumentPassing;
use crate::jail::system_limits;
use crate::sandbox::net_grant::NetGrant;

/// Why a pool cannot be built.
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
    /// There are init arguments for another number of workers.
    #[error("{given} init arguments were given for {jobs} workers")]
    InitCount {
        /// For how many workers there are arguments.
        given: usize,
        /// The number of workers that were asked for.
        jobs: u32,
    },
    /// There are init arguments for a plugin that takes none.
    #[error("plugin `{plugin}` takes no init arguments: it does not export `init`")]
    NoInit {
        /// The plugin.
        plugin: PathBuf,
    },
    /// There are workers that differ, but another number of them is asked for.
    #[error("{listed} workers are listed, but {jobs} are asked for")]
    WorkerCount {
        /// How many are listed.
        listed: usize,
        /// How many are asked for.
        jobs: u32,
    },
    /// There are init arguments for all beside workers that differ.
    #[error("init arguments for all workers do not go with a list of workers")]
    InitBesideList,
    /// Two plugins of one pool are of two engines.
    #[error("plugin `{plugin}` was loaded with another engine than `{first}`")]
    OtherEngine {
        /// The plugin.
        plugin: PathBuf,
        /// The pool's first plugin.
        first: PathBuf,
    },
    /// A native worker is to have what only a plugin can have.
    #[error("worker {worker} is native: `{setting}` is for plugins")]
    Native {
        /// Which worker.
        worker: WorkerIndex,
        /// What it cannot have.
        setting: &'static str,
    },
    /// A native worker is to run in a process of its own.
    #[error("worker {worker} is native: it runs in this process, and not in one of its own")]
    NativeProcess {
        /// Which worker.
        worker: WorkerIndex,
    },
    /// Workers are to run in processes of their own, which nothing would make workers.
    #[error("workers cannot run in processes: this program has not called `child_main`")]
    NoWorkerProgram,
    /// A plugin was compiled in a jail, and its code is loaded nowhere else.
    #[error("plugin `{plugin}` was compiled in a process, and runs in processes only")]
    OnlyInProcesses {
        /// The plugin.
        plugin: PathBuf,
    },
    /// A plugin's code cannot be given to processes.
    #[error(transparent)]
    Code(#[from] LoadError),
    /// The parameters are to be passed in a way that the plugin does not ask about.
    #[error("plugin `{plugin}` takes items as they are, not by `{passing}`")]
    NoPassing {
        /// The plugin.
        plugin: PathBuf,
        /// The way that was asked for.
        passing: ArgumentPassing,
    },
    /// A plugin is to have fuel, but its engine does not count it.
    #[error("plugin `{plugin}` was loaded with an engine that counts no fuel")]
    NoFuel {
        /// The plugin.
        plugin: PathBuf,
    },
    /// There is no worker.
    #[error("a pool needs a worker")]
    NoWorker,
    /// A directory that is to be granted is not there.
    #[error("cannot grant the directory `{path}`")]
    Dir {
        /// The directory, on the host.
        path: PathBuf,
        /// The answer of the system.
        source: std::io::Error,
    },
    /// Granted directories cannot be given to plugins on threads, since `/proc` is not mounted.
    #[error("cannot open the granted directories by `/proc/self/fd`")]
    Preopen(#[source] std::io::Error),
    /// One writable directory of a worker is granted with symbolic links, and another one without.
    #[error("`{with}` is granted with symbolic links, and `{without}` without, to the same worker")]
    MixedSymlinks {
        /// The directory that may hold symbolic links.
        with: PathBuf,
        /// The directory that may not.
        without: PathBuf,
    },
    /// A worker is granted more directories than it can hold open.
    #[error("plugin `{plugin}` is granted {granted} directories, and a worker has {most} at most")]
    TooManyDirs {
        /// The plugin.
        plugin: PathBuf,
        /// The number of directories that its worker is granted.
        granted: usize,
        /// The number of directories that a worker can have.
        most: usize,
    },
    /// A plugin that has no way to connect is to be granted a place in the network.
    #[error(
        "plugin `{plugin}` cannot connect to anything: it imports neither `wasi:sockets/tcp` nor \
         `wasi:http/outgoing-handler`"
    )]
    NoNet {
        /// The plugin.
        plugin: PathBuf,
    },
    /// A name that is to be granted has no address.
    #[error("cannot grant `{grant}`: its name cannot be looked up")]
    Name {
        /// What was to be granted.
        grant: NetGrant,
        /// The answer of the system.
        source: std::io::Error,
    },
    /// A name that is to be granted has no address but those of this machine or of private networks.
    #[error(
        "cannot grant `{grant}`: its name leads to this machine or a private network: {}",
        listed(addresses)
    )]
    InternalName {
        /// What was to be granted.
        grant: NetGrant,
        /// The addresses of the name.
        addresses: Vec<IpAddr>,
    },
    /// The system has memory mappings for fewer workers in one process.
    #[error("there are mappings of memory for {most} workers, and not for {workers}")]
    TooManyWorkers {
        /// The number of workers that were asked for.
        workers: usize,
        /// The largest number that the system allows.
        most: u64,
    },
    /// The operating system refused a thread.
    #[error("cannot start a worker's thread")]
    Thread(#[source] std::io::Error),
}

impl BuildError {
    /// Returns a hint for the user.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::InitCount { .. } => {
                "give init arguments once for all workers, or once for each; \
                 without `jobs`, their number decides"
            }
            Self::NoInit { .. } => "leave out the init arguments",
            Self::WorkerCount { .. } => {
                "leave out `jobs`: the list of workers decides their number"
            }
            Self::InitBesideList => "give each worker its own: `WorkerSpec::init`",
            Self::OtherEngine { .. } => "load all plugins of a pool with one `Engine`",
            Self::Native { .. } => "what opens a native worker brings what it needs",
            Self::NativeProcess { .. } => "use `Isolation::Thread` for pools with native code",
            Self::NoWorkerProgram => {
                "call `mtl_host::child_main()` first of all in `main`, or name a program that does: \
                 `Processes::program`"
            }
            Self::OnlyInProcesses { .. } => {
                "use `Isolation::Process` for its pool, or load it with `Isolation::Thread`"
            }
            Self::Code(_) | Self::NoWorker => return None,
            Self::NoPassing { .. } => {
                "leave out `argument_passing`, or write the worker with named parameters, where its SDK has \
                 them: in Rust, with `#[mtl_plugin::worker]`"
            }
            Self::NoFuel { .. } => "load it with `Engine::with_fuel()`",
            Self::Dir { .. } => "grant a directory that exists",
            Self::Preopen(_) => "mount `/proc`: granted directories are opened by it",
            Self::MixedSymlinks { .. } => {
                "grant all writable directories of a worker with symbolic links, or none, or use one \
                 worker for each kind"
            }
            Self::TooManyDirs { .. } => {
                "grant a directory that these lie in: a grant is for all below it"
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
                    "if that is what you mean, grant the address itself, too: `{address}`"
                ));
            }
            Self::TooManyWorkers { .. } => system_limits::MAPS,
            Self::Thread(error) if system_limits::hint_of_start(error).is_some() => {
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

/// Addresses, as a message lists them.
fn listed(addresses: &[IpAddr]) -> String {
    const MOST: usize = 8;
    let shown: Vec<_> = addresses.iter().take(MOST).map(ToString::to_string).collect();
    match addresses.len().saturating_sub(MOST) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
