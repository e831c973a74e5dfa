//! Loads by way of a cache: a plugin that was compiled before is not compiled again.
//!
//! A plugin that is kept is refused as one that is not. What is in the cache was valid, and that
//! is all it says: the rest is checked at each load, here, where the code is in this process; and
//! where it is not, all that the jailed compiler had to check against is part of the key.

use std::fs::File;
use std::path::Path;

use super::PluginLoader;
use crate::cache::{Cache, EntryKind, Key};
use crate::engine::{LoadErrorKind, Metadata};
use crate::isolation::Processes;
use crate::isolation::compiler::Compiler;
use crate::jail::sealed_file::SealedFile;

impl PluginLoader {
    /// Has these bytes loaded by a jailed process: this one does not look into them.
    pub(crate) fn load_elsewhere(
        &self,
        processes: &Processes,
        path: &Path,
        bytes: &[u8],
    ) -> Result<(Metadata, SealedFile), LoadErrorKind> {
        let compiler = Compiler { processes, settings: &self.settings, path, bytes, watch: None };
        let Some(cache) = &self.settings.cache else { return compiler.code() };
        let key = self.jailed_key(path, bytes);
        if let Some(found) = recall_jailed(cache, &key) {
            return Ok(found);
        }
        let (metadata, code) = compiler.code()?;
        if let Ok(bytes) = code.read() {
            let metadata = serde_json::to_vec(&metadata).expect("it is names and truth values");
            cache.keep_jailed(&key, &bytes, &metadata);
        }
        Ok((metadata, code))
    }

    /// All that makes a difference for a jailed compiler, also for whether it refuses the plugin.
    fn jailed_key(&self, path: &Path, bytes: &[u8]) -> Key {
        let functions = self.settings.functions.numbered();
        let functions = serde_json::to_vec(&functions).expect("they are names");
        // By its name, text is told from what is neither text nor binary.
        let is_text = path.extension().is_some_and(|extension| extension == "wat");
        Key::of(EntryKind::Plugin)
            .part(b"jailed")
            .part(env!("CARGO_PKG_VERSION").as_bytes())
            .part(self.engine().settings().bytes())
            .part(self.settings.call.as_bytes())
            .part(&functions)
            .part(&self.settings.max_functions.get().to_le_bytes())
            .part(b"complexity is bounded")
            .part(&[u8::from(is_text)])
            .part(bytes)
            .end()
    }
}

/// What a jailed process has compiled for the same key. It is copied to where nobody can change
/// it, for jailed processes alone.
fn recall_jailed(cache: &Cache, key: &Key) -> Option<(Metadata, SealedFile)> {
    let jailed = cache.jailed(key)?;
    let recalled = serde_json::from_slice(jailed.metadata()).map_err(std::io::Error::from);
    let recalled = recalled.and_then(|metadata| {
        let file: &File = jailed.file();
        Ok((metadata, SealedFile::copy(file, jailed.length())?))
    });
    recalled.inspect_err(|error| cache.reject(key, error)).ok()
}
