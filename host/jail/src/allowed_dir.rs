//! A directory that a jailed process may use.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The access of a process below a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Access {
    /// Reads files and lists directories.
    Read,
    /// Makes, changes and removes them, too.
    ReadWrite,
    /// Makes symbolic links, too. A program outside of the sandbox may follow such a link to anywhere.
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

    /// Opens the directory that has this name now.
    ///
    /// # Errors
    ///
    /// When there is no such directory, or it cannot be opened.
    #[cfg(test)]
    pub fn open(path: impl AsRef<std::path::Path>, access: Access) -> std::io::Result<Self> {
        use rustix::fs::{Mode, OFlags, open};
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = open(path.as_ref(), flags, Mode::empty())?;
        Ok(Self::new(Arc::new(dir), access))
    }

    /// Returns what the process may do below the directory.
    pub fn access(&self) -> Access {
        self.access
    }
}

impl AsFd for AllowedDir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}
