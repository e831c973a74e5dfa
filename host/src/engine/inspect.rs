//! Lists the content of a plugin's file without running any of it.
//!
//! The engine compiles the file as for a run, because only the compiler can tell whether a run would accept the file.
//! The engine creates no instance. If a run would refuse the file, the inspection contains the reason and everything
//! that the host could read.

mod capability;
mod component;
mod core;
mod listing;
mod wit;

use std::path::Path;

use serde::{Deserialize, Serialize};

use self::listing::Lister;
pub(crate) use self::listing::{MAX_KNOWN, MAX_LISTED};

pub use self::capability::Capability;

use super::compiled_code::CompiledCode;
use super::plugin_code::PluginCode;
use super::wasm_binary::WasmBinary;
use super::{LoadError, LoadErrorKind, PluginKind, WasmFeatures, context, kinds};
use crate::engine::compile_settings::CompileSettings;
use crate::item::argument_passing::ArgumentPassing;
use crate::item::bounded;
use crate::item::digest::Sha256;
use crate::item::format::Format;

/// The content of a plugin's file, as [`Plugin::inspect`](crate::Plugin::inspect) returns it.
///
/// ```
/// use mtl_host::inspect::{Capability, PluginKind};
/// use mtl_host::{Engine, Plugin};
///
/// let found = Plugin::inspect(&Engine::new()?, "../tests/fixtures/files.wat")?;
/// assert_eq!(found.kind, PluginKind::CoreModule);
/// assert!(found.has_export("call") && found.refusal.is_none());
/// assert_eq!(found.capabilities(), [Capability::Files]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Inspection {
    /// The kind of WebAssembly.
    pub kind: PluginKind,
    /// The size of the file, in bytes.
    pub bytes: usize,
    /// The digest of the file, for [`PluginLoader::sha256`](crate::PluginLoader::sha256).
    pub sha256: Sha256,
    /// The exports: about a thousand at most, and none if the file is not valid.
    pub exports: Vec<Export>,
    /// The number of exports that are missing from `exports`.
    pub exports_left_out: usize,
    /// The imports. The list has about a thousand names at most. It is complete for every plugin that a run accepts,
    /// because such a plugin has fewer imports. If the file is invalid, the list is empty.
    pub imports: Vec<Import>,
    /// The number of imports that are missing from `imports`.
    pub imports_left_out: usize,
    /// The size of the memory; `None` if the file has no memory or is not valid.
    pub memory: Option<MemorySize>,
    /// True if the parameters can be passed in several ways, by [`ArgumentPassing`].
    pub uses_argument_passing: bool,
    /// The function that takes items as JSON, if the file is a component of a world other than `mtl:plugin/plugin`.
    /// `None` for all other files, and for a file that a run would refuse.
    pub typed: Option<TypedCall>,
    /// The optional WebAssembly features that the plugin uses. A run must allow all of them. If the file is invalid,
    /// the set is empty.
    pub features: WasmFeatures,
    /// The reason for which a run refuses the file, if it does.
    pub refusal: Option<LoadError>,
    /// The layers that the jail of the inspecting process lacked, because the kernel does not support them. `None` if
    /// the jail had all layers, or if this process inspected the file.
    pub missing_jail_layers: Option<String>,
}

/// An export of a plugin.
///
/// ```
/// # use mtl_host::inspect::{Capability, ImportProvider, PluginKind};
/// # use mtl_host::{Engine, Plugin};
/// let found = Plugin::inspect(&Engine::new()?, "../tests/fixtures/upper.wat")?;
/// let call = found.exports.iter().find(|export| export.name == "call").unwrap();
/// assert_eq!(call.signature, "(i32, i32) -> (i64)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Export {
    /// The name. The name of a component's function begins with its interface and a `#`.
    pub name: String,
    /// The type: for a function, its parameters and results.
    pub signature: String,
}

/// The function of a component that takes items as JSON.
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
    /// The name, with the interface before a `#`.
    pub call: String,
    /// The ways of passing items to the function, each with an example of an item.
    #[serde(deserialize_with = "bounded::list::<MAX_EXAMPLES, _, _>")]
    pub items: Vec<(ArgumentPassing, String)>,
    /// True if the component exports an `init` next to this function.
    pub has_init: bool,
    /// An example of the arguments of `init`, if it has parameters.
    pub init: Option<String>,
    /// The format of the results.
    pub results: Format,
}

/// The largest number of example items: one for each way of passing them.
pub(crate) const MAX_EXAMPLES: usize = 3;

impl TypedCall {
    /// Shortens or removes long examples, which nobody would read. A type can be as large as a plugin.
    fn bounded(mut self) -> Self {
        const MAX: usize = 16 * 1024;
        self.items.retain(|(_, item)| item.len() <= MAX);
        if let Some(init) = &mut self.init
            && init.len() > MAX
        {
            init.truncate(init.floor_char_boundary(MAX));
            init.push('…');
        }
        self
    }
}

/// The imports of a plugin from one module or interface.
///
/// ```
/// # use mtl_host::inspect::{Capability, ImportProvider, PluginKind};
/// # use mtl_host::{Engine, Plugin};
/// let found = Plugin::inspect(&Engine::new()?, "../tests/fixtures/files.wat")?;
/// assert_eq!(found.imports[0].from, "wasi_snapshot_preview1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Import {
    /// The module or interface.
    pub from: String,
    /// The provider of the module or interface.
    pub provider: ImportProvider,
    /// The names of the imported functions and other items, without those of types.
    #[serde(deserialize_with = "bounded::list::<MAX_LISTED, _, _>")]
    pub names: Vec<String>,
}

