//! Modules on the way to a snapshot, where they are compiled in a jailed process.

use std::path::Path;

use crate::engine::artifact::Artifact;
use crate::engine::compile_settings::CompileSettings;
use crate::engine::snapshot::Instrumented;
use crate::engine::{LinkedPlugin, LoadErrorKind, start_compilers};
use crate::event::snapshot_refusal::SnapshotRefusal;

impl CompileSettings {
    /// Loads a plugin whose instances can be frozen.
    pub(crate) fn load_instrumented(
        &self,
        path: &Path,
        bytes: &[u8],
    ) -> Result<Result<LinkedPlugin, SnapshotRefusal>, LoadErrorKind> {
        let artifact = Artifact::from_bytes(path, bytes)?;
        self.check_size(&artifact)?;
        match Instrumented::of(artifact.bytes()) {
            Ok(instrumented) => self.load_here(path, instrumented.module()).map(Ok),
            Err(why) => Ok(Err(why)),
        }
    }

    /// The code of an instance that was frozen.
    pub(crate) fn compile_snapshot(
        &self,
        path: &Path,
        bytes: &[u8],
    ) -> Result<Vec<u8>, LoadErrorKind> {
        let artifact = Artifact::from_bytes(path, bytes)?;
        self.check_size(&artifact)?;
        start_compilers()?;
        let code = self.engine.compile_snapshot(artifact.bytes());
        code.map_err(LoadErrorKind::invalid)
    }
}
