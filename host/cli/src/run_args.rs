//! Flags of `mtl-host run`, as typed. Nothing here opens a file or looks at the machine.

use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{OsStringValueParser, PathBufValueParser, TypedValueParser};
use mtl_host::{
    ArgumentPassing, ChunkSize, DirGrant, ErrorPolicy, Jail, Jobs, MaxFaults, MaxRestarts,
    NetGrant, RetryOn, Sha256, WasmFeatures, Window,
};

use super::beside;
use super::cache_args::CacheArgs;
use super::env_grant::EnvGrant;
use super::formats::{InputFormat, Layout, OutputFormat, ResultFormat};
use super::init_arg::InitArg;
use super::isolation_arg::IsolationArg;
use super::limit_args::LimitArgs;
use super::number;
use super::progress_args::ProgressArgs;
use super::snapshot_args::SnapshotArgs;
use super::time_span::TimeSpan;
use super::worker_arg::WorkerArg;

const USAGE: &str = "\
mtl-host run [OPTIONS] PLUGIN [INPUT]...
       mtl-host run [OPTIONS] --worker SPEC... [INPUT]...";

const AFTER_HELP: &str = "\
Exit codes:
    0  every item is done; or, as after `| head`, nobody reads the results
    1  some item failed
    2  the command line does not make sense
    3  the plugin cannot be loaded or initialised; nothing was done
    4  the input cannot be read, or the output not written
    5  a folder of sources cannot be built
    8  ended before all items were done: after some were, a worker could not
       start, or no worker was left; the summary counts those that were
  130  interrupted: after Ctrl-C, what is in the workers is finished and
       written; a second Ctrl-C ends at once. SIGTERM and SIGQUIT do the
       same; so does SIGHUP, but a second one is ignored

Examples:
  Each line of a text through a plugin, on every core, results in order:
    mtl-host run upper.wasm text.txt > upper.txt

  Files by name; each result after its path; what fails goes into a list:
    find . -name '*.md' |
      mtl-host run count.wasm --input-format files --tag --faults faults.jsonl

  A plugin that loads a vocabulary from a directory, once in each of 8 workers:
    mtl-host run tokenize.wasm -j 8 --dir ./data::/data --init /data/vocab.txt \\
      text.txt.gz -o tokens.txt

  Two workers that differ:
    mtl-host run --worker a.wasm,init=x --worker b.wasm,dir=./b::/data text.txt";

/// Run every item of the input through a plugin
///
/// Each worker is one instance of the plugin in its own sandbox, initialised once. Items stream
/// through bounded queues; nothing is loaded whole.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP, override_usage = USAGE, arg_required_else_help = true)]
pub(crate) struct RunArgs {
    /// The plugin: a core module or a component, .wasm or .wat; or a folder of sources that you
    /// trust, which is built first, as `mtl-host build` does. With `--plugin`, `--worker`, or a
    /// configuration that names one, this is the first INPUT
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

    /// Take flags that are not given here from FILE, in TOML: `[pool]` has them by name, each
    /// `[[worker]]` a worker; paths in it are relative to it. What it switches on is switched off by
    /// `=false`, as with `--tag=false`
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    pub(crate) config: Option<PathBuf>,

    /// Show all settings as such a file, and do nothing else
    #[arg(long, help_heading = "Configuration")]
    pub(crate) print_config: bool,
}

impl RunArgs {
    /// Gives the first positional its meaning: the plugin, if nothing else says who works;
    /// otherwise an input.
    pub(crate) fn settle(mut self) -> Self {
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

/// Where items come from.
#[derive(Debug, Args)]
pub(crate) struct ItemArgs {
    /// Files with items, read one after the other; `-` or none: standard input. Those in .gz
    /// and .zst are decompressed as they are read
    #[arg(value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,

    /// What an item is
    #[arg(long, value_name = "FORMAT", default_value = "lines", help_heading = "Items")]
    pub(crate) input_format: InputFormat,

    /// How an item fills the parameters of the plugin's `call`: `single`, as it is; `args`, a
    /// JSON array by position; `kwargs`, a JSON object by name
    #[arg(long, value_name = "PASSING", default_value_t, help_heading = "Items")]
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

/// Where results go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Results")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct ResultArgs {
    /// Write results to FILE, not to standard output. FILE keeps its content until an item is done,
    /// and takes the results of one run at a time
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Write each result into a file of its own below DIR, named after its item, for
    /// `--input-format files` and `paths`: that of a/b.md into DIR/a/b.md, that of /x/y into
    /// DIR/x/y. What fails leaves no file
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = ["output", "output_format", "tag", "multiline"]
    )]
    pub(crate) output_dir: Option<PathBuf>,

    /// How results are written
    #[arg(long, value_name = "FORMAT", default_value = "lines")]
    pub(crate) output_format: OutputFormat,

    /// Leave out items that failed, instead of an empty record in their place
    #[arg(long)]
    pub(crate) skip_failed: bool,

