//! Reads a file descriptor, and lets go of it when the run is asked to stop.
//!
//! A read on a pipe or a terminal may wait for ever. So this never reads before `poll` has
//! said that there is something; and `poll` also listens to an [`Alarm`], which the
//! [`StopFlag`] rings.
//!
//! Everything is opened without blocking. That matters for named pipes, whose opening waits
//! for a writer otherwise. Opened so, a pipe that never had a writer is silent under `poll`
//! (neither readable nor hung up), which is just what is wanted: the wait for the first writer
//! is a wait like any other. Only a `read` would take its silence for the end.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::io::Errno;

use crate::control::stop::{StopFlag, Wake};

/// Rings once a run is to stop, for those who wait in `poll`.
#[derive(Debug)]
pub(super) struct Alarm(OwnedFd);

impl Alarm {
    /// An alarm that rings when `stop` is set.
    pub(super) fn of(stop: &StopFlag) -> io::Result<Arc<Self>> {
        let alarm = Arc::new(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?));
        stop.on_set(&alarm);
        Ok(alarm)
    }
}

impl Wake for Alarm {
    fn wake(&self) {
        // Adding to a counter fails only when it is near its top: then it rings already.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }
}

/// What is read: standard input is not ours to close.
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

/// A reader that ends early when the run is asked to stop: whoever sees the end of it must
/// ask the [`StopFlag`] whether it is the real one.
#[derive(Debug)]
pub(super) struct Descriptor {
    handle: Handle,
    /// None for a regular file: it never makes anyone wait.
    alarm: Option<Arc<Alarm>>,
}

impl Descriptor {
    pub(super) fn new(handle: Handle, alarm: Option<Arc<Alarm>>) -> Self {
        Self { handle, alarm }
    }
}

impl Read for Descriptor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(alarm) = &self.alarm
                && wait(self.handle.as_fd(), alarm)? == Waited::Stopped
            {
                return Ok(0);
            }
            match rustix::io::read(&self.handle, &mut *buffer) {
                // Somebody else who has the same pipe was quicker.
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

fn wait(input: BorrowedFd<'_>, alarm: &Alarm) -> io::Result<Waited> {
    let mut polled = [
        PollFd::from_borrowed_fd(input, PollFlags::IN),
        PollFd::from_borrowed_fd(alarm.0.as_fd(), PollFlags::IN),
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
