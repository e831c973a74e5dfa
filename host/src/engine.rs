//! The engine: compiles, links and starts the plugins of a process, and runs the watchdog that can stop their
//! instances.
//!
//! ```text
//! bytes ─▶ wasm_binary ─▶ compiled_code ─▶ kinds: linked, imports checked ─▶ instance per worker
//!                                          │ core module: core_abi            │ state: WASI, limits, context
//!                                          │ component:   component           └ an executor
//!                                          └ other world: typed
//! ```
//!
//! The callers of the engine choose the process in which it runs: this process or a jailed child process.

pub(crate) mod block_on;
pub(crate) mod blocking_calls;
pub(crate) mod compile_settings;
pub(crate) mod compiled_code;
pub(crate) mod compiler_error;
pub(crate) mod complexity;
pub(crate) mod component;
pub(crate) mod context;
pub(crate) mod core_abi;
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
pub(crate) mod wasm_binary;
pub(crate) mod wasm_features;

use std::sync::{Arc, OnceLock};
use std::{fmt, io};

use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use wasmtime::CustomCodeMemory;

pub use self::compiler_error::CompilerError;
pub use self::complexity::Complexity;
pub(crate) use self::core_abi::{RecordedInstance, SnapshotImage};
pub use self::error::{LoadError, LoadErrorKind};
pub(crate) use self::host_function::{HostAnswer, HostFunctions, MAX_ANSWER, is_type};
pub use self::host_function::{HostCall, HostFunctionError};
pub(crate) use self::inspect::Findings;
pub use self::inspect::{
    Capability, Export, Import, ImportProvider, Inspection, MemorySize, TypedCall,
};
#[cfg(test)]
pub(crate) use self::inspect::{MAX_EXAMPLES, MAX_KNOWN, MAX_LISTED};
pub(crate) use self::kinds::link_compiled;
pub(crate) use self::metadata::Metadata;
pub(crate) use self::plugin_code::{LinkedPlugin, PluginCode};
pub use self::plugin_kind::PluginKind;
pub use self::precompiled_mismatch::PrecompiledMismatch;
pub(crate) use self::state::InstanceParts;
pub use self::wasm_features::WasmFeatures;

use crate::cache::Sha256Hasher;
use crate::control::sched_stat::SchedStat;
use crate::control::watchdog::Watchdog;
use crate::item::digest::Sha256;
use crate::jail::system_limits;

/// The name of an instance's finish report in messages.
pub(crate) const FINISH_REPORT: &str = "the finish report";

/// The compiler and runtime of plugins.
///
/// An engine is cheap to clone. It has one thread, the watchdog. This thread ends when all clones and all plugins of
/// the engine have been dropped.
///
/// ```
/// use mtl_host::{Engine, Plugin, Pool, WorkerSpec};
///
/// // One engine serves all plugins of a pool, or of a process.
/// let engine = Engine::new()?;
/// let upper = Plugin::load(&engine, "../tests/fixtures/upper.wat")?;
/// let echo = Plugin::load(&engine, "../tests/fixtures/echo.wat")?;
/// Pool::builder_from_workers([WorkerSpec::plugin(&upper), WorkerSpec::plugin(&echo)]).build()?;
///
/// let other = Plugin::load(&Engine::new()?, "../tests/fixtures/echo.wat")?;
/// assert!(Pool::builder_from_workers([WorkerSpec::plugin(&upper), WorkerSpec::plugin(&other)]).build().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Engine {
    wasm: wasmtime::Engine,
    options: EngineOptions,
    family: Arc<Family>,
}

/// The engines that share one watchdog: one engine for each requested set of features.
struct Family {
    engines: Arc<Engines>,
    watchdog: Arc<Watchdog>,
}

/// The engines, indexed by their set of features.
type Engines = [OnceLock<wasmtime::Engine>; WasmFeatures::SETS.len()];

