//! Reads a plugin's file, and checks it before it is parsed.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::PluginLoader;
use crate::engine::LoadErrorKind;
use crate::item::digest::Sha256;

impl PluginLoader {
    /// Reads a file. If the file is too large, this reads only one byte more than the limit.
    pub(crate) fn read(&self, path: &Path) -> Result<Vec<u8>, LoadErrorKind> {
        let limit = (self.max_size.bytes() as u64).saturating_add(1);
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| {
            // A buffer of the file's size avoids many small reads. The reported size may be wrong, so the read
            // continues until the end of the file or the limit.
            let length = file.metadata()?.len().min(limit);
            let _ = bytes.try_reserve_exact(usize::try_from(length).unwrap_or_default());
            file.take(limit).read_to_end(&mut bytes)
        });
        read.map_err(|source| LoadErrorKind::Read { source })?;
        Ok(bytes)
    }

    /// Checks the size and the digest of bytes that have not been parsed.
    pub(crate) fn check(&self, bytes: &[u8]) -> Result<(), LoadErrorKind> {
        if bytes.len() > self.max_size.bytes() {
            return Err(LoadErrorKind::TooLarge { limit: self.max_size });
        }
        self.check_digest(bytes)
    }

    fn check_digest(&self, bytes: &[u8]) -> Result<(), LoadErrorKind> {
        let Some(expected) = self.sha256 else { return Ok(()) };
        let found = Sha256::digest(bytes);
        if found != expected {
            return Err(LoadErrorKind::Digest { expected, found });
        }
        Ok(())
    }
}
