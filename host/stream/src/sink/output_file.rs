//! A file for results. It keeps the output of an earlier run until the next run begins to write.
//!
//! ```text
//! open ─▶ locked, content kept ──begin, or the first write──▶ emptied ─▶ written ─▶ sync
//! ```
//!
//! A regular file is locked and emptied. A device or a pipe is neither locked nor emptied, so several runs may write to
//! it at the same time. If the path names a descriptor of this process (`/dev/stdout`, `/dev/fd/3`), the file is
//! emptied and not locked.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::{FileType, SeekFrom, fstat, ftruncate, seek, tell};

use super::durable;
use crate::files::{Opener, is_descriptor};

/// A file that only one run at a time may write. It keeps its content until that run begins to write.
///
/// Clones are cheap and share the same open file. The lock ends when the last clone is dropped.
///
/// ```
/// use std::fs;
/// use std::io::Write;
///
/// use mtl_host::sink::OutputFile;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("results");
/// fs::write(&path, "of an earlier run")?;
/// let mut file = OutputFile::open(&path)?;
/// assert!(OutputFile::open(&path).is_err(), "the file is locked");
/// assert_eq!(fs::read(&path)?, b"of an earlier run");
/// file.begin()?;
/// assert_eq!(fs::read(&path)?, b"");
/// file.write_all(b"new")?;
/// assert_eq!(fs::read(&path)?, b"new");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct OutputFile(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: File,
    stage: Mutex<Stage>,
}

/// The stage of an output file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The file has its earlier content.
    Kept,
    /// An attempt to empty the file has failed.
    EmptyingFailed,
    Begun,
}

/// The error of opening a file to which another run writes.
///
/// It is the inner error of an [`io::Error`].
///
/// ```
/// use mtl_host::sink::{OutputLocked, OutputFile};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("results");
/// let first = OutputFile::open(&path)?;
/// let error = OutputFile::open(&path).unwrap_err();
/// assert!(error.get_ref().is_some_and(|inner| inner.is::<OutputLocked>()));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another run is writing to it")]
#[non_exhaustive]
pub struct OutputLocked;

impl OutputFile {
    /// Opens a file for writing, and creates it if it does not exist. A regular file is locked and keeps its content.
    ///
    /// # Errors
    ///
    /// Returns the system error, or [`OutputLocked`].
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::open_with(&Opener::new(), path)
    }

    /// Opens a file for writing with `opener`. Otherwise it does the same as [`open`](Self::open).
    ///
    /// ```
    /// use mtl_host::grants::DirGrant;
    /// use mtl_host::sink::OutputFile;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let grant = DirGrant::read_write(folder.path(), "/data").open()?;
    /// let opener = DirGrant::opener([&grant])?;
    /// let file = OutputFile::open_with(&opener, &folder.path().join("results"))?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error in the same cases as [`open`](Self::open), and [`UntrustedPath`](crate::files::UntrustedPath).
    pub fn open_with(opener: &Opener, path: &Path) -> io::Result<Self> {
        let file = opener.open_to_write(path)?;
        if !is_regular(file.as_fd())? {
            return Ok(Self::of(file, Stage::Begun));
        }
        if !is_descriptor(path) {
            lock(&file)?;
        }
        Ok(Self::of(file, Stage::Kept))
    }

    /// Wraps a file that has been emptied.
    pub(super) fn from_emptied(file: File) -> Self {
        Self::of(file, Stage::Begun)
    }

    fn of(file: File, stage: Stage) -> Self {
        Self(Arc::new(Inner { file, stage: Mutex::new(stage) }))
    }

    /// Empties a regular file, unless this `OutputFile` has already emptied it. If `begin` is not called, the first
    /// write empties the file.
    ///
    /// # Errors
    ///
    /// Returns the system error. After such an error, each write and each [`flush`](Write::flush) tries again to empty
    /// the file, and returns the error if it fails again.
    pub fn begin(&self) -> io::Result<()> {
        let mut stage = self.stage();
        if *stage != Stage::Begun {
            *stage = Stage::EmptyingFailed;
            ftruncate(&self.0.file, 0)?;
            *stage = Stage::Begun;
        }
        Ok(())
    }

    /// Returns whether this `OutputFile` has emptied the file, so that no earlier content is left. For a file that is
    /// not regular, returns `true`.
    ///
    /// ```
    /// use mtl_host::sink::OutputFile;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("results");
    /// let file = OutputFile::open(&path)?;
    /// assert!(!file.has_begun());
    /// file.begin()?;
    /// assert!(file.has_begun());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn has_begun(&self) -> bool {
        *self.stage() == Stage::Begun
    }

    /// Waits until the written bytes and the name of the file are on the disk. For a pipe or a character device, does
    /// nothing.
    ///
    /// ```
    /// use std::io::Write;
    ///
    /// use mtl_host::sink::OutputFile;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("results");
    /// let mut file = OutputFile::open(&path)?;
    /// file.write_all(b"kept")?;
    /// file.sync()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the system error.
    pub fn sync(&self) -> io::Result<()> {
        durable::sync(self.as_fd())
    }

    /// Removes the last `bytes` bytes that were written. This works only in a regular file to which no other process
    /// has written since.
    ///
    /// ```
    /// use std::io::Write;
    ///
    /// use mtl_host::sink::OutputFile;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("results");
    /// let mut file = OutputFile::open(&path)?;
    /// file.write_all(b"whole ha")?;
    /// file.remove_last(3)?;
    /// assert_eq!(std::fs::read(&path)?, b"whole");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the system error.
    pub fn remove_last(&self, bytes: usize) -> io::Result<()> {
        shorten(self.as_fd(), bytes)
    }

    /// Returns a hint for the user about an error of opening or writing such a file.
    ///
    /// ```
    /// use std::io;
    ///
    /// use mtl_host::sink::OutputFile;
    ///
    /// let too_large = io::Error::from(io::ErrorKind::FileTooLarge);
    /// assert!(OutputFile::hint(&too_large).unwrap().contains("`ulimit -f`"));
    /// ```
    #[must_use]
    pub fn hint(error: &io::Error) -> Option<&'static str> {
        let is_locked = error.get_ref().is_some_and(|inner| inner.is::<OutputLocked>());
        if is_locked {
            return Some("wait for the end of that run, or name another file");
        }
        (error.kind() == io::ErrorKind::FileTooLarge).then_some(
            "raise the limit on file sizes (`ulimit -f`), or use a file system for larger files",
        )
    }

    /// Empties the file if an earlier attempt has failed.
    fn retry_begin(&self) -> io::Result<()> {
        let stage = *self.stage();
        if stage == Stage::EmptyingFailed { self.begin() } else { Ok(()) }
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        // Each change of the stage is one assignment, so a panic leaves no partial change.
        self.0.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for OutputFile {
    /// Writes once, after [`begin`](OutputFile::begin).
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begin()?;
        (&self.0.file).write(bytes)
    }

    /// Buffers nothing. A file that has not begun keeps its content.
    fn flush(&mut self) -> io::Result<()> {
        self.retry_begin()
    }
}

