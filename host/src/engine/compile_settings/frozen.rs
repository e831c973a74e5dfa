//! Modules on the way to a snapshot, where they are compiled in a jailed process.

use std::path::Path;

use crate::engine::artifact::Artifact;
use crate::engine::compile_settings::CompileSettings;
use crate::engine::snapshot::Instrumented;
use crate::engine::{LoadError, Loaded, start_compilers};
use crate::event::snapshot_refusal::SnapshotRefusal;

impl CompileSettings {
    /// Loads a plugin whose instances can be frozen.
    pub(crate) fn load_instrumented(
        &self,
        path: &Path,
        bytes: &[u8],
    ) -> Result<Result<Loaded, SnapshotRefusal>, LoadError> {
        let artifact = Artifact::from_bytes(path, bytes)?;
        self.check_size(path, &artifact)?;
        match Instrumented::of(artifact.bytes()) {
            Ok(instrumented) => self.load_here(path, instrumented.module()).map(Ok),
            Err(why) => Ok(Err(why)),
        }
    }

    /// The code of an instance that was frozen.
    pub(crate) fn compile_snapshot(&self, path: &Path, bytes: &[u8]) -> Result<Vec<u8>, LoadError> {
        let artifact = Artifact::from_bytes(path, bytes)?;
        self.check_size(path, &artifact)?;
        start_compilers()?;
        let code = self.engine.compile_snapshot(artifact.bytes());
        code.map_err(|error| LoadError::Invalid { path: path.to_owned(), source: error.into() })
    }
}
