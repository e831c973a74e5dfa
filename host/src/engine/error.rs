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

/// A plugin that could not be loaded, and the reason.
///
/// ```
/// use mtl_host::{Engine, LoadErrorKind, Plugin};
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
/// A process that compiles a plugin sends its reason as one of these. The loader fills in the fields that it knows
/// itself, such as its limits: they are not sent.
///
/// ```
/// use mtl_host::LoadErrorKind;
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
        /// The largest number.
        #[serde(skip)]
        limit: FunctionLimit,
    },
    /// The plugin is more complex than any compiler makes one.
    TooComplex {
        /// The measure, and its value.
        complexity: Complexity,
    },
    /// The file is no WebAssembly.
    NotWasm {
        /// A description of its first bytes.
        #[serde(with = "bounded::short")]
        begins: String,
    },
    /// The file ends within its header.
    Truncated {
        /// The number of its bytes.
        bytes: usize,
    },
    /// This host does not know the version of WebAssembly in the header.
    Version {
        /// The four bytes after the magic number, little-endian.
        version: u32,
    },
    /// The text form does not parse.
    Text {
        /// The error of the parser.
        source: ErrorChain,
    },
    /// The binary is not valid, or needs a feature that the engine lacks.
    Invalid {
        /// The error of the compiler.
        source: ErrorChain,
    },
    /// A core module lacks an export that each plugin has.
    MissingExport {
        /// The name of the export.
        #[serde(with = "bounded::short")]
        missing: String,
        /// The names of its exports.
        #[serde(with = "bounded::short")]
        exports: String,
    },
    /// An export has another type than it should have.
    Signature {
        /// The name of the export.
        #[serde(with = "bounded::short")]
        export: String,
        /// The type that it should have.
        #[serde(with = "bounded::short")]
        expected: String,
        /// The type that it has.
        #[serde(with = "bounded::short")]
        found: String,
    },
    /// The plugin imports something that the host does not provide.
    Import {
        /// Module or interface, and name.
        #[serde(with = "bounded::short")]
        import: String,
        /// The host functions of the loader.
        #[serde(skip)]
        offered: Vec<String>,
    },
    /// The plugin imports a host function by another type.
    ImportType {
        /// Interface and name.
        #[serde(with = "bounded::short")]
        import: String,
        /// The type of the host function.
        #[serde(with = "bounded::short")]
        expected: String,
    },
    /// The host provides the imports, but with other types.
    Link {
        /// The error of the linker.
        source: ErrorChain,
    },
    /// The compiled code cannot be kept.
    Code {
        /// The error of the system.
        source: ErrorChain,
    },
    /// The plugin uses features of WebAssembly that are not allowed.
    Features {
        /// The features that it uses, and that are not allowed.
        missing: WasmFeatures,
        /// The features that are allowed.
        #[serde(skip)]
        allowed: WasmFeatures,
    },
    /// A component does not export the interface of a worker.
    World {
        /// The names of its exports.
        #[serde(with = "bounded::short")]
        exports: String,
    },
    /// The loader names an export that takes items, and the component's world fixes another one.
    CallOfWorld {
        /// The name that the loader has.
        #[serde(skip)]
        call: String,
    },
    /// Several functions of a component have the name that the loader has.
    Ambiguous {
        /// The name that the loader has.
        #[serde(skip)]
        call: String,
        /// The whole names of these functions.
        #[serde(with = "bounded::short")]
        candidates: String,
    },
    /// A function of a component has types that JSON lacks.
    Untyped {
        /// The name of the function.
        #[serde(with = "bounded::short")]
        function: String,
        /// A description of the type.
        #[serde(with = "bounded::short")]
        what: String,
    },
    // A child sends none of these. They come last: only so has each of the others one number for both ends.
    /// The file could not be read.
    #[serde(skip)]
    Read {
        /// The error of the system.
        source: io::Error,
    },
    /// The file is larger than the loader allows.
    #[serde(skip)]
    TooLarge {
        /// The largest size.
        limit: PluginSize,
    },
    /// The file is not the one that was pinned.
    #[serde(skip)]
    Digest {
        /// The digest that was pinned.
        expected: Sha256,
        /// The digest of the file.
        found: Sha256,
    },
    /// A host function cannot be offered.
    #[serde(skip)]
    HostFunction(HostFunctionError),
    /// The file is machine code, and the loader does not trust it.
    #[serde(skip)]
    Precompiled,
    /// The file is machine code that this host cannot run.
    #[serde(skip)]
    CompiledOtherwise(PrecompiledMismatch),
    /// The engine lacks what the loader asks for.
    #[serde(skip)]
    Engine(EngineError),
    /// The process that was to compile the plugin failed.
    #[serde(skip)]
    Compiler(CompilerError),
}

impl LoadError {
    pub(crate) fn new(plugin: impl Into<PathBuf>, kind: impl Into<LoadErrorKind>) -> Self {
        Self { plugin: plugin.into(), kind: kind.into() }
    }

