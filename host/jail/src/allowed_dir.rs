//! A directory that a jailed process may use.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The access to the files below a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Access {
    /// Reading files and listing directories.
    Read,
    /// Reading, making, changing and removing files and directories.
    ReadWrite,
    /// Everything that `ReadWrite` allows, and making symbolic links. A program outside the sandbox
    /// may follow such a link to any file.
    ReadWriteSymlinks,
}

/// An open directory that a jailed process may use. Clones share the descriptor.
#[derive(Clone, Debug)]
pub struct AllowedDir {
    dir: Arc<OwnedFd>,
    access: Access,
}

impl AllowedDir {
    /// Allows `access` below an open directory.
    pub fn new(dir: Arc<OwnedFd>, access: Access) -> Self {
        Self { dir, access }
    }

    /// Opens the directory at `path`.
    ///
    /// # Errors
    ///
    /// Fails if the directory does not exist or cannot be opened.
    #[cfg(test)]
    pub fn open(path: impl AsRef<std::path::Path>, access: Access) -> std::io::Result<Self> {
        use rustix::fs::{Mode, OFlags, open};
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = open(path.as_ref(), flags, Mode::empty())?;
        Ok(Self::new(Arc::new(dir), access))
    }

    /// Returns the access of the process below the directory.
    pub fn access(&self) -> Access {
        self.access
    }
}

impl AsFd for AllowedDir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}
