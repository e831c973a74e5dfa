//! The loader of plugins and its settings.

mod cached;
mod file;
pub(crate) mod precompiled;

use std::path::Path;
use std::time::Duration;

use super::Plugin;
use crate::cache::Cache;
use crate::engine::compile_settings::{CompileLimits, CompileSettings};
use crate::engine::host_function::HostCall;
use crate::engine::{Engine, Inspection, LoadError, LoadErrorKind, WasmFeatures};
use crate::isolation::Isolation;
use crate::isolation::compiler::Compiler;
use crate::isolation::remote_plugin::RemotePlugin;
use crate::item::digest::Sha256;
use crate::item::limits::{CompileMemory, FunctionLimit, PluginSize};

/// A loader of plugins with further settings, such as a pinned digest, an export other than `call`, or host functions.
///
/// ```
/// use mtl_host::{Engine, Plugin, Pool};
///
/// let plugin = Plugin::loader(&Engine::new()?)
///     .host_function("acme:store/lookup@1.0.0", "get", |call, key| match key {
///         b"who" => Ok(format!("worker {}", call.worker()).into_bytes()),
///         _ => Err("no such key".into()),
///     })
///     .load("../tests/fixtures/host-function.wat")?;
///
/// let mut pool = Pool::builder(&plugin).build()?;
/// let mut results = pool.map(["who", "what"]);
/// assert!(results.next().unwrap()?.bytes().unwrap().starts_with(b"worker "));
/// assert_eq!(results.next().unwrap().unwrap_err().message(), "no such key");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a loader does nothing until `load` or `from_bytes` is called"]
pub struct PluginLoader {
    settings: CompileSettings,
    features: WasmFeatures,
    sha256: Option<Sha256>,
    max_size: PluginSize,
    isolation: Isolation,
    trusts_precompiled: bool,
}

impl PluginLoader {
    /// The default time limit of a compilation in a child process. The limit is several times as long as the
    /// compilation of the largest allowed plugin takes on one core.
    ///
    /// ```
    /// assert_eq!(mtl_host::PluginLoader::COMPILE_TIMEOUT.as_secs(), 5 * 60);
    /// ```
    pub const COMPILE_TIMEOUT: Duration = CompileLimits::DEFAULT_TIME;

    pub(crate) fn new(engine: &Engine) -> Self {
        Self {
            settings: CompileSettings::new(engine),
            features: engine.features(),
            sha256: None,
            max_size: PluginSize::DEFAULT,
            isolation: Isolation::Thread,
            trusts_precompiled: false,
        }
    }

