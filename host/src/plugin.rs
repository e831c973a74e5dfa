//! Plugins as a user holds them: loaded once, in this process or in a jailed one.
//!
//! ```text
//! file ─▶ loader ─┬─▶ engine, in this process ──────▶ code that is linked here
//!   │             │                                      └▶ sealed file, once a worker's process needs it
//!   │             └─▶ isolation: a jailed compiler ─▶ code in a sealed file, never loaded here
//!   │
//!   └ cache: code that was compiled before
//! ```

pub(crate) mod cached_snapshot;
mod loader;
pub(crate) mod snapshot_group;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

pub use self::loader::PluginLoader;

use crate::engine::origin::Origin;
use crate::engine::wasm_binary::WasmBinary;
use crate::engine::{
    Engine, Findings, Inspection, LinkedPlugin, LoadError, LoadErrorKind, Metadata,
};
use crate::event::snapshot_refusal::SnapshotRefusal;
use crate::isolation::remote_plugin::RemotePlugin;

/// A plugin, compiled and checked: cheap to clone, shared by all its workers.
///
/// ```
/// use mtl_host::{Engine, Plugin};
///
/// let engine = Engine::new()?;
/// let upper = Plugin::load(&engine, "../tests/fixtures/upper.wat")?;
/// let init = Plugin::load(&engine, "../tests/fixtures/init.wat")?;
/// assert!(init.has_init() && !upper.has_init());
/// assert!(!upper.asks_for_passing(), "its items are taken as they are");
/// assert!(upper.name().ends_with("upper.wat"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Plugin {
    name: PathBuf,
    engine: Engine,
    metadata: Metadata,
    code: Code,
    /// None if it was compiled before.
    origin: Option<Arc<Origin>>,
}

#[derive(Clone, Debug)]
enum Code {
    /// It was compiled in this process: also for workers in others, once that is needed.
    Here { linked: LinkedPlugin, for_processes: Arc<OnceLock<Arc<RemotePlugin>>> },
    /// A jailed process has compiled it, and none but jailed ones load it.
    Elsewhere(Arc<RemotePlugin>),
}

impl Plugin {
    /// Loads the plugin in the file at `path`: a core module or a component, binary or text.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin};
    /// let engine = Engine::new()?;
    /// let error = Plugin::load(&engine, "../tests/fixtures/no-call.wat").unwrap_err();
    /// assert!(error.to_string().contains("does not export `call`"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is not WebAssembly, lacks an export that a plugin must
    /// have, or imports what the host does not provide.
    pub fn load(engine: &Engine, path: impl AsRef<Path>) -> Result<Self, LoadError> {
        Self::loader(engine).load(path)
    }

