//! Checks of a plugin that run before any of it is compiled.

use crate::engine::compile_settings::CompileSettings;
use crate::engine::wasm_binary::WasmBinary;
use crate::engine::{Complexity, LoadErrorKind, WasmFeatures, functions};

impl CompileSettings {
    /// Checks that compiling the plugin stays within the limits.
    pub(crate) fn check_size(&self, binary: &WasmBinary<'_>) -> Result<(), LoadErrorKind> {
        Self::check_complexity(binary)?;
        self.check_functions(binary)
    }

    /// Checks that the plugin is no more complex than the output of real compilers.
    pub(crate) fn check_complexity(binary: &WasmBinary<'_>) -> Result<(), LoadErrorKind> {
        match Complexity::exceeded(binary.bytes()) {
            None => Ok(()),
            Some(complexity) => Err(LoadErrorKind::TooComplex { complexity }),
        }
    }

    fn check_functions(&self, binary: &WasmBinary<'_>) -> Result<(), LoadErrorKind> {
        let (functions, limit) = (functions::count(binary.bytes()), self.max_functions);
        if functions > u64::from(limit.get()) {
            return Err(LoadErrorKind::TooManyFunctions { functions, limit });
        }
        Ok(())
    }

    /// Returns the cause of an error of the engine's compiler: a feature that is not allowed, or an invalid binary.
    pub(crate) fn compile_error(
        &self,
        binary: &WasmBinary<'_>,
        error: wasmtime::Error,
    ) -> LoadErrorKind {
        let allowed = self.engine.features();
        match WasmFeatures::used_by(binary.bytes()) {
            Some(used) if !allowed.contains(used) => {
                LoadErrorKind::Features { missing: used.without(allowed), allowed }
            }
            _ => LoadErrorKind::invalid(error),
        }
    }
}
