//! Tests of the limits of the process, before it loads a plugin.

use std::fs::{self, File};
use std::io::{Read as _, Write as _, stdout};
use std::process::{self, Stdio};
use std::sync::mpsc;
use std::thread;

use rustix::process::{
    DumpableBehavior, Pid, Resource, Signal, dumpable_behavior, getpid, getrlimit, getsid,
    parent_process_death_signal,
};
use rustix::thread::{CapabilitySet, capabilities};

use super::super::process_limits;
use super::alone::{again, in_a_fork, is_alone};
use super::{JailConfig, JailError, Task, alone, bare, begin, call, ends_by, enter, seal};
use crate::test_timeout::with_timeout;
use crate::{Access, AllowedDir};

#[test]
fn a_child_begins_with_only_the_standard_descriptors() {
    let test = "bounds::a_child_begins_with_only_the_standard_descriptors";
    alone(test, |parent| {
        let open: Vec<_> = (0..40).map(|_| File::open("/dev/null").unwrap()).collect();
        open.into_iter().for_each(std::mem::forget);
        begin(parent).unwrap();
        let is_open = |fd: &usize| call(libc::SYS_fcntl, &[*fd, 3]).is_ok();
        assert_eq!((0..64).filter(is_open).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(getsid(None).unwrap(), getpid());
        assert_eq!(parent_process_death_signal().unwrap(), Some(Signal::KILL));
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        assert_eq!(getrlimit(Resource::Core).maximum, Some(0));
        let score = fs::read_to_string("/proc/self/oom_score_adj").unwrap();
        assert_eq!(score.trim(), "1000", "the kernel kills it first when memory runs out");
        begin(parent).unwrap();
    });
}

#[test]
fn an_orphaned_child_refuses_to_begin() {
    alone("bounds::an_orphaned_child_refuses_to_begin", |parent| {
        let other = Pid::from_raw(parent.as_raw_nonzero().get() + 1).unwrap();
        assert!(matches!(begin(other), Err(JailError::Orphan)));
    });
}

#[test]
fn a_child_dies_with_its_parent() {
    let test = "bounds::a_child_dies_with_its_parent";
    if is_alone(test) {
        let _ = in_a_fork(|parent| {
            begin(parent).unwrap();
            enter(&bare(Task::Work)).unwrap();
            seal().unwrap();
            stdout().write_all(b"jailed").unwrap();
            stdout().flush().unwrap();
            loop {
                thread::park();
            }
        });
        return;
    }
    let mut parent = again(test).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut output = parent.stdout.take().unwrap();
    let mut read = [0; 4096];
    let mut received = Vec::new();
    let mut output = with_timeout(move || {
        while !received.ends_with(b"jailed") {
            let bytes = output.read(&mut read).unwrap();
            assert_ne!(bytes, 0, "{}", String::from_utf8_lossy(&received));
            received.extend(&read[..bytes]);
        }
        output
    });
    parent.kill().unwrap();
    parent.wait().unwrap();
    // The pipe ends when no process is left that could write to it.
    assert_eq!(with_timeout(move || output.read(&mut [0]).unwrap()), 0);
}

#[test]
fn resource_limits_cannot_be_raised() {
    alone("bounds::resource_limits_cannot_be_raised", |parent| {
        begin(parent).unwrap();
        enter(&bare(Task::Work)).unwrap();
        let cases = [
            (Resource::Data, 1 << 30),
            (Resource::Nofile, 1024),
            (Resource::Core, 0),
            (Resource::Memlock, 0),
            (Resource::Msgqueue, 0),
        ];
        for (resource, most) in cases {
            let limit = getrlimit(resource);
            assert_eq!((limit.current, limit.maximum), (Some(most), Some(most)), "{resource:?}");
        }
        let mut memory: Vec<u8> = Vec::new();
        assert!(memory.try_reserve(64 << 20).is_ok(), "memory below the limit is granted");
        assert!(memory.try_reserve(2 << 30).is_err(), "memory above the limit is refused");
    });
}

#[test]
fn root_keeps_only_file_capabilities() {
    let files =
        CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH | CapabilitySet::FOWNER;
    let granted = [AllowedDir::open("/tmp", Access::Read).unwrap()];
    let cases = [(&[][..], CapabilitySet::empty()), (&granted[..], files)];
    alone("bounds::root_keeps_only_file_capabilities", |_| {
        let had = capabilities(None).unwrap().permitted;
        for (dirs, kept) in cases {
            let status = in_a_fork(|_| {
                // `enter` of the jail would filter the calls that read capabilities.
                process_limits::enter(&JailConfig { dirs, ..bare(Task::Work) }, had).unwrap();
                let has = capabilities(None).unwrap();
                assert_eq!((has.permitted, has.effective), (kept & had, kept & had));
                assert_eq!(has.inheritable, CapabilitySet::empty());
            });
            assert_eq!(status.exit_status(), Some(0), "{dirs:?}");
        }
    });
}

#[test]
fn only_a_single_threaded_process_enters_the_jail_once() {
    alone("bounds::only_a_single_threaded_process_enters_the_jail_once", |parent| {
        begin(parent).unwrap();
        assert!(matches!(seal(), Err(JailError::WrongOrder)), "it has not entered");
        thread::scope(|scope| {
            let (done, is_done) = mpsc::channel::<()>();
            scope.spawn(move || is_done.recv());
            assert!(matches!(enter(&bare(Task::Work)), Err(JailError::Threads(2))));
            drop(done);
        });
        // A thread that has ended is still listed for a moment.
        while matches!(enter(&bare(Task::Work)), Err(JailError::Threads(_))) {}
        assert!(enter(&bare(Task::Work)).is_err());
        seal().unwrap();
    });
}

#[test]
fn an_abort_in_the_jail_ends_by_sigabrt() {
    let test = "bounds::an_abort_in_the_jail_ends_by_sigabrt";
    ends_by(&[libc::SIGABRT], test, |parent| {
        begin(parent).unwrap();
        enter(&bare(Task::Work)).unwrap();
        seal().unwrap();
        process::abort();
    });
}
