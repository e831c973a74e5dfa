//! What is checked of a plugin's file before anything of it is parsed or compiled.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::PluginLoader;
use crate::item::digest::Sha256;
use crate::plugin::artifact::Artifact;
use crate::plugin::{Complexity, LoadError, WasmFeatures, functions};

impl PluginLoader {
    /// What is in a file, and no more of it than shows that it is too large.
    pub(super) fn read(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        let most = (self.max_size.bytes() as u64).saturating_add(1);
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| {
            // What its size is said to be saves many small reads, and bounds nothing.
            let length = file.metadata()?.len().min(most);
            let _ = bytes.try_reserve_exact(usize::try_from(length).unwrap_or_default());
            file.take(most).read_to_end(&mut bytes)
        });
        read.map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
        Ok(bytes)
    }

    /// Checks what can be said of bytes that nobody has looked into.
    pub(super) fn check(&self, path: &Path, bytes: &[u8]) -> Result<(), LoadError> {
        if bytes.len() > self.max_size.bytes() {
            return Err(LoadError::TooLarge { path: path.to_owned(), limit: self.max_size });
        }
        self.check_digest(path, bytes)
    }

    /// Checks that compiling takes no more than it may.
    pub(in crate::plugin) fn check_size(
        &self,
        path: &Path,
        artifact: &Artifact<'_>,
    ) -> Result<(), LoadError> {
        Self::check_complexity(path, artifact)?;
        self.check_functions(path, artifact)
    }

    /// Checks that the plugin is no more complex than compilers make plugins.
    pub(in crate::plugin) fn check_complexity(
        path: &Path,
        artifact: &Artifact<'_>,
    ) -> Result<(), LoadError> {
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
    pub(in crate::plugin) fn not_compiled(
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

    fn check_digest(&self, path: &Path, bytes: &[u8]) -> Result<(), LoadError> {
        let Some(expected) = self.sha256 else { return Ok(()) };
        let found = Sha256::of(bytes);
        if found != expected {
            return Err(LoadError::Digest { path: path.to_owned(), expected, found });
        }
        Ok(())
    }
}
