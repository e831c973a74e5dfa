//! A child: started, handed what it needs, and never left behind.
//!
//! A child is killed when its [`Child`] is dropped. If this process itself is killed, the kernel
//! kills the child, which has asked for that with its first step: it names the *thread* that has
//! started it, so a child belongs to one thread, and is dropped before that ends.

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

use self::signals::Blocked;
use super::Processes;
use super::child::MARK;
use super::eventfd::Bell;
use super::link::{Gone, Link, Patience};
use crate::sandbox::granted::GrantedDir;

/// How long a process may take to end, at most, when it has closed its end of the link: one that dies
/// gives back its memory at the same time, which may be much.
pub(super) const TO_END: Duration = Duration::from_secs(5);
/// How long a process may take until it is jailed and has its code, however busy the machine is.
pub(super) const TO_BE_READY: Duration = Duration::from_secs(60);

/// The number of descriptors in one message. The system takes no more than 253.
pub(super) const AT_ONCE: usize = 64;

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
        let _blocked = Blocked::new()?;
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

    /// The number of the process. It is nobody else's as long as this is there.
    pub(crate) fn id(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    /// Hands descriptors over, and open directories after them. They are the first that goes to a child.
    pub(crate) fn hand_over(
        &self,
        files: &[BorrowedFd<'_>],
        dirs: &[GrantedDir],
    ) -> Result<(), Gone> {
        let count = u32::try_from(dirs.len()).unwrap_or(u32::MAX);
        self.send_files(&count.to_le_bytes(), files)?;
        let dirs: Vec<_> = dirs.iter().map(|granted| granted.dir.as_fd()).collect();
        dirs.chunks(AT_ONCE).try_for_each(|dirs| self.send_files(&[0], dirs))
    }

    fn send_files(&self, bytes: &[u8], files: &[BorrowedFd<'_>]) -> Result<(), Gone> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(AT_ONCE))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        assert!(ancillary.push(SendAncillaryMessage::ScmRights(files)), "there is room for them");
        let bytes = [IoSlice::new(bytes)];
        match sendmsg(self.link.socket().as_fd(), &bytes, &mut ancillary, SendFlags::NOSIGNAL) {
            Ok(_) => Ok(()),
            Err(Errno::PIPE | Errno::CONNRESET) => Err(Gone::Ended),
            Err(error) => Err(Gone::Io(error.into())),
        }
    }

    /// Waits for its end, and says how it ended. It has closed its end of the link, so that it is
    /// about to end; if it does not for as long as `patience` lasts, it is killed.
    pub(crate) fn wait(&mut self, patience: &mut dyn Patience) -> Death {
        let ends_by_itself = self.ends_within(patience);
        if !ends_by_itself {
            self.kill();
        }
        let status = self.process.wait().ok().filter(|_| ends_by_itself);
        Death { status, said: self.said() }
    }

    /// Waits until it has ended, as long as `patience` lasts; says whether it has.
    fn ends_within(&self, patience: &mut dyn Patience) -> bool {
        // A system without such descriptors says nothing of ends: then it is killed at once.
        let process = pidfd_open(Pid::from_child(&self.process), PidfdFlags::empty());
        process.is_ok_and(|process| {
            loop {
                // It may have ended by the moment from which nobody waits any longer: one looks once more.
                let allowed = patience.go_on();
                let until = allowed.unwrap_or_else(|_| Some(Instant::now()));
                match self.link.bell().wait_for(&process, PollFlags::IN, until) {
                    Ok(true) => return true,
                    Ok(false) if allowed.is_ok() => {}
                    Ok(false) | Err(_) => return false,
                }
            }
        })
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
        // The standard library adds a note on backtraces to what it says.
        let says = |line: &&str| !line.trim().is_empty() && !line.starts_with("note: ");
        let last = text.lines().rev().find(says).unwrap_or_default();
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
    /// None if it did not end by itself.
    status: Option<ExitStatus>,
    said: String,
}

impl Death {
    /// Whether it died since it got no more memory: it then says so, and aborts.
    pub(crate) fn is_for_memory(&self) -> bool {
        let signal = self.status.and_then(|status| status.signal());
        signal == Some(SIGABRT) && self.said.starts_with("memory allocation of ")
    }
}

impl fmt::Display for Death {
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
        if !self.said.is_empty() {
            f.write_str(": ")?;
        }
        // Quotes are as they were said.
        self.said.chars().try_for_each(|sign| match sign {
            '\'' | '"' | '\\' => f.write_char(sign),
            _ => write!(f, "{}", sign.escape_debug()),
        })
    }
}

const SIGABRT: i32 = 6;

/// What people call it.
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
