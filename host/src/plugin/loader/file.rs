//! Reads a plugin's file, and checks it before anything of it is parsed.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::PluginLoader;
use crate::engine::LoadError;
use crate::item::digest::Sha256;

impl PluginLoader {
    /// What is in a file, and no more of it than shows that it is too large.
    pub(crate) fn read(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
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
    pub(crate) fn check(&self, path: &Path, bytes: &[u8]) -> Result<(), LoadError> {
        if bytes.len() > self.max_size.bytes() {
            return Err(LoadError::TooLarge { path: path.to_owned(), limit: self.max_size });
        }
        self.check_digest(path, bytes)
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
