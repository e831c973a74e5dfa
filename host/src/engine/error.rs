//! Why a plugin could not be loaded, or one of its instances not started.

use std::io;
use std::path::PathBuf;

use super::{CompilerError, Complexity, EngineError, HostFunctionError, WasmFeatures, component};
use crate::engine::compile_settings::CompileSettings;
use crate::item::digest::Sha256;
use crate::item::limits::{FunctionLimit, PluginSize};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a plugin could not be loaded.
///
/// ```
/// use mtl_host::{Engine, LoadError, Plugin};
///
/// let error = Plugin::load(&Engine::new()?, "../tests/fixtures/no-call.wat").unwrap_err();
/// assert!(matches!(&error, LoadError::MissingExport { missing, .. } if missing == "call"));
/// assert!(error.hint().unwrap().ends_with("name it: `--call NAME`"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file could not be read.
    #[error("cannot read plugin `{path}`")]
    Read {
        /// As the user named it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is larger than it may be.
    #[error("plugin `{path}` is larger than {limit:#}")]
    TooLarge {
        /// As the user named it.
        path: PathBuf,
        /// What it may have.
        limit: PluginSize,
    },
    /// It has more functions than it may have.
    #[error("plugin `{path}` has {functions} functions, and may have {limit}")]
    TooManyFunctions {
        /// As the user named it.
        path: PathBuf,
        /// How many it has.
        functions: u64,
        /// How many it may have.
        limit: FunctionLimit,
    },
    /// It is more complex than any compiler makes it.
    #[error("plugin `{path}` {complexity}")]
    TooComplex {
        /// As the user named it.
        path: PathBuf,
        /// By what measure, and how much.
        complexity: Complexity,
    },
    /// The file is not the one that was pinned.
    #[error(
        "plugin `{path}` is not the one that was pinned: its SHA-256 is {found}, not {expected}"
    )]
    Digest {
        /// As the user named it.
        path: PathBuf,
        /// What was pinned.
        expected: Sha256,
        /// What the file has.
        found: Sha256,
    },
    /// The file is something else.
    #[error("plugin `{path}` is not WebAssembly: {begins}")]
    NotWasm {
        /// As the user named it.
        path: PathBuf,
        /// What it looks like.
        begins: String,
    },
    /// The file ends within its header.
    #[error("plugin `{path}` is cut off after {bytes} bytes")]
    Truncated {
        /// As the user named it.
        path: PathBuf,
        /// How many bytes there are.
        bytes: usize,
    },
    /// The header is of no version of WebAssembly that this host knows.
    #[error("plugin `{path}` is WebAssembly of a version that this host does not know: {version}")]
    Version {
        /// As the user named it.
        path: PathBuf,
        /// The four bytes after the magic number, little-endian.
        version: u32,
    },
    /// The text form does not parse.
    #[error("plugin `{path}` is not valid text")]
    Text {
        /// As the user named it.
        path: PathBuf,
        /// What the parser said.
        source: Cause,
    },
    /// The binary is not valid, or asks for what the engine does not have.
    #[error("plugin `{path}` is not valid WebAssembly")]
    Invalid {
        /// As the user named it.
        path: PathBuf,
        /// What the compiler said.
        source: Cause,
    },
    /// A core module lacks an export that every plugin has.
    #[error("plugin `{path}` does not export `{missing}`; it exports {exports}")]
    MissingExport {
        /// As the user named it.
        path: PathBuf,
        /// What it should export.
        missing: String,
        /// What it does export.
        exports: String,
    },
    /// An export is not what it should be.
    #[error("plugin `{path}` exports `{export}` as {found}, not as {expected}")]
    Signature {
        /// As the user named it.
        path: PathBuf,
        /// Which export.
        export: String,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The plugin needs something that the host does not provide.
    #[error("plugin `{path}` imports `{import}`, which nothing provides")]
    Import {
        /// As the user named it.
        path: PathBuf,
        /// Module or interface, and name.
        import: String,
        /// The host functions that there are.
        offered: Vec<String>,
    },
    /// The plugin needs a host function, but of another type.
    #[error(
        "plugin `{path}` imports the host function `{import}` in another form than `{expected}`"
    )]
    ImportType {
        /// As the user named it.
        path: PathBuf,
        /// Interface and name.
        import: String,
        /// What it is.
        expected: &'static str,
    },
    /// A host function cannot be offered.
    #[error(transparent)]
    HostFunction(#[from] HostFunctionError),
    /// The imports are known, but not of the types that the plugin wants.
    #[error("plugin `{path}` imports something in another form than the host provides it")]
    Link {
        /// As the user named it.
        path: PathBuf,
        /// Which, and how.
        source: Cause,
    },
    /// There is no place for its compiled code.
    #[error("cannot keep the plugin's compiled code for workers' processes")]
    Code {
        /// What the system said.
        source: io::Error,
    },
    /// The file is machine code, and the settings was not told to trust it.
    #[error(
        "plugin `{path}` is compiled already: it would be run as it is, and nothing can be checked of it"
    )]
    Precompiled {
        /// As the user named it.
        path: PathBuf,
    },
    /// The file is machine code that this host cannot run.
    #[error("plugin `{path}` {how}")]
    CompiledOtherwise {
        /// As the user named it.
        path: PathBuf,
        /// How it was compiled.
        how: String,
    },
    /// The plugin uses features of WebAssembly that are not allowed.
    #[error("plugin `{path}` uses WebAssembly {}", missing.described())]
    Features {
        /// As the user named it.
        path: PathBuf,
        /// The features that it uses, and may not.
        missing: WasmFeatures,
        /// The features that it may use.
        allowed: WasmFeatures,
    },
    /// The engine cannot do what was asked for.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The process that was to compile it has not.
    #[error(transparent)]
    Compiler(#[from] CompilerError),
    /// A component does not export the worker's interface.
    #[error("component `{path}` does not export `{interface}`; it exports {exports}")]
    World {
        /// As the user named it.
        path: PathBuf,
        /// What it should export.
        interface: &'static str,
        /// What it does export.
        exports: String,
    },
    /// A component is to be called by a name that its world does not have.
    #[error("component `{path}` cannot take items by `{call}`: in its world that is `call`")]
    CallOfWorld {
        /// As the user named it.
        path: PathBuf,
        /// The name that was asked for.
        call: String,
    },
    /// Several functions of a component have the name by which one is to be called.
    #[error("component `{path}` exports `{call}` more than once: {candidates}")]
    Ambiguous {
        /// As the user named it.
        path: PathBuf,
        /// The name that was asked for.
        call: String,
        /// The names of each.
        candidates: String,
    },
    /// A function of a component takes or gives what JSON does not have.
    #[error("component `{path}` cannot be called with JSON by `{function}`: {what}")]
    Untyped {
        /// As the user named it.
        path: PathBuf,
        /// The function's name.
        function: String,
        /// What JSON does not have.
        what: String,
    },
}

