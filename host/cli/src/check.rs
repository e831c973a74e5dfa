//! `mtl-host check`: whether a plugin does what the host expects of it, in whatever language it is
//! written.
//!
//! ```text
//! args ─▶ subject (what is loaded, and how it is called) ─▶ each check of the table ─▶ verdicts ─▶ page
//!                                                            └ trials: items through fresh pools
//! ```
//!
//! What is found is shown on standard output. Whether the plugin can be loaded and started is what
//! the library says; here is only which check that fails, and what comes after.

mod answering;
mod comparing;
mod course;
mod ending;
mod items;
mod loading;
mod page;
mod starting;
mod subject;
mod table;
mod trial;
mod verdict;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use clap::builder::PossibleValuesParser;
use mtl_host::{ArgumentPassing, DirGrant, Jail, MemoryLimit, WasmFeatures};

use self::subject::Subject;
use self::table::CHECKS;
use super::cache_args::CacheArgs;
use super::console::Console;
use super::env_grant::EnvGrant;
use super::exit::Exit;
use super::init_arg::InitArg;
use super::isolation_arg::IsolationArg;
use super::refuse::refuse;
use super::report::Report;
use super::time_span::TimeSpan;

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
    plugin: PathBuf,

    /// An item to check with; may be given several times
    #[arg(long = "item", value_name = "TEXT", allow_hyphen_values = true)]
    item: Vec<String>,

    /// Check with the lines of FILE, as items
    #[arg(long = "items", value_name = "FILE")]
    items: Option<PathBuf>,

    /// What the plugin is initialised with; with @FILE, what is in it
    #[arg(long, value_name = "TEXT|@FILE", allow_hyphen_values = true)]
    init: Option<InitArg>,

    /// What a second instance is initialised with, beside the first
    #[arg(long, value_name = "TEXT|@FILE", allow_hyphen_values = true)]
    init_other: Option<InitArg>,

    /// The plugin keeps state from item to item: check that it does, and skip what expects the same
    /// answer to the same item
    #[arg(long)]
    stateful: bool,

    /// How items fill the parameters of the function [default: the first way in which it starts]
    #[arg(long, value_name = "single|args|kwargs")]
    args: Option<ArgumentPassing>,

    /// The function that takes items, where the plugin does not export it as `call`
    #[arg(long, value_name = "NAME")]
    call: Option<String>,

    /// Let the plugin use features of WebAssembly that are off otherwise: `gc`, `exceptions`, or both as
    /// `gc,exceptions`
    #[arg(long, value_name = "FEATURES", default_value_t)]
    wasm: WasmFeatures,

    /// Leave out a check; may be given several times
    #[arg(long, value_name = "CHECK", value_parser = PossibleValuesParser::new(CHECKS.iter().map(|check| check.name)), hide_possible_values = true)]
    skip: Vec<String>,

    /// How long each item, each start and each end may take
    #[arg(long, value_name = "TIME", default_value = "10s", allow_hyphen_values = true)]
    timeout: TimeSpan,

    /// What the plugin may take of memory
    #[arg(long, value_name = "SIZE", default_value_t, allow_hyphen_values = true)]
    memory: MemoryLimit,

    /// Where the plugin runs: on a thread, or in a process of its own, in a jail
    #[arg(long, value_name = "thread|process", default_value_t)]
    isolation: IsolationArg,

    /// The layers of the jail that must hold: `required` needs seccomp and Landlock, `strict` all
    /// layers that `mtl-host doctor` shows, `best-effort` none, and it warns of missing ones
    #[arg(long, value_name = "required|best-effort|strict", default_value_t)]
    jail: Jail,

    /// Let the plugin read the directory HOST under the name GUEST; with `:rw`, write to it; with
    /// `:rw+symlinks`, make and move symbolic links in it as well
    #[arg(long, value_name = "HOST::GUEST[:rw|:rw+symlinks]")]
    dir: Vec<DirGrant>,

    /// Let the plugin see a variable; without VALUE, as it is here
    #[arg(long, value_name = "KEY[=VALUE]")]
    env: Vec<EnvGrant>,

    /// Write one JSON document instead of text
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    cache: CacheArgs,
}

/// Checks a plugin; `show` is for what was found.
pub(super) fn check(args: &CheckArgs, show: impl Fn(&str) -> Exit) -> Exit {
    let report = Report::to(&Arc::new(Console::standard_error()));
    let judged = Subject::new(args, &report).and_then(|subject| table::judge(&subject));
    let judged = match judged {
        Err(error) => return refuse(&error),
        Ok(judged) => judged,
    };
    let shown = if args.json { page::json } else { page::text };
    match show(&shown(args, &judged)) {
        Exit::Success if judged.has_failed() => Exit::CheckFailed,
        exit => exit,
    }
}
