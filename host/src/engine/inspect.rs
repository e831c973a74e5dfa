//! The content of a plugin's file, found without running any of it.
//!
//! The file is compiled, as for a run, since only that tells whether a run would take it; nothing is
//! instantiated. What a run would refuse is told as far as it can be read, with the reason.

mod component;
mod core;
mod listing;
mod need;
mod wit;

use std::path::Path;

use serde::{Deserialize, Serialize};

use self::listing::Lister;
pub(crate) use self::listing::{MOST_KNOWN, MOST_LISTED};

pub use self::need::Need;

use super::compiled_code::CompiledCode;
use super::plugin_code::PluginCode;
use super::wasm_binary::WasmBinary;
use super::{LoadError, LoadErrorKind, PluginKind, WasmFeatures, context, kinds};
use crate::engine::compile_settings::CompileSettings;
use crate::item::bounded;
use crate::item::digest::Sha256;
use crate::item::format::Format;
use crate::item::passing::ArgumentPassing;

/// What is in a plugin's file, by [`Plugin::inspect`](crate::Plugin::inspect).
///
/// ```
/// use mtl_host::{Engine, Need, Plugin, PluginKind};
///
/// let found = Plugin::inspect(&Engine::new()?, "../tests/fixtures/files.wat")?;
/// assert_eq!(found.kind, PluginKind::CoreModule);
/// assert!(found.has_export("call") && found.refusal.is_none());
/// assert_eq!(found.needs(), [Need::Files]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Inspection {
    /// What kind of WebAssembly it is.
    pub kind: PluginKind,
    /// How many bytes the file has.
    pub bytes: usize,
    /// The digest of the file as it is, for [`PluginLoader::sha256`](crate::PluginLoader::sha256).
    pub sha256: Sha256,
    /// Its exports, no more than some thousand; nothing, if it is not valid.
    pub exports: Vec<Export>,
    /// The number of exports that are left out of `exports`.
    pub exports_left_out: usize,
    /// Its imports, no more than some thousand names; nothing, if it is not valid. A plugin that a
    /// run takes has fewer: then none is left out.
    pub imports: Vec<Import>,
    /// The number of imports that are left out of `imports`.
    pub imports_left_out: usize,
    /// What it begins with of memory, and may take by itself; none, if it has none, or is not valid.
    pub memory: Option<MemorySize>,
    /// Whether its parameters can be passed in several ways, by [`ArgumentPassing`].
    pub asks_for_passing: bool,
    /// How it is called with JSON, if it is a component of another world than
    /// `mtl:plugin/plugin` that a run takes.
    pub typed: Option<TypedCall>,
    /// The features of WebAssembly that it uses, and a run has to allow; none, if it is not valid.
    pub features: WasmFeatures,
    /// Why a run refuses it, if it does.
    pub refusal: Option<LoadError>,
    /// What the jail lacks in which it was looked into, as the kernel does not have it; none, if
    /// nothing is missing, or it was looked into in this process.
    pub jail_lacks: Option<String>,
}

/// Something that a plugin exports.
///
/// ```
/// # use mtl_host::{Engine, Need, Plugin, PluginKind, Provider};
/// let found = Plugin::inspect(&Engine::new()?, "../tests/fixtures/upper.wat")?;
/// let call = found.exports.iter().find(|export| export.name == "call").unwrap();
/// assert_eq!(call.signature, "(i32, i32) -> (i64)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Export {
    /// Its name; that of a component's function has its interface before a `#`.
    pub name: String,
    /// What it is: of a function, its parameters and results.
    pub signature: String,
}

/// A component's function that takes items as JSON, by its types.
///
/// ```
/// # use mtl_host::{ArgumentPassing, Engine, Plugin};
/// let loader = Plugin::loader(&Engine::new()?).call("add");
/// let typed = loader.inspect("../tests/fixtures/other-world.wat")?.typed.unwrap();
/// assert_eq!(typed.call, "add");
/// assert_eq!(typed.items[0], (ArgumentPassing::Args, "[1,1]".to_owned()));
/// assert!(!typed.has_init);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TypedCall {
    /// Its name, with its interface before a `#`.
    pub call: String,
    /// The ways in which items can be passed to it, each with an example of an item.
    #[serde(deserialize_with = "bounded::list::<MOST_EXAMPLES, _, _>")]
    pub items: Vec<(ArgumentPassing, String)>,
    /// Whether there is an `init` beside it.
    pub has_init: bool,
    /// An example of that one's arguments, if it has parameters.
    pub init: Option<String>,
    /// What its results are.
    pub results: Format,
}

/// The number of examples of items: one for each way to pass them.
pub(crate) const MOST_EXAMPLES: usize = 3;

impl TypedCall {
    /// The same without examples that nobody would read: types can be as large as a plugin.
    fn bounded(mut self) -> Self {
        const MOST: usize = 16 * 1024;
        self.items.retain(|(_, item)| item.len() <= MOST);
        if let Some(init) = &mut self.init
            && init.len() > MOST
        {
            init.truncate(init.floor_char_boundary(MOST));
            init.push('…');
        }
        self
    }
}

/// Things that a plugin imports from one module or interface.
///
/// ```
/// # use mtl_host::{Engine, Need, Plugin, PluginKind, Provider};
/// let found = Plugin::inspect(&Engine::new()?, "../tests/fixtures/files.wat")?;
/// assert_eq!(found.imports[0].from, "wasi_snapshot_preview1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Import {
    /// The module or interface.
    pub from: String,
    /// Whose it is.
    pub provider: Provider,
    /// Their names; those of types are left out.
    #[serde(deserialize_with = "bounded::list::<MOST_LISTED, _, _>")]
    pub names: Vec<String>,
}

