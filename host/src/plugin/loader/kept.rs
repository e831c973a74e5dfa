//! Loads by way of a cache: a plugin that was compiled before is not compiled again.
//!
//! A plugin that is kept is refused as one that is not. What is in the cache was valid, and that
//! is all it says: the rest is checked at each load, here, where the code is in this process; and
//! where it is not, all that the jailed compiler had to check against is part of the key.

use std::fs::File;
use std::path::Path;

use super::PluginLoader;
use crate::cache::{Cache, EntryKind, Key};
use crate::isolation::Processes;
use crate::isolation::compiler::Compiler;
use crate::jail::sealed_file::CodeFile;
use crate::plugin::artifact::{Artifact, Kind};
use crate::plugin::code::{MachineCode, Runnable};
use crate::plugin::engine::start_compilers;
use crate::plugin::{Facts, LoadError, Loaded};

impl PluginLoader {
    /// Loads these bytes in this process.
    pub(crate) fn load_here(&self, path: &Path, bytes: &[u8]) -> Result<Loaded, LoadError> {
        let artifact = Artifact::from_bytes(path, bytes)?;
        self.check_size(path, &artifact)?;
        let Some(cache) = &self.cache else {
            start_compilers()?;
            return Loaded::link(self, path, &MachineCode::compile(self, path, &artifact)?);
        };
        let key = self.own_key(&artifact);
        if let Some(code) = self.recall(cache, &key, artifact.kind()) {
            return Loaded::link(self, path, &code);
        }
        start_compilers()?;
        let code = MachineCode::compile(self, path, &artifact)?;
        let loaded = Loaded::link(self, path, &code)?;
        if let Ok(code) = code.bytes() {
            cache.keep_own(&key, &code, b"");
        }
        Ok(loaded)
    }

    /// Code that this host has compiled for the same key.
    fn recall(&self, cache: &Cache, key: &Key, kind: Kind) -> Option<MachineCode> {
        let own = cache.own(key)?;
        let taken = MachineCode::take(&self.engine, &Runnable::Own(&own), kind);
        taken.inspect_err(|error| cache.was_of_no_use(key, error)).ok()
    }

    fn own_key(&self, artifact: &Artifact<'_>) -> Key {
        let kind: &[u8] = match artifact.kind() {
            Kind::Core => b"core",
            Kind::Component => b"component",
        };
        let key =
            Key::of(EntryKind::Plugin).part(b"trusted").part(env!("CARGO_PKG_VERSION").as_bytes());
        key.part(self.engine.settings().bytes()).part(kind).part(artifact.bytes()).end()
    }

    /// Has these bytes loaded by a jailed process: this one does not look into them.
    pub(super) fn load_elsewhere(
        &self,
        processes: &Processes,
        path: &Path,
        bytes: &[u8],
    ) -> Result<(Facts, CodeFile), LoadError> {
        let compiler = Compiler { processes, loader: self, path, bytes, watch: None };
        let Some(cache) = &self.cache else { return compiler.code() };
        let key = self.jailed_key(path, bytes);
        if let Some(found) = recall_jailed(cache, &key) {
            return Ok(found);
        }
        let (facts, code) = compiler.code()?;
        if let Ok(bytes) = code.read() {
            let facts = serde_json::to_vec(&facts).expect("they are truth values");
            cache.keep_jailed(&key, &bytes, &facts);
        }
        Ok((facts, code))
    }

    /// All that makes a difference for a jailed compiler, also for whether it refuses the plugin.
    fn jailed_key(&self, path: &Path, bytes: &[u8]) -> Key {
        let functions = self.functions.numbered();
        let functions = serde_json::to_vec(&functions).expect("they are names");
        // By its name, text is told from what is neither text nor binary.
        let is_text = path.extension().is_some_and(|extension| extension == "wat");
        Key::of(EntryKind::Plugin)
            .part(b"jailed")
            .part(env!("CARGO_PKG_VERSION").as_bytes())
            .part(self.engine.settings().bytes())
            .part(self.call.as_bytes())
            .part(&functions)
            .part(&self.max_functions.get().to_le_bytes())
            .part(b"complexity is bounded")
            .part(&[u8::from(is_text)])
            .part(bytes)
            .end()
    }
}

/// What a jailed process has compiled for the same key. It is copied to where nobody can change
/// it, for jailed processes alone.
fn recall_jailed(cache: &Cache, key: &Key) -> Option<(Facts, CodeFile)> {
    let jailed = cache.jailed(key)?;
    let recalled = serde_json::from_slice(jailed.facts()).map_err(std::io::Error::from);
    let recalled = recalled.and_then(|facts| {
        let file: &File = jailed.file();
        Ok((facts, CodeFile::copy(file, jailed.length())?))
    });
    recalled.inspect_err(|error| cache.was_of_no_use(key, error)).ok()
}
