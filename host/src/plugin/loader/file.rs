//! Reads a plugin's file, and checks it before anything of it is parsed.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::PluginLoader;
use crate::engine::LoadErrorKind;
use crate::item::digest::Sha256;

impl PluginLoader {
    /// Reads a file, and no more of it than shows that it is too large.
    pub(crate) fn read(&self, path: &Path) -> Result<Vec<u8>, LoadErrorKind> {
        let most = (self.max_size.bytes() as u64).saturating_add(1);
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| {
            // What its size is said to be saves many small reads, and bounds nothing.
            let length = file.metadata()?.len().min(most);
            let _ = bytes.try_reserve_exact(usize::try_from(length).unwrap_or_default());
            file.take(most).read_to_end(&mut bytes)
        });
        read.map_err(|source| LoadErrorKind::Read { source })?;
        Ok(bytes)
    }

    /// Checks what can be said of bytes that nobody has looked into.
    pub(crate) fn check(&self, bytes: &[u8]) -> Result<(), LoadErrorKind> {
        if bytes.len() > self.max_size.bytes() {
            return Err(LoadErrorKind::TooLarge { limit: self.max_size });
        }
        self.check_digest(bytes)
    }

    fn check_digest(&self, bytes: &[u8]) -> Result<(), LoadErrorKind> {
        let Some(expected) = self.sha256 else { return Ok(()) };
        let found = Sha256::of(bytes);
        if found != expected {
            return Err(LoadErrorKind::Digest { expected, found });
        }
        Ok(())
    }
}
