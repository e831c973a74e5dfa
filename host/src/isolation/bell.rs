//! Wakes a parent that waits for a child, when something has changed that it must know of.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{EventfdFlags, eventfd};

use crate::sandbox::alarm::Ring;

/// A descriptor that can be read when it has been rung.
#[derive(Debug)]
pub(crate) struct Bell(OwnedFd);

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    /// Forgets that it was rung.
    pub(crate) fn quiet(&self) {
        // If it was not, there is nothing to forget.
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

impl Ring for Bell {
    fn ring(&self) {
        // It counts: what does not fit was rung before.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
