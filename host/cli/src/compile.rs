//! `mtl-host compile`: compiles a plugin ahead of time into a file.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use mtl_host::isolation::JailLevel;
use mtl_host::limits::{FunctionLimit, PluginSize};
use mtl_host::load::{Sha256, WasmFeatures};
use mtl_host::{Engine, Plugin};

use super::build::{self, DigestGiven};
use super::display_text::DisplayText;
use super::error::CliError;
use super::isolation_arg::IsolationArg;
use super::limit_args::CompileArgs;
use super::overwrite::{self, FileUse};

const AFTER_HELP: &str = "\
The file holds machine code for this version of mtl-host and for processors like
this one. `run --trust-precompiled FILE` runs it and cannot check it: protect
the file like any program. You rarely need this command: `run` keeps the plugins
that it compiles in its cache, and they start as fast the next time.

Exit codes:
    0  the plugin is compiled
    2  usage error
    3  the plugin cannot be compiled
    4  the file cannot be written
    5  a folder of sources cannot be built";

/// Compile a plugin ahead of time
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct PrecompileArgs {
    /// Plugin (.wasm or .wat), or a folder of sources to build
    ///
    /// A plugin is a core module or a component. A folder is built first: name only a folder whose
    /// sources you trust.
    plugin: PathBuf,

    /// File to write (default: PLUGIN with the suffix .cwasm)
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Compile for runs with `--fuel`
    #[arg(long)]
    fuel: bool,

    /// Compile the plugin only if its file has this SHA-256
    ///
    /// `sha256sum` prints it. A folder of sources is refused.
    #[arg(long, value_name = "HEX")]
    sha256: Option<Sha256>,

    /// Exported function that takes items (default: call)
    ///
    /// If several interfaces of a component export the name, write INTERFACE#NAME.
    #[arg(long, value_name = "NAME")]
    call: Option<String>,

    /// WebAssembly features to enable, such as `gc`
    ///
    /// The features are `gc` and `exceptions`, or both as `gc,exceptions`. A run of the file needs
    /// the same `--wasm`.
    #[arg(long, value_name = "FEATURES", default_value_t)]
    wasm: WasmFeatures,

    /// Compile on a thread, or in a jailed process
    #[arg(long, value_name = "thread|process", default_value_t)]
    isolation: IsolationArg,

    /// Jail level: required, strict or best-effort
    ///
    /// `required` needs the layers that `mtl-host doctor` shows as required, such as seccomp and
    /// Landlock. `strict` needs the strict layers as well. `best-effort` needs none, and warns about
    /// missing required layers.
    #[arg(long, value_name = "LEVEL", default_value_t, value_parser = crate::isolation_arg::parse_jail)]
    jail: JailLevel,

    /// Size limit of the plugin's file
    #[arg(long, value_name = "SIZE", default_value_t, allow_hyphen_values = true)]
    max_plugin: PluginSize,

    /// Limit on the functions in the plugin
    #[arg(long, value_name = "N", default_value_t, allow_hyphen_values = true)]
    max_functions: FunctionLimit,

    #[command(flatten)]
    limits: CompileArgs,
}

/// Compiles a plugin, and returns the text to show: the path of the written file.
pub(super) fn compile(args: &PrecompileArgs) -> Result<String, CliError> {
    args.write().map(|path| format!("{}\n", DisplayText::of(&path)))
}

impl PrecompileArgs {
    fn write(&self) -> Result<PathBuf, CliError> {
        let plugin = build::plugin_of(&self.plugin, DigestGiven::by(self.sha256))?;
        let output = self.output.clone().unwrap_or_else(|| plugin.with_extension("cwasm"));
        let read = [FileUse { name: "the plugin", path: &plugin }];
        overwrite::check(FileUse { name: "compiled code", path: &output }, &read)?;
        let code = self.load(&plugin)?.precompiled()?;
        write_whole(&output, &code)
            .map_err(|source| CliError::Precompiled { path: output.clone(), source })?;
        Ok(output)
    }

    fn load(&self, plugin: &Path) -> Result<Plugin, CliError> {
        let engine = if self.fuel { Engine::with_fuel() } else { Engine::new() };
        let mut loader = Plugin::loader(&engine?)
            .isolation(self.isolation.isolation(self.jail))
            .wasm_features(self.wasm)
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

/// Writes a file, or removes the incomplete file if that fails.
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    fs::write(path, bytes).inspect_err(|_| {
        if path.is_file() {
            let _ = fs::remove_file(path);
        }
    })
}