/// The settings that two engines must share to run the same code, such as those of a process and its children.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct EngineOptions {
    pub(crate) counts_fuel: bool,
    pub(crate) features: WasmFeatures,
}

/// The reasons for which an engine cannot be created.
///
/// ```
/// let error = mtl_host::EngineError::Thread(std::io::ErrorKind::WouldBlock.into());
/// assert_eq!(error.to_string(), "cannot start the watchdog's thread");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The machine cannot run WebAssembly with the settings that this library needs.
    #[error("cannot run WebAssembly on this machine")]
    Wasm(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The operating system refused to start the watchdog's thread.
    #[error("cannot start the watchdog's thread")]
    Thread(#[source] io::Error),
    /// The operating system refused to start a compiler thread.
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
            Self::Thread(error) | Self::CompilerThreads(error) => system_limits::spawn_hint(error),
        }
    }
}

/// Starts the threads that compile plugins. All engines of the process share these threads.
///
/// The compiler panics if it needs the threads and the system refuses to start them. Therefore the host starts them
/// first, and reports such a refusal as an error.
pub(crate) fn start_compilers() -> Result<(), EngineError> {
    // The process tries this once. Later calls return the error of that attempt.
    static ERROR_CODE: OnceLock<Option<i32>> = OnceLock::new();
    let error_code = ERROR_CODE.get_or_init(|| {
        let built = rayon::ThreadPoolBuilder::new().build_global();
        let error = built.err().and_then(|error| spawn_error(&error))?;
        Some(error.raw_os_error().unwrap_or(Errno::AGAIN.raw_os_error()))
    });
    match error_code {
        None => Ok(()),
        Some(code) => Err(EngineError::CompilerThreads(io::Error::from_raw_os_error(*code))),
    }
}

/// Returns the error of the system that prevented the start of a thread, or `None` if the threads were running already.
fn spawn_error(error: &dyn std::error::Error) -> Option<io::Error> {
    let error: &io::Error = error.source()?.downcast_ref()?;
    Some(error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error))
}

impl Engine {
    /// The size limit of a guest's call stack. The limit suffices for recursive parsers, and is small compared with the
    /// 2 MiB stack of a worker's thread.
    const STACK: usize = 512 * 1024;

    /// Returns an engine whose settings suit many short calls.
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
    /// Returns an error if the machine cannot run WebAssembly, or if the system refuses to start a thread.
    pub fn new() -> Result<Self, EngineError> {
        Self::with_options(EngineOptions::default())
    }

    /// Returns an engine for a process that compiles plugins but does not run them. This engine never makes memory
    /// executable, so the process needs no permission for executable memory.
    pub(crate) fn to_compile(options: EngineOptions) -> Result<Self, EngineError> {
        let configure = |config: &mut wasmtime::Config| {
            config.with_custom_code_memory(Some(Arc::new(NonExecutableCode)));
        };
        Self::configured(options, configure, || None)
    }

    /// Returns an engine whose plugins can be given [`Fuel`](crate::limits::Fuel).
    ///
    /// Plugins of this engine are slower than plugins of an engine without fuel, because their code counts fuel at each
    /// loop and each call.
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
    /// Returns the same errors as [`new`](Self::new).
    pub fn with_fuel() -> Result<Self, EngineError> {
        Self::with_options(EngineOptions { counts_fuel: true, ..EngineOptions::default() })
    }

    /// Returns the engine of this family whose plugins may use exactly these optional features.
    pub(super) fn with_features(&self, features: WasmFeatures) -> Result<Self, EngineError> {
        let options = EngineOptions { features, ..self.options };
        let cell = &self.family.engines[features.index()];
        let wasm = match cell.get() {
            Some(wasm) => wasm,
            None => {
                let engine = new_wasm_engine(&Self::config(options))?;
                cell.get_or_init(|| engine)
            }
        };
        Ok(Self { wasm: wasm.clone(), options, family: Arc::clone(&self.family) })
    }

