//! The settings that a process compiles and links a plugin with, and the steps that need them.

mod checks;
mod frozen;

use std::path::Path;
use std::time::Duration;

use super::compiled_code::{CompiledCode, TrustedCode};
use super::plugin_code::LinkedPlugin;
use super::wasm_binary::WasmBinary;
use super::{Engine, Findings, HostFunctions, LoadErrorKind, PluginKind, kinds, start_compilers};
use crate::cache::{Cache, EntryKind, Key};
use crate::item::limits::{CompileMemory, FunctionLimit};

/// The settings that a plugin is compiled and linked with.
#[derive(Clone, Debug)]
pub(crate) struct CompileSettings {
    pub(crate) engine: Engine,
    /// The export that takes items.
    pub(crate) call_export: String,
    pub(crate) host_functions: HostFunctions,
    pub(crate) max_functions: FunctionLimit,
    pub(crate) limits: CompileLimits,
    /// The cache for compiled code, if the user set one.
    pub(crate) cache: Option<Cache>,
}

/// The limits of a child process that compiles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CompileLimits {
    pub(crate) time: Duration,
    pub(crate) memory: CompileMemory,
}

impl CompileLimits {
    /// The default time limit: several times the compile time of the largest allowed plugin on one core.
    pub(crate) const DEFAULT_TIME: Duration = Duration::from_mins(5);
}

impl CompileSettings {
    /// The default name of the export that takes items.
    pub(crate) const CALL: &str = "call";

    /// Returns the default settings.
    pub(crate) fn new(engine: &Engine) -> Self {
        Self {
            engine: engine.clone(),
            call_export: Self::CALL.into(),
            host_functions: HostFunctions::default(),
            max_functions: FunctionLimit::DEFAULT,
            limits: CompileLimits {
                time: CompileLimits::DEFAULT_TIME,
                memory: CompileMemory::DEFAULT,
            },
            cache: None,
        }
    }

    /// Returns the settings for linking compiled code in a child, whose host functions live in the parent.
    pub(crate) fn of_child(engine: &Engine, call: &str, functions: HostFunctions) -> Self {
        Self { call_export: call.into(), host_functions: functions, ..Self::new(engine) }
    }

    /// Compiles and links a plugin in this process, or takes its code from the cache.
    pub(crate) fn load_in_process(
        &self,
        path: &Path,
        bytes: &[u8],
    ) -> Result<LinkedPlugin, LoadErrorKind> {
        let binary = WasmBinary::from_bytes(path, bytes)?;
        self.check_size(&binary)?;
        let Some(cache) = &self.cache else {
            start_compilers()?;
            return kinds::link(self, &CompiledCode::compile(self, &binary)?);
        };
        let key = self.cache_key(&binary);
        if let Some(code) = self.cached_code(cache, &key, binary.kind()) {
            return kinds::link(self, &code);
        }
        start_compilers()?;
        let code = CompiledCode::compile(self, &binary)?;
        let plugin = kinds::link(self, &code)?;
        if let Ok(code) = code.serialize() {
            cache.keep_trusted(&key, &code, b"");
        }
        Ok(plugin)
    }

    /// Returns the cached code that this host compiled for the same key.
    fn cached_code(&self, cache: &Cache, key: &Key, kind: PluginKind) -> Option<CompiledCode> {
        let entry = cache.trusted(key)?;
        let loaded = CompiledCode::load(&self.engine, &TrustedCode::Cached(&entry), kind);
        loaded.inspect_err(|error| cache.mark_damaged(key, error)).ok()
    }

    fn cache_key(&self, binary: &WasmBinary<'_>) -> Key {
        let key = Key::builder(EntryKind::Plugin)
            .part(b"trusted")
            .part(env!("CARGO_PKG_VERSION").as_bytes());
        key.part(self.engine.settings_digest().bytes()).part(binary.bytes()).build()
    }

    /// Inspects a plugin in this process.
    pub(crate) fn inspect_in_process(
        &self,
        path: &Path,
        bytes: &[u8],
    ) -> Result<Findings, LoadErrorKind> {
        start_compilers()?;
        Ok(Findings::of(self, &WasmBinary::from_bytes(path, bytes)?))
    }
}
