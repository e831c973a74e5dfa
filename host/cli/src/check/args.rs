//! The flags of `mtl-host check`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use mtl_host::{ArgumentPassing, DirGrant, Jail, MemoryLimit, WasmFeatures};

use super::names::NAMES;
use crate::cache_args::CacheArgs;
use crate::env_grant::EnvGrant;
use crate::init_arg::InitArg;
use crate::isolation_arg::IsolationArg;
use crate::time_span::TimeSpan;

const AFTER_HELP: &str = "\
The plugin is run, with nothing granted but what the flags grant. It may refuse
the items that it is checked with; it may not break on them. Give it some that
it takes, by `--item` or `--items`: the more it answers, the more is checked.

What is checked, and what to do about each failure: host/docs/checking-plugins.md.

Exit codes:
    0  all checks passed, or were skipped; there may be warnings
    2  the command line does not make sense
    3  the plugin cannot be read, or not compiled in a jail
    4  the items cannot be read
    5  the plugin cannot be built
    6  a check failed

Examples:
    mtl-host check plugin.wasm
    mtl-host check count.wasm --stateful --init @table.json --items lines.txt
    mtl-host check power.wasm --args args --item '[2, 10]' --isolation process";

/// Check whether a plugin does what the host expects of it
///
/// For authors of plugins, in any language: each check says what to do in the plugin's code if it
/// fails.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct CheckArgs {
    /// The plugin: a core module or a component, .wasm or .wat; or a folder of sources that you
    /// trust, which is built first
    pub(super) plugin: PathBuf,

    /// An item to check with; may be given several times
    #[arg(long = "item", value_name = "TEXT", allow_hyphen_values = true)]
    pub(super) item: Vec<String>,

    /// Check with the lines of FILE, as items
    #[arg(long = "items", value_name = "FILE")]
    pub(super) items: Option<PathBuf>,

    /// What the plugin is initialised with; with @FILE, what is in it
    #[arg(long, value_name = "TEXT|@FILE", allow_hyphen_values = true)]
    pub(super) init: Option<InitArg>,

    /// What a second instance is initialised with, beside the first
    #[arg(long, value_name = "TEXT|@FILE", allow_hyphen_values = true)]
    pub(super) init_other: Option<InitArg>,

    /// The plugin keeps state from item to item: check that it does, and skip what expects the same
    /// answer to the same item
    #[arg(long)]
    pub(super) stateful: bool,

    /// How items fill the parameters of the function [default: the first way in which it starts]
    #[arg(long, value_name = "single|args|kwargs")]
    pub(super) args: Option<ArgumentPassing>,

    /// The function that takes items, where the plugin does not export it as `call`
    #[arg(long, value_name = "NAME")]
    pub(super) call: Option<String>,

    /// Let the plugin use features of WebAssembly that are off otherwise: `gc`, `exceptions`, or both as
    /// `gc,exceptions`
    #[arg(long, value_name = "FEATURES", default_value_t)]
    pub(super) wasm: WasmFeatures,

    /// Leave out a check; may be given several times
    #[arg(long, value_name = "CHECK", value_parser = PossibleValuesParser::new(NAMES), hide_possible_values = true)]
    pub(super) skip: Vec<String>,

    /// How long each item, each start and each end may take
    #[arg(long, value_name = "TIME", default_value = "10s", allow_hyphen_values = true)]
    pub(super) timeout: TimeSpan,

    /// What the plugin may take of memory
    #[arg(long, value_name = "SIZE", default_value_t, allow_hyphen_values = true)]
    pub(super) memory: MemoryLimit,

    /// Where the plugin runs: on a thread, or in a process of its own, in a jail
    #[arg(long, value_name = "thread|process", default_value_t)]
    pub(super) isolation: IsolationArg,

    /// The layers of the jail that must hold: `required` needs seccomp and Landlock, `strict` all
    /// layers that `mtl-host doctor` shows, `best-effort` none, and it warns of missing ones
    #[arg(long, value_name = "required|best-effort|strict", default_value_t)]
    pub(super) jail: Jail,

    /// Let the plugin read the directory HOST under the name GUEST; with `:rw`, write to it; with
    /// `:rw+symlinks`, make and move symbolic links in it as well
    #[arg(long, value_name = "HOST::GUEST[:rw|:rw+symlinks]")]
    pub(super) dir: Vec<DirGrant>,

    /// Let the plugin see a variable; without VALUE, as it is here
    #[arg(long, value_name = "KEY[=VALUE]")]
    pub(super) env: Vec<EnvGrant>,

    /// Write one JSON document instead of text
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten)]
    pub(super) cache: CacheArgs,
}
