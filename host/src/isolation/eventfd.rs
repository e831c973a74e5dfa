//! An eventfd that wakes a parent while it waits for a child.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;

use crate::control::alarm::Notify;

/// An eventfd: it becomes readable when it is signalled.
#[derive(Debug)]
pub(crate) struct EventFd(OwnedFd);

impl EventFd {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    /// Waits until `other` is ready, the eventfd is signalled, or the time limit is reached.
    /// Returns whether `other` is ready.
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
            self.reset();
        }
        Ok(!both[0].revents().is_empty())
    }

    fn reset(&self) {
        // A read fails only if the eventfd is not signalled. Then it needs no reset.
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

impl Notify for EventFd {
    fn notify(&self) {
        // A write fails only if the counter is full. Then the eventfd is signalled already.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }
}

impl AsFd for EventFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
