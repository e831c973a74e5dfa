//! Observes and controls a run that is still running.

use std::fs;
use std::io::{self, Write};
use std::process::{Child, ChildStdin, Command};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use tempfile::TempDir;

use super::Finished;
use super::stream::Stream;

/// A run that is still running. If the test ends first, the process is killed.
pub(crate) struct Running {
    child: Child,
    folder: TempDir,
    stdin: Option<ChildStdin>,
    feeder: Option<JoinHandle<()>>,
    stdout: Stream,
    stderr: Stream,
    deadline: Instant,
}

impl Running {
    pub(super) fn new(command: &mut Command, folder: TempDir, deadline: Duration) -> Self {
        let mut child = command.spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        Self {
            stdin: child.stdin.take(),
            feeder: None,
            stdout: Stream::of(stdout),
            stderr: Stream::of(stderr),
            child,
            folder,
            deadline: Instant::now() + deadline,
        }
    }

    /// Returns the number of the run's process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Passes standard input to a thread that writes to it and then closes it. The run may end
    /// without reading all of its input.
    pub(crate) fn feed(
        &mut self,
        write: impl FnOnce(&mut ChildStdin) -> io::Result<()> + Send + 'static,
    ) {
        let mut stdin = self.stdin.take().expect("standard input is open");
        let write = move || {
            let _ = write(&mut stdin);
        };
        let feeder = thread::Builder::new().name("feeder".into()).spawn(write).unwrap();
        self.feeder = Some(feeder);
    }

    /// Writes to standard input, which stays open.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let stdin = self.stdin.as_mut().expect("standard input is open");
        stdin.write_all(bytes.as_ref()).unwrap();
    }

    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Takes standard input out of the run.
    pub(crate) fn take_stdin(&mut self) -> ChildStdin {
        self.stdin.take().expect("standard input is open")
    }

    /// Waits until standard output contains `text`.
    pub(crate) fn wait_for_stdout(&self, text: &str) {
        self.wait_for_times(&self.stdout, text, 1);
    }

    /// Waits until standard error contains `text`.
    pub(crate) fn wait_for_stderr(&self, text: &str) {
        self.wait_for_times(&self.stderr, text, 1);
    }

    /// Waits until standard error contains `text` at least `times` times.
    pub(crate) fn wait_for_stderr_times(&self, text: &str, times: usize) {
        self.wait_for_times(&self.stderr, text, times);
    }

    fn wait_for_times(&self, stream: &Stream, text: &str, times: usize) {
        let seen = |bytes: &[u8]| String::from_utf8_lossy(bytes).matches(text).count() >= times;
        assert!(
            stream.wait(self.deadline, seen),
            "`{}` was not seen {times} times\n{}",
            text.escape_debug(),
            self.so_far()
        );
    }

    /// Sends a signal to the process.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Returns the peak memory of the process so far, in bytes.
    pub(crate) fn peak_memory(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let kib: usize = peak.trim().trim_end_matches(" kB").parse().unwrap();
        kib * 1024
    }

    /// Closes standard input, unless a writer thread owns it, and waits for the end.
    pub(crate) fn finish(mut self) -> Finished {
        self.close_stdin();
        self.finish_with_stdin_open()
    }

    /// Waits for the end with standard input open.
    pub(crate) fn finish_with_stdin_open(mut self) -> Finished {
        assert!(self.has_ended(), "the run did not end\n{}", self.so_far());
        let status = self.child.wait().unwrap();
        for stream in [&self.stdout, &self.stderr] {
            assert!(stream.wait_for_end(self.deadline), "another process keeps the stream open");
        }
        if let Some(feeder) = self.feeder.take() {
            feeder.join().unwrap();
        }
        let take = |stream| std::mem::replace(stream, Stream::of(None::<io::Empty>)).into_bytes();
        let (stdout, stderr) = (take(&mut self.stdout), take(&mut self.stderr));
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        Finished::new(status, stdout, stderr, folder)
    }

    /// Waits until the process has ended, and returns whether it ended before the deadline.
    fn has_ended(&self) -> bool {
        let process = pidfd_open(self.pid(), PidfdFlags::empty()).unwrap();
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).unwrap();
            match poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&left)) {
                Ok(ready) => return ready > 0,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn so_far(&self) -> String {
        let text = |stream: &Stream| {
            let bytes = stream.bytes();
            String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]).into_owned()
        };
        format!("stdout so far:\n{}\nstderr so far:\n{}", text(&self.stdout), text(&self.stderr))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both calls fail if the process has already ended, and then nothing is left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
