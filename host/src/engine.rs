//! The engine: what a process does with the bytes of a plugin, and the watchdog that can stop its instances.
//!
//! ```text
//! bytes ─▶ wasm_binary ─▶ compiled_code ─▶ kinds: linked, imports checked ─▶ instance per worker
//!                                          │ core module: core_abi            │ state: WASI, limits, context
//!                                          │ component:   component           └ an executor
//!                                          └ other world: typed
//! ```
//!
//! The layers above decide which process that is.

pub(crate) mod compile_settings;
pub(crate) mod compiled_code;
pub(crate) mod compiler_error;
pub(crate) mod complexity;
pub(crate) mod component;
pub(crate) mod context;
pub(crate) mod core_abi;
pub(crate) mod drive;
pub(crate) mod error;
pub(crate) mod export_names;
pub(crate) mod file_calls;
pub(crate) mod functions;
pub(crate) mod host_function;
pub(crate) mod inspect;
mod kinds;
mod metadata;
pub(crate) mod origin;
mod plugin_code;
mod plugin_kind;
mod precompiled_mismatch;
pub(crate) mod snapshot;
pub(crate) mod state;
pub(crate) mod trap;
pub(crate) mod typed;
pub(crate) mod waiting;
pub(crate) mod wasm_binary;
pub(crate) mod wasm_features;

use std::sync::{Arc, OnceLock};
use std::{fmt, io};

use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use wasmtime::CustomCodeMemory;

pub use self::compiler_error::CompilerError;
pub use self::complexity::Complexity;
pub(crate) use self::core_abi::{Frozen, Recorded};
pub use self::error::{LoadError, LoadErrorKind};
pub(crate) use self::host_function::{Answer, HostFunctions, MAX_ANSWER, is_type};
pub use self::host_function::{HostCall, HostFunctionError};
pub(crate) use self::inspect::Findings;
pub use self::inspect::{Export, Import, Inspection, MemorySize, Need, Provider, TypedCall};
#[cfg(test)]
pub(crate) use self::inspect::{MOST_EXAMPLES, MOST_KNOWN, MOST_LISTED};
pub(crate) use self::kinds::link_compiled;
pub(crate) use self::metadata::Metadata;
pub(crate) use self::plugin_code::{LinkedPlugin, PluginCode};
pub use self::plugin_kind::PluginKind;
pub use self::precompiled_mismatch::PrecompiledMismatch;
pub(crate) use self::state::InstanceParts;
pub use self::wasm_features::WasmFeatures;

use crate::cache::Hashed;
use crate::control::schedule::Schedule;
use crate::control::watchdog::Watchdog;
use crate::item::digest::Sha256;
use crate::jail::system_limits;

/// The closing report of an instance, as messages call it.
pub(crate) const REPORT: &str = "the closing report";

/// Compiles and runs plugins. Cheap to clone; its one thread ends with the last clone and the last
/// plugin of it.
///
/// ```
/// use mtl_host::{Engine, Plugin, Pool, WorkerSpec};
///
/// // One for all plugins of a pool, or of a process.
/// let engine = Engine::new()?;
/// let upper = Plugin::load(&engine, "../tests/fixtures/upper.wat")?;
/// let echo = Plugin::load(&engine, "../tests/fixtures/echo.wat")?;
/// Pool::of([WorkerSpec::plugin(&upper), WorkerSpec::plugin(&echo)]).build()?;
///
/// let other = Plugin::load(&Engine::new()?, "../tests/fixtures/echo.wat")?;
/// assert!(Pool::of([WorkerSpec::plugin(&upper), WorkerSpec::plugin(&other)]).build().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Engine {
    wasm: wasmtime::Engine,
    options: EngineOptions,
    family: Arc<Family>,
}

/// Engines that one watchdog ticks for: one for each set of features that was asked for.
struct Family {
    engines: Arc<Engines>,
    watchdog: Arc<Watchdog>,
}

/// The engine of each set of features, by the set's index.
type Engines = [OnceLock<wasmtime::Engine>; WasmFeatures::SETS.len()];

/// The settings that two engines must share to run the same code: those of a process and of its
/// children.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct EngineOptions {
    pub(crate) counts_fuel: bool,
    pub(crate) features: WasmFeatures,
}

