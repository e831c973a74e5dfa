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

mod block;
mod cache;
mod collector;
mod control;
mod engine;
mod event;
mod executor;
mod files;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod isolation;
mod item;
mod json_value;
mod outcome;
mod output_paths;
mod plugin;
mod pool;
mod queue;
mod run;
mod sandbox;
pub mod sink;
pub mod source;
mod stats;
mod worker;

#[cfg(test)]
#[path = "../../tests/patience.rs"]
mod patience;

use mtl_jail as jail;

/// The library's part of the README holds.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use self::block::BlockBuilder;
pub use self::cache::{Cache, CacheError, CacheInfo, CacheShare, CacheUses};
pub use self::collector::Order;
pub use self::collector::policy::{ErrorPolicy, MaxFaults, NotMaxFaults, UnknownPolicy};
pub use self::control::stop::StopFlag;
pub use self::engine::{
    CompilerError, Complexity, Engine, EngineError, Export, HostCall, HostFunctionError, Import,
    Inspection, LoadError, LoadErrorKind, MemorySize, Need, PluginKind, PrecompiledMismatch,
    Provider, TypedCall, UnknownWasmFeature, WasmFeatures,
};
pub use self::event::snapshot_refusal::SnapshotRefusal;
pub use self::event::{Closing, Event, Observer};
pub use self::executor::native::{Failure, NativeWorker, Reply, WorkerContext};
pub use self::executor::retirement::Retirement;
pub use self::executor::start_error::StartError;
pub use self::files::{Exchangeable, Opener};
#[doc(hidden)]
pub use self::isolation::{Isolation, LayersError, Processes, child_main, child_main_with};
pub use self::item::digest::{NotASha256, Sha256};
pub use self::item::error_chain::ErrorChain;
pub use self::item::failure::Broken;
pub use self::item::fault::{Fault, FaultKind, UnknownFaultKind};
pub use self::item::format::Format;
pub use self::item::index::{ItemIndex, WorkerIndex};
pub use self::item::limits::{
    CacheSize, CompileMemory, DiskLimit, Fuel, FunctionLimit, LogLimit, MemoryLimit,
    NotAFunctionLimit, NotASize, NotATotalMemory, NotFuel, PluginSize, ResultLimit, TotalMemory,
};
pub use self::item::passing::{ArgumentPassing, UnknownPassing};
pub use self::item::retry_on::{NotRetryOn, RetryOn};
pub use self::json_value::JsonValue;
pub use self::outcome::{Outcome, OutcomeIter, RecordRule};
pub use self::output_paths::{PlaceError, Places};
pub use self::plugin::{Plugin, PluginLoader};
pub use self::pool::{
    BuildError, Ended, Init, Jobs, NotJobs, Pool, PoolBuilder, PreparedPool, Record, Results,
    WorkerSpec,
};
pub use self::queue::{NotAWindow, Window};
pub use self::run::error::Error;
pub use self::sandbox::capabilities::{DirGrant, NotADirGrant};
pub use self::sandbox::guest_event::{Denial, Level, Stream};
pub use self::sandbox::net_grant::{NetGrant, NotANetGrant};
#[doc(hidden)]
pub use self::sandbox::voice::{Budget, cost, is_plain};
pub use self::stats::{Counts, Progress, Snapshot, Summary};
pub use self::worker::WorkerReport;
pub use self::worker::pace::{ChunkSize, NotAChunkSize};
pub use self::worker::renewal::{MaxRestarts, NotMaxRestarts};
#[doc(inline)]
pub use mtl_jail::{Jail, JailLayer, JailLayers, LayerAnswer, LayerNeed, UnknownJail};
