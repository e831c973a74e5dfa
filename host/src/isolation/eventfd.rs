//! Wakes a parent that waits for a child, when something has changed that it must know of.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;

use crate::control::alarm::Ring;

/// A descriptor that can be read when it has been rung.
#[derive(Debug)]
pub(crate) struct Bell(OwnedFd);

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    /// Waits until `other` is ready, the bell rings, or a moment has come; says whether `other` is ready.
    pub(crate) fn wait_for(
        &self,
        other: &impl AsFd,
        ready: PollFlags,
        until: Option<Instant>,
    ) -> io::Result<bool> {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let timeout = left.and_then(|left| Timespec::try_from(left).ok());
        let mut both = [PollFd::new(other, ready), PollFd::new(self, PollFlags::IN)];
        match poll(&mut both, timeout.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        if !both[1].revents().is_empty() {
            self.quiet();
        }
        Ok(!both[0].revents().is_empty())
    }

    /// Forgets that it was rung.
    fn quiet(&self) {
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
