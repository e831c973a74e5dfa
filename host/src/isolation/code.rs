//! Compiled code on its way to children: bytes in a file without a name, which nobody can change.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, SealFlags};

/// A sealed file in memory.
#[derive(Debug)]
pub(crate) struct CodeFile(OwnedFd);

impl CodeFile {
    /// A file with these bytes.
    pub(crate) fn of(bytes: &[u8]) -> io::Result<Self> {
        let mut file = File::from(unsealed("mtl-code")?);
        file.write_all(bytes)?;
        let file = OwnedFd::from(file);
        let all = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
        rustix::fs::fcntl_add_seals(&file, all)?;
        Ok(Self(file))
    }
}

impl AsFd for CodeFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A file in memory that can be sealed.
pub(crate) fn unsealed(name: &str) -> io::Result<OwnedFd> {
    Ok(rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_can_change_it() {
        let file = CodeFile::of(b"code").unwrap();
        assert!(rustix::io::pwrite(&file, b"other", 0).is_err());
        assert!(rustix::fs::ftruncate(&file, 0).is_err());
        let mut bytes = [0; 8];
        assert_eq!(rustix::io::pread(&file, &mut bytes, 0), Ok(4));
        assert_eq!(&bytes[..4], b"code");
    }
}
