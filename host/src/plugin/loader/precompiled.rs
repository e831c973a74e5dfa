//! Plugins that were compiled ahead of time into files: `.cwasm`.
//!
//! Machine code cannot be checked. Therefore a loader runs such a file only after the caller has
//! used an unsafe function to vouch for it. The loader then trusts the metadata of the file.

use std::io::Cursor;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::PluginLoader;
use crate::cache::code_package::CodePackage;
use crate::cache::{EntryKind, Key};
use crate::engine::compiled_code::TrustedCode;
use crate::engine::{
    Engine, EngineOptions, LoadErrorKind, Metadata, PrecompiledMismatch, link_compiled,
};
use crate::isolation::Isolation;
use crate::isolation::remote_plugin::RemotePlugin;
use crate::jail::sealed_file::SealedFile;
use crate::plugin::Plugin;

/// The metadata of a precompiled file.
#[derive(Debug, Serialize, Deserialize)]
struct PrecompiledMetadata {
    version: String,
    engine: EngineOptions,
    metadata: Metadata,
}

/// Returns whether a file begins like compiled code of the engine.
pub(crate) fn is_precompiled(bytes: &[u8]) -> bool {
    const ENGINE_ABI: u8 = 200;
    bytes.starts_with(b"\x7fELF") && bytes.get(7) == Some(&ENGINE_ABI)
}

/// Returns the contents of a precompiled file.
pub(crate) fn write(engine: &Engine, metadata: Metadata, code: &[u8]) -> std::io::Result<Vec<u8>> {
    let version = env!("CARGO_PKG_VERSION").into();
    let info = PrecompiledMetadata { version, engine: engine.options(), metadata };
    let info = serde_json::to_vec(&info).expect("text and truth values serialize");
    let mut file = Vec::with_capacity(code.len() + info.len());
    CodePackage::write(&mut file, key(engine).digest(), code, &info)?;
    Ok(file)
}

/// Returns the key of everything that must be equal for the code to run.
fn key(engine: &Engine) -> Key {
    let key = Key::builder(EntryKind::Precompiled).part(env!("CARGO_PKG_VERSION").as_bytes());
    key.part(engine.settings_digest().bytes()).build()
}

impl PluginLoader {
    /// Loads the plugin in a precompiled file.
    pub(super) fn load_precompiled(
        &self,
        path: &Path,
        bytes: &[u8],
    ) -> Result<Plugin, LoadErrorKind> {
        if !self.trusts_precompiled {
            return Err(LoadErrorKind::Precompiled);
        }
        let opened = self.open(bytes).map_err(LoadErrorKind::PrecompiledMismatch)?;
        let (package, PrecompiledMetadata { metadata, .. }) = opened;
        let length = usize::try_from(package.code_length).expect("the code is in memory");
        let code = &bytes[..length];
        match &self.isolation {
            Isolation::Thread => {
                let code = TrustedCode::VouchedFor(code);
                let linked = link_compiled(&self.settings, &code, metadata.kind)?;
                Ok(Plugin::local(path, self.engine(), linked))
            }
            Isolation::Process(_) => {
                let code = SealedFile::from_bytes(code).map_err(LoadErrorKind::code)?;
                let remote = RemotePlugin::from_file(code, metadata.kind, &self.settings);
                Ok(Plugin::remote_only(path, self.engine(), metadata, remote))
            }
        }
    }

    /// Reads the metadata of a file. This fails if the file is damaged, or its code does not match
    /// this library, engine or processor.
    fn open(
        &self,
        bytes: &[u8],
    ) -> Result<(CodePackage, PrecompiledMetadata), PrecompiledMismatch> {
        let damaged = |_| PrecompiledMismatch::Damaged;
        let package = CodePackage::read(Cursor::new(bytes)).map_err(damaged)?;
        let info = serde_json::from_slice(&package.metadata);
        let info: PrecompiledMetadata = info.map_err(|_| PrecompiledMismatch::Damaged)?;
        if info.version != env!("CARGO_PKG_VERSION") {
            let found = info.version.escape_debug().to_string();
            return Err(PrecompiledMismatch::Version { found });
        }
        let is_counted = info.engine.counts_fuel;
        if is_counted != self.engine().counts_fuel() {
            return Err(PrecompiledMismatch::Fuel { is_counted });
        }
        let features = info.engine.features;
        if features != self.engine().features() {
            return Err(PrecompiledMismatch::Features { features });
        }
        if package.key != key(self.engine()).digest() {
            return Err(PrecompiledMismatch::Processor);
        }
        Ok((package, info))
    }
}
