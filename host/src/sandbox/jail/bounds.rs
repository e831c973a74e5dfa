//! What bounds the process itself: whose child it is, what it has open, how much it may take.

use std::fs;
use std::io;
use std::os::fd::RawFd;

use rustix::io::Errno;
use rustix::process::{
    DumpableBehavior, Pid, Resource, Rlimit, Signal, getppid, getrlimit, set_dumpable_behavior,
    set_parent_process_death_signal, setrlimit, setsid,
};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_no_new_privs};

use super::{Confines, JailError};

/// Files that it may have open: some for itself, the others for a plugin.
const FILES: u64 = 1024;

pub(super) fn begin(parent: Pid) -> Result<(), JailError> {
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
    close_all_from(3).map_err(|source| JailError::System { step: "close what is open", source })
}

/// Closes every descriptor from `first` on.
fn close_all_from(first: RawFd) -> io::Result<()> {
    // All are found before one is closed. The folder that they are read from was among them.
    let mut open = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        let name = entry?.file_name();
        open.extend(name.to_str().and_then(|name| name.parse::<RawFd>().ok()));
    }
    let is_open = |fd: &RawFd| fs::symlink_metadata(format!("/proc/self/fd/{fd}")).is_ok();
    open.into_iter().filter(|fd| *fd >= first).filter(is_open).for_each(close);
    Ok(())
}

#[expect(unsafe_code, reason = "nothing safe closes a descriptor that nothing here has opened")]
fn close(fd: RawFd) {
    // SAFETY: the process has begun with this, so that nothing in it owns a descriptor yet but the
    // standard ones. The one that listed them is closed already, and closing it again does nothing.
    unsafe { rustix::io::close(fd) };
}

/// Landlock binds the thread that calls it and those that it starts.
pub(super) fn is_single_threaded() -> Result<(), JailError> {
    let threads = fs::read_dir("/proc/self/task").map(Iterator::count);
    match threads.map_err(|source| JailError::System { step: "count the threads", source })? {
        1 => Ok(()),
        threads => Err(JailError::Threads(threads)),
    }
}

pub(super) fn enter(confines: &Confines<'_>) -> Result<(), JailError> {
    set_no_new_privs(true).map_err(JailError::system("give up new privileges"))?;
    give_up_capabilities(confines).map_err(JailError::system("give up capabilities"))?;
    limit(Resource::Data, confines.data)?;
    limit(Resource::Nofile, FILES)?;
    [Resource::Core, Resource::Memlock, Resource::Msgqueue, Resource::Nice, Resource::Rtprio]
        .into_iter()
        .try_for_each(|resource| limit(resource, 0))
}

/// Root may only do with the granted directories what it may do as a thread: read and write what
/// belongs to others.
fn give_up_capabilities(confines: &Confines<'_>) -> Result<(), Errno> {
    let kept = match confines.dirs {
        [] => CapabilitySet::empty(),
        _ => CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH | CapabilitySet::FOWNER,
    };
    let had = rustix::thread::capabilities(None)?.permitted;
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