    /// Take results that contain the end of a record, such as a line break; without this, they
    /// are faults
    #[arg(long)]
    pub(crate) multiline: bool,

    /// Write results to a terminal as they are. Without this, a terminal gets control characters
    /// escaped, except line feeds and tabs, in every format, and so for `--faults` and
    /// `--finish-output`; files and pipes always get every byte as it is
    #[arg(long)]
    pub(crate) raw: bool,

    /// Wait at the end until results, faults and closing reports are on the disk, names included, so that
    /// exit code 0 survives a crash of the machine. `--output-dir` syncs its file system, once
    #[arg(long)]
    pub(crate) sync: bool,

    /// What results are, whatever the plugin says
    #[arg(long, value_name = "FORMAT")]
    pub(crate) results: Option<ResultFormat>,

    /// Write each item, or the path of its file, and a tab before its result
    #[arg(long)]
    pub(crate) tag: bool,
}

impl ResultArgs {
    pub(crate) fn layout(&self) -> Layout {
        let Self { skip_failed, multiline, tag, .. } = *self;
        Layout { skip_failed, multiline, tag }
    }
}

/// How workers are made, and what they may use.
#[derive(Debug, Args)]
#[command(next_help_heading = "Workers")]
pub(crate) struct WorkerArgs {
    /// The plugin, so that every positional is an INPUT
    #[arg(long, value_name = "PLUGIN")]
    pub(crate) plugin: Option<PathBuf>,

    /// A worker, where they differ: once for each. After its plugin come, as needed,
    /// `,dir=HOST::GUEST[:rw|:rw+symlinks]`, `,env=KEY[=VALUE]`, `,net=HOST:PORT`, `,memory=SIZE`,
    /// `,timeout=TIME`, `,init-timeout=TIME`, `,fuel=N`, `,disk=SIZE`, `,max-result=SIZE`,
    /// `,sha256=HEX`, `,call=NAME`, `,wasm=gc+exceptions`, and last `,init=TEXT` or `,init=@FILE`,
    /// which takes the rest: a TEXT with `,KEY=` of one of these in it goes into a file
    #[arg(
        long,
        value_name = "SPEC",
        value_parser = OsStringValueParser::new().try_map(WorkerArg::parse)
    )]
    pub(crate) worker: Vec<WorkerArg>,

    /// How many workers [default: one per core, or as many as there are `--init`]
    #[arg(short, long, value_name = "N", allow_hyphen_values = true)]
    pub(crate) jobs: Option<Jobs>,

    /// Arguments for the plugin's `init`: TEXT, or what is in a file. Once for all workers, or
    /// once for each
    #[arg(
        long,
        value_name = "TEXT|@FILE",
        allow_hyphen_values = true,
        value_parser = OsStringValueParser::new().map(InitArg::from)
    )]
    pub(crate) init: Vec<InitArg>,

    /// Where workers run: on threads, or each in a process of its own, in a jail that holds even if
    /// the WebAssembly engine has a hole
    #[arg(long, value_name = "thread|process", default_value_t)]
    pub(crate) isolation: IsolationArg,

    /// The layers of the jail that must hold: `required` needs seccomp and Landlock, `strict` all
    /// layers that `mtl-host doctor` shows, `best-effort` none, and it warns of missing ones
    #[arg(long, value_name = "required|best-effort|strict", default_value_t)]
    pub(crate) jail: Jail,

    /// Write results as they are finished, not in the order of their items
    #[arg(long)]
    pub(crate) unordered: bool,

    /// Let the plugin read the directory HOST under the name GUEST; with `:rw`, write to it; with
    /// `:rw+symlinks`, make and move symbolic links in it as well
    #[arg(long, value_name = "HOST::GUEST[:rw|:rw+symlinks]")]
    pub(crate) dir: Vec<DirGrant>,

    /// Let the plugin see a variable; without VALUE, as it is here
    #[arg(long, value_name = "KEY[=VALUE]")]
    pub(crate) env: Vec<EnvGrant>,

    /// Let the plugin connect to PORT of HOST, a name or an address such as 127.0.0.1 or [::1], by
    /// TCP and by HTTP without TLS. Names are looked up once, at the start; addresses of the loopback
    /// and of private networks are left out of what is found, unless the name is `localhost` or the
    /// address is granted as well
    #[expect(rustdoc::broken_intra_doc_links, reason = "an address in brackets is no link")]
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) net: Vec<NetGrant>,

    /// Run the plugin only if its file has this SHA-256, as `sha256sum` prints it; a folder of
    /// sources is refused
    #[arg(long, value_name = "HEX")]
    pub(crate) sha256: Option<Sha256>,

    /// The function that takes items, where the plugin does not export it as `call`. Of a component
    /// that is any function of plain values, which gets items as JSON; INTERFACE#NAME says which of
    /// several is meant
    #[arg(long, value_name = "NAME")]
    pub(crate) call: Option<String>,

    /// Let the plugin use features of WebAssembly that are off otherwise: `gc`, `exceptions`, or both as
    /// `gc,exceptions`. They bring the engine's garbage collector into play, which is young code; plugins
    /// in Kotlin, Dart or OCaml need it. `inspect` shows what a plugin uses
    #[arg(long, value_name = "FEATURES", default_value_t)]
    pub(crate) wasm: WasmFeatures,

    #[command(flatten)]
    pub(crate) snapshot: SnapshotArgs,

    /// Take plugins that `mtl-host compile` has made, too. They are machine code: nothing of them
    /// can be checked, and on threads they can do whatever you can, like any program. Name only
    /// files that you have compiled yourself, or had from somebody whose programs you run
    #[arg(long)]
    pub(crate) trust_precompiled: bool,
}

