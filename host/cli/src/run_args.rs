//! The flags of `mtl-host run`, as typed. This module opens no file and reads nothing from the system.

use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{OsStringValueParser, PathBufValueParser, TypedValueParser};
use mtl_host::grants::{DirGrant, NetGrant};
use mtl_host::isolation::JailLevel;
use mtl_host::limits::{ChunkSize, MaxFaults, MaxRestarts, Window};
use mtl_host::load::{Sha256, WasmFeatures};
use mtl_host::{ArgumentPassing, ErrorPolicy, Jobs, RetryOn};

use super::cache_args::CacheArgs;
use super::env_grant::EnvGrant;
use super::formats::{InputFormat, OutputFormat, RecordOptions, ResultFormat};
use super::init_arg::InitArg;
use super::isolation_arg::IsolationArg;
use super::limit_args::LimitArgs;
use super::number;
use super::progress_args::ProgressArgs;
use super::side_file;
use super::snapshot_args::SnapshotArgs;
use super::time_span::TimeSpan;
use super::worker_arg::WorkerArg;

const USAGE: &str = "\
mtl-host run [OPTIONS] PLUGIN [INPUT]...
       mtl-host run [OPTIONS] --worker SPEC... [INPUT]...";

const AFTER_HELP: &str = "\
Exit codes:
    0  no item failed, or the reader of the results has closed the pipe,
       as `| head` does
    1  some items failed
    2  usage error
    3  the plugin cannot be loaded or initialised; no item was run
    4  the input cannot be read, or the output cannot be written
    5  a folder of sources cannot be built
    8  the run ended early: after some items were done, a worker could not
       start or no worker was left; the summary counts the items that are done
  130  interrupted: after Ctrl-C, the run finishes the items in the workers and
       writes their results; a second Ctrl-C ends the run immediately. SIGTERM,
       SIGQUIT and SIGHUP do the same, except that a second SIGHUP is ignored

Examples:
  Run each line of a text through a plugin, on every core, results in order:
    mtl-host run upper.wasm text.txt > upper.txt

  Read files by name, write each result after its path, and list the faults:
    find . -name '*.md' |
      mtl-host run count.wasm --input-format files --tag --faults faults.jsonl

  Let each of 8 workers load a vocabulary from a directory, once:
    mtl-host run tokenize.wasm -j 8 --dir ./data::/data --init /data/vocab.txt \\
      text.txt.gz -o tokens.txt

  Run two different workers:
    mtl-host run --worker a.wasm,init=x --worker b.wasm,dir=./b::/data text.txt";

/// Run every item of the input through a plugin
///
/// Each worker is one instance of the plugin in its own sandbox, initialised once. Items stream
/// through bounded queues; the input is never loaded whole.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP, override_usage = USAGE, arg_required_else_help = true)]
pub(crate) struct RunArgs {
    /// Plugin (.wasm or .wat), or a folder of sources to build
    ///
    /// A plugin is a core module or a component. A folder is built first, as by `mtl-host build`:
    /// name only a folder whose sources you trust. If `--plugin`, `--worker` or a configuration
    /// names the plugin, this argument is the first INPUT.
    #[arg(value_name = "PLUGIN")]
    pub(crate) first: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) items: ItemArgs,
    #[command(flatten)]
    pub(crate) results: ResultArgs,
    #[command(flatten)]
    pub(crate) workers: WorkerArgs,
    #[command(flatten)]
    pub(crate) time: TimeArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
    #[command(flatten)]
    pub(crate) flow: FlowArgs,
    #[command(flatten)]
    pub(crate) faults: FaultArgs,
    #[command(flatten)]
    pub(crate) progress: ProgressArgs,

    /// Read more flags from FILE, in TOML
    ///
    /// Flags on the command line override those in FILE. The table `[pool]` holds the flags by
    /// name, and each table `[[worker]]` describes one worker. Paths in FILE are relative to the
    /// folder of FILE. To switch off a flag that FILE switches on, write `=false`, as in
    /// `--tag=false`.
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    pub(crate) config: Option<PathBuf>,

    /// Print all settings as a configuration file, and exit
    #[arg(long, help_heading = "Configuration")]
    pub(crate) print_config: bool,
}

impl RunArgs {
    /// Decides what the first positional is: the plugin if no flag names one, otherwise an input.
    pub(crate) fn resolve_first(mut self) -> Self {
        if let Some(first) = self.first.take() {
            if self.workers.plugin.is_none() && self.workers.worker.is_empty() {
                self.workers.plugin = Some(first);
            } else {
                self.items.inputs.insert(0, first);
            }
        }
        self
    }
}

