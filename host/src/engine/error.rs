//! Errors of loading a plugin.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    CompilerError, Complexity, EngineError, HostFunctionError, PrecompiledMismatch, WasmFeatures,
    component,
};
use crate::engine::compile_settings::CompileSettings;
use crate::engine::export_names::names;
use crate::item::bounded;
use crate::item::digest::Sha256;
use crate::item::error_chain::ErrorChain;
use crate::item::limits::{FunctionLimit, PluginSize};

/// The error of a plugin that cannot be loaded, with the plugin's path.
///
/// ```
/// use mtl_host::load::LoadErrorKind;
/// use mtl_host::{Engine, Plugin};
///
/// let error = Plugin::load(&Engine::new()?, "../tests/fixtures/no-call.wat").unwrap_err();
/// assert!(error.plugin().ends_with("no-call.wat"));
/// assert!(matches!(error.kind(), LoadErrorKind::MissingExport { missing, .. } if missing == "call"));
/// assert!(error.hint().unwrap().starts_with("export the worker"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct LoadError {
    plugin: PathBuf,
    kind: LoadErrorKind,
}

/// The reasons for which a plugin cannot be loaded.
///
/// If a child process cannot compile a plugin, it sends the reason as a value of this type. The child omits fields that
/// the loader knows, such as limits. The loader adds these fields.
///
/// ```
/// use mtl_host::load::LoadErrorKind;
///
/// let kind = LoadErrorKind::Truncated { bytes: 3 };
/// assert_eq!(kind.to_string(), "the plugin is cut off after 3 bytes");
/// ```
#[derive(Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LoadErrorKind {
    /// The plugin has more functions than the loader allows.
    TooManyFunctions {
        /// The number of its functions.
        functions: u64,
        /// The largest number that the loader allows.
        #[serde(skip)]
        limit: FunctionLimit,
    },
    /// The plugin is more complex than the output of real compilers.
    TooComplex {
        /// The measure, with the value found.
        complexity: Complexity,
    },
    /// The file is not WebAssembly.
    NotWasm {
        /// A description of its first bytes.
        #[serde(with = "bounded::short")]
        begins: String,
    },
    /// The file ends within its header.
    Truncated {
        /// The length of the file, in bytes.
        bytes: usize,
    },
    /// The header has a version of WebAssembly that this host does not support.
    Version {
        /// The four bytes after the magic number, little-endian.
        version: u32,
    },
    /// The text form is not valid.
    Text {
        /// The error of the parser.
        source: ErrorChain,
    },
    /// The binary is not valid, or it needs a feature that the engine lacks.
    Invalid {
        /// The error of the compiler.
        source: ErrorChain,
    },
    /// A core module lacks a required export.
    MissingExport {
        /// The name of the export.
        #[serde(with = "bounded::short")]
        missing: String,
        /// The names of the module's exports.
        #[serde(with = "bounded::short")]
        exports: String,
    },
    /// An export has the wrong type.
    Signature {
        /// The name of the export.
        #[serde(with = "bounded::short")]
        export: String,
        /// The expected type.
        #[serde(with = "bounded::short")]
        expected: String,
        /// The actual type.
        #[serde(with = "bounded::short")]
        found: String,
    },
    /// The plugin imports something that the host does not provide.
    Import {
        /// The module or interface, and the name.
        #[serde(with = "bounded::short")]
        import: String,
        /// The host functions that the loader offers.
        #[serde(skip)]
        offered: Vec<String>,
    },
    /// The plugin imports a host function with the wrong type.
    ImportType {
        /// The interface and the name.
        #[serde(with = "bounded::short")]
        import: String,
        /// The type of the host function.
        #[serde(with = "bounded::short")]
        expected: String,
    },
    /// The types of the imports differ from those that the host provides.
    Link {
        /// The error of the linker.
        source: ErrorChain,
    },
    /// The compiled code cannot be stored for child processes.
    Code {
        /// The system's error.
        source: ErrorChain,
    },
    /// The plugin uses WebAssembly features that are not allowed.
    Features {
        /// The features that the plugin uses although they are not allowed.
        missing: WasmFeatures,
        /// The features that are allowed.
        #[serde(skip)]
        allowed: WasmFeatures,
    },
    /// A component does not export the worker interface.
    World {
        /// The names of its exports.
        #[serde(with = "bounded::short")]
        exports: String,
    },
    /// The loader names an export that takes items, but the component's world requires `call`.
    FixedCall {
        /// The name in the loader's settings.
        #[serde(skip)]
        call: String,
    },
    /// Several functions of a component have the name in the loader's settings.
    Ambiguous {
        /// The name in the loader's settings.
        #[serde(skip)]
        call: String,
        /// The full names of the matching functions.
        #[serde(with = "bounded::short")]
        candidates: String,
    },
    /// A function of a component uses types that JSON cannot express.
    Untyped {
        /// The name of the function.
        #[serde(with = "bounded::short")]
        function: String,
        /// A description of the type.
        #[serde(with = "bounded::short")]
        what: String,
    },
    // A child process never sends the variants below. They come last, so that skipped variants do not change the
    // numbers by which the child and its parent identify the variants above.
    /// The file could not be read.
    #[serde(skip)]
    Read {
        /// The system's error.
        source: io::Error,
    },
    /// The file is larger than the loader allows.
    #[serde(skip)]
    TooLarge {
        /// The largest size that the loader allows.
        limit: PluginSize,
    },
    /// The file's digest differs from the pinned one.
    #[serde(skip)]
    Digest {
        /// The pinned digest.
        expected: Sha256,
        /// The digest of the file.
        found: Sha256,
    },
    /// A host function cannot be offered.
    #[serde(skip)]
    HostFunction(HostFunctionError),
    /// The file is compiled code, and the loader does not trust it.
    #[serde(skip)]
    Precompiled,
    /// The file is compiled code that this host cannot run.
    #[serde(skip)]
    PrecompiledMismatch(PrecompiledMismatch),
    /// The engine that the loader needs cannot be made.
    #[serde(skip)]
    Engine(EngineError),
    /// The child that compiles the plugin failed.
    #[serde(skip)]
    Compiler(CompilerError),
}

