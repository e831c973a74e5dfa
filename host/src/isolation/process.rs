//! A child: started, handed what it needs, and never left behind.
//!
//! A child is killed when its [`Child`] is dropped. If this process itself is killed, the kernel
//! kills the child, which has asked for that with its first step: it names the *thread* that has
//! started it, so a child belongs to one thread, and is dropped before that ends.

use std::fmt;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::pipe::{PipeFlags, pipe_with};

use super::Processes;
use super::bell::Bell;
use super::child::MARK;
use super::link::Link;

/// A process that was started, and the link to it.
#[derive(Debug)]
pub(crate) struct Child {
    process: std::process::Child,
    pub(crate) link: Link,
    /// What it has written to its standard error: what it says when it dies of itself.
    errors: OwnedFd,
}

impl Child {
    /// Starts one, which belongs to this thread.
    pub(crate) fn start(processes: &Processes, bell: &Arc<Bell>) -> io::Result<Self> {
        let program = processes.find_program().ok_or(io::ErrorKind::NotFound)?;
        let (link, socket) = Link::pair(bell)?;
        // A child that writes too much must not wait for somebody to read it.
        let (errors, written) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let process = Command::new(program)
            .arg0("mtl-host-worker")
            .arg(MARK)
            .arg(std::process::id().to_string())
            // What is in the environment is not its business.
            .env_clear()
            .stdin(socket)
            .stdout(Stdio::null())
            .stderr(written)
            .spawn()?;
        Ok(Self { process, link, errors })
    }

    /// Hands descriptors over. They are the first that goes to a child.
    pub(crate) fn hand_over(&self, files: &[BorrowedFd<'_>]) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        assert!(ancillary.push(SendAncillaryMessage::ScmRights(files)), "there is room for two");
        let byte = [IoSlice::new(&[0])];
        sendmsg(self.link.socket().as_fd(), &byte, &mut ancillary, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// Ends it, if it has not ended by itself, and says how it ended.
    pub(crate) fn end(&mut self) -> Death {
        let ended = self.process.try_wait();
        let status = match ended {
            Ok(Some(status)) => Some(status),
            _ => {
                // What has closed its end is about to end: how is worth a moment.
                self.kill();
                self.process.wait().ok()
            }
        };
        Death { status, said: self.said() }
    }

    /// Waits for its end, and says how it ended. Its end of the link is closed.
    pub(crate) fn wait(&mut self) -> Death {
        Death { status: self.process.wait().ok(), said: self.said() }
    }

    fn kill(&mut self) {
        // It may be dead already, which is as well.
        let _ = self.process.kill();
    }

    /// The last that it wrote to its standard error.
    fn said(&self) -> String {
        let mut said = Vec::with_capacity(64 * 1024);
        let _ = rustix::io::read(&self.errors, rustix::buffer::spare_capacity(&mut said));
        let text = String::from_utf8_lossy(&said);
        let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        last.chars().take(200).collect()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
        // Only then is it gone, and its number free for others.
        let _ = self.process.wait();
    }
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Death {
    status: Option<ExitStatus>,
    said: String,
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            None => f.write_str("its process has ended")?,
            Some(status) => match (status.signal(), status.code()) {
                (Some(signal), _) => {
                    write!(f, "its process was killed by signal {signal}")?;
                    if let Some(name) = signal_name(signal) {
                        write!(f, " ({name})")?;
                    }
                }
                (None, code) => {
                    write!(f, "its process exited with code {}", code.unwrap_or_default())?;
                }
            },
        }
        match self.said.is_empty() {
            true => Ok(()),
            false => write!(f, ": {}", self.said.escape_debug()),
        }
    }
}

/// What people call it.
fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        31 => "SIGSYS",
        _ => return None,
    })
}