/// The flags about items.
#[derive(Debug, Args)]
pub(crate) struct ItemArgs {
    /// Input files, read one after the other (default: -)
    ///
    /// `-` is standard input. Files named .gz or .zst are decompressed while they are read.
    #[arg(value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,

    /// Format of the input
    #[arg(long, value_name = "FORMAT", default_value = "lines", help_heading = "Items")]
    pub(crate) input_format: InputFormat,

    /// Map items to the parameters of `call`
    ///
    /// With `single`, the whole item is the only argument. With `args`, the item is a JSON array of
    /// arguments by position. With `kwargs`, the item is a JSON object of arguments by name.
    #[arg(long, value_name = "single|args|kwargs", default_value_t, help_heading = "Items")]
    pub(crate) args: ArgumentPassing,

    /// Stop after the first N items
    #[arg(
        long,
        value_name = "N",
        help_heading = "Items",
        allow_hyphen_values = true,
        value_parser = number::items::<usize>
    )]
    pub(crate) limit: Option<usize>,
}

/// The flags about results.
#[derive(Debug, Args)]
#[command(next_help_heading = "Results")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct ResultArgs {
    /// Write results to FILE instead of standard output
    ///
    /// FILE keeps its old content until the first item is done. Only one run at a time can write to
    /// FILE.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Write each result to its own file below DIR
    ///
    /// The path below DIR is the path of the item's file, so this flag needs `--input-format files`
    /// or `paths`. The result of a/b.md goes to DIR/a/b.md, and the result of /x/y to DIR/x/y. A failed
    /// item leaves no file.
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = ["output", "output_format", "tag", "multiline"]
    )]
    pub(crate) output_dir: Option<PathBuf>,

    /// Format of the output
    #[arg(long, value_name = "FORMAT", default_value = "lines")]
    pub(crate) output_format: OutputFormat,

    /// Leave failed items out of the output
    ///
    /// Without this flag, a failed item leaves an empty record, or its error in `jsonl` output.
    #[arg(long)]
    pub(crate) skip_failed: bool,

    /// Allow results that contain the end of a record
    ///
    /// A record ends in a line break, or with `--output-format nul` in a zero byte. Without this
    /// flag, a result that contains this byte is a fault.
    #[arg(long)]
    pub(crate) multiline: bool,

    /// Write control characters to a terminal unescaped
    ///
    /// Without this flag, control characters are escaped on a terminal, except line feeds and tabs.
    /// This applies to results in every format, to `--faults` and to `--finish-output`. Files and
    /// pipes always get every byte unchanged.
    #[arg(long)]
    pub(crate) raw: bool,

    /// Exit only when the output is safe on the disk
    ///
    /// At the end, the run syncs the files of results, faults and finish reports, and their
    /// directory entries. After exit code 0, these files survive a crash of the machine. With
    /// `--output-dir`, the run syncs the file system of DIR once.
    #[arg(long)]
    pub(crate) sync: bool,

    /// Treat each result as text or as JSON
    ///
    /// This overrides the format that the plugin declares.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) results: Option<ResultFormat>,

    /// Write each item, or the path of its file, before its result
    ///
    /// A tab separates the two.
    #[arg(long)]
    pub(crate) tag: bool,
}

impl ResultArgs {
    pub(crate) fn layout(&self) -> RecordOptions {
        let Self { skip_failed, multiline, tag, .. } = *self;
        RecordOptions { skip_failed, multiline, tag }
    }
}

/// The flags about workers and their grants.
#[derive(Debug, Args)]
#[command(next_help_heading = "Workers")]
pub(crate) struct WorkerArgs {
    /// Plugin to run; every positional argument is then an INPUT
    #[arg(long, value_name = "PLUGIN")]
    pub(crate) plugin: Option<PathBuf>,

