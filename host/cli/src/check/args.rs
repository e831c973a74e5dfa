//! The flags of `mtl-host check`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use mtl_host::ArgumentPassing;
use mtl_host::grants::DirGrant;
use mtl_host::isolation::JailLevel;
use mtl_host::limits::MemoryLimit;
use mtl_host::load::WasmFeatures;

use super::names::NAMES;
use crate::cache_args::CacheArgs;
use crate::env_grant::EnvGrant;
use crate::init_arg::InitArg;
use crate::isolation_arg::IsolationArg;
use crate::time_span::TimeSpan;

const AFTER_HELP: &str = "\
The plugin runs with only those grants that the flags give. It may refuse an
item, but it must not trap on one. Pass items that it accepts, with `--item` or
`--items`: the more items it answers, the more is checked.

host/docs/checking-plugins.md describes each check, and how to fix a failure.

Exit codes:
    0  all checks passed or were skipped; there may be warnings
    2  usage error
    3  the plugin cannot be read, or cannot be compiled in a jail
    4  the items cannot be read
    5  the plugin cannot be built
    6  a check failed

Examples:
    mtl-host check plugin.wasm
    mtl-host check count.wasm --stateful --init @table.json --items lines.txt
    mtl-host check power.wasm --args args --item '[2, 10]' --isolation process";

/// Check that a plugin does what the host expects
///
/// This command is for authors of plugins, in any language. If a check fails, its hint tells what to
/// change in the plugin's code.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct CheckArgs {
    /// Plugin (.wasm or .wat), or a folder of sources to build
    ///
    /// A plugin is a core module or a component. A folder is built first: name only a folder whose
    /// sources you trust.
    pub(super) plugin: PathBuf,

    /// Item to check with (repeatable)
    #[arg(long = "item", value_name = "TEXT", allow_hyphen_values = true)]
    pub(super) item: Vec<String>,

    /// Check with each line of FILE as an item
    #[arg(long = "items", value_name = "FILE")]
    pub(super) items: Option<PathBuf>,

    /// Arguments for the plugin's `init`: TEXT, or read from FILE
    #[arg(long, value_name = "TEXT|@FILE", allow_hyphen_values = true)]
    pub(super) init: Option<InitArg>,

    /// Other `init` arguments, for a second instance
    #[arg(long, value_name = "TEXT|@FILE", allow_hyphen_values = true)]
    pub(super) init_other: Option<InitArg>,

    /// Check that the plugin keeps state from item to item
    ///
    /// This skips the checks that expect the same answer to the same item.
    #[arg(long)]
    pub(super) stateful: bool,

    /// Map items to the parameters of `call`
    ///
    /// The default is the first of `single`, `args` and `kwargs` with which the plugin starts.
    #[arg(long, value_name = "single|args|kwargs")]
    pub(super) args: Option<ArgumentPassing>,

    /// Exported function that takes items (default: call)
    #[arg(long, value_name = "NAME")]
    pub(super) call: Option<String>,

    /// WebAssembly features to enable, such as `gc`
    ///
    /// The features are `gc` and `exceptions`, or both as `gc,exceptions`.
    #[arg(long, value_name = "FEATURES", default_value_t)]
    pub(super) wasm: WasmFeatures,

    /// Leave out a check (repeatable)
    #[arg(long, value_name = "CHECK", value_parser = PossibleValuesParser::new(NAMES), hide_possible_values = true)]
    pub(super) skip: Vec<String>,

    /// Time limit for each item, start and end
    #[arg(long, value_name = "TIME", default_value = "10s", allow_hyphen_values = true)]
    pub(super) timeout: TimeSpan,

    /// Memory limit of the plugin
    #[arg(long, value_name = "SIZE", default_value_t, allow_hyphen_values = true)]
    pub(super) memory: MemoryLimit,

    /// Run on a thread, or in a jailed process
    #[arg(long, value_name = "thread|process", default_value_t)]
    pub(super) isolation: IsolationArg,

    /// Jail level: required, strict or best-effort
    ///
    /// `required` needs the layers that `mtl-host doctor` shows as required, such as seccomp and
    /// Landlock. `strict` needs the strict layers as well. `best-effort` needs none, and warns about
    /// missing required layers.
    #[arg(long, value_name = "LEVEL", default_value_t, value_parser = crate::isolation_arg::parse_jail)]
    pub(super) jail: JailLevel,

    /// Let the plugin read the directory HOST as GUEST
    ///
    /// `:rw` allows the plugin to write. `:rw+symlinks` allows it to write, and to create and move
    /// symbolic links.
    #[arg(long, value_name = "HOST::GUEST[:rw]")]
    pub(super) dir: Vec<DirGrant>,

    /// Pass an environment variable to the plugin
    ///
    /// Without VALUE, the plugin gets the value that the variable has in this process.
    #[arg(long, value_name = "KEY[=VALUE]")]
    pub(super) env: Vec<EnvGrant>,

    /// Write one JSON document instead of text
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten)]
    pub(super) cache: CacheArgs,
}
