//! Checks of a plugin before anything of it is compiled.

use crate::engine::artifact::Artifact;
use crate::engine::compile_settings::CompileSettings;
use crate::engine::{Complexity, LoadErrorKind, WasmFeatures, functions};

impl CompileSettings {
    /// Checks that compiling takes no more than it may.
    pub(crate) fn check_size(&self, artifact: &Artifact<'_>) -> Result<(), LoadErrorKind> {
        Self::check_complexity(artifact)?;
        self.check_functions(artifact)
    }

    /// Checks that the plugin is no more complex than compilers make plugins.
    pub(crate) fn check_complexity(artifact: &Artifact<'_>) -> Result<(), LoadErrorKind> {
        match Complexity::excess(artifact.bytes()) {
            None => Ok(()),
            Some(complexity) => Err(LoadErrorKind::TooComplex { complexity }),
        }
    }

    fn check_functions(&self, artifact: &Artifact<'_>) -> Result<(), LoadErrorKind> {
        let (functions, limit) = (functions::count(artifact.bytes()), self.max_functions);
        if functions > u64::from(limit.get()) {
            return Err(LoadErrorKind::TooManyFunctions { functions, limit });
        }
        Ok(())
    }

    /// Says why the engine has not compiled it: it uses what is not allowed, or is not valid.
    pub(crate) fn not_compiled(
        &self,
        artifact: &Artifact<'_>,
        error: wasmtime::Error,
    ) -> LoadErrorKind {
        let allowed = self.engine.features();
        match WasmFeatures::used_by(artifact.bytes()) {
            Some(used) if !allowed.contains(used) => {
                LoadErrorKind::Features { missing: used.without(allowed), allowed }
            }
            _ => LoadErrorKind::invalid(error),
        }
    }
}
