//! Checks of a plugin before anything of it is compiled.

use std::path::Path;

use crate::engine::artifact::Artifact;
use crate::engine::compile_settings::CompileSettings;
use crate::engine::{Complexity, LoadError, WasmFeatures, functions};

impl CompileSettings {
    /// Checks that compiling takes no more than it may.
    pub(crate) fn check_size(&self, path: &Path, artifact: &Artifact<'_>) -> Result<(), LoadError> {
        Self::check_complexity(path, artifact)?;
        self.check_functions(path, artifact)
    }

    /// Checks that the plugin is no more complex than compilers make plugins.
    pub(crate) fn check_complexity(path: &Path, artifact: &Artifact<'_>) -> Result<(), LoadError> {
        match Complexity::excess(artifact.bytes()) {
            None => Ok(()),
            Some(complexity) => Err(LoadError::TooComplex { path: path.to_owned(), complexity }),
        }
    }

    fn check_functions(&self, path: &Path, artifact: &Artifact<'_>) -> Result<(), LoadError> {
        let (functions, limit) = (functions::count(artifact.bytes()), self.max_functions);
        if functions > u64::from(limit.get()) {
            let path = path.to_owned();
            return Err(LoadError::TooManyFunctions { path, functions, limit });
        }
        Ok(())
    }

    /// Says why the engine has not compiled it: it uses what is not allowed, or is not valid.
    pub(crate) fn not_compiled(
        &self,
        path: &Path,
        artifact: &Artifact<'_>,
        error: wasmtime::Error,
    ) -> LoadError {
        let (path, allowed) = (path.to_owned(), self.engine.features());
        match WasmFeatures::used_by(artifact.bytes()) {
            Some(used) if !allowed.contains(used) => {
                LoadError::Features { path, missing: used.without(allowed), allowed }
            }
            _ => LoadError::Invalid { path, source: error.into() },
        }
    }
}