impl LoadError {
    pub(crate) fn new(plugin: impl Into<PathBuf>, kind: impl Into<LoadErrorKind>) -> Self {
        Self { plugin: plugin.into(), kind: kind.into() }
    }

    /// Returns a function that turns a reason into an error about this plugin.
    pub(crate) fn of<K: Into<LoadErrorKind>>(plugin: &Path) -> impl FnOnce(K) -> Self {
        move |kind| Self::new(plugin, kind)
    }

    /// Returns the plugin's path as the user wrote it.
    #[must_use]
    pub fn plugin(&self) -> &Path {
        &self.plugin
    }

    /// Returns the reason.
    #[must_use]
    pub fn kind(&self) -> &LoadErrorKind {
        &self.kind
    }

    /// Returns a hint for the user.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        self.kind.hint()
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.describe(Subject(Some(&self.plugin)), f)
    }
}

impl Error for LoadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.kind.cause()
    }
}

/// A plugin as the subject of a message: by its path, or without a name.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a>(pub(super) Option<&'a Path>);

impl Subject<'_> {
    fn component(self) -> String {
        self.named("component")
    }

    fn named(self, noun: &str) -> String {
        match self.0 {
            Some(path) => format!("{noun} `{}`", path.display()),
            None => format!("the {noun}"),
        }
    }
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.named("plugin"))
    }
}

impl LoadErrorKind {
    /// Makes the reason for a system error that concerns compiled code.
    pub(crate) fn code(source: io::Error) -> Self {
        Self::Code { source: ErrorChain::new(source) }
    }

    /// Makes the reason for an error of the compiler.
    pub(crate) fn invalid(source: wasmtime::Error) -> Self {
        Self::Invalid { source: ErrorChain::new(source) }
    }