impl AsFd for OutputFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.file.as_fd()
    }
}

/// Locks a file against other runs until it is closed. On a file system without locks, the file stays unlocked.
fn lock(file: &File) -> io::Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            Err(io::Error::new(io::ErrorKind::ResourceBusy, OutputLocked))
        }
        Err(TryLockError::Error(error)) => {
            tracing::debug!(%error, "an output is not locked");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

fn is_regular(file: BorrowedFd<'_>) -> io::Result<bool> {
    Ok(FileType::from_raw_mode(fstat(file)?.st_mode) == FileType::RegularFile)
}

/// Removes the last `bytes` of a regular file, if no other process has written after them.
pub(super) fn shorten(file: BorrowedFd<'_>, bytes: usize) -> io::Result<()> {
    if bytes == 0 || !is_regular(file)? {
        return Ok(());
    }
    let end = tell(file)?;
    if u64::try_from(fstat(file)?.st_size) != Ok(end) {
        return Ok(());
    }
    let kept = end.saturating_sub(bytes as u64);
    ftruncate(file, kept)?;
    // Without the seek, the next write would leave a hole.
    seek(file, SeekFrom::Start(kept))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn an_output_file_keeps_its_content_until_begin() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "earlier").unwrap();
        let mut file = OutputFile::open(&path).unwrap();
        file.flush().unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"earlier");

        let mut file = OutputFile::open(&path).unwrap();
        file.write_all(b"new").unwrap();
        file.begin().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new", "the file is emptied once");
    }

    #[test]
    fn an_open_output_file_is_locked_under_every_name() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("file"), folder.path().join("link"));
        let file = OutputFile::open(&path).unwrap();
        fs::hard_link(&path, &link).unwrap();
        let clone = file.clone();
        drop(file);
        let error = OutputFile::open(&link).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ResourceBusy);
        assert!(OutputFile::hint(&error).is_some());
        drop(clone);
        assert!(OutputFile::open(&link).is_ok());
    }

    #[test]
    fn devices_pipes_and_descriptors_are_not_locked() {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("file")).unwrap();
        let (_reader, writer) = io::pipe().unwrap();
        let descriptor = |fd: &dyn AsRawFd| format!("/dev/fd/{}", fd.as_raw_fd());
        for path in ["/dev/null".to_owned(), descriptor(&file), descriptor(&writer)] {
            let first = OutputFile::open(path.as_ref()).unwrap();
            let second = OutputFile::open(path.as_ref()).unwrap();
            first.begin().and_then(|()| second.begin()).unwrap();
        }
    }

    #[test]
    fn a_failed_truncation_fails_the_next_flush() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "earlier").unwrap();
        // A descriptor that is open for reading only cannot be emptied.
        let mut file = OutputFile::of(File::open(&path).unwrap(), Stage::Kept);
        file.flush().unwrap();
        file.begin().unwrap_err();
        file.flush().unwrap_err();
    }
}
