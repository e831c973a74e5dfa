//! Code packages: files with compiled code, its metadata, and a digest that detects damage.
//!
//! ```text
//! code, as the engine writes it │ metadata │ magic │ lengths of both │ key │ SHA-256 of all before
//! ```
//!
//! The code comes first, so that the engine can map the file and run the code. The engine ignores
//! the bytes after the code. The digest detects damage by a crash, a full disk or an accident. It
//! does not authenticate the file: a program that can change the file can compute a new digest.

use std::io::{self, Read, Seek, SeekFrom, Write};

use sha2::Digest;

use crate::item::digest::Sha256;

const MAGIC: &[u8; 8] = b"mtlcode1";
const TRAILER: u64 = 8 + 8 + 8 + 32;
const DIGEST: usize = 32;

/// The size limit of the metadata in bytes. Typical metadata has some hundred bytes.
const MAX_METADATA: u64 = 1024 * 1024;

/// The parts of a code package, without the code itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CodePackage {
    /// The digest of the code's inputs.
    pub(crate) key: Sha256,
    /// The length of the code in bytes. The code begins at the start of the file.
    pub(crate) code_length: u64,
    /// The metadata.
    pub(crate) metadata: Vec<u8>,
}

/// The error of a file that is not a code package, is incomplete, or has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidPackage;

impl From<io::Error> for InvalidPackage {
    fn from(_: io::Error) -> Self {
        Self
    }
}

/// The trailer of a complete file, which states the lengths of its parts.
struct Trailer {
    /// The position of the trailer in the file.
    at: u64,
    code_length: u64,
    metadata_length: u64,
    key: Sha256,
}

impl CodePackage {
    /// Writes code and its metadata.
    pub(crate) fn write(
        to: impl Write,
        key: Sha256,
        code: &[u8],
        metadata: &[u8],
    ) -> io::Result<()> {
        let mut hashing = HashingWriter { to, hash: sha2::Sha256::new() };
        hashing.put(code)?;
        hashing.put(metadata)?;
        hashing.put(MAGIC)?;
        hashing.put(&(code.len() as u64).to_le_bytes())?;
        hashing.put(&(metadata.len() as u64).to_le_bytes())?;
        hashing.put(key.bytes())?;
        let HashingWriter { mut to, hash } = hashing;
        to.write_all(&hash.finalize())?;
        to.flush()
    }

    /// Reads a whole file once, and checks its digest.
    pub(crate) fn read(mut from: impl Read + Seek) -> Result<Self, InvalidPackage> {
        let Trailer { at, code_length: code, metadata_length: metadata, key } =
            Trailer::read(&mut from)?;
        from.rewind()?;
        let found = digest(from.by_ref().take(at + TRAILER))?;
        let mut expected = [0; DIGEST];
        from.read_exact(&mut expected)?;
        if found != expected {
            return Err(InvalidPackage);
        }
        let mut bytes = Vec::new();
        from.seek(SeekFrom::Start(code))?;
        from.take(metadata).read_to_end(&mut bytes)?;
        Ok(Self { key, code_length: code, metadata: bytes })
    }
}

impl Trailer {
    fn read(from: &mut (impl Read + Seek)) -> Result<Self, InvalidPackage> {
        let length = from.seek(SeekFrom::End(0))?;
        let at = length.checked_sub(TRAILER + DIGEST as u64).ok_or(InvalidPackage)?;
        from.seek(SeekFrom::Start(at))?;
        let (magic, code, metadata, key) =
            (bytes(from)?, bytes(from)?, bytes(from)?, bytes::<DIGEST>(from)?);
        let (code, metadata) = (u64::from_le_bytes(code), u64::from_le_bytes(metadata));
        if magic != *MAGIC || code.checked_add(metadata) != Some(at) || metadata > MAX_METADATA {
            return Err(InvalidPackage);
        }
        Ok(Self { at, code_length: code, metadata_length: metadata, key: key.into() })
    }
}

fn bytes<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Returns the digest of everything that `from` yields.
fn digest(mut from: impl Read) -> io::Result<[u8; DIGEST]> {
    let mut hash = sha2::Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(read) => hash.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A writer that computes the digest of the bytes that it writes.
struct HashingWriter<W> {
    to: W,
    hash: sha2::Sha256,
}

impl<W: Write> HashingWriter<W> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.to.write_all(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn package(code: &[u8], metadata: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        CodePackage::write(&mut file, Sha256::digest(b"key"), code, metadata).unwrap();
        file
    }

    #[test]
    fn a_written_package_reads_back() {
        let large = vec![7; 300_000];
        for (code, metadata) in [(&b""[..], &b""[..]), (b"code", b"{}"), (&large, b"metadata")] {
            let file = package(code, metadata);
            assert!(file.starts_with(code));
            let read = CodePackage::read(Cursor::new(&file)).unwrap();
            let (key, code_length) = (Sha256::digest(b"key"), code.len() as u64);
            assert_eq!(read, CodePackage { key, code_length, metadata: metadata.to_vec() });
        }
    }

    #[test]
    fn a_changed_or_missing_byte_is_detected() {
        let file = package(b"the code", b"the metadata");
        for at in 0..file.len() {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert_eq!(
                CodePackage::read(Cursor::new(&changed)),
                Err(InvalidPackage),
                "changed at {at}"
            );
            assert_eq!(
                CodePackage::read(Cursor::new(&file[..at])),
                Err(InvalidPackage),
                "cut at {at}"
            );
            assert_eq!(
                CodePackage::read(Cursor::new(&file[at + 1..])),
                Err(InvalidPackage),
                "from {at}"
            );
        }
        assert_eq!(CodePackage::read(Cursor::new([&file[..], b"."].concat())), Err(InvalidPackage));
    }

    #[test]
    fn false_package_lengths_are_rejected() {
        let mut file = package(b"the code", b"the metadata");
        let lengths = file.len() - DIGEST - DIGEST - 16;
        for code in [u64::MAX, u64::MAX - 8, 9, 0] {
            file[lengths..lengths + 8].copy_from_slice(&code.to_le_bytes());
            assert_eq!(CodePackage::read(Cursor::new(&file)), Err(InvalidPackage), "{code}");
        }
    }
}
