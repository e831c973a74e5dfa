//! Runs WebAssembly plugins as stateful workers over a stream of items.
//!
//! The host compiles a plugin once. A [`Pool`] starts workers, each with its own instance in its own sandbox, and
//! initialises each instance once. Items stream through a bounded queue to the workers. Each worker passes its items to
//! the plugin's `call`. The pool returns results lazily, in input order (default). Every item gets exactly one outcome.
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
//! Workers may run different plugins, and a worker may be Rust code of your own: see [`Pool::builder_from_workers`].
//! A [`PoolBuilder`] has the settings of all workers, such as time limits, retries and restarts; a
//! [`WorkerSpec`] has the settings of one worker.
//!
//! The library prints nothing, never exits and reads no environment variables. It installs no signal handlers of its
//! own; wasmtime installs handlers that turn signals caused by a guest, such as `SIGSEGV`, into traps.

pub mod cache;
mod engine;
pub mod event;
mod executor;
pub mod isolation;
mod plugin;
mod pool;
mod run;
mod sandbox;
mod worker;

#[cfg(test)]
#[path = "../../tests/test_timeout.rs"]
mod test_timeout;

use mtl_jail as jail;
use mtl_stream::{block, collector, control, item, outcome, queue};

/// Tests the examples of the library's README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use self::engine::{Engine, EngineError, LoadError};
pub use self::executor::start_error::StartError;
pub use self::plugin::{Plugin, PluginLoader};
pub use self::pool::{
    BuildError, Init, Jobs, Pool, PoolBuilder, PreparedPool, Record, Results, RunResult, WorkerSpec,
};
pub use self::run::error::Error;
pub use self::worker::WorkerReport;
#[doc(inline)]
pub use mtl_stream::collector::Order;
#[doc(inline)]
pub use mtl_stream::collector::policy::ErrorPolicy;
#[doc(inline)]
pub use mtl_stream::control::stop::StopFlag;
#[doc(inline)]
pub use mtl_stream::item::argument_passing::ArgumentPassing;
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
pub use mtl_stream::item::parse_error::ParseError;
#[doc(inline)]
pub use mtl_stream::item::retry_on::RetryOn;
#[doc(inline)]
pub use mtl_stream::outcome::Outcome;
#[doc(inline)]
pub use mtl_stream::stats::Summary;

/// Safe opening of files for the host, even in directories that a guest can write to.
pub mod files {
    pub(crate) use mtl_stream::files::FileId;
    #[doc(inline)]
    pub use mtl_stream::files::{Opener, UntrustedPath};
}

/// Resources that a worker may use: directories and network addresses.
pub mod grants {
    pub use crate::sandbox::capabilities::DirGrant;
    pub use crate::sandbox::net_grant::NetGrant;
}

/// The content of a plugin: its exports, its imports, and the capabilities that it uses.
pub mod inspect {
    pub use crate::engine::{
        Capability, Complexity, Export, Import, ImportProvider, Inspection, MemorySize, PluginKind,
        TypedCall,
    };
}

/// Limits of a pool, of a worker and of a plugin, with their defaults.
pub mod limits {
    pub use crate::worker::chunk_sizer::ChunkSize;
    pub use crate::worker::restart_policy::MaxRestarts;
    #[doc(inline)]
    pub use mtl_stream::collector::policy::MaxFaults;
    #[doc(inline)]
    pub use mtl_stream::item::limits::{
        CacheSize, CompileMemory, DiskLimit, Fuel, FunctionLimit, LogLimit, MemoryLimit,
        PluginSize, ResultLimit, TotalMemory,
    };
    #[doc(inline)]
    pub use mtl_stream::queue::Window;
}

/// Options and errors of loading a plugin: WebAssembly features, digest and host functions.
pub mod load {
    pub use crate::engine::{
        CompilerError, HostCall, HostFunctionError, LoadErrorKind, PrecompiledMismatch,
        WasmFeatures,
    };
    #[doc(inline)]
    pub use mtl_stream::item::digest::Sha256;
}

/// Native workers: Rust code that runs items instead of a plugin.
pub mod native {
    pub use crate::executor::native::{Failure, NativeWorker, Reply, WorkerContext};
    pub use crate::executor::retirement::Retirement;
}

/// Sinks, to which a run writes its outcomes.
///
/// A run passes outcomes to its sink, in input order (default). The sink
/// runs on the thread that called [`Pool::run`](crate::Pool::run), never on a worker's thread.
pub mod sink {
    #[doc(inline)]
    pub use mtl_stream::json_value::JsonValue;
    #[doc(inline)]
    pub use mtl_stream::outcome::{OutcomeIter, RecordRule};
    #[doc(inline)]
    pub use mtl_stream::output_paths::{OutputPathError, OutputPaths};
    #[doc(inline)]
    pub use mtl_stream::sink::{
        Directory, Frames, Jsonl, Lines, Memory, OmitReason, Output, OutputFile, OutputLocked,
        Sink, SinkError,
    };
}

/// Sources, from which a run reads its items.
pub mod source {
    #[doc(inline)]
    pub use mtl_stream::block::BlockBuilder;
    #[doc(inline)]
    pub use mtl_stream::source::{
        Files, FillStatus, Frames, Inputs, ItemLimit, Items, Jsonl, Lines, SizeHint, Source,
        SourceError, Take, WithOutputPath,
    };
}

/// Counts of a run and its progress.
pub mod stats {
    pub(crate) use mtl_stream::stats::Summary;
    #[doc(inline)]
    pub use mtl_stream::stats::{Counts, Progress, ProgressSnapshot};
}