/// How long things may take, and what becomes of workers that break.
#[derive(Debug, Args)]
#[command(next_help_heading = "Time and restarts")]
pub(crate) struct TimeArgs {
    /// How long an item may take, such as 100ms, 1.5s or 2m (a number alone is seconds): then it
    /// has the fault `timeout`, and a fresh instance takes the next one
    ///
    /// Time in which the worker waits for a core does not count, nor time in which the command is
    /// stopped (Ctrl-Z).
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) timeout: Option<TimeSpan>,

    /// How long a worker may take to start, until its `init` is done; and to finish
    ///
    /// A start that takes longer is tried again, as `--max-restarts` says. It is measured like
    /// `--timeout`.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) init_timeout: Option<TimeSpan>,

    /// How long the end may take, after the last item, Ctrl-C or an error: what plugins still do
    /// then is interrupted
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) join_timeout: Option<TimeSpan>,

    /// Try an item that failed again, up to N times, each on a fresh instance
    ///
    /// The plugin executes the item again, and what it changes in files or elsewhere it changes
    /// again. With `--isolation process` that happens as well to items whose results were lost
    /// with a process that died
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_hyphen_values = true,
        value_parser = number::from_0
    )]
    pub(crate) retries: u32,

    /// After which faults: a list such as `trap,timeout,refused`
    #[arg(long, value_name = "KINDS", default_value_t, requires = "retries")]
    pub(crate) retry_on: RetryOn,

    /// Retire a worker that is restarted more than N times in a row without finishing an item;
    /// one that cannot start is given up after 3 attempts unless N is given
    ///
    /// All retries of one item count as one restart, and each start that fails as one. The first
    /// start of a worker is tried again if its process died or it took too long; if it fails in the
    /// plugin, the run ends
    #[arg(long, value_name = "N", default_value_t, allow_hyphen_values = true)]
    pub(crate) max_restarts: MaxRestarts,

    /// Replace a worker's instance after N items, for plugins that leak
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = number::from_1)]
    pub(crate) recycle: Option<NonZeroU64>,

    /// Write what plugins say at their end to FILE, as lines of JSON: worker, items, and report,
    /// error, or what was lost; without this, reports go to standard error
    #[arg(long, value_name = "FILE", value_parser = PathBufValueParser::new().try_map(beside::file))]
    pub(crate) finish_output: Option<PathBuf>,
}

/// How items flow to the workers and results from them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Flow")]
pub(crate) struct FlowArgs {
    /// How many items a worker takes at once; `auto` takes about a millisecond of work
    #[arg(long, value_name = "N|auto", default_value_t, allow_hyphen_values = true)]
    pub(crate) chunk_size: ChunkSize,

    /// How much may be between the input and the output: so many items, or bytes with a unit
    #[arg(long, value_name = "N|SIZE", default_value_t, allow_hyphen_values = true)]
    pub(crate) window: Window,

    /// Read on however slow the workers and the output are. An input that is faster than they
    /// are, or that never ends, fills the memory
    #[arg(long, conflicts_with = "window")]
    pub(crate) unbounded: bool,
}

impl FlowArgs {
    pub(crate) fn window(&self) -> Window {
        if self.unbounded { Window::UNBOUNDED } else { self.window }
    }
}

/// What failed items do.
#[derive(Debug, Args)]
#[command(next_help_heading = "Faults")]
pub(crate) struct FaultArgs {
    /// What a failed item does to the run: `ignore` goes on; `immediate` ends it; `deferred`
    /// goes on and fails at the end
    #[arg(long, value_name = "POLICY", default_value_t)]
    pub(crate) on_error: ErrorPolicy,

    /// End the run when more than N items failed, or more than P percent of those done; a share
    /// is judged from 100 items on
    #[arg(long, value_name = "N|P%", default_value_t, allow_hyphen_values = true)]
    pub(crate) max_faults: MaxFaults,

    /// Write each fault to FILE, as a line of JSON: index, kind, message, worker, and the item
    /// or the path of its file; and so each item that was read and has no result in the output,
    /// as `not-run` or `not-written`
    #[arg(long, value_name = "FILE", value_parser = PathBufValueParser::new().try_map(beside::file))]
    pub(crate) faults: Option<PathBuf>,
}