/// The provider of an import.
///
/// ```
/// # use mtl_host::inspect::{Capability, ImportProvider, PluginKind};
/// # use mtl_host::{Engine, Plugin};
/// let found = Plugin::inspect(&Engine::new()?, "../tests/fixtures/unknown-import.wat")?;
/// assert_eq!(found.imports[0].provider, ImportProvider::Unknown);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ImportProvider {
    /// WASI. The plugin reaches only what it is granted.
    Wasi,
    /// The host, which provides these functions to every plugin.
    Context,
    /// A host function that the loader offers.
    HostFunction,
    /// No provider.
    Unknown,
}

/// The size of an instance's memory, as the plugin's file declares it.
///
/// ```
/// # use mtl_host::inspect::{Capability, ImportProvider, PluginKind};
/// # use mtl_host::{Engine, Plugin};
/// let found = Plugin::inspect(&Engine::new()?, "../tests/fixtures/files.wat")?;
/// assert_eq!(found.memory.unwrap().initial, 192 * 1024);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MemorySize {
    /// The initial size, in bytes. For a component with several memories, the size of the largest one.
    pub initial: u64,
    /// The maximum size in bytes, if the file declares one. Components declare none.
    pub maximum: Option<u64>,
    /// The number of memories.
    pub memories: u32,
}

/// The findings of an inspection, in this process or in a child.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Findings {
    pub(crate) kind: PluginKind,
    #[serde(deserialize_with = "bounded::list::<{ MAX_LISTED + MAX_KNOWN }, _, _>")]
    pub(crate) exports: Vec<Export>,
    pub(crate) exports_left_out: usize,
    #[serde(deserialize_with = "bounded::list::<MAX_LISTED, _, _>")]
    pub(crate) imports: Vec<Import>,
    pub(crate) imports_left_out: usize,
    pub(crate) memory: Option<MemorySize>,
    pub(crate) typed: Option<TypedCall>,
    pub(crate) features: WasmFeatures,
    pub(crate) refusal: Option<LoadErrorKind>,
}

impl Findings {
    /// Inspects a binary with the settings of a loader.
    pub(crate) fn of(settings: &CompileSettings, binary: &WasmBinary<'_>) -> Self {
        let mut findings = Self::empty(binary.kind());
        // Reading the binary costs as much as compiling it, so check its complexity first.
        if let Err(refusal) = CompileSettings::check_complexity(binary) {
            findings.refusal = Some(refusal);
            return findings;
        }
        findings = findings.using(binary);
        findings.refusal = findings.read(settings, binary).err();
        findings
    }

    fn empty(kind: PluginKind) -> Self {
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

    /// Adds the features that this binary uses.
    pub(crate) fn using(self, binary: &WasmBinary<'_>) -> Self {
        let features = WasmFeatures::used_by(binary.bytes()).unwrap_or_default();
        Self { features, ..self }
    }

    /// Describes a linked plugin.
    pub(crate) fn of_plugin(settings: &CompileSettings, plugin: &dyn PluginCode) -> Self {
        let mut findings = Self::empty(plugin.metadata().kind);
        findings.list(settings, &plugin.code());
        findings.typed = plugin.typed();
        findings
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

    /// Lists the exports and imports of compiled code.
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

/// Returns a function that finds the provider of an import. The returned function takes the name of the import's module
/// or interface, and whether the import can belong to WASI.
fn provider(settings: &CompileSettings) -> impl Fn(&str, bool) -> ImportProvider {
    |from, is_wasi| match from {
        context::INTERFACE => ImportProvider::Context,
        _ if is_wasi => ImportProvider::Wasi,
        _ if settings.host_functions.has_interface(from) => ImportProvider::HostFunction,
        _ => ImportProvider::Unknown,
    }
}

impl Inspection {
    /// Combines the findings with the facts about the file.
    pub(crate) fn of(
        findings: Findings,
        path: &Path,
        file: &[u8],
        missing_jail_layers: Option<String>,
    ) -> Self {
        let Findings { kind, exports, imports, memory, typed, features, refusal, .. } = findings;
        let queries_passing = |import: &Import| {
            import.from == context::INTERFACE
                && import.names.iter().any(|name| name == context::PASSING)
        };
        Self {
            kind,
            bytes: file.len(),
            sha256: Sha256::digest(file),
            // A typed function needs no import for this: the host distributes an item over its parameters.
            uses_argument_passing: typed.is_some() || imports.iter().any(queries_passing),
            exports,
            exports_left_out: findings.exports_left_out,
            imports,
            imports_left_out: findings.imports_left_out,
            memory,
            typed,
            features,
            refusal: refusal.map(LoadError::of(path)),
            missing_jail_layers,
        }
    }

    /// Returns whether the plugin exports a function of this name. For a component, `name` may omit the interface. The
    /// search covers only the exports in `exports`, which may be incomplete.
    #[must_use]
    pub fn has_export(&self, name: &str) -> bool {
        self.exports.iter().any(|export| match export.name.rsplit_once('#') {
            Some((_, own)) => own == name,
            None => export.name == name,
        })
    }

    /// Returns the grants that the imports need. The plugin may be able to run without them.
    #[must_use]
    pub fn capabilities(&self) -> Vec<Capability> {
        capability::of(&self.imports)
    }
}