impl LoadError {
    /// A component of another world.
    pub(crate) fn world(path: PathBuf, exports: String) -> Self {
        Self::World { path, interface: component::INTERFACE, exports }
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "a plugin is a .wasm or .wat file"
            }
            Self::Code { source, .. } if source.kind() == io::ErrorKind::FileTooLarge => {
                "what is compiled for processes is a file in memory, and files may be no larger: raise the limit, \
                 `ulimit -f`"
            }
            Self::Read { .. }
            | Self::Text { .. }
            | Self::Signature { .. }
            | Self::Code { .. }
            | Self::HostFunction(_) => return None,
            Self::Engine(error) => return error.hint().map(Into::into),
            Self::Compiler(error) => return error.hint().map(Into::into),
            Self::Features { missing, allowed, .. } => {
                return Some(format!(
                    "allow it, if you trust the engine's garbage collector with this plugin: \
                     `--wasm {}`",
                    allowed.union(*missing)
                ));
            }
            Self::TooLarge { .. } => {
                "`--max-plugin SIZE` allows more; debug information can be left out: `wasm-tools strip`"
            }
            Self::Precompiled { .. } => {
                "if you have compiled it yourself, or trust who has, `run --trust-precompiled` runs \
                 it; otherwise take the .wasm that it was made from"
            }
            Self::CompiledOtherwise { how, .. } if how.ends_with("without `--fuel`") => {
                "compile it again: `mtl-host compile --fuel PLUGIN`"
            }
            Self::CompiledOtherwise { how, .. } if how.contains("`--wasm ") => {
                "run it with the same `--wasm`, or compile it again: `mtl-host compile PLUGIN`"
            }
            Self::CompiledOtherwise { .. } => "compile it again: `mtl-host compile PLUGIN`",
            Self::TooManyFunctions { .. } => {
                "`--max-functions N` allows more: each takes the compiler some kilobytes"
            }
            Self::TooComplex { .. } => {
                "no compiler makes such a plugin, and no flag allows it: take it from a source that you trust"
            }
            Self::NotWasm { .. } => {
                "compile the code to WebAssembly first: `mtl-host build FOLDER` does so with a folder \
                 of sources, in Rust, C, Zig, Go, AssemblyScript, JavaScript or Python"
            }
            Self::Truncated { .. } | Self::Invalid { .. } => {
                "the file may be damaged or incomplete: build or copy it again"
            }
            Self::Version { .. } => "build it again with current tools, or update mtl-host",
            Self::MissingExport { exports, .. } if exports.contains("`_start`") => {
                "this is a program, not a plugin: build a library (in Rust, `crate-type = \
                 [\"cdylib\"]`) that exports its worker, in Rust with `mtl_plugin::export!`"
            }
            Self::MissingExport { missing, .. } => match missing.as_str() {
                "memory" | "mtl_alloc" => {
                    "export the worker: in Rust, with `mtl_plugin::export!(MyWorker)`"
                }
                CompileSettings::CALL => {
                    "export the worker: in Rust, with `mtl_plugin::export!(MyWorker)`; if another \
                     function takes items, name it: `--call NAME`"
                }
                "cabi_realloc" => {
                    "the answers of host functions are put where `cabi_realloc` says: export it"
                }
                _ => "`--call` takes the name of a function that the plugin exports",
            },
            Self::Digest { found, .. } => {
                return Some(format!(
                    "it is damaged, or another version; if it is the one you want, pin it: \
                     `--sha256 {found}`"
                ));
            }
            Self::Import { import, offered, .. } => return Some(import_hint(import, offered)),
            Self::ImportType { .. } => {
                "a host function takes bytes, and answers with bytes or with an error's text"
            }
            Self::CallOfWorld { .. } => {
                "leave out `--call`: it is for core modules, and for components of other worlds"
            }
            Self::Ambiguous { .. } => "name the one that takes items: `--call INTERFACE#NAME`",
            Self::Untyped { .. } => {
                "a function that takes items, and `init` and `finish` beside it, have values \
                 alone: no resources, streams or futures, and not async"
            }
            Self::Link { .. } => "rebuild the plugin with the SDK of this version of mtl-host",
            Self::World { .. } => {
                "if one of its functions takes items, name it: `--call NAME`; or build it for \
                 the world `mtl:plugin/plugin`, whose WIT is in `plugin-sdk/wit`"
            }
        };
        Some(hint.into())
    }
}