    fn with_options(options: EngineOptions) -> Result<Self, EngineError> {
        Self::configured(options, |_| (), SchedStat::of_this_thread)
    }

    /// Returns an engine for a jailed process, with the options of its parent's engine.
    ///
    /// In the jail, the watchdog's thread cannot open its own schedstat file. Instead, the watchdog reads `statistics`,
    /// the schedstat file of the thread that runs the guest.
    pub(crate) fn in_jail(
        options: EngineOptions,
        statistics: Option<Arc<SchedStat>>,
    ) -> Result<Self, EngineError> {
        Self::configured(options, |_| (), move || statistics)
    }

    fn configured(
        options: EngineOptions,
        configure: impl FnOnce(&mut wasmtime::Config),
        statistics: impl FnOnce() -> Option<Arc<SchedStat>> + Send + 'static,
    ) -> Result<Self, EngineError> {
        let mut config = Self::config(options);
        configure(&mut config);
        let wasm = new_wasm_engine(&config)?;
        let engines = Engines::default();
        engines[options.features.index()].get_or_init(|| wasm.clone());
        let engines = Arc::new(engines);
        let ticking_engines = Arc::clone(&engines);
        let tick = move || {
            for engine in ticking_engines.iter().filter_map(OnceLock::get) {
                engine.increment_epoch();
            }
        };
        let watchdog =
            Arc::new(Watchdog::start_measuring(statistics, tick).map_err(EngineError::Thread)?);
        Ok(Self { wasm, options, family: Arc::new(Family { engines, watchdog }) })
    }

    fn config(options: EngineOptions) -> wasmtime::Config {
        let EngineOptions { counts_fuel, features } = options;
        let mut config = wasmtime::Config::new();
        config
            .epoch_interruption(true)
            .consume_fuel(counts_fuel)
            .concurrency_support(false)
            // The plugin interface has 32-bit addresses.
            .wasm_memory64(false)
            // Traps carry their own backtrace. The cost: native debuggers see fewer frames.
            .native_unwind_info(false)
            .max_wasm_stack(Self::STACK);
        features.allow(&mut config);
        config
    }

    /// Compiles a module so that the engine maps its initial memory as one image, even if most of the image is empty.
    /// Instances share the image's pages until they write to them (copy-on-write).
    ///
    /// Only snapshots are compiled this way, because the host has already limited their memory. In other modules, a
    /// hostile plugin could declare a huge image in few bytes.
    pub(super) fn compile_snapshot(&self, module: &[u8]) -> wasmtime::Result<Vec<u8>> {
        let mut config = Self::config(self.options);
        config.memory_guaranteed_dense_image_size(snapshot::MAX_IMAGE_BYTES);
        config.with_custom_code_memory(Some(Arc::new(NonExecutableCode)));
        wasmtime::Engine::new(&config)?.precompile_module(module)
    }

    /// Returns a digest of all settings and of the processor features in use. Code from an engine with a different
    /// digest may differ from this engine's code, or may not run on this processor.
    pub(super) fn settings_digest(&self) -> Sha256 {
        Sha256Hasher::of(&(self.wasm.precompile_compatibility_hash(), self.options))
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

    /// Returns the optional features that plugins of this engine may use.
    pub(crate) fn features(&self) -> WasmFeatures {
        self.options.features
    }

    /// Returns the watchdog, which measures time for this engine's plugins and for native workers.
    pub(crate) fn watchdog(&self) -> &Arc<Watchdog> {
        &self.family.watchdog
    }

    /// Returns whether plugins of `other` and of this engine can share a pool.
    pub(crate) fn is_same_family(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.family, &other.family)
    }
}

fn new_wasm_engine(config: &wasmtime::Config) -> Result<wasmtime::Engine, EngineError> {
    wasmtime::Engine::new(config).map_err(|error| EngineError::Wasm(error.into()))
}

/// A policy that keeps compiled code as plain data, so that nothing can execute it.
struct NonExecutableCode;

impl CustomCodeMemory for NonExecutableCode {
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
