//! A side file of JSON lines, which a run writes in addition to its results.
//!
//! If a write fails in the middle of a line because the disk is full, this module removes the incomplete line from the
//! file. From a pipe, it cannot remove the line.

use std::io::{self, Write};
use std::path::Path;

use mtl_host::sink::OutputFile;

use super::terminal::{JsonFile, Raw};

/// A file of JSON lines, with a buffer.
#[derive(Debug)]
pub(crate) struct LinesFile {
    file: JsonFile,
    bytes: Vec<u8>,
    /// The end of each line in `bytes`.
    ends: Vec<usize>,
    /// Is true after a write error. After that nothing is written, so that the file has no gap.
    failed: bool,
}

impl LinesFile {
    /// The size at which the buffer is written out.
    const FULL: usize = 64 * 1024;

    /// Opens the file. It keeps its content until the first line is written.
    pub(crate) fn open(path: &Path, raw: Raw) -> io::Result<Self> {
        let file = JsonFile::new(OutputFile::open(path)?, raw);
        Ok(Self { file, bytes: Vec::new(), ends: Vec::new(), failed: false })
    }

    /// Returns the file itself.
    pub(crate) fn file(&self) -> OutputFile {
        self.file.file().clone()
    }

    /// Returns whether the file has lost its earlier content.
    pub(crate) fn has_begun(&self) -> bool {
        self.file.file().has_begun()
    }

    /// Adds a line, with its line feed, to the buffer.
    pub(crate) fn gather(&mut self, line: &[u8]) {
        if !self.failed {
            self.bytes.extend_from_slice(line);
            self.ends.push(self.bytes.len());
        }
    }

    /// Adds a line, with its line feed, and writes out a full buffer.
    pub(crate) fn add(&mut self, line: &[u8]) -> io::Result<()> {
        self.gather(line);
        if self.bytes.len() < Self::FULL { Ok(()) } else { self.write_out() }
    }

    /// Writes out all lines.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.write_out()?;
        self.file.flush()
    }

    /// Waits until the lines that were written out are on the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.file().sync()
    }

    fn write_out(&mut self) -> io::Result<()> {
        let (written, result) = write_all(&mut self.file, &self.bytes);
        let complete_lines = self.ends.partition_point(|end| *end <= written);
        let complete_bytes = complete_lines.checked_sub(1).map_or(0, |last| self.ends[last]);
        self.ends.clear();
        self.bytes.clear();
        result.inspect_err(|_| {
            self.failed = true;
            // If this fails, an incomplete line stays in the file.
            let _ = self.file.remove_last(written - complete_bytes);
        })
    }
}

/// Writes `bytes`, and returns how many were written, even after an error.
fn write_all(file: &mut JsonFile, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while written < bytes.len() {
        match file.write(&bytes[written..]) {
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, Ok(()))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Read;
    use std::os::fd::AsRawFd;

    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};

    use super::*;

    #[test]
    fn lines_are_buffered_until_a_flush() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let mut lines = LinesFile::open(&path, Raw::No).unwrap();
        lines.add(b"one\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
        lines.flush().unwrap();
        lines.sync().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one\n");
        lines.add(&[b'x'; LinesFile::FULL]).unwrap();
        assert_eq!(fs::read(&path).unwrap().len(), 4 + LinesFile::FULL);
    }

    #[test]
    fn a_line_that_does_not_fit_leaves_no_part() {
        // A file in memory of at most 8192 bytes. It begins as zeros, which the first write removes.
        let memory = memfd_create("lines", MemfdFlags::ALLOW_SEALING).unwrap();
        ftruncate(&memory, 8192).unwrap();
        fcntl_add_seals(&memory, SealFlags::GROW).unwrap();
        let path = format!("/proc/self/fd/{}", memory.as_raw_fd());
        let mut lines = LinesFile::open(path.as_ref(), Raw::No).unwrap();
        let line = [&[b'x'; 999][..], b"\n"].concat();
        let failed = (0..20).any(|_| lines.add(&line).and_then(|()| lines.flush()).is_err());
        assert!(failed, "the lines must not fit");
        let mut left = Vec::new();
        File::open(path).unwrap().read_to_end(&mut left).unwrap();
        assert_eq!(left, line.repeat(left.len() / 1000));
    }
}