/// Who provides what is imported.
///
/// ```
/// # use mtl_host::{Engine, Need, Plugin, PluginKind, Provider};
/// let found = Plugin::inspect(&Engine::new()?, "../tests/fixtures/unknown-import.wat")?;
/// assert_eq!(found.imports[0].provider, Provider::Unknown);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Provider {
    /// WASI, as far as it is granted.
    Wasi,
    /// The host, to every plugin.
    Context,
    /// Functions that were offered to the settings.
    HostFunction,
    /// Nobody.
    Unknown,
}

/// How much memory an instance begins with, and how far it may grow by what its file says.
///
/// ```
/// # use mtl_host::{Engine, Need, Plugin, PluginKind, Provider};
/// let found = Plugin::inspect(&Engine::new()?, "../tests/fixtures/files.wat")?;
/// assert_eq!(found.memory.unwrap().initial, 192 * 1024);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MemorySize {
    /// At the beginning, in bytes; of a component with several memories the largest.
    pub initial: u64,
    /// How far it grows at most, in bytes, if the file says so. A component's does not tell.
    pub maximum: Option<u64>,
    /// How many memories there are.
    pub memories: u32,
}

/// What is found in a plugin by looking into it, here or in another process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Findings {
    pub(crate) kind: PluginKind,
    #[serde(deserialize_with = "bounded::list::<{ MOST_LISTED + MOST_KNOWN }, _, _>")]
    pub(crate) exports: Vec<Export>,
    pub(crate) exports_left_out: usize,
    #[serde(deserialize_with = "bounded::list::<MOST_LISTED, _, _>")]
    pub(crate) imports: Vec<Import>,
    pub(crate) imports_left_out: usize,
    pub(crate) memory: Option<MemorySize>,
    pub(crate) typed: Option<TypedCall>,
    pub(crate) features: WasmFeatures,
    pub(crate) refusal: Option<LoadErrorKind>,
}

impl Findings {
    /// Looks into what `settings` would load.
    pub(crate) fn of(settings: &CompileSettings, binary: &WasmBinary<'_>) -> Self {
        let mut found = Self::nothing(binary.kind());
        // Whatever reads it takes as long as what compiles it.
        if let Err(refusal) = CompileSettings::check_complexity(binary) {
            found.refusal = Some(refusal);
            return found;
        }
        found = found.using(binary);
        found.refusal = found.read(settings, binary).err();
        found
    }

    fn nothing(kind: PluginKind) -> Self {
        let (exports, imports) = (Vec::new(), Vec::new());
        Self {
            kind,
            exports,
            exports_left_out: 0,
            imports,
            imports_left_out: 0,
            memory: None,
            typed: None,
            features: WasmFeatures::NONE,
            refusal: None,
        }
    }

    /// The same, of what these bytes use.
    pub(crate) fn using(self, binary: &WasmBinary<'_>) -> Self {
        let features = WasmFeatures::used_by(binary.bytes()).unwrap_or_default();
        Self { features, ..self }
    }

    /// Describes a plugin that is linked.
    pub(crate) fn of_plugin(settings: &CompileSettings, plugin: &dyn PluginCode) -> Self {
        let mut found = Self::nothing(plugin.metadata().kind);
        found.list(settings, &plugin.code());
        found.typed = plugin.typed();
        found
    }

    fn read(
        &mut self,
        settings: &CompileSettings,
        binary: &WasmBinary<'_>,
    ) -> Result<(), LoadErrorKind> {
        let code = CompiledCode::compile(settings, binary)?;
        self.list(settings, &code);
        self.typed = kinds::link(settings, &code)?.typed().map(TypedCall::bounded);
        Ok(())
    }

    /// Lists what code exports and imports.
    fn list(&mut self, settings: &CompileSettings, code: &CompiledCode) {
        let provider = provider(settings);
        match code {
            CompiledCode::Module(module) => core::read(self, module, provider),
            CompiledCode::Component(component) => {
                component::read(self, &settings.engine, component, provider);
            }
        }
    }
}

/// Says who provides what is imported from somewhere, which may be WASI.
fn provider(settings: &CompileSettings) -> impl Fn(&str, bool) -> Provider {
    |from, is_wasi| match from {
        context::INTERFACE => Provider::Context,
        _ if is_wasi => Provider::Wasi,
        _ if settings.functions.has_interface(from) => Provider::HostFunction,
        _ => Provider::Unknown,
    }
}

impl Inspection {
    /// What was found in these bytes.
    pub(crate) fn of(
        found: Findings,
        path: &Path,
        file: &[u8],
        jail_lacks: Option<String>,
    ) -> Self {
        let Findings { kind, exports, imports, memory, typed, features, refusal, .. } = found;
        let asks = |import: &Import| {
            import.from == context::INTERFACE
                && import.names.iter().any(|name| name == context::PASSING)
        };
        Self {
            kind,
            bytes: file.len(),
            sha256: Sha256::of(file),
            // A typed function does not ask: the host spreads an item over its parameters.
            asks_for_passing: typed.is_some() || imports.iter().any(asks),
            exports,
            exports_left_out: found.exports_left_out,
            imports,
            imports_left_out: found.imports_left_out,
            memory,
            typed,
            features,
            refusal: refusal.map(LoadError::of(path)),
            jail_lacks,
        }
    }

    /// Returns whether it exports a function of this name, as far as `exports` has it: of a component, one of its
    /// worker's interface.
    #[must_use]
    pub fn has_export(&self, name: &str) -> bool {
        self.exports.iter().any(|export| match export.name.rsplit_once('#') {
            Some((_, own)) => own == name,
            None => export.name == name,
        })
    }

    /// What it can only use if it is granted: what it imports the means for. It may do without.
    #[must_use]
    pub fn needs(&self) -> Vec<Need> {
        need::of(&self.imports)
    }
}