    /// Add one worker with its own plugin and settings
    ///
    /// Repeat it for each worker. SPEC is a plugin, followed by any of
    /// `,dir=HOST::GUEST[:rw|:rw+symlinks]`, `,env=KEY[=VALUE]`, `,net=HOST:PORT`, `,memory=SIZE`,
    /// `,timeout=TIME`, `,init-timeout=TIME`, `,fuel=N`, `,disk=SIZE`, `,max-result=SIZE`,
    /// `,sha256=HEX`, `,call=NAME` and `,wasm=gc+exceptions`. `,init=TEXT` or `,init=@FILE` comes
    /// last, because it takes the rest of SPEC. If TEXT contains one of these keys, such as `,env=`,
    /// write TEXT into a file.
    #[arg(
        long,
        value_name = "SPEC",
        value_parser = OsStringValueParser::new().try_map(WorkerArg::parse)
    )]
    pub(crate) worker: Vec<WorkerArg>,

    /// Number of workers (default: one per core, or per `--init`)
    ///
    /// If `--init` is given more than once, the default is one worker for each `--init`.
    #[arg(short, long, value_name = "N", allow_hyphen_values = true)]
    pub(crate) jobs: Option<Jobs>,

    /// Arguments for the plugin's `init`: TEXT, or read from FILE
    ///
    /// Give it once for all workers, or once for each worker.
    #[arg(
        long,
        value_name = "TEXT|@FILE",
        allow_hyphen_values = true,
        value_parser = OsStringValueParser::new().map(InitArg::from)
    )]
    pub(crate) init: Vec<InitArg>,

    /// Run workers on threads, or in jailed processes
    ///
    /// With `process`, each worker has its own process, in a jail that holds even if the WebAssembly
    /// engine has a vulnerability.
    #[arg(long, value_name = "thread|process", default_value_t)]
    pub(crate) isolation: IsolationArg,

    /// Jail level: required, strict or best-effort
    ///
    /// `required` needs the layers that `mtl-host doctor` shows as required, such as seccomp and
    /// Landlock. `strict` needs the strict layers as well. `best-effort` needs none, and warns about
    /// missing required layers.
    #[arg(long, value_name = "LEVEL", default_value_t, value_parser = crate::isolation_arg::parse_jail)]
    pub(crate) jail: JailLevel,

    /// Write results as they finish, not in the order of the items
    #[arg(long)]
    pub(crate) unordered: bool,

    /// Let the plugin read the directory HOST as GUEST
    ///
    /// `:rw` allows the plugin to write. `:rw+symlinks` allows it to write, and to create and move
    /// symbolic links.
    #[arg(long, value_name = "HOST::GUEST[:rw]")]
    pub(crate) dir: Vec<DirGrant>,

    /// Pass an environment variable to the plugin
    ///
    /// Without VALUE, the plugin gets the value that the variable has in this process.
    #[arg(long, value_name = "KEY[=VALUE]")]
    pub(crate) env: Vec<EnvGrant>,

    /// Let the plugin connect to HOST:PORT, by TCP or plain HTTP
    ///
    /// HOST is a name, or an address such as 127.0.0.1 or [::1]. HTTP works only without TLS. Names
    /// are looked up once, at the start. A name does not grant a loopback or private
    /// address, unless the name is `localhost` or another `--net` grants the address itself. If a
    /// name has no other address, the run is refused.
    #[expect(rustdoc::broken_intra_doc_links, reason = "an address in brackets is no link")]
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) net: Vec<NetGrant>,

    /// Run the plugin only if its file has this SHA-256
    ///
    /// `sha256sum` prints it. A folder of sources is refused.
    #[arg(long, value_name = "HEX")]
    pub(crate) sha256: Option<Sha256>,

    /// Exported function that takes items (default: call)
    ///
    /// In a component of another world, this can be any function whose parameters are plain values.
    /// It gets items as JSON. If several interfaces export the name, write INTERFACE#NAME.
    #[arg(long, value_name = "NAME")]
    pub(crate) call: Option<String>,

    /// WebAssembly features to enable, such as `gc`
    ///
    /// The features are `gc` and `exceptions`, or both as `gc,exceptions`. Plugins in Kotlin, Dart
    /// or OCaml need them. Both features use the engine's garbage collector, which is young code.
    /// `mtl-host inspect` shows the features that a plugin uses.
    #[arg(long, value_name = "FEATURES", default_value_t)]
    pub(crate) wasm: WasmFeatures,

    #[command(flatten)]
    pub(crate) snapshot: SnapshotArgs,

    /// Accept machine code made by `mtl-host compile`
    ///
    /// Machine code cannot be checked: on threads, it has all your permissions, like any program.
    /// Name only files that you compiled yourself, or got from somebody whose programs you run.
    #[arg(long)]
    pub(crate) trust_precompiled: bool,
}

