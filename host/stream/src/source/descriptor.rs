//! Reads a file descriptor, and ends the read early when the run stops.
//!
//! A read on a pipe or a terminal may wait forever. So this reader calls `read` only after `poll`
//! has reported bytes. The same `poll` waits for a [`StopEventFd`], which the [`StopFlag`]
//! triggers.
//!
//! This reader opens every file with `O_NONBLOCK`. Otherwise, opening a named pipe would wait until
//! the pipe has a writer, and no stop could end that wait. Before the pipe has its first writer,
//! `poll` reports neither data nor a hang-up, so the reader waits in `poll`. A `read` at that time
//! would return 0 bytes, as at the end of a file.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::io::Errno;

use crate::control::stop::{StopFlag, Wake};

/// An eventfd that wakes `poll` when the run must stop.
#[derive(Debug)]
pub(super) struct StopEventFd(OwnedFd);

impl StopEventFd {
    /// Creates an eventfd that `stop` triggers.
    pub(super) fn of(stop: &StopFlag) -> io::Result<Arc<Self>> {
        let stop_event =
            Arc::new(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?));
        stop.on_set(&stop_event);
        Ok(stop_event)
    }
}

impl Wake for StopEventFd {
    fn wake(&self) {
        // Adding to the counter fails only near its maximum, when the eventfd is already triggered.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }
}

/// The file that is read. Dropping a `Handle` never closes standard input.
#[derive(Debug)]
pub(super) enum Handle {
    StandardInput,
    File(File),
}

impl AsFd for Handle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::StandardInput => rustix::stdio::stdin(),
            Self::File(file) => file.as_fd(),
        }
    }
}

/// A reader that ends early when the run stops. When it ends, the caller must check the
/// [`StopFlag`], to distinguish a stop from the end of the file.
#[derive(Debug)]
pub(super) struct Descriptor {
    handle: Handle,
    /// `None` for a regular file, on which a read never waits.
    stop_event: Option<Arc<StopEventFd>>,
}

impl Descriptor {
    pub(super) fn new(handle: Handle, stop_event: Option<Arc<StopEventFd>>) -> Self {
        Self { handle, stop_event }
    }
}

impl Read for Descriptor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(stop_event) = &self.stop_event
                && wait(self.handle.as_fd(), stop_event)? == Waited::Stopped
            {
                return Ok(0);
            }
            match rustix::io::read(&self.handle, &mut *buffer) {
                // Another reader of the same pipe was faster.
                Err(Errno::INTR | Errno::AGAIN) => {}
                done => return Ok(done?),
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waited {
    /// A read would not wait: there are bytes, the end, or an error.
    Ready,
    Stopped,
}

fn wait(input: BorrowedFd<'_>, stop_event: &StopEventFd) -> io::Result<Waited> {
    let mut polled = [
        PollFd::from_borrowed_fd(input, PollFlags::IN),
        PollFd::from_borrowed_fd(stop_event.0.as_fd(), PollFlags::IN),
    ];
    loop {
        match poll(&mut polled, None) {
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) if !polled[1].revents().is_empty() => return Ok(Waited::Stopped),
            Ok(_) => return Ok(Waited::Ready),
        }
    }
}
