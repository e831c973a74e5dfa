//! Plugins. The host loads each plugin once, in this process or in a jailed child process.
//!
//! ```text
//! file ─▶ loader ─┬─▶ engine, in this process ──────▶ code that is linked here
//!   │             │                                      └▶ sealed file, when a worker's process needs it
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

/// A compiled and checked plugin. It is cheap to clone, and all its workers share it.
///
/// ```
/// use mtl_host::{Engine, Plugin};
///
/// let engine = Engine::new()?;
/// let upper = Plugin::load(&engine, "../tests/fixtures/upper.wat")?;
/// let init = Plugin::load(&engine, "../tests/fixtures/init.wat")?;
/// assert!(init.has_init() && !upper.has_init());
/// assert!(!upper.uses_argument_passing(), "it takes each item whole");
/// assert!(upper.name().ends_with("upper.wat"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Plugin {
    name: PathBuf,
    engine: Engine,
    metadata: Metadata,
    code: Code,
    /// `None` if the plugin was compiled ahead of time.
    origin: Option<Arc<Origin>>,
}

#[derive(Clone, Debug)]
enum Code {
    /// This process has compiled the code. The copy for child processes is made when it is first needed.
    Local { linked: LinkedPlugin, for_processes: Arc<OnceLock<Arc<RemotePlugin>>> },
    /// A jailed process has compiled the code, so only jailed processes may load it.
    Remote(Arc<RemotePlugin>),
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
    /// Fails if the file cannot be read, is not WebAssembly, lacks a required export, or imports something that the
    /// host does not provide.
    pub fn load(engine: &Engine, path: impl AsRef<Path>) -> Result<Self, LoadError> {
        Self::loader(engine).load(path)
    }

    /// Loads a plugin from its bytes. Errors refer to the plugin by `name`.
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
    /// Fails as [`load`](Self::load) does.
    pub fn from_bytes(engine: &Engine, name: &str, bytes: &[u8]) -> Result<Self, LoadError> {
        Self::loader(engine).from_bytes(name, bytes)
    }

    /// Returns a description of the plugin in the file at `path`, without running its code. If the plugin cannot be
    /// loaded, the description contains everything that the host could read.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin};
    /// let found = Plugin::inspect(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// assert!(found.capabilities().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, or is not WebAssembly.
    pub fn inspect(engine: &Engine, path: impl AsRef<Path>) -> Result<Inspection, LoadError> {
        Self::loader(engine).inspect(path)
    }

    /// Returns a loader with further settings, such as a pinned digest, an export other than `call`, or host functions.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// // The plugin receives items through an export other than `call`.
    /// let loader = Plugin::loader(&Engine::new()?).call("first");
    /// let plugin = loader.load("../tests/fixtures/renamed-call.wat")?;
    /// let record = Pool::builder(&plugin).build()?.map(["item"]).next().unwrap()?;
    /// assert_eq!(record.bytes(), Some(&b"i"[..]), "the first byte of the item");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn loader(engine: &Engine) -> PluginLoader {
        PluginLoader::new(engine)
    }

    fn local(name: &Path, engine: &Engine, linked: LinkedPlugin) -> Self {
        let metadata = linked.metadata();
        let code = Code::Local { linked, for_processes: Arc::default() };
        Self { name: name.to_owned(), engine: engine.clone(), metadata, code, origin: None }
    }

    fn remote_only(name: &Path, engine: &Engine, metadata: Metadata, remote: RemotePlugin) -> Self {
        let code = Code::Remote(Arc::new(remote));
        Self { name: name.to_owned(), engine: engine.clone(), metadata, code, origin: None }
    }

    /// Adds the original bytes and the settings from which the plugin was loaded.
    fn with_origin(self, bytes: Box<[u8]>, loader: &PluginLoader) -> Self {
        Self {
            origin: Some(Arc::new(Origin { bytes, settings: loader.settings().clone() })),
            ..self
        }
    }

    /// Returns the reason for which the plugin can never have a snapshot, if there is one.
    pub(crate) fn snapshot_refusal(&self) -> Option<SnapshotRefusal> {
        match (self.metadata, &self.origin) {
            (Metadata { can_freeze: false, .. }, _) => Some(SnapshotRefusal::Component),
            (Metadata { has_init: false, .. }, _) => Some(SnapshotRefusal::NoInit),
            (_, None) => Some(SnapshotRefusal::Precompiled),
            (_, Some(_)) => None,
        }
    }

    /// Returns the original bytes and settings, if they are known.
    pub(crate) fn origin(&self) -> Option<&Origin> {
        self.origin.as_deref()
    }

    /// Returns whether `other` is a clone of this plugin.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.code, &other.code) {
            (Code::Local { for_processes: one, .. }, Code::Local { for_processes: other, .. }) => {
                Arc::ptr_eq(one, other)
            }
            (Code::Remote(one), Code::Remote(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    /// Returns the code for workers in child processes.
    pub(crate) fn remote(&self) -> Result<Arc<RemotePlugin>, LoadError> {
        let (linked, for_processes) = match &self.code {
            Code::Local { linked, for_processes } => (linked, for_processes),
            Code::Remote(remote) => return Ok(Arc::clone(remote)),
        };
        if let Some(remote) = for_processes.get() {
            return Ok(Arc::clone(remote));
        }
        let remote = RemotePlugin::from_plugin(&**linked, &self.engine)
            .map_err(LoadError::of(&self.name))?;
        Ok(Arc::clone(for_processes.get_or_init(|| Arc::new(remote))))
    }

    /// Returns the content of a file with the compiled code. A loader runs such a file without compiling it; see
    /// [`PluginLoader::trust_precompiled`].
    ///
    /// The file works only with this version of the library, with the same engine settings, and on processors with the
    /// same features.
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
    /// Fails if the system has too little memory for the file.
    pub fn precompiled(&self) -> Result<Vec<u8>, LoadError> {
        let code = self.remote()?.read();
        let file =
            code.and_then(|code| loader::precompiled::write(&self.engine, self.metadata, &code));
        file.map_err(|source| LoadError::new(&self.name, LoadErrorKind::code(source)))
    }

    /// Returns the code for instances in this process, if the plugin was compiled here.
    pub(crate) fn linked(&self) -> Option<&LinkedPlugin> {
        match &self.code {
            Code::Local { linked, .. } => Some(linked),
            Code::Remote(_) => None,
        }
    }

    /// Returns the name of the plugin in errors: its path, or the name that was passed to
    /// [`from_bytes`](Self::from_bytes).
    #[must_use]
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// Returns whether the plugin takes init arguments.
    #[must_use]
    pub fn has_init(&self) -> bool {
        self.metadata.has_init
    }

    /// Returns whether the plugin queries how its parameters are passed. All other plugins take each item whole.
    #[must_use]
    pub fn uses_argument_passing(&self) -> bool {
        self.metadata.uses_argument_passing
    }

    /// Returns whether the plugin can open network connections. A component can import sockets and HTTP; a core module
    /// cannot.
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

    /// Returns the same description as [`Plugin::inspect`], without compiling the plugin again. Returns `None` if the
    /// plugin was compiled in a child process or ahead of time.
    ///
    /// ```
    /// # use mtl_host::inspect::Capability;
    /// # use mtl_host::{Engine, Plugin};
    /// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/files.wat")?;
    /// assert_eq!(plugin.inspection().unwrap().capabilities(), [Capability::Files]);
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
