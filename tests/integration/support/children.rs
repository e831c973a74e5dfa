//! Finds the child processes of workers in `/proc` by their parent.

use std::fs;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use mtl_host::isolation::{Isolation, Processes};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use super::DEADLINE;

/// Returns process isolation, independent of `MTL_TEST_ISOLATION`.
pub(crate) fn processes() -> Isolation {
    Isolation::Process(Processes::new().program(env!("CARGO_BIN_EXE_mtl-host")))
}

/// A worker's process. The pidfd still identifies this process after its number is reused for
/// another process.
#[derive(Debug)]
pub(crate) struct Child {
    pid: Pid,
    process: OwnedFd,
}

impl Child {
    /// Sends a signal and returns whether the process received it.
    pub(crate) fn signal(&self, signal: Signal) -> bool {
        kill_process(self.pid, signal).is_ok()
    }

    /// Returns the process's number.
    pub(crate) fn number(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Waits until the process has ended, at most until `until`, and returns whether it has ended.
    fn has_ended(&self, until: Instant) -> bool {
        loop {
            let left = Timespec::try_from(until.saturating_duration_since(Instant::now())).unwrap();
            match poll(&mut [PollFd::new(&self.process, PollFlags::IN)], Some(&left)) {
                Ok(ended) => return ended > 0,
                Err(Errno::INTR) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Returns the children of a process, including zombies.
pub(crate) fn children_of(parent: u32) -> Vec<Child> {
    let all = fs::read_dir("/proc").unwrap();
    let numbers = all.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let children = numbers.filter(|number| parent_of(*number) == Some(parent));
    let child = |number| {
        let pid = Pid::from_raw(number)?;
        // A process that ends meanwhile is skipped.
        Some(Child { pid, process: pidfd_open(pid, PidfdFlags::empty()).ok()? })
    };
    children.filter_map(child).collect()
}

/// Returns the children of this process.
pub(crate) fn own_children() -> Vec<Child> {
    children_of(std::process::id())
}

/// Returns the number of the parent process. In `stat`, the name of the process is in parentheses,
/// and may contain any byte.
fn parent_of(number: i32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Waits until a process has `count` children.
pub(crate) fn wait_for_children(parent: u32, count: usize) -> Vec<Child> {
    wait_until(parent, |children| children == count)
}

/// Waits until a process has a child.
pub(crate) fn wait_for_some_children(parent: u32) -> Vec<Child> {
    wait_until(parent, |children| children > 0)
}

fn wait_until(parent: u32, enough: impl Fn(usize) -> bool) -> Vec<Child> {
    let until = Instant::now() + DEADLINE / 4;
    loop {
        let children = children_of(parent);
        if enough(children.len()) {
            return children;
        }
        assert!(Instant::now() < until, "the process has {} children", children.len());
        std::thread::yield_now();
    }
}

/// Waits until all these processes have ended, which takes at most a few seconds.
pub(crate) fn wait_until_gone(children: &[Child]) {
    let until = Instant::now() + Duration::from_secs(10);
    for child in children {
        assert!(child.has_ended(until), "{child:?} is still alive");
    }
}