/// Why there is no engine.
///
/// ```
/// let error = mtl_host::EngineError::Thread(std::io::ErrorKind::WouldBlock.into());
/// assert_eq!(error.to_string(), "cannot start the watchdog's thread");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The machine cannot run WebAssembly as this library needs it.
    #[error("cannot run WebAssembly on this machine")]
    Wasm(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The operating system refused a thread.
    #[error("cannot start the watchdog's thread")]
    Thread(#[source] io::Error),
    /// The operating system refused a thread that compiles.
    #[error("cannot start the compiler's threads")]
    CompilerThreads(#[source] io::Error),
}

impl EngineError {
    /// Returns a hint for the user.
    ///
    /// ```
    /// let error = mtl_host::EngineError::Thread(std::io::ErrorKind::WouldBlock.into());
    /// assert!(error.hint().unwrap().starts_with("`ulimit -u`"));
    /// ```
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Wasm(_) => None,
            Self::Thread(error) | Self::CompilerThreads(error) => {
                system_limits::hint_of_start(error)
            }
        }
    }
}

/// Starts the threads that compile plugins, for all engines, unless they run. If none can be started, compiling would
/// panic.
pub(crate) fn start_compilers() -> Result<(), EngineError> {
    // There is one attempt for a process: what it failed with is the answer to all others.
    static REFUSED: OnceLock<Option<i32>> = OnceLock::new();
    let refused = REFUSED.get_or_init(|| {
        let built = rayon::ThreadPoolBuilder::new().build_global();
        let refused = built.err().and_then(|error| refused_thread(&error))?;
        Some(refused.raw_os_error().unwrap_or(Errno::AGAIN.raw_os_error()))
    });
    match refused {
        None => Ok(()),
        Some(code) => Err(EngineError::CompilerThreads(io::Error::from_raw_os_error(*code))),
    }
}

/// The system's refusal; none if the threads run already.
fn refused_thread(error: &dyn std::error::Error) -> Option<io::Error> {
    let refused: &io::Error = error.source()?.downcast_ref()?;
    Some(refused.raw_os_error().map_or_else(|| refused.kind().into(), io::Error::from_raw_os_error))
}

impl Engine {
    /// What a guest's call stack may take: deep enough for parsers that recurse, and small
    /// beside the 2 MiB of a worker's thread.
    const STACK: usize = 512 * 1024;

    /// An engine with settings that suit many short calls.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin};
    /// let engine = Engine::new()?;
    /// let plugin = Plugin::load(&engine, "../tests/fixtures/upper.wat")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the machine cannot run WebAssembly, or refuses a thread.
    pub fn new() -> Result<Self, EngineError> {
        Self::with_options(EngineOptions::default())
    }

    /// For a process that compiles and runs nothing: it needs no right to make code executable.
    pub(crate) fn to_compile(options: EngineOptions) -> Result<Self, EngineError> {
        let configure = |config: &mut wasmtime::Config| {
            config.with_custom_code_memory(Some(Arc::new(NeverRun)));
        };
        Self::configured(options, configure, || None)
    }

