//! Sealed files: files in memory, without a name, that no process can change. The parent passes
//! compiled code to its children in sealed files.
//!
//! A compiling child writes its code to a file of fixed size. The parent copies the code into a
//! sealed file, because the child could still change its own file.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;

use rustix::fs::{MemfdFlags, SealFlags};

/// A sealed file in memory.
#[derive(Debug)]
pub struct SealedFile(OwnedFd);

impl SealedFile {
    /// Makes a sealed file with the content `bytes`.
    ///
    /// # Errors
    ///
    /// Fails if the system refuses.
    pub fn from_bytes(bytes: &[u8]) -> io::Result<Self> {
        let mut file = File::from(unsealed("mtl-code")?);
        file.write_all(bytes)?;
        Self::seal(file)
    }

    /// Copies the first `length` bytes of a file that a child has written to into a sealed file.
    ///
    /// # Errors
    ///
    /// Fails if `length` is more than [`MAX_CODE_BYTES`] bytes, or if the system refuses.
    pub fn copy(code_file: &File, length: u64) -> io::Result<Self> {
        check_length(length)?;
        let mut source = code_file.try_clone()?;
        source.rewind()?;
        let mut file = File::from(unsealed("mtl-code")?);
        io::copy(&mut source.take(length), &mut file)?;
        Self::seal(file)
    }

    /// Returns the length of the file in bytes.
    ///
    /// # Errors
    ///
    /// Fails if the system refuses.
    pub fn length(&self) -> io::Result<u64> {
        Ok(File::from(self.0.try_clone()?).metadata()?.len())
    }

    /// Reads the whole file.
    ///
    /// # Errors
    ///
    /// Fails if the system refuses.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        let file = File::from(self.0.try_clone()?);
        let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        // All who share the descriptor share its position, so this reads at an explicit offset.
        file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    fn seal(file: File) -> io::Result<Self> {
        let file = OwnedFd::from(file);
        let all = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
        rustix::fs::fcntl_add_seals(&file, all)?;
        Ok(Self(file))
    }
}

/// The maximum size of the code that a child may compile from one plugin, in bytes (512 MiB). The
/// code of the largest plugin file that the host loads by default is a quarter of this size.
pub const MAX_CODE_BYTES: u64 = 512 * 1024 * 1024;

/// Makes the file that a child writes compiled code to. The size of the file is sealed. The file
/// uses memory only for the bytes that the child writes.
///
/// # Errors
///
/// Fails if the system refuses.
pub fn create_code_file() -> io::Result<File> {
    let file = unsealed("mtl-compiled")?;
    rustix::fs::ftruncate(&file, MAX_CODE_BYTES)?;
    rustix::fs::fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    Ok(file.into())
}

/// Writes compiled code to the file that [`create_code_file`] has made. Returns the number of bytes
/// that it has written.
///
/// # Errors
///
/// Fails if `code` is longer than [`MAX_CODE_BYTES`] bytes, or if the system refuses.
pub fn write_code(mut code_file: &File, code: &[u8]) -> io::Result<u64> {
    let length = code.len() as u64;
    check_length(length)?;
    code_file.write_all(code)?;
    Ok(length)
}

fn check_length(length: u64) -> io::Result<()> {
    match length {
        ..=MAX_CODE_BYTES => Ok(()),
        _ => Err(io::Error::other(format!(
            "the code has {length} bytes, more than {MAX_CODE_BYTES}"
        ))),
    }
}

impl AsFd for SealedFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Makes a file in memory that can be sealed.
///
/// # Errors
///
/// Fails if the system refuses.
pub fn unsealed(name: &str) -> io::Result<OwnedFd> {
    Ok(rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_file_cannot_be_changed() {
        let file = SealedFile::from_bytes(b"code").unwrap();
        assert!(rustix::io::pwrite(&file, b"other", 0).is_err());
        assert!(rustix::fs::ftruncate(&file, 0).is_err());
        let mut bytes = [0; 8];
        assert_eq!(rustix::io::pread(&file, &mut bytes, 0), Ok(4));
        assert_eq!(&bytes[..4], b"code");
    }

    #[test]
    fn a_code_file_has_a_fixed_size_and_copies_independently() {
        let code_file = create_code_file().unwrap();
        assert_eq!(write_code(&code_file, b"code").unwrap(), 4);
        assert!(rustix::fs::ftruncate(&code_file, 0).is_err());
        assert!(rustix::fs::ftruncate(&code_file, MAX_CODE_BYTES + 1).is_err());
        assert!(rustix::io::pwrite(&code_file, b"more", MAX_CODE_BYTES).is_err());

        let copy = SealedFile::copy(&code_file, 4).unwrap();
        rustix::io::pwrite(&code_file, b"other", 0).unwrap();
        let mut bytes = [0; 8];
        assert_eq!(rustix::io::pread(&copy, &mut bytes, 0), Ok(4));
        assert_eq!(&bytes[..4], b"code");
        assert!(SealedFile::copy(&code_file, MAX_CODE_BYTES + 1).is_err());
    }
}