/// The flags about time limits, restarts and the end of workers.
#[derive(Debug, Args)]
#[command(next_help_heading = "Time and restarts")]
pub(crate) struct TimeArgs {
    /// Time limit for each item, such as 100ms, 1.5s or 2m
    ///
    /// An item that takes longer has the fault `timeout`, and a fresh instance takes the next item.
    /// A number without a unit is in seconds. The time does not count while the worker waits for a
    /// core, or while the command is stopped (Ctrl-Z).
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) timeout: Option<TimeSpan>,

    /// Time limit for each start of a worker, and for its end
    ///
    /// The start includes the plugin's `init`; the end is its `finish`. A start that takes longer is
    /// tried again, as often as `--max-restarts` allows. The time is measured as for `--timeout`.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) init_timeout: Option<TimeSpan>,

    /// Time limit for the end of the run
    ///
    /// The time starts when the last item is finished, at Ctrl-C, or when the run fails. After that
    /// time, the run interrupts all plugins that still run.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) join_timeout: Option<TimeSpan>,

    /// Retry a failed item up to N times, on a fresh instance
    ///
    /// The plugin runs the whole item again, and repeats side effects such as changes to files. With
    /// `--isolation process`, a process that dies can lose the results of items that it had
    /// finished; those items run again.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_hyphen_values = true,
        value_parser = number::from_0
    )]
    pub(crate) retries: u32,

    /// Kinds of faults to retry
    ///
    /// KINDS is a list such as `trap,timeout,refused`.
    #[arg(long, value_name = "KINDS", default_value_t, requires = "retries")]
    pub(crate) retry_on: RetryOn,

    /// Retire a worker after N restarts in a row
    ///
    /// A finished item resets the count. All retries of one item count as one restart, and so does
    /// each failed start. Without this flag, a worker that cannot start is retired after 3 attempts.
    /// If the first start of a worker takes too long, or its process dies, the start is tried again.
    /// If the first start fails in the plugin, the run ends.
    #[arg(long, value_name = "N", default_value_t, allow_hyphen_values = true)]
    pub(crate) max_restarts: MaxRestarts,

    /// Replace a worker's instance after N items
    ///
    /// This helps with plugins that leak memory.
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = number::from_1)]
    pub(crate) recycle: Option<NonZeroU64>,

    /// Write finish reports to FILE, as JSON lines
    ///
    /// A finish report is the return value of a plugin's `finish`. Each line has the worker, its
    /// number of items, and one of these: the report, the error of `finish`, or the reason why the
    /// report was lost. Without this flag, reports go to standard error.
    #[arg(long, value_name = "FILE", value_parser = PathBufValueParser::new().try_map(side_file::path))]
    pub(crate) finish_output: Option<PathBuf>,
}

/// The flags about the flow of items to workers and of results to the output.
#[derive(Debug, Args)]
#[command(next_help_heading = "Flow")]
pub(crate) struct FlowArgs {
    /// Number of items that a worker takes at a time
    ///
    /// `auto` takes as many as make about a millisecond of work.
    #[arg(long, value_name = "N|auto", default_value_t, allow_hyphen_values = true)]
    pub(crate) chunk_size: ChunkSize,

    /// Limit on items that are read and not yet written
    ///
    /// A number with a unit, such as 64MiB, counts the bytes of items and results. A number alone
    /// counts items, and the default limit on bytes still applies.
    #[arg(long, value_name = "N|SIZE", default_value_t, allow_hyphen_values = true)]
    pub(crate) window: Window,

    /// Read ahead without a limit
    ///
    /// An input that is faster than the workers and the output, or that never ends, fills the
    /// memory.
    #[arg(long, conflicts_with = "window")]
    pub(crate) unbounded: bool,
}

impl FlowArgs {
    pub(crate) fn window(&self) -> Window {
        if self.unbounded { Window::UNBOUNDED } else { self.window }
    }
}

/// The flags about failed items.
#[derive(Debug, Args)]
#[command(next_help_heading = "Faults")]
pub(crate) struct FaultArgs {
    /// Policy for failed items: ignore, immediate or deferred
    ///
    /// `ignore` continues the run, `immediate` ends it, and `deferred` continues it and fails at the
    /// end.
    #[arg(long, value_name = "POLICY", default_value_t)]
    pub(crate) on_error: ErrorPolicy,

    /// End the run after more than N faults, or P percent
    ///
    /// P is a percentage of the finished items. It applies from the 100th finished item on.
    #[arg(long, value_name = "N|P%", default_value_t, allow_hyphen_values = true)]
    pub(crate) max_faults: MaxFaults,

    /// Write each fault to FILE, as a JSON line
    ///
    /// Each line has the index, kind, message and worker, and the item or the path of its file. An
    /// item that was read but not run has a line of the kind `not-run`. An item whose result did not
    /// reach the output has a line of the kind `not-written`.
    #[arg(long, value_name = "FILE", value_parser = PathBufValueParser::new().try_map(side_file::path))]
    pub(crate) faults: Option<PathBuf>,
}
