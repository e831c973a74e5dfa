//! The steps of a jailed process that compiles the modules of a snapshot.

use std::path::Path;

use crate::engine::compile_settings::CompileSettings;
use crate::engine::snapshot::Instrumented;
use crate::engine::wasm_binary::WasmBinary;
use crate::engine::{LinkedPlugin, LoadErrorKind, start_compilers};
use crate::event::snapshot_refusal::SnapshotRefusal;

impl CompileSettings {
    /// Loads the instrumented form of a plugin, whose instances can be frozen.
    pub(crate) fn load_instrumented(
        &self,
        path: &Path,
        bytes: &[u8],
    ) -> Result<Result<LinkedPlugin, SnapshotRefusal>, LoadErrorKind> {
        let binary = WasmBinary::from_bytes(path, bytes)?;
        self.check_size(&binary)?;
        match Instrumented::of(binary.bytes()) {
            Ok(instrumented) => self.load_in_process(path, instrumented.module()).map(Ok),
            Err(why) => Ok(Err(why)),
        }
    }

    /// Compiles the module of a snapshot.
    pub(crate) fn compile_snapshot(
        &self,
        path: &Path,
        bytes: &[u8],
    ) -> Result<Vec<u8>, LoadErrorKind> {
        let binary = WasmBinary::from_bytes(path, bytes)?;
        self.check_size(&binary)?;
        start_compilers()?;
        let code = self.engine.compile_snapshot(binary.bytes());
        code.map_err(LoadErrorKind::invalid)
    }
}
