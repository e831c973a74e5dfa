//! Namespaces: the process sees an empty root directory, and neither the host's shared memory nor the host's network.
//!
//! ```text
//! root (CAP_SYS_ADMIN)     unshare(mount, IPC, network)            keeps its rights on granted files
//! a user                   unshare(user), maps itself to itself,   may make the other namespaces
//!                          unshare(mount, IPC, network)
//! ```
//!
//! These layers are optional: if the system refuses a step, the process continues with the next step. An ordinary user
//! loses no right in an incomplete user namespace. Root, or a process that may read files of other users, would lose
//! the right to read those files. Therefore, neither root nor such a process enters a user namespace.
//!
//! The old root stays mounted, but no absolute path reaches it: the root and the working directory are an empty file
//! system. The process opens granted directories before it changes its root. From a granted directory, a path with `..`
//! still leads to the host's files. The process can find out whether such a file exists. Only Landlock refuses to open
//! the file.

use std::ffi::CStr;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::ptr::null;

use rustix::process::{DumpableBehavior, chroot, fchdir, getgid, getuid, set_dumpable_behavior};
use rustix::thread::{CapabilitySet, UnshareFlags, unshare_unsafe};

use super::{JailConfig, JailLayer, JailLayers, LayerStatus, Task};

/// The capabilities that let a process use files of other users.
pub(crate) const FILE_CAPABILITIES: CapabilitySet =
    CapabilitySet::DAC_OVERRIDE.union(CapabilitySet::DAC_READ_SEARCH).union(CapabilitySet::FOWNER);

/// The reason for no user namespace if a directory is granted.
const WOULD_LOSE: &str =
    "with granted directories, the process would lose the right to use files of other users";
/// The reason for no other namespaces if there is no user namespace.
const NO_USER_NAMESPACE: &str = "this needs a user namespace, or root";

/// Enters the namespaces that the system allows. `capabilities` are those of the process.
pub(crate) fn enter(config: &JailConfig<'_>, capabilities: CapabilitySet, layers: &mut JailLayers) {
    let user_namespace = enter_user_namespace(config, capabilities);
    let can_continue = !matches!(user_namespace, LayerStatus::Missing(_));
    let holds_with_dirs = !matches!(user_namespace, LayerStatus::WithoutDirs(_));
    layers.add_answer(JailLayer::UserNamespace, user_namespace);
    let step = |layer, enter: &dyn Fn() -> io::Result<()>| {
        let without = || io::Error::other(NO_USER_NAMESPACE);
        let entered = if can_continue { enter() } else { Err(without()) };
        let answer = match LayerStatus::from_result(entered) {
            LayerStatus::Present if !holds_with_dirs => {
                LayerStatus::WithoutDirs(NO_USER_NAMESPACE.into())
            }
            answer => answer,
        };
        (layer, answer)
    };
    // This comes before the empty root, which hides `/proc`.
    let (layer, answer) = step(JailLayer::IpcNamespace, &|| unshare(UnshareFlags::NEWIPC));
    layers.add_answer(layer, answer);
    let network = match config.check_network_namespace() {
        Ok(()) => step(JailLayer::NetworkNamespace, &|| unshare(UnshareFlags::NEWNET)).1,
        Err(reason) => LayerStatus::Unused(reason.into()),
    };
    layers.add_answer(JailLayer::NetworkNamespace, network);
    let is_admin = capabilities.contains(CapabilitySet::SYS_ADMIN);
    let (layer, answer) = step(JailLayer::EmptyRoot, &|| enter_empty_root(is_admin));
    layers.add_answer(layer, answer);
}

fn enter_user_namespace(config: &JailConfig<'_>, capabilities: CapabilitySet) -> LayerStatus {
    if capabilities.contains(CapabilitySet::SYS_ADMIN) {
        return LayerStatus::Unused("the process may make the other namespaces without one".into());
    }
    let would_lose = capabilities.intersects(FILE_CAPABILITIES);
    if would_lose && !config.dirs.is_empty() {
        return LayerStatus::Missing(WOULD_LOSE.into());
    }
    match LayerStatus::from_result(map_users()) {
        // A worker without directories has nothing to lose. The probe must answer for workers with directories.
        LayerStatus::Present if would_lose && config.task == Task::Probe => {
            LayerStatus::WithoutDirs(WOULD_LOSE.into())
        }
        answer => answer,
    }
}