    /// Makes errors of the plugin at `plugin`.
    pub(crate) fn of<K: Into<LoadErrorKind>>(plugin: &Path) -> impl FnOnce(K) -> Self {
        move |kind| Self::new(plugin, kind)
    }

    /// Returns the path of the plugin, as its user named it.
    #[must_use]
    pub fn plugin(&self) -> &Path {
        &self.plugin
    }

    /// Returns the reason.
    #[must_use]
    pub fn kind(&self) -> &LoadErrorKind {
        &self.kind
    }

    /// Returns what the user can do about it.
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

/// The plugin in a message.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a>(pub(super) Option<&'a Path>);

impl Subject<'_> {
    fn component(self) -> String {
        self.named("component")
    }

    fn named(self, what: &str) -> String {
        match self.0 {
            Some(path) => format!("{what} `{}`", path.display()),
            None => format!("the {what}"),
        }
    }
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.named("plugin"))
    }
}

impl LoadErrorKind {
    /// Returns the kind of an error of the system that concerns compiled code.
    pub(crate) fn code(source: io::Error) -> Self {
        Self::Code { source: ErrorChain::new(source) }
    }

    /// Returns the kind of an error of the compiler.
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
                "{plugin} is not the one that was pinned: its SHA-256 is {found}, not {expected}"
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
                "{plugin} imports the host function `{import}` in another form than `{expected}`"
            ),
            Self::HostFunction(error) => write!(f, "{error}"),
            Self::Link { .. } => {
                write!(f, "{plugin} imports something in another form than the host provides it")
            }
            Self::Code { .. } => {
                f.write_str("cannot keep the plugin's compiled code for workers' processes")
            }
            Self::Precompiled => write!(
                f,
                "{plugin} is compiled already: it would be run as it is, and nothing can be checked of it"
            ),
            Self::CompiledOtherwise(mismatch) => write!(f, "{plugin} {mismatch}"),
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
            Self::CallOfWorld { call } => write!(
                f,
                "{} cannot take items by `{call}`: in its world that is `call`",
                plugin.component()
            ),
            Self::Ambiguous { call, candidates } => {
                let component = plugin.component();
                write!(f, "{component} exports `{call}` more than once: {candidates}")
            }
            Self::Untyped { function, what } => {
                let component = plugin.component();
                write!(f, "{component} cannot be called with JSON by `{function}`: {what}")
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
            // The message is that of the inner error.
            Self::HostFunction(error) => error.source(),
            Self::Engine(error) => error.source(),
            Self::Compiler(error) => error.source(),
            _ => None,
        }
    }

    /// Returns what the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Read { source } if source.kind() == io::ErrorKind::NotFound => {
                "a plugin is a .wasm or .wat file"
            }
            Self::Code { source } if source.io_kind() == Some(io::ErrorKind::FileTooLarge) => {
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
            Self::Features { .. } => {
                "allow it, if you trust the engine's garbage collector with this plugin: `PluginLoader::wasm`"
            }
            Self::TooLarge { .. } => {
                "`PluginLoader::max_size` allows more; debug information can be left out: `wasm-tools strip`"
            }
            Self::Precompiled => {
                "if you have compiled it yourself, or trust who has, `PluginLoader::trust_precompiled` takes it; \
                 otherwise take the .wasm that it was made from"
            }
            Self::CompiledOtherwise(_) => "compile it again, for an engine with the same settings",
            Self::TooManyFunctions { .. } => {
                "`PluginLoader::max_functions` allows more: each takes the compiler some kilobytes"
            }
            Self::TooComplex { .. } => {
                "no compiler makes such a plugin, and no setting allows it: take it from a source that you trust"
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
                    "the answers of host functions are put where `cabi_realloc` says: export it"
                }
                _ => "`PluginLoader::call` takes the name of a function that the plugin exports",
            },
            Self::Digest { .. } => {
                "it is damaged, or another version; if it is the one you want, pin its digest"
            }
            Self::Import { import, offered } => return Some(import_hint(import, offered)),
            Self::ImportType { .. } => {
                "a host function takes bytes, and answers with bytes or with an error's text"
            }
            Self::CallOfWorld { .. } => {
                "name no function: `PluginLoader::call` is for core modules, and for components of other worlds"
            }
            Self::Ambiguous { .. } => {
                "name the one that takes items, with its interface: `INTERFACE#NAME`"
            }
            Self::Untyped { .. } => {
                "a function that takes items, and `init` and `finish` beside it, have values \
                 alone: no resources, streams or futures, and not async"
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
        "it was built for a browser or another host: nothing grants this import; \
         build it for `wasm32-wasip1`"
            .into()
    } else {
        "nothing grants it: a plugin may import WASI and `mtl:plugin/context@1.0.0`; \
         directories, variables and addresses are granted to what WASI gives access to"
            .into()
    }
}