    fn describe(&self, plugin: Subject<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { .. } => write!(f, "cannot read {plugin}"),
            Self::TooLarge { limit } => write!(f, "{plugin} is larger than {limit:#}"),
            Self::TooManyFunctions { functions, limit } => {
                write!(f, "{plugin} has {functions} functions, and may have {limit}")
            }
            Self::TooComplex { complexity } => write!(f, "{plugin} {complexity}"),
            Self::Digest { expected, found } => write!(
                f,
                "{plugin} does not match the pinned digest: its SHA-256 is {found}, not {expected}"
            ),
            Self::NotWasm { begins } => write!(f, "{plugin} is not WebAssembly: {begins}"),
            Self::Truncated { bytes } => write!(f, "{plugin} is cut off after {bytes} bytes"),
            Self::Version { version } => write!(
                f,
                "{plugin} is WebAssembly of a version that this host does not know: {version}"
            ),
            Self::Text { .. } => write!(f, "{plugin} is not valid text"),
            Self::Invalid { .. } => write!(f, "{plugin} is not valid WebAssembly"),
            Self::MissingExport { missing, exports } => {
                write!(f, "{plugin} does not export `{missing}`; it exports {exports}")
            }
            Self::Signature { export, expected, found } => {
                write!(f, "{plugin} exports `{export}` as {found}, not as {expected}")
            }
            Self::Import { import, .. } => {
                write!(f, "{plugin} imports `{import}`, which nothing provides")
            }
            Self::ImportType { import, expected } => write!(
                f,
                "{plugin} imports the host function `{import}` with another type than `{expected}`"
            ),
            Self::HostFunction(error) => write!(f, "{error}"),
            Self::Link { .. } => {
                write!(f, "{plugin} imports something whose type differs from the host's")
            }
            Self::Code { .. } => {
                f.write_str("cannot keep the plugin's compiled code for workers' processes")
            }
            Self::Precompiled => {
                write!(f, "{plugin} is compiled already, so its code would run unchecked")
            }
            Self::PrecompiledMismatch(mismatch) => write!(f, "{plugin} {mismatch}"),
            Self::Features { missing, .. } => {
                write!(f, "{plugin} uses WebAssembly {}", missing.described())
            }
            Self::Engine(error) => write!(f, "{error}"),
            Self::Compiler(error) => error.describe(plugin, f),
            Self::World { exports } => write!(
                f,
                "{} does not export `{}`; it exports {exports}",
                plugin.component(),
                component::INTERFACE
            ),
            Self::FixedCall { call } => write!(
                f,
                "{} cannot take items through `{call}`: its world requires `call`",
                plugin.component()
            ),
            Self::Ambiguous { call, candidates } => {
                let component = plugin.component();
                write!(f, "{component} exports `{call}` more than once: {candidates}")
            }
            Self::Untyped { function, what } => {
                let component = plugin.component();
                write!(f, "{component} cannot be called with JSON through `{function}`: {what}")
            }
        }
    }

    fn cause(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Read { source } => Some(source),
            Self::Text { source }
            | Self::Invalid { source }
            | Self::Link { source }
            | Self::Code { source } => Some(source),
            // The message is that of the inner error, so its source follows.
            Self::HostFunction(error) => error.source(),
            Self::Engine(error) => error.source(),
            Self::Compiler(error) => error.source(),
            _ => None,
        }
    }

    /// Returns a hint for the user.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Read { source } if source.kind() == io::ErrorKind::NotFound => {
                "a plugin is a .wasm or .wat file"
            }
            Self::Code { source } if source.io_kind() == Some(io::ErrorKind::FileTooLarge) => {
                "compiled code for processes is a file in memory, which exceeds the limit on file sizes: raise it with \
                 `ulimit -f`"
            }
            Self::Read { .. }
            | Self::Text { .. }
            | Self::Signature { .. }
            | Self::Code { .. }
            | Self::HostFunction(_) => return None,
            Self::Engine(error) => return error.hint().map(Into::into),
            Self::Compiler(error) => return error.hint().map(Into::into),
            Self::Features { .. } => {
                "if you trust the engine's garbage collector with this plugin, allow it with `PluginLoader::wasm_features`"
            }
            Self::TooLarge { .. } => {
                "raise `PluginLoader::max_size`, or remove debug information with `wasm-tools strip`"
            }
            Self::Precompiled => {
                "if you compiled it yourself or trust whoever did, load it with `PluginLoader::trust_precompiled`; \
                 otherwise use the .wasm file that it was made from"
            }
            Self::PrecompiledMismatch(_) => {
                "compile it again, for an engine with the same settings"
            }
            Self::TooManyFunctions { .. } => {
                "raise `PluginLoader::max_functions`: each function takes the compiler some kilobytes"
            }
            Self::TooComplex { .. } => {
                "no compiler makes such a plugin, and no setting allows it: get it from a source that you trust"
            }
            Self::NotWasm { .. } => "compile the code to WebAssembly first",
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
                     function takes items, name it: `PluginLoader::call`"
                }
                "cabi_realloc" => {
                    "export `cabi_realloc`: the host needs it to pass the answers of host functions"
                }
                _ => "use `PluginLoader::call` to name a function that the plugin exports",
            },
            Self::Digest { .. } => {
                "the file may be damaged or another version; if it is the right file, pin its digest"
            }
            Self::Import { import, offered } => return Some(import_hint(import, offered)),
            Self::ImportType { .. } => {
                "a host function takes bytes, and returns bytes or an error message"
            }
            Self::FixedCall { .. } => {
                "do not name a function: `PluginLoader::call` is for core modules, and for components of other worlds"
            }
            Self::Ambiguous { .. } => "name the function with its interface: `INTERFACE#NAME`",
            Self::Untyped { .. } => {
                "the function that takes items, `init` and `finish` may use only plain values: no resources, \
                 streams or futures; none may be async"
            }
            Self::Link { .. } => "rebuild the plugin with the SDK of this version of mtl-host",
            Self::World { .. } => {
                "if one of its functions takes items, name it: `PluginLoader::call`; or build it for \
                 the world `mtl:plugin/plugin`, whose WIT is in `plugin-sdk/wit`"
            }
        };
        Some(hint.into())
    }
}

impl fmt::Display for LoadErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.describe(Subject(None), f)
    }
}

impl Error for LoadErrorKind {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause()
    }
}

impl From<HostFunctionError> for LoadErrorKind {
    fn from(error: HostFunctionError) -> Self {
        Self::HostFunction(error)
    }
}

impl From<EngineError> for LoadErrorKind {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<CompilerError> for LoadErrorKind {
    fn from(error: CompilerError) -> Self {
        Self::Compiler(error)
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
        "it was built for a browser or another host, and this host lacks the import; \
         build it for `wasm32-wasip1`"
            .into()
    } else {
        "a plugin may import only WASI and `mtl:plugin/context@1.0.0`; \
         granted directories, variables and addresses are reached through WASI"
            .into()
    }
}