    /// Loads a plugin from its bytes; `name` is how errors call it.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// let wat = std::fs::read("../tests/fixtures/upper.wat")?;
    /// let plugin = Plugin::from_bytes(&Engine::new()?, "upper", &wat)?;
    /// let record = Pool::builder(&plugin).build()?.map(["a"]).next().unwrap()?;
    /// assert_eq!(record.bytes(), Some(&b"A"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn from_bytes(engine: &Engine, name: &str, bytes: &[u8]) -> Result<Self, LoadError> {
        Self::loader(engine).from_bytes(name, bytes)
    }

    /// Reads what is in the file at `path`, without running any of it; also what would not load,
    /// as far as it can be read.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin};
    /// let found = Plugin::inspect(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// assert!(found.needs().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is not WebAssembly.
    pub fn inspect(engine: &Engine, path: impl AsRef<Path>) -> Result<Inspection, LoadError> {
        Self::loader(engine).inspect(path)
    }

    /// For a plugin that is pinned, is called by another name, or gets functions of your own.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// // Its items go to another function than `call`.
    /// let loader = Plugin::loader(&Engine::new()?).call("first");
    /// let plugin = loader.load("../tests/fixtures/renamed-call.wat")?;
    /// let record = Pool::builder(&plugin).build()?.map(["item"]).next().unwrap()?;
    /// assert_eq!(record.bytes(), Some(&b"i"[..]), "its first byte");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn loader(engine: &Engine) -> PluginLoader {
        PluginLoader::new(engine)
    }

    fn here(name: &Path, engine: &Engine, linked: LinkedPlugin) -> Self {
        let metadata = linked.metadata();
        let code = Code::Here { linked, for_processes: Arc::default() };
        Self { name: name.to_owned(), engine: engine.clone(), metadata, code, origin: None }
    }

    fn elsewhere(name: &Path, engine: &Engine, metadata: Metadata, remote: RemotePlugin) -> Self {
        let code = Code::Elsewhere(Arc::new(remote));
        Self { name: name.to_owned(), engine: engine.clone(), metadata, code, origin: None }
    }

    /// Adds the bytes from which the plugin was loaded, and the settings.
    fn with_origin(self, bytes: Box<[u8]>, loader: &PluginLoader) -> Self {
        Self {
            origin: Some(Arc::new(Origin { bytes, settings: loader.settings().clone() })),
            ..self
        }
    }

    /// Why it cannot be frozen, whatever it does.
    pub(crate) fn cannot_be_frozen(&self) -> Option<SnapshotRefusal> {
        match (self.metadata, &self.origin) {
            (Metadata { can_freeze: false, .. }, _) => Some(SnapshotRefusal::Component),
            (Metadata { has_init: false, .. }, _) => Some(SnapshotRefusal::NoInit),
            (_, None) => Some(SnapshotRefusal::Precompiled),
            (_, Some(_)) => None,
        }
    }

    /// What was in its file.
    pub(crate) fn origin(&self) -> Option<&Origin> {
        self.origin.as_deref()
    }

    /// Whether `other` is a clone of this one.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (&self.code, &other.code) {
            (Code::Here { for_processes: one, .. }, Code::Here { for_processes: other, .. }) => {
                Arc::ptr_eq(one, other)
            }
            (Code::Elsewhere(one), Code::Elsewhere(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    /// Its code, as workers in processes have it.
    pub(crate) fn remote(&self) -> Result<Arc<RemotePlugin>, LoadError> {
        let (linked, for_processes) = match &self.code {
            Code::Here { linked, for_processes } => (linked, for_processes),
            Code::Elsewhere(remote) => return Ok(Arc::clone(remote)),
        };
        if let Some(remote) = for_processes.get() {
            return Ok(Arc::clone(remote));
        }
        let remote =
            RemotePlugin::of(&**linked, &self.engine).map_err(LoadError::of(&self.name))?;
        Ok(Arc::clone(for_processes.get_or_init(|| Arc::new(remote))))
    }

    /// Its compiled code in a file, with which a plugin starts without being compiled: for
    /// [`PluginLoader::trust_precompiled`]. It is for this version of the library, an engine with
    /// the same settings, and processors that have what this one has.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin};
    /// let engine = Engine::new()?;
    /// let compiled = Plugin::load(&engine, "../tests/fixtures/upper.wat")?.precompiled()?;
    /// // SAFETY: these bytes were compiled above.
    /// let loader = unsafe { Plugin::loader(&engine).trust_precompiled() };
    /// assert!(!loader.from_bytes("upper.cwasm", &compiled)?.has_init());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When there is no memory for it.
    pub fn precompiled(&self) -> Result<Vec<u8>, LoadError> {
        let code = self.remote()?.read();
        let file =
            code.and_then(|code| loader::precompiled::write(&self.engine, self.metadata, &code));
        file.map_err(|source| LoadError::new(&self.name, LoadErrorKind::code(source)))
    }

    /// What makes its instances in this process, if it was compiled here.
    pub(crate) fn linked(&self) -> Option<&LinkedPlugin> {
        match &self.code {
            Code::Here { linked, .. } => Some(linked),
            Code::Elsewhere(_) => None,
        }
    }

    /// How errors call it: its path, or the name it was given.
    #[must_use]
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// Whether it takes arguments for each worker.
    #[must_use]
    pub fn has_init(&self) -> bool {
        self.metadata.has_init
    }

    /// Whether it asks how its parameters are passed: one that does not takes items as they are.
    #[must_use]
    pub fn asks_for_passing(&self) -> bool {
        self.metadata.asks_for_passing
    }

    /// Whether it has a way to connect to anything: a component may import sockets and HTTP; the
    /// WASI of core modules has none.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin};
    /// assert!(Plugin::load(&Engine::new()?, "../tests/fixtures/connect.wat")?.can_connect());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn can_connect(&self) -> bool {
        self.metadata.can_connect
    }

    /// What is in its file, as [`Plugin::inspect`] finds it, without compiling it once more; none, if
    /// it was compiled in a process, or before.
    ///
    /// ```
    /// # use mtl_host::{Engine, Need, Plugin};
    /// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/files.wat")?;
    /// assert_eq!(plugin.inspection().unwrap().needs(), [Need::Files]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn inspection(&self) -> Option<Inspection> {
        let (linked, origin) = (self.linked()?, self.origin()?);
        let binary = WasmBinary::from_bytes(&self.name, &origin.bytes).ok()?;
        let found = Findings::of_plugin(&origin.settings, &**linked).using(&binary);
        Some(Inspection::of(found, &self.name, &origin.bytes, None))
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }
}
