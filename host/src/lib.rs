//! Runs WebAssembly plugins as stateful workers over a stream of items.
//!
//! The host compiles a plugin once. A [`Pool`] starts workers, each with its own instance in its
//! own sandbox, and initialises each instance once. Items stream through bounded queues into
//! `call`. Results come out lazily, by default in input order. Every item ends in exactly one
//! outcome.
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
//! Workers may run different plugins, and a worker may be Rust code of your own: see [`Pool::from_workers`].
//! The [`PoolBuilder`] sets time-outs, retries and restarts; a [`WorkerSpec`] sets the limits of
//! one worker.
//!
//! The library is silent: it does not print, exit, read the environment or install handlers.

mod cache;
mod engine;
mod event;
mod executor;
mod isolation;
mod plugin;
mod pool;
mod run;
mod sandbox;
pub mod sink;
pub mod source;
mod worker;

#[cfg(test)]
#[path = "../../tests/test_timeout.rs"]
mod test_timeout;

use mtl_jail as jail;
use mtl_stream::{block, collector, control, files, item, outcome, queue, stats};

/// Runs the examples of the README's library section as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use self::cache::{Cache, CacheError, CacheInfo, CacheStats, CacheUsage};
pub use self::engine::{
    Capability, CompilerError, Complexity, Engine, EngineError, Export, HostCall,
    HostFunctionError, Import, ImportProvider, Inspection, LoadError, LoadErrorKind, MemorySize,
    PluginKind, PrecompiledMismatch, TypedCall, WasmFeatures,
};
pub use self::event::snapshot_refusal::SnapshotRefusal;
pub use self::event::{Event, FinishReport, Observer};
pub use self::executor::native::{Failure, NativeWorker, Reply, WorkerContext};
pub use self::executor::retirement::Retirement;
pub use self::executor::start_error::StartError;
#[doc(hidden)]
pub use self::isolation::child_main_with;
pub use self::isolation::{Isolation, LayersError, Processes, child_main};
pub use self::plugin::{Plugin, PluginLoader};
pub use self::pool::{
    BuildError, Init, Jobs, Pool, PoolBuilder, PreparedPool, Record, Results, RunOutcome,
    WorkerSpec,
};
pub use self::run::error::Error;
pub use self::sandbox::capabilities::DirGrant;
pub use self::sandbox::guest_event::{Denial, GuestStream, LogLevel};
#[doc(hidden)]
pub use self::sandbox::guest_output::{RateLimiter, cost, is_plain};
pub use self::sandbox::net_grant::NetGrant;
pub use self::worker::WorkerReport;
pub use self::worker::chunk_sizer::ChunkSize;
pub use self::worker::restart_policy::MaxRestarts;
#[doc(inline)]
pub use mtl_jail::{Jail, JailLayer, JailLayers, LayerNeed, LayerStatus, ParseJailError};

#[doc(inline)]
pub use mtl_stream::block::BlockBuilder;
#[doc(inline)]
pub use mtl_stream::collector::Order;
#[doc(inline)]
pub use mtl_stream::collector::policy::{ErrorPolicy, MaxFaults};
#[doc(inline)]
pub use mtl_stream::control::stop::StopFlag;
#[doc(inline)]
pub use mtl_stream::files::{Opener, UntrustedPath};
#[doc(inline)]
pub use mtl_stream::item::argument_passing::ArgumentPassing;
#[doc(inline)]
pub use mtl_stream::item::digest::Sha256;
#[doc(inline)]
pub use mtl_stream::item::error_chain::ErrorChain;
#[doc(inline)]
pub use mtl_stream::item::fault::{Fault, FaultKind};
#[doc(inline)]
pub use mtl_stream::item::format::Format;
#[doc(inline)]
pub use mtl_stream::item::index::{ItemIndex, WorkerIndex};
#[doc(inline)]
pub use mtl_stream::item::instance_failure::InstanceFailure;
#[doc(inline)]
pub use mtl_stream::item::limits::{
    CacheSize, CompileMemory, DiskLimit, Fuel, FunctionLimit, LogLimit, MemoryLimit, PluginSize,
    ResultLimit, TotalMemory,
};
#[doc(inline)]
pub use mtl_stream::item::parse_error::ParseError;
#[doc(inline)]
pub use mtl_stream::item::retry_on::RetryOn;
#[doc(inline)]
pub use mtl_stream::json_value::JsonValue;
#[doc(inline)]
pub use mtl_stream::outcome::{Outcome, OutcomeIter, RecordRule};
#[doc(inline)]
pub use mtl_stream::output_paths::{OutputPathError, OutputPaths};
#[doc(inline)]
pub use mtl_stream::queue::Window;
#[doc(inline)]
pub use mtl_stream::stats::{Counts, Progress, ProgressSnapshot, Summary};
