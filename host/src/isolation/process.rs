//! The process of a child: its start, the handover of descriptors, and its end. No child outlives
//! this process.
//!
//! Dropping a [`Child`] kills the child. As its first step, a child asks the kernel to kill the
//! child when the parent ends. The kernel regards the *thread* that started the child as the
//! parent. Therefore this thread must exist as long as its child, and must drop the [`Child`]
//! before the thread ends.

mod signals;
#[cfg(test)]
mod tests;

use std::fmt::{self, Write as _};
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use self::signals::BlockedSignals;
use super::Processes;
use super::child::MARK;
use super::child_connection::{ChildConnection, LinkError, WaitPolicy};
use super::eventfd::EventFd;
use crate::sandbox::granted::GrantedDir;

/// The maximum time from the moment when a process closes its end of the socket until the process
/// exits. During this time, the kernel frees the memory of the process, which may be large.
pub(super) const EXIT_TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum time that a process may take to enter its jail and load its code. The limit is
/// generous, because the machine may be busy.
pub(super) const READY_TIMEOUT: Duration = Duration::from_secs(60);

/// The most descriptors in one message. The system allows up to 253.
pub(super) const MAX_FDS_PER_MESSAGE: usize = 64;

/// A running child and the connection to it.
#[derive(Debug)]
pub(crate) struct Child {
    process: std::process::Child,
    pub(crate) connection: ChildConnection,
    /// The read end of the child's standard error, which holds its last message if it dies.
    errors: OwnedFd,
}

impl Child {
    /// Starts a child, which belongs to this thread.
    pub(crate) fn start(processes: &Processes, event_fd: &Arc<EventFd>) -> io::Result<Self> {
        let program = processes.find_program().ok_or(io::ErrorKind::NotFound)?;
        let (connection, socket) = ChildConnection::pair(event_fd)?;
        // The pipe does not block, so a child that writes too much need not wait for a reader.
        let (errors, written) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let _blocked = BlockedSignals::new()?;
        let process = Command::new(program)
            .arg0("mtl-host-worker")
            .arg(MARK)
            .arg(std::process::id().to_string())
            // A child needs nothing from the environment.
            .env_clear()
            .stdin(socket)
            .stdout(Stdio::null())
            .stderr(written)
            .spawn()?;
        Ok(Self { process, connection, errors })
    }

    /// Returns the process number. The system gives it to no other process as long as `self` lives.
    pub(crate) fn id(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    /// Sends the descriptors, then the open directories. This must come before all frames.
    pub(crate) fn hand_over(
        &self,
        files: &[BorrowedFd<'_>],
        dirs: &[GrantedDir],
    ) -> Result<(), LinkError> {
        let count = u32::try_from(dirs.len()).unwrap_or(u32::MAX);
        self.send_files(&count.to_le_bytes(), files)?;
        let dirs: Vec<_> = dirs.iter().map(|granted| granted.dir.as_fd()).collect();
        dirs.chunks(MAX_FDS_PER_MESSAGE).try_for_each(|dirs| self.send_files(&[0], dirs))
    }

    fn send_files(&self, bytes: &[u8], files: &[BorrowedFd<'_>]) -> Result<(), LinkError> {
        let mut space =
            [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS_PER_MESSAGE))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        assert!(
            ancillary.push(SendAncillaryMessage::ScmRights(files)),
            "the buffer is large enough"
        );
        let bytes = [IoSlice::new(bytes)];
        match sendmsg(self.connection.socket().as_fd(), &bytes, &mut ancillary, SendFlags::NOSIGNAL)
        {
            Ok(_) => Ok(()),
            Err(Errno::PIPE | Errno::CONNRESET) => Err(LinkError::Ended),
            Err(error) => Err(LinkError::Io(error.into())),
        }
    }

    /// Waits for the exit of a child that has closed its end of the socket, and returns its
    /// [`ProcessExit`]. If `policy` ends the wait before the exit, this method kills the child.
    pub(crate) fn wait(&mut self, policy: &mut dyn WaitPolicy) -> ProcessExit {
        let ends_by_itself = self.wait_for_exit(policy);
        if !ends_by_itself {
            self.kill();
        }
        let status = self.process.wait().ok().filter(|_| ends_by_itself);
        ProcessExit { status, last_message: self.last_message() }
    }

    /// Waits until the child has ended or `policy` ends the wait. Returns whether the child has
    /// ended.
    fn wait_for_exit(&self, policy: &mut dyn WaitPolicy) -> bool {
        // Without pidfds, the system cannot tell when a process ends; then the child is killed immediately.
        let process = pidfd_open(Pid::from_child(&self.process), PidfdFlags::empty());
        process.is_ok_and(|process| {
            loop {
                // The child may have ended just before the wait ends, so this checks one last time.
                let allowed = policy.next_deadline();
                let until = allowed.unwrap_or_else(|_| Some(Instant::now()));
                match self.connection.event_fd().wait_for(&process, PollFlags::IN, until) {
                    Ok(true) => return true,
                    Ok(false) if allowed.is_ok() => {}
                    Ok(false) | Err(_) => return false,
                }
            }
        })
    }

    fn kill(&mut self) {
        // This fails if the child is dead already.
        let _ = self.process.kill();
    }

    /// Returns the last line that the child wrote to its standard error.
    fn last_message(&self) -> String {
        let mut written = Vec::with_capacity(64 * 1024);
        let _ = rustix::io::read(&self.errors, rustix::buffer::spare_capacity(&mut written));
        let text = String::from_utf8_lossy(&written);
        // The standard library adds a note on backtraces to a panic message.
        let is_message = |line: &&str| !line.trim().is_empty() && !line.starts_with("note: ");
        let last = text.lines().rev().find(is_message).unwrap_or_default();
        last.chars().take(200).collect()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
        // The wait removes the dead process. Only then may the system use its number again.
        let _ = self.process.wait();
    }
}

/// The end of a process.
#[derive(Debug)]
pub(crate) struct ProcessExit {
    /// The exit status, or `None` if the process was killed by its parent.
    status: Option<ExitStatus>,
    last_message: String,
}

impl ProcessExit {
    /// Returns whether the process aborted because an allocation failed. The allocator reports the
    /// failure before it aborts the process.
    pub(crate) fn is_out_of_memory(&self) -> bool {
        let signal = self.status.and_then(|status| status.signal());
        signal == Some(SIGABRT) && self.last_message.starts_with("memory allocation of ")
    }
}

impl fmt::Display for ProcessExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            None => f.write_str("its process closed its socket, and was killed")?,
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
        if !self.last_message.is_empty() {
            f.write_str(": ")?;
        }
        // Control characters are escaped, and quotes and backslashes are not.
        self.last_message.chars().try_for_each(|character| match character {
            '\'' | '"' | '\\' => f.write_char(character),
            _ => write!(f, "{}", character.escape_debug()),
        })
    }
}

const SIGABRT: i32 = 6;

/// Returns the name of a common signal.
fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        4 => "SIGILL",
        SIGABRT => "SIGABRT",
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