    /// An engine whose plugins can be given [`Fuel`](crate::Fuel). Counting it makes them slower:
    /// each of their loops and calls is charged.
    ///
    /// ```
    /// use mtl_host::{Engine, FaultKind, Plugin, Pool};
    ///
    /// let plugin = Plugin::load(&Engine::with_fuel()?, "../tests/fixtures/misbehave.wat")?;
    /// let mut pool = Pool::builder(&plugin).fuel("1M".parse()?).build()?;
    /// let fault = pool.map(["spin"]).next().unwrap().unwrap_err();
    /// assert_eq!(fault.kind(), FaultKind::OutOfFuel);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_fuel() -> Result<Self, EngineError> {
        Self::with_options(EngineOptions { counts_fuel: true, ..EngineOptions::default() })
    }

    /// The engine of this family whose plugins may use these features, and no others of
    /// [`WasmFeatures`].
    pub(super) fn allowing(&self, features: WasmFeatures) -> Result<Self, EngineError> {
        let options = EngineOptions { features, ..self.options };
        let place = &self.family.engines[features.index()];
        let wasm = match place.get() {
            Some(wasm) => wasm,
            None => {
                let made = made(&Self::config(options))?;
                place.get_or_init(|| made)
            }
        };
        Ok(Self { wasm: wasm.clone(), options, family: Arc::clone(&self.family) })
    }

    fn with_options(options: EngineOptions) -> Result<Self, EngineError> {
        Self::configured(options, |_| (), Schedule::of_this_thread)
    }

    /// An engine with the options of one in another process, for a jail: its watchdog cannot open the account of its
    /// own thread, and uses that of the thread on which the guest runs.
    pub(crate) fn in_jail(
        options: EngineOptions,
        schedule: Option<Arc<Schedule>>,
    ) -> Result<Self, EngineError> {
        Self::configured(options, |_| (), move || schedule)
    }

    fn configured(
        options: EngineOptions,
        configure: impl FnOnce(&mut wasmtime::Config),
        schedule: impl FnOnce() -> Option<Arc<Schedule>> + Send + 'static,
    ) -> Result<Self, EngineError> {
        let mut config = Self::config(options);
        configure(&mut config);
        let wasm = made(&config)?;
        let engines = Engines::default();
        engines[options.features.index()].get_or_init(|| wasm.clone());
        let engines = Arc::new(engines);
        let ticked = Arc::clone(&engines);
        let tick = move || {
            for engine in ticked.iter().filter_map(OnceLock::get) {
                engine.increment_epoch();
            }
        };
        let watchdog = Arc::new(Watchdog::measuring(schedule, tick).map_err(EngineError::Thread)?);
        Ok(Self { wasm, options, family: Arc::new(Family { engines, watchdog }) })
    }

    fn config(options: EngineOptions) -> wasmtime::Config {
        let EngineOptions { counts_fuel, features } = options;
        let mut config = wasmtime::Config::new();
        config
            .epoch_interruption(true)
            .consume_fuel(counts_fuel)
            .concurrency_support(false)
            // No plugin may have one: the interface is of 32 bits.
            .wasm_memory64(false)
            // Traps carry a backtrace of their own; debuggers of the host see less.
            .native_unwind_info(false)
            .max_wasm_stack(Self::STACK);
        features.allow(&mut config);
        config
    }

    /// Compiles a module whose memory is to be mapped as it is, however much of it is empty: so
    /// its instances share it until they write to it. A plugin could make much of little so, which
    /// is why this is for snapshots, whose memory was paid for.
    pub(super) fn compile_snapshot(&self, module: &[u8]) -> wasmtime::Result<Vec<u8>> {
        let mut config = Self::config(self.options);
        config.memory_guaranteed_dense_image_size(snapshot::MOST);
        config.with_custom_code_memory(Some(Arc::new(NeverRun)));
        wasmtime::Engine::new(&config)?.precompile_module(module)
    }

    /// The digest of all settings, and of what of the processor is used: what is compiled with
    /// others is other code, or cannot be run.
    pub(super) fn settings(&self) -> Sha256 {
        Hashed::of(&(self.wasm.precompile_compatibility_hash(), self.options))
    }

    pub(super) fn wasm(&self) -> &wasmtime::Engine {
        &self.wasm
    }

    pub(crate) fn counts_fuel(&self) -> bool {
        self.options.counts_fuel
    }

    pub(crate) fn options(&self) -> EngineOptions {
        self.options
    }

    /// The features that its plugins may use.
    pub(crate) fn features(&self) -> WasmFeatures {
        self.options.features
    }

    /// What measures time for those who work beside this engine's plugins.
    pub(crate) fn watchdog(&self) -> &Arc<Watchdog> {
        &self.family.watchdog
    }

    /// Returns whether plugins of `other` go into one pool with those of this engine.
    pub(crate) fn is_kin_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.family, &other.family)
    }
}

fn made(config: &wasmtime::Config) -> Result<wasmtime::Engine, EngineError> {
    wasmtime::Engine::new(config).map_err(|error| EngineError::Wasm(error.into()))
}

/// Leaves compiled code as it is: data, which nothing can jump to.
struct NeverRun;

impl CustomCodeMemory for NeverRun {
    fn required_alignment(&self) -> usize {
        1
    }

    fn publish_executable(&self, _: *const u8, _: usize) -> wasmtime::Result<()> {
        Ok(())
    }

    fn unpublish_executable(&self, _: *const u8, _: usize) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("options", &self.options).finish_non_exhaustive()
    }
}
