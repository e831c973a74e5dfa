//! Loads plugins with settings beside their file.

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

/// Loads plugins: pinned to a digest, by another export than `call`, with functions of your own.
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
    /// How long compiling may take in a process of its own, unless said otherwise: several times as
    /// long as the largest plugin takes that may be loaded, on one core.
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

    /// Refuses every file but the one with this digest, before anything of it is parsed. It is
    /// the digest of the file as it is, text or binary.
    ///
    /// ```
    /// # use mtl_host::{Engine, LoadErrorKind, Plugin, Sha256};
    /// let wat = std::fs::read("../tests/fixtures/upper.wat")?;
    /// let loader = Plugin::loader(&Engine::new()?).sha256(Sha256::of(&wat));
    /// assert!(loader.from_bytes("upper", &wat).is_ok());
    /// let other = loader.load("../tests/fixtures/echo.wat");
    /// assert!(matches!(other.unwrap_err().kind(), LoadErrorKind::Digest { .. }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sha256(mut self, digest: Sha256) -> Self {
        self.sha256 = Some(digest);
        self
    }

    /// The export that takes items. Default: `call`.
    ///
    /// Of a component that is any function of plain values: it is called with JSON, by its types.
    /// `interface#name` says which is meant where several interfaces have one of this name.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// let loader = Plugin::loader(&Engine::new()?).call("first");
    /// let plugin = loader.load("../tests/fixtures/renamed-call.wat")?;
    /// let record = Pool::builder(&plugin).build()?.map(["item"]).next().unwrap()?;
    /// assert_eq!(record.bytes(), Some(&b"i"[..]), "its first byte");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn call(mut self, export: impl Into<String>) -> Self {
        self.settings.call = export.into();
        self
    }

    /// Offers a function of yours to the plugin, as `name` of the interface `interface`, such as
    /// `acme:store/lookup@1.0.0`. A component imports it as
    /// `func(input: list<u8>) -> result<list<u8>, string>`, a core module by the canonical
    /// lowering of that.
    ///
    /// It runs on the thread of the worker whose plugin has called it, for several workers at
    /// once, and the time it takes is the item's; no time-out interrupts it: one that has passed
    /// meanwhile is noticed when it returns. The plugin gets the answer, of up to 64 MiB, or the
    /// text of the error, of up to 4 KiB. A panic is the fault of the item, and the instance is
    /// replaced.
    ///
    /// Names that cannot be offered are refused by `load` and `from_bytes`.
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
        self.settings.functions.add(interface.into(), name.into(), function);
        self
    }

    /// Lets the plugin use these features of WebAssembly (default: none of them). Without, a plugin
    /// that uses one is refused.
    ///
    /// They need a heap for garbage collection in the engine. A plugin to which they are not
    /// allowed cannot reach that heap, whatever is allowed to others of its pool.
    ///
    /// ```
    /// # use mtl_host::{Engine, LoadErrorKind, Plugin, Pool, WasmFeatures};
    /// let loader = Plugin::loader(&Engine::new()?);
    /// let refused = loader.load("../tests/fixtures/exceptions.wat").unwrap_err();
    /// assert!(matches!(refused.kind(), LoadErrorKind::Features { .. }));
    ///
    /// // It catches what it throws.
    /// let plugin = loader.wasm(WasmFeatures::EXCEPTIONS).load("../tests/fixtures/exceptions.wat")?;
    /// let record = Pool::builder(&plugin).build()?.map(["item"]).next().unwrap()?;
    /// assert_eq!(record.bytes(), Some(&b"item"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn wasm(mut self, features: WasmFeatures) -> Self {
        self.features = features;
        self
    }

    /// How large the file may be. Default: [`PluginSize::DEFAULT`].
    ///
    /// ```
    /// # use mtl_host::{Engine, LoadErrorKind, Plugin};
    /// let loader = Plugin::loader(&Engine::new()?).max_size("1KiB".parse()?);
    /// let refused = loader.load("../tests/fixtures/upper.wat").unwrap_err();
    /// assert!(matches!(refused.kind(), LoadErrorKind::TooLarge { .. }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn max_size(mut self, limit: PluginSize) -> Self {
        self.max_size = limit;
        self
    }

    /// How many functions the plugin may have. Default: [`FunctionLimit::DEFAULT`].
    ///
    /// ```
    /// # use mtl_host::{Engine, LoadErrorKind, Plugin};
    /// let loader = Plugin::loader(&Engine::new()?).max_functions("1".parse()?);
    /// let refused = loader.load("../tests/fixtures/upper.wat").unwrap_err();
    /// assert!(matches!(refused.kind(), LoadErrorKind::TooManyFunctions { functions: 2, .. }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn max_functions(mut self, limit: FunctionLimit) -> Self {
        self.settings.max_functions = limit;
        self
    }

    /// Where the plugin is compiled. Default: [`Isolation::Thread`], in this process.
    ///
    /// With [`Isolation::Process`] a jailed process of its own reads, compiles and checks it. This
    /// process does no more than look at the size and the digest of its file, and never loads the
    /// compiled code: its workers run in processes, too.
    ///
    /// ```standalone_crate
    /// use mtl_host::{BuildError, Engine, Isolation, Plugin, Pool, Processes};
    ///
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     mtl_host::child_main();
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

    /// How long compiling may take in a process of its own. Default:
    /// [`COMPILE_TIMEOUT`](Self::COMPILE_TIMEOUT).
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

    /// What compiling may take of memory in a process of its own. Default:
    /// [`CompileMemory::DEFAULT`].
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

    /// Where compiled code is kept, so that a plugin is compiled once. Default: nowhere.
    ///
    /// What was compiled in this process and what was compiled in jails is kept apart: the latter
    /// is only ever loaded in jails.
    ///
    /// ```
    /// # use mtl_host::{Cache, Engine, Plugin};
    /// let folder = tempfile::tempdir()?;
    /// let cache = Cache::open(folder.path())?;
    /// let loader = Plugin::loader(&Engine::new()?).cache(&cache);
    /// loader.load("../tests/fixtures/upper.wat")?;
    /// loader.load("../tests/fixtures/upper.wat")?;
    /// assert_eq!(cache.uses().hits, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cache(mut self, cache: &Cache) -> Self {
        self.settings.cache = Some(cache.clone());
        self
    }

    /// Takes also files that [`Plugin::precompiled`] has made, and runs what is in them.
    ///
    /// ```
    /// # use mtl_host::{Engine, LoadErrorKind, Plugin};
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
    /// Such a file is machine code. Nothing of it is checked but that it is as it was written: with
    /// [`Isolation::Thread`] it can do whatever this process can. All files that this loader is
    /// given must be as `precompiled` made them, from a plugin that was compiled by a compiler
    /// that can be trusted.
    #[expect(unsafe_code, reason = "who calls it answers for machine code")]
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
    /// When the file cannot be read or is too large, is not the one that is pinned, is not
    /// WebAssembly, has too many functions, uses features that are not allowed, lacks an export that a
    /// plugin must have, or imports what the host does not provide; and when a host function cannot be
    /// offered.
    pub fn load(&self, path: impl AsRef<Path>) -> Result<Plugin, LoadError> {
        let path = path.as_ref();
        let made = self.ready().and_then(|loader| loader.make(path, loader.read(path)?));
        made.map_err(LoadError::of(path))
    }

    /// Reads what is in the file at `path`, without running any of it; also what would not load,
    /// as far as it can be read.
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
    /// When the file cannot be read, is not the one that is pinned, or is not WebAssembly; and when
    /// a host function cannot be offered.
    pub fn inspect(&self, path: impl AsRef<Path>) -> Result<Inspection, LoadError> {
        let path = path.as_ref();
        let found = self.ready().and_then(|loader| loader.look_into(path));
        found.map_err(LoadError::of(path))
    }

    fn look_into(&self, path: &Path) -> Result<Inspection, LoadErrorKind> {
        let bytes = self.read(path)?;
        self.check(&bytes)?;
        if precompiled::is_precompiled(&bytes) {
            return Err(LoadErrorKind::Precompiled);
        }
        match &self.isolation {
            Isolation::Thread => {
                let found = self.settings.inspect_here(path, &bytes)?;
                Ok(Inspection::of(found, path, &bytes, None))
            }
            Isolation::Process(processes) => {
                let compiler = Compiler {
                    processes,
                    settings: &self.settings,
                    path,
                    bytes: &bytes,
                    watch: None,
                };
                let (found, lacks) = compiler.findings()?;
                Ok(Inspection::of(found, path, &bytes, lacks))
            }
        }
    }

    /// Loads a plugin from its bytes; `name` is how errors call it.
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
    /// As [`load`](Self::load).
    pub fn from_bytes(&self, name: &str, bytes: &[u8]) -> Result<Plugin, LoadError> {
        let name = Path::new(name);
        let made = self.ready().and_then(|loader| loader.make(name, bytes.to_vec()));
        made.map_err(LoadError::of(name))
    }

    /// The same, with the engine that allows what it is to allow.
    fn ready(&self) -> Result<Self, LoadErrorKind> {
        self.settings.functions.check()?;
        let engine = self.settings.engine.allowing(self.features)?;
        Ok(Self { settings: CompileSettings { engine, ..self.settings.clone() }, ..self.clone() })
    }

    fn make(&self, path: &Path, bytes: Vec<u8>) -> Result<Plugin, LoadErrorKind> {
        self.check(&bytes)?;
        if precompiled::is_precompiled(&bytes) {
            return self.take_precompiled(path, &bytes);
        }
        let plugin = match &self.isolation {
            Isolation::Thread => {
                Plugin::here(path, self.engine(), self.settings.load_here(path, &bytes)?)
            }
            Isolation::Process(processes) => {
                let (metadata, code) = self.load_elsewhere(processes, path, &bytes)?;
                let remote = RemotePlugin::from_file(code, metadata.kind, &self.settings);
                Plugin::elsewhere(path, self.engine(), metadata, remote)
            }
        };
        // Without what it was made of, it cannot be frozen.
        Ok(plugin.with_origin(bytes.into(), self))
    }

    fn engine(&self) -> &Engine {
        &self.settings.engine
    }

    pub(crate) fn settings(&self) -> &CompileSettings {
        &self.settings
    }
}