    /// Accepts only a file with this digest. The loader checks the digest before it parses the file. The digest is
    /// computed from the bytes of the file, for text and for binary files.
    ///
    /// ```
    /// # use mtl_host::load::{LoadErrorKind, Sha256};
    /// # use mtl_host::{Engine, Plugin};
    /// let wat = std::fs::read("../tests/fixtures/upper.wat")?;
    /// let loader = Plugin::loader(&Engine::new()?).sha256(Sha256::digest(&wat));
    /// assert!(loader.from_bytes("upper", &wat).is_ok());
    /// let other = loader.load("../tests/fixtures/echo.wat");
    /// assert!(matches!(other.unwrap_err().kind(), LoadErrorKind::Digest { .. }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sha256(mut self, digest: Sha256) -> Self {
        self.sha256 = Some(digest);
        self
    }

    /// Sets the export that takes items (default: `call`).
    ///
    /// In a component, the export can be any function of plain values. Items are then JSON. The host converts each item
    /// to the types of the function's parameters. If several interfaces have a function of this name, use
    /// `interface#name`.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// let loader = Plugin::loader(&Engine::new()?).call("first");
    /// let plugin = loader.load("../tests/fixtures/renamed-call.wat")?;
    /// let record = Pool::builder(&plugin).build()?.map(["item"]).next().unwrap()?;
    /// assert_eq!(record.bytes(), Some(&b"i"[..]), "the first byte of the item");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn call(mut self, export: impl Into<String>) -> Self {
        self.settings.call_export = export.into();
        self
    }

    /// Offers a host function to the plugin under `name` in the interface `interface`, such as
    /// `acme:store/lookup@1.0.0`. A component imports the function as `func(input: list<u8>) -> result<list<u8>,
    /// string>`. A core module imports the canonical lowering of this type.
    ///
    /// The function runs on the thread of the worker whose plugin calls it, so several workers may call the function at
    /// the same time. The running time of the function counts towards the timeout of the item. No timeout interrupts
    /// the function: if a deadline passes during the call, the deadline takes effect when the function returns.
    ///
    /// The plugin receives the result (at most 64 MiB) or the text of the error (at most 4 KiB). If the function
    /// panics, the item has a fault, and the instance is replaced.
    ///
    /// If a name is invalid, reserved or offered twice, `load` and `from_bytes` fail.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// let plugin = Plugin::loader(&Engine::new()?)
    ///     .host_function("acme:store/lookup@1.0.0", "get", |_, key| Ok(key.repeat(2)))
    ///     .load("../tests/fixtures/host-function.wat")?;
    /// let record = Pool::builder(&plugin).build()?.map(["twice "]).next().unwrap()?;
    /// assert_eq!(record.bytes(), Some(&b"twice twice "[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn host_function<F>(
        mut self,
        interface: impl Into<String>,
        name: impl Into<String>,
        function: F,
    ) -> Self
    where
        F: Fn(&HostCall, &[u8]) -> Result<Vec<u8>, String> + Send + Sync + 'static,
    {
        self.settings.host_functions.add(interface.into(), name.into(), function);
        self
    }

    /// Allows these WebAssembly features (default: none). If a plugin uses a feature that is not allowed, the loader
    /// refuses the plugin.
    ///
    /// These features need a heap for garbage collection in the engine. A plugin for which no feature is allowed cannot
    /// access that heap, even if other plugins of its pool may use the features.
    ///
    /// ```
    /// # use mtl_host::load::{LoadErrorKind, WasmFeatures};
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// let loader = Plugin::loader(&Engine::new()?);
    /// let refused = loader.load("../tests/fixtures/exceptions.wat").unwrap_err();
    /// assert!(matches!(refused.kind(), LoadErrorKind::Features { .. }));
    ///
    /// // The plugin catches its own exception.
    /// let plugin = loader.wasm_features(WasmFeatures::EXCEPTIONS).load("../tests/fixtures/exceptions.wat")?;
    /// let record = Pool::builder(&plugin).build()?.map(["item"]).next().unwrap()?;
    /// assert_eq!(record.bytes(), Some(&b"item"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn wasm_features(mut self, features: WasmFeatures) -> Self {
        self.features = features;
        self
    }

    /// Limits the size of the file (default: [`PluginSize::DEFAULT`]).
    ///
    /// ```
    /// # use mtl_host::load::LoadErrorKind;
    /// # use mtl_host::{Engine, Plugin};
    /// let loader = Plugin::loader(&Engine::new()?).max_size("1KiB".parse()?);
    /// let refused = loader.load("../tests/fixtures/upper.wat").unwrap_err();
    /// assert!(matches!(refused.kind(), LoadErrorKind::TooLarge { .. }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn max_size(mut self, limit: PluginSize) -> Self {
        self.max_size = limit;
        self
    }

    /// Limits the number of functions of the plugin (default: [`FunctionLimit::DEFAULT`]).
    ///
    /// ```
    /// # use mtl_host::load::LoadErrorKind;
    /// # use mtl_host::{Engine, Plugin};
    /// let loader = Plugin::loader(&Engine::new()?).max_functions("1".parse()?);
    /// let refused = loader.load("../tests/fixtures/upper.wat").unwrap_err();
    /// assert!(matches!(refused.kind(), LoadErrorKind::TooManyFunctions { functions: 2, .. }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn max_functions(mut self, limit: FunctionLimit) -> Self {
        self.settings.max_functions = limit;
        self
    }

    /// Sets the process in which the plugin is compiled (default: [`Isolation::Thread`], this process).
    ///
    /// With [`Isolation::Process`], a jailed child process parses, compiles and checks the plugin. This process checks
    /// only the size and the digest of the file, and never loads the compiled code. The workers of such a plugin must
    /// run in processes.
    ///
    /// ```standalone_crate
    /// use mtl_host::isolation::{Isolation, Processes};
    /// use mtl_host::{BuildError, Engine, Plugin, Pool};
    ///
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     mtl_host::isolation::child_main();
    ///
    ///     let isolation = Isolation::Process(Processes::new());
    ///     let loader = Plugin::loader(&Engine::new()?).isolation(isolation.clone());
    ///     let plugin = loader.load("../tests/fixtures/upper.wat")?;
    ///     let mut pool = Pool::builder(&plugin).isolation(isolation).build()?;
    ///     assert_eq!(pool.map(["one"]).next().unwrap()?.bytes(), Some(&b"ONE"[..]));
    ///
    ///     let on_threads = Pool::builder(&plugin).build();
    ///     assert!(matches!(on_threads, Err(BuildError::OnlyInProcesses { .. })));
    ///     Ok(())
    /// }
    /// ```
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = isolation;
        self
    }

    /// Limits the time of a compilation in a child process (default: [`COMPILE_TIMEOUT`](Self::COMPILE_TIMEOUT)).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use mtl_host::{Engine, Plugin};
    /// let loader = Plugin::loader(&Engine::new()?).compile_timeout(Duration::from_secs(10));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn compile_timeout(mut self, timeout: Duration) -> Self {
        self.settings.limits.time = timeout;
        self
    }

    /// Limits the memory of a compilation in a child process (default: [`CompileMemory::DEFAULT`]).
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin};
    /// let loader = Plugin::loader(&Engine::new()?).compile_memory("1GiB".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn compile_memory(mut self, limit: CompileMemory) -> Self {
        self.settings.limits.memory = limit;
        self
    }

    /// Sets the cache, so that each plugin is compiled only once (default: no cache).
    ///
    /// The cache separates code that this process compiled from code that jailed processes compiled. Only jailed
    /// processes load the code that jailed processes compiled.
    ///
    /// ```
    /// # use mtl_host::cache::Cache;
    /// # use mtl_host::{Engine, Plugin};
    /// let folder = tempfile::tempdir()?;
    /// let cache = Cache::open(folder.path())?;
    /// let loader = Plugin::loader(&Engine::new()?).cache(&cache);
    /// loader.load("../tests/fixtures/upper.wat")?;
    /// loader.load("../tests/fixtures/upper.wat")?;
    /// assert_eq!(cache.stats().hits, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cache(mut self, cache: &Cache) -> Self {
        self.settings.cache = Some(cache.clone());
        self
    }

    /// Accepts files from [`Plugin::precompiled`] in addition to WebAssembly, and runs their code.
    ///
    /// ```
    /// # use mtl_host::load::LoadErrorKind;
    /// # use mtl_host::{Engine, Plugin};
    /// let engine = Engine::new()?;
    /// let compiled = Plugin::load(&engine, "../tests/fixtures/upper.wat")?.precompiled()?;
    ///
    /// let loader = Plugin::loader(&engine);
    /// let refused = loader.from_bytes("upper", &compiled).unwrap_err();
    /// assert!(matches!(refused.kind(), LoadErrorKind::Precompiled));
    ///
    /// // SAFETY: these bytes were compiled above.
    /// let loader = unsafe { loader.trust_precompiled() };
    /// assert!(loader.from_bytes("upper", &compiled).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Safety
    ///
    /// A precompiled file is machine code, and the loader can check only its digest. With [`Isolation::Thread`], the
    /// code can do anything that this process can do. All files for this loader must come unchanged from `precompiled`,
    /// and a trusted compiler must have compiled them.
    #[expect(unsafe_code, reason = "the caller vouches for machine code")]
    pub unsafe fn trust_precompiled(mut self) -> Self {
        self.trusts_precompiled = true;
        self
    }

    /// Loads the plugin in the file at `path`: a core module or a component, binary or text.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin};
    /// let loader = Plugin::loader(&Engine::new()?);
    /// let error = loader.load("no-such-file.wasm").unwrap_err();
    /// assert_eq!(error.to_string(), "cannot read plugin `no-such-file.wasm`");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if a host function cannot be offered, or if the file
    ///
    /// * cannot be read, is too large, or differs from the pinned digest;
    /// * is not WebAssembly, has too many functions, or uses a feature that is not allowed;
    /// * lacks a required export, or imports something that the host does not provide.
    pub fn load(&self, path: impl AsRef<Path>) -> Result<Plugin, LoadError> {
        let path = path.as_ref();
        let plugin =
            self.validated().and_then(|loader| loader.load_bytes(path, loader.read(path)?));
        plugin.map_err(LoadError::of(path))
    }

    /// Returns a description of the plugin in the file at `path`, without running its code. If the plugin cannot be
    /// loaded, the description contains everything that the host could read.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin};
    /// let loader = Plugin::loader(&Engine::new()?);
    /// assert!(loader.inspect("../tests/fixtures/no-call.wat")?.refusal.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, differs from the pinned digest, or is not WebAssembly, or if a host function
    /// cannot be offered.
    pub fn inspect(&self, path: impl AsRef<Path>) -> Result<Inspection, LoadError> {
        let path = path.as_ref();
        let inspection = self.validated().and_then(|loader| loader.inspect_path(path));
        inspection.map_err(LoadError::of(path))
    }

    fn inspect_path(&self, path: &Path) -> Result<Inspection, LoadErrorKind> {
        let bytes = self.read(path)?;
        self.check(&bytes)?;
        if precompiled::is_precompiled(&bytes) {
            return Err(LoadErrorKind::Precompiled);
        }
        match &self.isolation {
            Isolation::Thread => {
                let findings = self.settings.inspect_in_process(path, &bytes)?;
                Ok(Inspection::of(findings, path, &bytes, None))
            }
            Isolation::Process(processes) => {
                let compiler = Compiler {
                    processes,
                    settings: &self.settings,
                    path,
                    bytes: &bytes,
                    watch: None,
                };
                let (findings, missing_layers) = compiler.inspect()?;
                Ok(Inspection::of(findings, path, &bytes, missing_layers))
            }
        }
    }

    /// Loads a plugin from its bytes. Errors refer to the plugin by `name`.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin};
    /// let loader = Plugin::loader(&Engine::new()?);
    /// let error = loader.from_bytes("script", b"#!/bin/sh").unwrap_err();
    /// assert!(error.to_string().starts_with("plugin `script` is not WebAssembly"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails as [`load`](Self::load) does.
    pub fn from_bytes(&self, name: &str, bytes: &[u8]) -> Result<Plugin, LoadError> {
        let name = Path::new(name);
        let plugin = self.validated().and_then(|loader| loader.load_bytes(name, bytes.to_vec()));
        plugin.map_err(LoadError::of(name))
    }

    /// Checks the settings, and returns a loader whose engine allows the selected features.
    fn validated(&self) -> Result<Self, LoadErrorKind> {
        self.settings.host_functions.check()?;
        let engine = self.settings.engine.with_features(self.features)?;
        Ok(Self { settings: CompileSettings { engine, ..self.settings.clone() }, ..self.clone() })
    }

    fn load_bytes(&self, path: &Path, bytes: Vec<u8>) -> Result<Plugin, LoadErrorKind> {
        self.check(&bytes)?;
        if precompiled::is_precompiled(&bytes) {
            return self.load_precompiled(path, &bytes);
        }
        let plugin = match &self.isolation {
            Isolation::Thread => {
                Plugin::local(path, self.engine(), self.settings.load_in_process(path, &bytes)?)
            }
            Isolation::Process(processes) => {
                let (metadata, code) = self.load_in_child(processes, path, &bytes)?;
                let remote = RemotePlugin::from_file(code, metadata.kind, &self.settings);
                Plugin::remote_only(path, self.engine(), metadata, remote)
            }
        };
        // A snapshot is made from the original bytes.
        Ok(plugin.with_origin(bytes.into(), self))
    }

    fn engine(&self) -> &Engine {
        &self.settings.engine
    }

    pub(crate) fn settings(&self) -> &CompileSettings {
        &self.settings
    }
}
