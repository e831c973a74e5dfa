//! `mtl-host compile`: a plugin, compiled ahead of time into a file of its own.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use mtl_host::{Engine, FunctionLimit, Jail, Plugin, PluginSize, Sha256, WasmFeatures};

use super::build::{self, Pinned};
use super::error::CliError;
use super::isolation_arg::IsolationArg;
use super::limit_args::CompileArgs;
use super::overwrite::{self, Used};
use super::shown::Shown;

const AFTER_HELP: &str = "\
What is written is machine code, for this version of mtl-host and processors
like this one. `run --trust-precompiled FILE` runs it, and can check nothing
of it: keep it as you would keep a program. What `run` compiles itself it keeps
in its cache, and starts as fast the next time.

Exit codes:
    0  it is compiled
    2  the command line does not make sense
    3  the plugin cannot be compiled
    4  the file cannot be written
    5  a folder of sources cannot be built";

/// Compile a plugin ahead of time
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct PrecompileArgs {
    /// The plugin: a core module or a component, .wasm or .wat; or a folder of sources that you
    /// trust, which is built first
    plugin: PathBuf,

    /// The file to write [default: the plugin's, with the ending .cwasm]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// For runs with `--fuel`
    #[arg(long)]
    fuel: bool,

    /// Compile the plugin only if its file has this SHA-256, as `sha256sum` prints it; a folder of
    /// sources is refused
    #[arg(long, value_name = "HEX")]
    sha256: Option<Sha256>,

    /// The function that takes items, where the plugin does not export it as `call`; of a
    /// component also INTERFACE#NAME
    #[arg(long, value_name = "NAME")]
    call: Option<String>,

    /// Features of WebAssembly that the plugin may use, for runs with the same `--wasm`: `gc`,
    /// `exceptions`, or both as `gc,exceptions`
    #[arg(long, value_name = "FEATURES", default_value_t)]
    wasm: WasmFeatures,

    /// Where the plugin is compiled: in this process, or in one of its own, in a jail
    #[arg(long, value_name = "thread|process", default_value_t)]
    isolation: IsolationArg,

    /// The layers of the jail that must hold: `required` needs seccomp and Landlock, `strict` all
    /// layers that `mtl-host doctor` shows, `best-effort` none, and it warns of missing ones
    #[arg(long, value_name = "required|best-effort|strict", default_value_t)]
    jail: Jail,

    /// How large the plugin's file may be
    #[arg(long, value_name = "SIZE", default_value_t, allow_hyphen_values = true)]
    max_plugin: PluginSize,

    /// How many functions the plugin may have
    #[arg(long, value_name = "N", default_value_t, allow_hyphen_values = true)]
    max_functions: FunctionLimit,

    #[command(flatten)]
    limits: CompileArgs,
}

/// Compiles a plugin, and returns the name of the file, to be shown.
pub(super) fn compile(args: &PrecompileArgs) -> Result<String, CliError> {
    args.write().map(|path| format!("{}\n", Shown::of(&path)))
}

impl PrecompileArgs {
    fn write(&self) -> Result<PathBuf, CliError> {
        let plugin = build::plugin_of(&self.plugin, Pinned::by(self.sha256))?;
        let output = self.output.clone().unwrap_or_else(|| plugin.with_extension("cwasm"));
        let read = [Used { what: "the plugin", path: &plugin }];
        overwrite::check(Used { what: "compiled code", path: &output }, &read)?;
        let code = self.load(&plugin)?.precompiled()?;
        write_whole(&output, &code)
            .map_err(|source| CliError::Precompiled { path: output.clone(), source })?;
        Ok(output)
    }

    fn load(&self, plugin: &Path) -> Result<Plugin, CliError> {
        let engine = if self.fuel { Engine::with_fuel() } else { Engine::new() };
        let mut loader = Plugin::loader(&engine?)
            .isolation(self.isolation.isolation(self.jail))
            .wasm(self.wasm)
            .max_size(self.max_plugin)
            .max_functions(self.max_functions);
        if let Some(digest) = self.sha256 {
            loader = loader.sha256(digest);
        }
        if let Some(export) = &self.call {
            loader = loader.call(export);
        }
        Ok(self.limits.limit_loader(loader).load(plugin)?)
    }
}

/// Writes a file; what there is of it when that fails is removed, as it would be no plugin.
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    fs::write(path, bytes).inspect_err(|_| {
        if path.is_file() {
            let _ = fs::remove_file(path);
        }
    })
}
