//! The limits of the process itself: its life, its open descriptors, its resources.

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

use super::namespaces::FILE_CAPABILITIES;
use super::{JailConfig, JailError, Task};

/// The number of files that the process may have open: some for itself, the others for a plugin.
const FILES: u64 = 1024;

/// The main thread's stack, in bytes. `RLIMIT_DATA` does not count it.
const STACK: u64 = 8 * 1024 * 1024;
/// The size of the range below the top of the main thread's stack that contains no other mapping, in bytes. The kernel
/// reserves a range of at least this size for the stack.
const STACK_GAP: u64 = 128 * 1024 * 1024;

pub(crate) fn begin(parent: Pid) -> Result<(), JailError> {
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(JailError::system("bind the process's life to its parent's"))?;
    // If the parent ended before this call, the kernel sends no signal.
    if getppid() != Some(parent) {
        return Err(JailError::Orphan);
    }
    match setsid() {
        // The process leads a session already.
        Ok(_) | Err(Errno::PERM) => {}
        Err(errno) => return Err(JailError::system("start a session")(errno)),
    }
    // Offer this process to the out-of-memory killer first. If the kernel refuses this, it chooses by its own rules.
    drop(fs::write("/proc/self/oom_score_adj", "1000"));
    limit(Resource::Core, 0)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(JailError::system("hide the process's memory from others"))?;
    close_all_from(3).map_err(JailError::system("close the inherited descriptors"))
}

/// Closes every descriptor from `first` on.
fn close_all_from(first: RawFd) -> Result<(), Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = open("/proc/self/fd", flags, Mode::empty())?;
    let own = folder.as_raw_fd();
    // All entries are read before a descriptor is closed.
    let mut open_fds = Vec::new();
    for entry in Dir::new(folder)? {
        // The entries `.` and `..` are no numbers.
        let name = entry?;
        open_fds.extend(name.file_name().to_str().ok().and_then(|name| name.parse::<RawFd>().ok()));
    }
    // `own` was closed when `Dir` was dropped.
    open_fds.into_iter().filter(|fd| *fd >= first && *fd != own).for_each(close);
    Ok(())
}

#[expect(unsafe_code, reason = "no safe function closes an inherited descriptor")]
fn close(fd: RawFd) {
    // SAFETY: a child calls `begin` before anything else. So the only descriptors that a Rust value may own are the
    // three standard ones, and `fd` is greater than these three. `fd` is open, because it was in the list of open
    // descriptors.
    unsafe { rustix::io::close(fd) };
}

/// Checks that the process has one thread. Landlock restricts only the calling thread and the threads that this thread
/// starts later.
pub(crate) fn check_single_threaded() -> Result<(), JailError> {
    let threads = fs::read_dir("/proc/self/task").map(Iterator::count);
    match threads.map_err(|source| JailError::System { step: "count the threads", source })? {
        1 => Ok(()),
        threads => Err(JailError::Threads(threads)),
    }
}

pub(crate) fn capabilities() -> Result<CapabilitySet, JailError> {
    let sets = rustix::thread::capabilities(None);
    Ok(sets.map_err(JailError::system("read the capabilities of the process"))?.permitted)
}

pub(crate) fn enter(config: &JailConfig<'_>, capabilities: CapabilitySet) -> Result<(), JailError> {
    set_no_new_privs(true).map_err(JailError::system("give up new privileges"))?;
    give_up_capabilities(config, capabilities)
        .map_err(JailError::system("give up capabilities"))?;
    limit(Resource::Data, config.data)?;
    limit(Resource::Stack, STACK)?;
    if config.task == Task::Compile {
        limit(Resource::As, config.data.saturating_add(compiler_address_space()))?;
    }
    if let Some(most) = config.max_file_size {
        // Without this, a plugin that writes far beyond a file's end would be killed instead of getting an error.
        ignore_file_size_signal();
        limit(Resource::Fsize, most)?;
    }
    limit(Resource::Nofile, FILES)?;
    [Resource::Core, Resource::Memlock, Resource::Msgqueue, Resource::Nice, Resource::Rtprio]
        .into_iter()
        .try_for_each(|resource| limit(resource, 0))
}

#[expect(unsafe_code, reason = "no safe function ignores a signal")]
fn ignore_file_size_signal() {
    // SAFETY: `SIG_IGN` installs no handler, so no code of this process runs in a signal. The process has one thread.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

/// Returns the address space that a compiling process needs in addition to its data, in bytes. It
/// covers the program, each thread's stack, and the C library's reservations for allocations. A
/// worker has no limit on address space, because the engine reserves gigabytes for each memory of a
/// plugin.
fn compiler_address_space() -> u64 {
    const PROGRAM: u64 = 1024 * 1024 * 1024;
    const THREAD: u64 = 256 * 1024 * 1024;
    let threads = u64::from(sched_getaffinity(None).map_or(1024, |all| all.count())) + 2;
    PROGRAM + threads.saturating_mul(THREAD)
}

/// Returns an address that separates the main thread's stack from other memory. The whole stack lies above this
/// address. All other memory that `mremap` can move lies below this address.
#[expect(unsafe_code, reason = "no safe function returns the address of the stack")]
pub(crate) fn stack_lower_bound() -> u64 {
    // SAFETY: the call takes a key by value and only reads the auxiliary vector; it returns 0 for an unknown key.
    let top = unsafe { libc::getauxval(libc::AT_EXECFN) };
    top.saturating_sub(STACK_GAP)
}

/// Gives up all capabilities, with one exception. If a directory is granted, root keeps the right to use files of other
/// users, as a worker on a thread does. An ordinary user keeps no capability, because a user namespace must not add
/// rights.
fn give_up_capabilities(config: &JailConfig<'_>, capabilities: CapabilitySet) -> Result<(), Errno> {
    let kept = match config.dirs {
        [] => CapabilitySet::empty(),
        _ => FILE_CAPABILITIES,
    };
    let kept = kept & capabilities;
    let sets =
        CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    set_capabilities(None, sets)
}

/// Limits a resource to `most`, or to its present limit if that is lower.
fn limit(resource: Resource, most: u64) -> Result<(), JailError> {
    let most = getrlimit(resource).maximum.map_or(most, |hard| hard.min(most));
    let limit = Rlimit { current: Some(most), maximum: Some(most) };
    setrlimit(resource, limit).map_err(JailError::system("limit the resources of the process"))
}
