//! Loads plugins through a cache, so that a plugin is not compiled again.
//!
//! The loader refuses a cached plugin for the same reasons as a new plugin. A cache entry proves only that the plugin
//! is valid WebAssembly. If this process loads the code, it makes all other checks at each load. If a jailed process
//! compiled the code, the entry's key includes all inputs of the checks that the jailed process made.

use std::fs::File;
use std::path::Path;

use super::PluginLoader;
use crate::cache::{Cache, EntryKind, Key};
use crate::engine::{LoadErrorKind, Metadata};
use crate::isolation::Processes;
use crate::isolation::compiler::Compiler;
use crate::jail::sealed_file::SealedFile;

impl PluginLoader {
    /// Loads a plugin in a jailed process. This process does not parse the bytes.
    pub(crate) fn load_in_child(
        &self,
        processes: &Processes,
        path: &Path,
        bytes: &[u8],
    ) -> Result<(Metadata, SealedFile), LoadErrorKind> {
        let compiler = Compiler { processes, settings: &self.settings, path, bytes, watch: None };
        let Some(cache) = &self.settings.cache else { return compiler.compile() };
        let key = self.jailed_key(path, bytes);
        if let Some(found) = load_jailed(cache, &key) {
            return Ok(found);
        }
        let (metadata, code) = compiler.compile()?;
        if let Ok(bytes) = code.read() {
            let metadata = serde_json::to_vec(&metadata).expect("names and truth values serialize");
            cache.keep_jailed(&key, &bytes, &metadata);
        }
        Ok((metadata, code))
    }

    /// Returns the key of a plugin that a jailed process compiles. The key includes every input that can change the
    /// compiled code or make the jailed process refuse the plugin.
    fn jailed_key(&self, path: &Path, bytes: &[u8]) -> Key {
        let functions = self.settings.host_functions.numbered();
        let functions = serde_json::to_vec(&functions).expect("names serialize");
        // The loader parses a file with this suffix as text, even if it does not look like text.
        let is_text = path.extension().is_some_and(|extension| extension == "wat");
        Key::builder(EntryKind::Plugin)
            .part(b"jailed")
            .part(env!("CARGO_PKG_VERSION").as_bytes())
            .part(self.engine().settings_digest().bytes())
            .part(self.settings.call_export.as_bytes())
            .part(&functions)
            .part(&self.settings.max_functions.get().to_le_bytes())
            .part(b"complexity is bounded")
            .part(&[u8::from(is_text)])
            .part(bytes)
            .build()
    }
}

/// Looks up code that a jailed process has compiled; only jailed processes may run this code. Copies the code to a
/// sealed file, which no process can change.
fn load_jailed(cache: &Cache, key: &Key) -> Option<(Metadata, SealedFile)> {
    let entry = cache.jailed(key)?;
    let metadata = serde_json::from_slice(entry.metadata()).map_err(std::io::Error::from);
    let found = metadata.and_then(|metadata| {
        let file: &File = entry.file();
        Ok((metadata, SealedFile::copy(file, entry.length())?))
    });
    found.inspect_err(|error| cache.mark_damaged(key, error)).ok()
}