/// Enters a user namespace that maps the user and the group to themselves.
fn map_users() -> io::Result<()> {
    // The numbers are read before `unshare`: in the namespace, the process has none until they are mapped.
    let (user, group) = (getuid().as_raw(), getgid().as_raw());
    unshare(UnshareFlags::NEWUSER)?;
    // Root owns the `/proc` files of a process that is not dumpable, so the process could not write its maps.
    set_dumpable_behavior(DumpableBehavior::Dumpable)?;
    let mapped = map_to_itself(user, group);
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    mapped
}

fn map_to_itself(user: u32, group: u32) -> io::Result<()> {
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("{group} {group} 1"))
}

/// Makes an empty, read-only file system the root of the process.
fn enter_empty_root(is_admin: bool) -> io::Result<()> {
    unshare(UnshareFlags::NEWNS)?;
    if is_admin {
        // Let mounts that the host removes later disappear here. In a user namespace they do so by default.
        follow_the_host()?;
    }
    let root = empty_file_system()?;
    fchdir(&root)?;
    Ok(chroot(".")?)
}

#[expect(
    unsafe_code,
    reason = "the call is unsafe because a flag may separate the threads' descriptors"
)]
fn unshare(flags: UnshareFlags) -> io::Result<()> {
    // SAFETY: `unshare` is unsafe with `CLONE_FILES`, because that flag separates the descriptors of threads. No caller
    // passes `CLONE_FILES`, and the process has one thread.
    Ok(unsafe { unshare_unsafe(flags) }?)
}

#[expect(unsafe_code, reason = "no safe function mounts")]
fn follow_the_host() -> io::Result<()> {
    let flags = libc::MS_REC | libc::MS_SLAVE;
    // SAFETY: the path is a static C string, which `mount` only reads. With these flags, `mount` uses no source, type
    // or data, so it ignores the null pointers.
    check(unsafe { libc::mount(null(), c"/".as_ptr(), null(), flags, null()) }.into()).map(drop)
}

/// `FSCONFIG_SET_STRING` and `FSCONFIG_CMD_CREATE`.
const SET_STRING: usize = 1;
const CREATE: usize = 6;
/// `MOUNT_ATTR_RDONLY`, `NOSUID`, `NODEV`, `NOEXEC`.
const READ_ONLY: usize = 1 | 2 | 4 | 8;

/// Makes a file system with one empty directory. It is mounted nowhere.
fn empty_file_system() -> io::Result<OwnedFd> {
    let text = |text: &CStr| text.as_ptr().addr();
    let system = descriptor(libc::SYS_fsopen, [text(c"tmpfs"), 1, 0, 0, 0])?;
    let number = |descriptor: &OwnedFd| descriptor.as_raw_fd().cast_unsigned() as usize;
    for (key, value) in [(c"size", c"4k"), (c"nr_inodes", c"1"), (c"mode", c"0555")] {
        let set = [number(&system), SET_STRING, text(key), text(value), 0];
        call(libc::SYS_fsconfig, set)?;
    }
    call(libc::SYS_fsconfig, [number(&system), CREATE, 0, 0, 0])?;
    descriptor(libc::SYS_fsmount, [number(&system), 1, READ_ONLY, 0, 0])
}

#[expect(unsafe_code, reason = "the number of a descriptor becomes an owned descriptor")]
fn descriptor(number: libc::c_long, arguments: [usize; 5]) -> io::Result<OwnedFd> {
    let opened = i32::try_from(call(number, arguments)?).map_err(io::Error::other)?;
    // SAFETY: the kernel has just opened this descriptor for this call, so no other value owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(opened) })
}

#[expect(unsafe_code, reason = "the C library has no functions for these calls")]
fn call(number: libc::c_long, [a, b, c, d, e]: [usize; 5]) -> io::Result<i64> {
    // SAFETY: the callers pass numbers and pointers to static C strings, and these calls only read the strings.
    check(unsafe { libc::syscall(number, a, b, c, d, e) })
}

fn check(answer: i64) -> io::Result<i64> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}
