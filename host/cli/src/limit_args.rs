//! Flags that limit the resources of plugins, and the limits that `--worker` can set for one worker.

use std::ffi::OsStr;

use clap::Args;
use mtl_host::limits::{
    CompileMemory, DiskLimit, Fuel, FunctionLimit, LogLimit, MemoryLimit, PluginSize, ResultLimit,
    TotalMemory,
};
use mtl_host::source::ItemLimit;
use mtl_host::{PluginLoader, PoolBuilder, WorkerSpec};

use super::key_value::{KeyValueError, parse_value, set_once};
use super::system_limits;
use super::time_span::TimeSpan;

/// The flags that limit the resources of plugins.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// Memory limit of each worker, such as 64MiB or 2GiB
    ///
    /// An item that needs more has the fault `out-of-memory`.
    #[arg(long, value_name = "SIZE", default_value_t, allow_hyphen_values = true)]
    pub(crate) memory: MemoryLimit,

    /// Memory limit of all workers together (default: 3/4 of available)
    ///
    /// The default is three quarters of the memory that is available on this machine or in the
    /// control group. `unlimited` sets no limit.
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true)]
    pub(crate) total_memory: Option<TotalMemory>,

    /// Instruction budget of each item, such as 50M
    ///
    /// One unit is about one instruction. `init` and `finish` each have the same budget. An item
    /// that needs more has the fault `out-of-fuel`. Counting makes plugins slower.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub(crate) fuel: Option<Fuel>,

    /// Bytes that each worker may write to files (default: no limit)
    ///
    /// All instances of a worker share the limit. An item that writes more has the fault
    /// `out-of-disk`. No file becomes longer than SIZE. File names do not count.
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true)]
    pub(crate) disk: Option<DiskLimit>,

    /// Size limit of a result
    ///
    /// A larger result has the fault `bad-result`.
    #[arg(long, value_name = "SIZE", default_value_t, allow_hyphen_values = true)]
    pub(crate) max_result: ResultLimit,

    /// Size limit of an item
    ///
    /// A larger item has the fault `bad-item`.
    #[arg(long, value_name = "SIZE", default_value_t, allow_hyphen_values = true)]
    pub(crate) max_item: ItemLimit,

    /// Limit on each worker's output and log per second
    ///
    /// The limit counts the displayed form of text: escaped, and with the worker's name. All workers
    /// together may write four times as much. Text beyond the limit is dropped, and a message reports
    /// this once a second. The same limit applies to the finish reports of all workers together.
    /// Reports beyond it are only counted, but `--finish-output` gets every report.
    #[arg(long, value_name = "SIZE", default_value_t, allow_hyphen_values = true)]
    pub(crate) log_limit: LogLimit,

    /// Size limit of a plugin's file
    #[arg(long, value_name = "SIZE", default_value_t, allow_hyphen_values = true)]
    pub(crate) max_plugin: PluginSize,

    /// Limit on the number of functions in a plugin
    ///
    /// Each function costs time and memory when the plugin is compiled.
    #[arg(long, value_name = "N", default_value_t, allow_hyphen_values = true)]
    pub(crate) max_functions: FunctionLimit,

    #[command(flatten)]
    pub(crate) compile: CompileArgs,
}

/// Declares the limits that `--worker` can set: the key, the library's setter, and the type of each.
macro_rules! worker_limits {
    ($($key:literal $name:ident: $type:ty,)*) => {
        /// The limits of one worker, or of all workers.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub(crate) struct WorkerLimits {
            $(pub(crate) $name: Option<$type>,)*
        }

        impl WorkerLimits {
            /// The keys of `--worker` and of a table `[[worker]]`.
            pub(crate) const KEYS: [&str; [$($key),*].len()] = [$($key),*];

            /// Sets the limit with this key. Returns whether such a limit exists.
            pub(crate) fn set(&mut self, key: &str, value: &OsStr) -> Result<bool, KeyValueError> {
                match key {
                    $($key => set_once(&mut self.$name, key, parse_value(key, value)?)?,)*
                    _ => return Ok(false),
                }
                Ok(true)
            }

            /// Returns each limit as text, with its key.
            pub(crate) fn texts(self) -> [(&'static str, Option<String>); Self::KEYS.len()] {
                [$(($key, self.$name.map(|limit| limit.to_string())),)*]
            }

            /// Sets these limits for one worker.
            pub(crate) fn limit_worker(self, mut worker: WorkerSpec) -> WorkerSpec {
                $(if let Some(limit) = self.$name {
                    worker = worker.$name(limit.into());
                })*
                worker
            }

            /// Sets these limits for all workers.
            pub(crate) fn limit_pool(self, mut pool: PoolBuilder) -> PoolBuilder {
                $(if let Some(limit) = self.$name {
                    pool = pool.$name(limit.into());
                })*
                pool
            }
        }
    };
}

worker_limits! {
    "memory" memory: MemoryLimit,
    "timeout" timeout: TimeSpan,
    "init-timeout" init_timeout: TimeSpan,
    "fuel" fuel: Fuel,
    "disk" disk: DiskLimit,
    "max-result" max_result: ResultLimit,
}

/// The flags that limit the compilation of a plugin in a process.
#[derive(Debug, Args)]
pub(crate) struct CompileArgs {
    /// Time limit for compiling a plugin in a child process
    #[arg(
        long,
        value_name = "TIME",
        default_value_t = TimeSpan::COMPILE,
        allow_hyphen_values = true
    )]
    pub(crate) compile_timeout: TimeSpan,

    /// Memory limit for compiling a plugin in a child process
    #[arg(long, value_name = "SIZE", default_value_t, allow_hyphen_values = true)]
    pub(crate) compile_memory: CompileMemory,
}

impl CompileArgs {
    /// Sets these limits on the loader.
    pub(super) fn limit_loader(&self, loader: PluginLoader) -> PluginLoader {
        loader.compile_timeout(self.compile_timeout.get()).compile_memory(self.compile_memory)
    }
}

impl LimitArgs {
    /// Sets these limits on the pool.
    pub(super) fn limit(&self, pool: PoolBuilder) -> PoolBuilder {
        let pool = pool
            .total_memory(self.total_memory.unwrap_or_else(system_limits::total_memory))
            .log_limit(self.log_limit);
        let limits = WorkerLimits {
            memory: Some(self.memory),
            fuel: self.fuel,
            disk: self.disk,
            max_result: Some(self.max_result),
            ..WorkerLimits::default()
        };
        limits.limit_pool(pool)
    }

    /// Sets these limits on the loader.
    pub(super) fn limit_loader(&self, loader: PluginLoader) -> PluginLoader {
        let loader = loader.max_size(self.max_plugin).max_functions(self.max_functions);
        self.compile.limit_loader(loader)
    }
}
