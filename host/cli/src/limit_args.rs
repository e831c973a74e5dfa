//! Flags that limit what a plugin may take, and the limits that one worker may have of its own.

use std::ffi::OsStr;

use clap::Args;
use mtl_host::source::ItemLimit;
use mtl_host::{
    CompileMemory, DiskLimit, Fuel, FunctionLimit, LogLimit, MemoryLimit, PluginLoader, PluginSize,
    PoolBuilder, ResultLimit, TotalMemory, WorkerSpec,
};

use super::key_value::{KeyValueError, once, parsed};
use super::machine;
use super::time_span::TimeSpan;

/// How much a plugin may take.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// What each worker's plugin may take of memory, such as 64MiB or 2GiB: beyond that the item
    /// has the fault `out-of-memory`
    #[arg(long, value_name = "SIZE", default_value_t, allow_hyphen_values = true)]
    pub(crate) memory: MemoryLimit,

    /// What all workers' plugins may take of memory together, or `unlimited` [default: three
    /// quarters of what is available, here or in the control group]
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true)]
    pub(crate) total_memory: Option<TotalMemory>,

    /// How much the plugin may compute for an item, in about one instruction each, such as 50M;
    /// to start and to finish it has as much. Beyond that the fault is `out-of-fuel`. To count
    /// makes plugins slower
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub(crate) fuel: Option<Fuel>,

    /// Bytes that the instances of each worker may write to files, all together: beyond that the
    /// item has the fault `out-of-disk`. No file becomes longer than SIZE; names do not count
    /// [default: no limit]
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true)]
    pub(crate) disk: Option<DiskLimit>,

    /// How large a result may be: a larger one is the fault `bad-result`
    #[arg(long, value_name = "SIZE", default_value_t, allow_hyphen_values = true)]
    pub(crate) max_result: ResultLimit,

    /// How large an item may be: a larger one is the fault `bad-item`
    #[arg(long, value_name = "SIZE", default_value_t, allow_hyphen_values = true)]
    pub(crate) max_item: ItemLimit,

    /// How much each worker's plugin may write and log in a second, counted as it is shown: with
    /// the worker's name, and escaped. All workers together may write four times as much. What is
    /// beyond is dropped, which is told once a second. As much is shown of all closing reports; those
    /// beyond are counted, and `--finish-output` gets every one
    #[arg(long, value_name = "SIZE", default_value_t, allow_hyphen_values = true)]
    pub(crate) log_limit: LogLimit,

    /// How large a plugin's file may be
    #[arg(long, value_name = "SIZE", default_value_t, allow_hyphen_values = true)]
    pub(crate) max_plugin: PluginSize,

    /// How many functions a plugin may have: each costs time and memory when it is compiled
    #[arg(long, value_name = "N", default_value_t, allow_hyphen_values = true)]
    pub(crate) max_functions: FunctionLimit,

    #[command(flatten)]
    pub(crate) compile: CompileArgs,
}

/// Makes the limits that one worker may have of its own: the key of `--worker`, the setter of the library, the type.
macro_rules! worker_limits {
    ($($key:literal $name:ident: $type:ty,)*) => {
        /// The limits that one worker has of its own, or that all workers have.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub(crate) struct WorkerLimits {
            $(pub(crate) $name: Option<$type>,)*
        }

        impl WorkerLimits {
            /// The keys of `--worker` and of a table `[[worker]]`.
            pub(crate) const KEYS: [&str; [$($key),*].len()] = [$($key),*];

            /// Sets the limit that has this key. Returns whether one has it.
            pub(crate) fn set(&mut self, key: &str, value: &OsStr) -> Result<bool, KeyValueError> {
                match key {
                    $($key => once(&mut self.$name, key, parsed(key, value)?)?,)*
                    _ => return Ok(false),
                }
                Ok(true)
            }

            /// Returns each limit as text, with its key.
            pub(crate) fn texts(self) -> [(&'static str, Option<String>); Self::KEYS.len()] {
                [$(($key, self.$name.map(|limit| limit.to_string())),)*]
            }

            /// Gives one worker these limits.
            pub(crate) fn limit_worker(self, mut worker: WorkerSpec) -> WorkerSpec {
                $(if let Some(limit) = self.$name {
                    worker = worker.$name(limit.into());
                })*
                worker
            }

            /// Gives all workers these limits.
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

/// How much it may take to compile a plugin in a process.
#[derive(Debug, Args)]
pub(crate) struct CompileArgs {
    /// How long it may take to compile a plugin, where that is done in a process
    #[arg(
        long,
        value_name = "TIME",
        default_value_t = TimeSpan::COMPILE,
        allow_hyphen_values = true
    )]
    pub(crate) compile_timeout: TimeSpan,

    /// What it may take of memory to compile a plugin, where that is done in a process
    #[arg(long, value_name = "SIZE", default_value_t, allow_hyphen_values = true)]
    pub(crate) compile_memory: CompileMemory,
}

impl CompileArgs {
    /// The loader, with these limits.
    pub(super) fn limit_loader(&self, loader: PluginLoader) -> PluginLoader {
        loader.compile_timeout(self.compile_timeout.get()).compile_memory(self.compile_memory)
    }
}

impl LimitArgs {
    /// The pool, with these limits.
    pub(super) fn limit(&self, pool: PoolBuilder) -> PoolBuilder {
        let pool = pool
            .total_memory(self.total_memory.unwrap_or_else(machine::total_memory))
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

    /// The loader, with these limits.
    pub(super) fn limit_loader(&self, loader: PluginLoader) -> PluginLoader {
        let loader = loader.max_size(self.max_plugin).max_functions(self.max_functions);
        self.compile.limit_loader(loader)
    }
}
