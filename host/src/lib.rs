//! Runs WebAssembly plugins as stateful workers over a stream of items.
//!
//! A plugin is compiled once. A [`Pool`] starts workers, each with its own instance in its own
//! sandbox, initialised once. Items stream through bounded queues into `call`, and results come
//! out lazily, in input order unless asked otherwise. Every item ends in exactly one outcome.
//!
//! ```text
//!          ┌──────────────────────── pool ─────────────────────────┐
//! input ─▶ source ─▶ block ─▶ queue ─▶ workers ─▶ collector ─▶ sink ─▶ output
//!            │ lazy            │ window   │ claim     │ reorder
//! ```
//!
//! ```
//! use mtl_host::{Engine, Plugin, Pool};
//!
//! let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
//! let mut pool = Pool::builder(&plugin).build()?;
//!
//! let mut results = pool.map(["one", "two"]);
//! assert_eq!(results.len(), 2);
//! assert_eq!(results.next().unwrap()?.bytes(), Some(&b"ONE"[..]));
//!
//! let summary = results.end().into_result()?;
//! assert_eq!(summary.counts.failed(), 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Workers may differ, and code of your own may be one: [`Pool::of`]. Time-outs, retries and
//! restarts are said to the [`PoolBuilder`], limits of one worker to its [`WorkerSpec`].
//!
//! The library is silent: it does not print, exit, read the environment or install handlers.

#[cfg(feature = "cli")]
mod bar;
mod block;
mod byte_size;
mod collector;
mod error;
mod event;
mod fault;
mod files;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod isolation;
mod json_value;
mod outcome;
mod panic;
mod places;
mod plugin;
mod pool;
mod quantity;
mod queue;
mod sandbox;
pub mod sink;
pub mod source;
mod stats;
mod stop;
mod sync;
mod system_limits;
mod worker;

#[cfg(test)]
mod patience;

/// The library's part of the README holds.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(feature = "cli")]
pub use self::bar::Bar;
pub use self::block::{BlockBuilder, ItemIndex};
pub use self::collector::Order;
pub use self::collector::policy::{ErrorPolicy, MaxFaults, NotMaxFaults, UnknownPolicy};
pub use self::error::Error;
pub use self::event::{Closing, Denial, Event, Level, Observer, Stream};
pub use self::fault::{Fault, FaultKind, UnknownFaultKind};
pub use self::files::{Exchangeable, Opener};
#[doc(hidden)]
pub use self::isolation::child_main_with;
pub use self::isolation::{Isolation, LayersError, Processes, child_main};
pub use self::json_value::JsonValue;
pub use self::outcome::{Format, Outcome, OutcomeIter, RecordRule};
pub use self::places::{PlaceError, Places};
pub use self::plugin::passing::{ArgumentPassing, UnknownPassing};
pub use self::plugin::{
    Cache, CacheError, CacheInfo, CacheShare, CacheUses, CompilerError, Complexity, Engine,
    EngineError, Export, HostCall, HostFunctionError, Import, Inspection, LoadError, MemorySize,
    Need, NotASha256, Plugin, PluginKind, PluginLoader, Provider, Sha256, SnapshotRefusal,
    StartError, TypedCall, UnknownWasmFeature, WasmFeatures,
};
pub use self::pool::{
    BuildError, Ended, Init, Jobs, NotJobs, Pool, PoolBuilder, PreparedPool, Record, Results,
    WorkerSpec,
};
pub use self::queue::{NotAWindow, Window};
pub use self::sandbox::capabilities::{DirGrant, NotADirGrant};
pub use self::sandbox::jail::{Jail, JailLayer, JailLayers, LayerAnswer, LayerNeed, UnknownJail};
pub use self::sandbox::limits::{
    CacheSize, CompileMemory, DiskLimit, Fuel, FunctionLimit, LogLimit, MemoryLimit,
    NotAFunctionLimit, NotASize, NotATotalMemory, NotFuel, PluginSize, ResultLimit, TotalMemory,
};
pub use self::sandbox::net_grant::{NetGrant, NotANetGrant};
#[doc(hidden)]
pub use self::sandbox::voice::{Budget, cost, is_plain};
pub use self::stats::{Counts, Progress, Snapshot, Summary};
pub use self::stop::StopFlag;
pub use self::worker::executor::Broken;
pub use self::worker::native::{Failure, NativeWorker, Reply, WorkerContext};
pub use self::worker::pace::{ChunkSize, NotAChunkSize};
pub use self::worker::renewal::{MaxRestarts, NotMaxRestarts, NotRetryOn, RetryOn};
pub use self::worker::{Retirement, WorkerIndex, WorkerReport};
