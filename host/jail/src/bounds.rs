//! Bounds of the process itself: its parent, its open descriptors, its resources.

use std::fs;
use std::os::fd::{AsRawFd, RawFd};

use rustix::fs::{Dir, Mode, OFlags, open};
use rustix::io::Errno;
use rustix::process::{
    DumpableBehavior, Pid, Resource, Rlimit, Signal, getppid, getrlimit, set_dumpable_behavior,
    set_parent_process_death_signal, setrlimit, setsid,
};
use rustix::thread::{
    CapabilitySet, CapabilitySets, sched_getaffinity, set_capabilities, set_no_new_privs,
};

use super::namespaces::ON_FILES;
use super::{Confines, JailError, Task};

/// Files that it may have open: some for itself, the others for a plugin.
const FILES: u64 = 1024;

/// The main thread's stack, in bytes. `RLIMIT_DATA` does not count it.
const STACK: u64 = 8 * 1024 * 1024;
/// The kernel keeps at least so much below the top of the main thread's stack free of mappings.
const STACK_GAP: u64 = 128 * 1024 * 1024;

pub(crate) fn begin(parent: Pid) -> Result<(), JailError> {
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(JailError::system("bind the process's life to its parent's"))?;
    // A parent that ended before that signals nothing any more.
    if getppid() != Some(parent) {
        return Err(JailError::Orphan);
    }
    match setsid() {
        // It leads one of its own already.
        Ok(_) | Err(Errno::PERM) => {}
        Err(errno) => return Err(JailError::system("start a session")(errno)),
    }
    // When memory runs out, it is the first to go. Where this cannot be said, the kernel chooses.
    drop(fs::write("/proc/self/oom_score_adj", "1000"));
    limit(Resource::Core, 0)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(JailError::system("keep the process's memory from others"))?;
    close_all_from(3).map_err(JailError::system("close what is open"))
}

/// Closes every descriptor from `first` on.
fn close_all_from(first: RawFd) -> Result<(), Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = open("/proc/self/fd", flags, Mode::empty())?;
    let own = folder.as_raw_fd();
    // All are found before one is closed.
    let mut found = Vec::new();
    for entry in Dir::new(folder)? {
        // The folder's own `.` and `..` are no numbers.
        let name = entry?;
        found.extend(name.file_name().to_str().ok().and_then(|name| name.parse::<RawFd>().ok()));
    }
    // What the folder is read by was closed with it.
    found.into_iter().filter(|fd| *fd >= first && *fd != own).for_each(close);
    Ok(())
}

#[expect(unsafe_code, reason = "nothing safe closes a descriptor that nothing here has opened")]
fn close(fd: RawFd) {
    // SAFETY: the process begins with this, so that nothing in it owns a descriptor yet but the
    // standard ones; and it is open, as it was found among those that are.
    unsafe { rustix::io::close(fd) };
}

/// Landlock binds the thread that calls it and those that it starts.
pub(crate) fn is_single_threaded() -> Result<(), JailError> {
    let threads = fs::read_dir("/proc/self/task").map(Iterator::count);
    match threads.map_err(|source| JailError::System { step: "count the threads", source })? {
        1 => Ok(()),
        threads => Err(JailError::Threads(threads)),
    }
}

/// Returns the capabilities of the process.
pub(crate) fn capabilities() -> Result<CapabilitySet, JailError> {
    let sets = rustix::thread::capabilities(None);
    Ok(sets.map_err(JailError::system("ask for capabilities"))?.permitted)
}

pub(crate) fn enter(confines: &Confines<'_>, had: CapabilitySet) -> Result<(), JailError> {
    set_no_new_privs(true).map_err(JailError::system("give up new privileges"))?;
    give_up_capabilities(confines, had).map_err(JailError::system("give up capabilities"))?;
    limit(Resource::Data, confines.data)?;
    limit(Resource::Stack, STACK)?;
    if confines.task == Task::Compile {
        limit(Resource::As, confines.data.saturating_add(addresses()))?;
    }
    if let Some(most) = confines.file_size {
        // To be killed by the signal would be the worse answer to a plugin that writes far behind a file's end.
        ignore_file_size_signal();
        limit(Resource::Fsize, most)?;
    }
    limit(Resource::Nofile, FILES)?;
    [Resource::Core, Resource::Memlock, Resource::Msgqueue, Resource::Nice, Resource::Rtprio]
        .into_iter()
        .try_for_each(|resource| limit(resource, 0))
}

#[expect(unsafe_code, reason = "nothing safe ignores a signal")]
fn ignore_file_size_signal() {
    // SAFETY: the process has one thread, and ignoring a signal installs no handler.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

/// Addresses that a compiler needs beside its data, in bytes: for the program, and for each thread's stack and
/// what the C library reserves for its allocations. A worker has no such limit: the engine
/// reserves gigabytes for each memory of a plugin.
fn addresses() -> u64 {
    const PROGRAM: u64 = 1024 * 1024 * 1024;
    const THREAD: u64 = 256 * 1024 * 1024;
    let threads = u64::from(sched_getaffinity(None).map_or(1024, |all| all.count())) + 2;
    PROGRAM + threads.saturating_mul(THREAD)
}

/// Returns an address below which no part of the main thread's stack lies, and above which no other
/// memory that can be moved.
#[expect(unsafe_code, reason = "nothing safe tells where the stack is")]
pub(crate) fn lowest_of_stack() -> u64 {
    // SAFETY: the call only reads a vector that the kernel has given to the process, and knows every key.
    let top = unsafe { libc::getauxval(libc::AT_EXECFN) };
    top.saturating_sub(STACK_GAP)
}

/// Root may only do with the granted directories what it may do as a thread: read and write what
/// belongs to others. Others keep nothing: what a process has in a user namespace, it had not before.
fn give_up_capabilities(confines: &Confines<'_>, had: CapabilitySet) -> Result<(), Errno> {
    let kept = match confines.dirs {
        [] => CapabilitySet::empty(),
        _ => ON_FILES,
    };
    let kept = kept & had;
    let sets =
        CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    set_capabilities(None, sets)
}

/// Limits a resource to so much, or to what it is limited to already.
fn limit(resource: Resource, most: u64) -> Result<(), JailError> {
    let most = getrlimit(resource).maximum.map_or(most, |hard| hard.min(most));
    let limit = Rlimit { current: Some(most), maximum: Some(most) };
    setrlimit(resource, limit).map_err(JailError::system("limit what the process may take"))
}