fn import_hint(import: &str, offered: &[String]) -> String {
    if import.starts_with("wasi_unstable") {
        "it was built for an old WASI: build it for `wasm32-wasip1`".into()
    } else if import.starts_with("wasi:") {
        "this host has WASI 0.2: build the component for that version".into()
    } else if !offered.is_empty() {
        format!("the host functions are {}", names(offered.iter().cloned()))
    } else if import.starts_with("env.") || import.contains("wbg") {
        "it was built for a browser or another host: no flag grants this import; \
         build it for `wasm32-wasip1`"
            .into()
    } else {
        "no flag grants it: a plugin may import WASI and `mtl:plugin/context@1.0.0`; \
         `--dir`, `--env` and `--net` grant what WASI gives access to"
            .into()
    }
}

/// The names of exports, as a message lists them: all of few, the first of many.
pub(crate) fn names(names: impl Iterator<Item = String>) -> String {
    const MOST: usize = 12;
    let mut names = names.map(|name| format!("`{}`", name.escape_debug()));
    let shown: Vec<_> = names.by_ref().take(MOST).collect();
    match (shown.len(), names.count()) {
        (0, _) => "nothing".into(),
        (_, 0) => shown.join(", "),
        (_, more) => format!("{} and {more} more", shown.join(", ")),
    }
}
