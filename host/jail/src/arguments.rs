//! Filter rules that allow or refuse a system call by its arguments.
//!
//! A filter sees a call's arguments as numbers. It cannot read the memory that a pointer argument
//! refers to.

use rustix::process::getpid;
use seccompiler::SeccompCmpOp::{Eq, Ge, MaskedEq, Ne};
use seccompiler::{Error, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompRule};

use super::Task;
#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "the module holds only these constants")
)]
use super::calls::*;

/// The number of a call, and its rules. The filter matches the call if one of the rules holds.
type Ruled = (i64, Vec<SeccompRule>);

const AT_EMPTY_PATH: u32 = 0x1000;
const PROT_EXEC: u32 = 4;
const PROT_READ: u32 = 1;
const PROT_WRITE: u32 = 2;

/// `MAP_PRIVATE`. The filter refuses shared memory, because `RLIMIT_DATA` does not count it.
const MAP_PRIVATE: u32 = 2;
/// `MAP_FIXED`, `MAP_ANONYMOUS`, `MAP_NORESERVE`, `MAP_STACK`. The list omits the flags for huge, locked and prefilled
/// pages. It omits `MAP_GROWSDOWN`, which makes a mapping a stack, because `RLIMIT_DATA` does not include stacks.
const MAP_FLAGS: u32 = 0x10 | 0x20 | 0x4000 | 0x2_0000;
/// `MADV_DONTNEED`, `MADV_GUARD_INSTALL`, `MADV_GUARD_REMOVE`. Allocators return pages with `MADV_DONTNEED`. The C
/// library manages the guard pages of stacks with the other two flags.
const ADVICE: [u32; 3] = [4, 102, 103];

const PR_SET_NAME: u32 = 15;
const PR_SET_NO_NEW_PRIVS: u32 = 38;
const SECCOMP_SET_MODE_FILTER: u32 = 1;
const SECCOMP_FILTER_FLAG_TSYNC: u32 = 1;

/// `F_DUPFD`, `F_GETFD`, `F_SETFD`, `F_GETFL`, `F_SETFL`, `F_DUPFD_CLOEXEC`, `F_ADD_SEALS`,
/// `F_GET_SEALS`. The list omits `F_SETOWN`, which can make the kernel signal another process.
const FCNTL: [u32; 8] = [0, 1, 2, 3, 4, 1030, 1033, 1034];
/// `FIONBIO`, `FIOCLEX`. The list leaves out `TIOCSTI`, which types into a terminal.
const IOCTL: [u32; 2] = [0x5421, 0x5451];

/// `CLONE_VM`, `CLONE_SIGHAND`, `CLONE_THREAD`: with these flags, `clone` makes a thread instead of
/// a process.
const THREAD: u32 = 0x100 | 0x800 | 0x1_0000;
/// `CLONE_PIDFD`, `CLONE_PTRACE`, `CLONE_VFORK`, `CLONE_PARENT`, `CLONE_UNTRACED`, and all `CLONE_NEW…` flags. The
/// filter refuses `clone` with any of these flags. Otherwise, a thread with root's capabilities could make its own
/// mount namespace.
const FORBIDDEN_CLONE_FLAGS: u32 = 0x1000 | 0x2000 | 0x4000 | 0x8000 | 0x80_0000 | 0x7e02_0080;

const RWF_APPEND: u32 = 0x10;

const AF_INET: u32 = 2;
const AF_INET6: u32 = 10;
const SOCK_STREAM: u32 = 1;
/// `SOCK_NONBLOCK`, `SOCK_CLOEXEC`.
const SOCK_FLAGS: u32 = 0x800 | 0x8_0000;
/// The default protocol (0) and `IPPROTO_TCP`. Landlock does not check the ports of other
/// protocols, such as MPTCP.
const TCP: [u32; 2] = [0, 6];
/// A flag that connects a socket while it sends. Landlock does not check such a connection.
const MSG_FASTOPEN: u32 = 0x2000_0000;
/// Pairs of level and name: `SO_REUSEADDR`, `SO_SNDBUF`, `SO_RCVBUF`, `SO_KEEPALIVE`, `SO_LINGER`;
/// `TCP_NODELAY`, `TCP_KEEPIDLE`, `TCP_KEEPINTVL`, `TCP_KEEPCNT`; `IP_TTL`; `IPV6_UNICAST_HOPS`,
/// `IPV6_V6ONLY`.
#[rustfmt::skip]
const SOCKET_OPTIONS: [(u32, u32); 12] = [
    (1, 2), (1, 7), (1, 8), (1, 9), (1, 13), (6, 1), (6, 4), (6, 5), (6, 6), (0, 2), (41, 16), (41, 26),
];

/// Returns the rules that allow calls in every jail, whatever is granted.
pub(crate) fn base_rules() -> Result<Vec<Ruled>, Error> {
    let own_pid = getpid().as_raw_nonzero().get().cast_unsigned();
    Ok(vec![
        (SYS_clone, vec![all([masked(0, THREAD | FORBIDDEN_CLONE_FLAGS, THREAD)?])?]),
        // `abort` needs this call. The process may signal only itself.
        (SYS_tgkill, vec![all([is(0, own_pid)?])?]),
        (SYS_mmap, vec![all([masked(3, !MAP_FLAGS, MAP_PRIVATE)?])?]),
        (SYS_madvise, any(2, &ADVICE)?),
        (SYS_fcntl, any(1, &FCNTL)?),
        (SYS_ioctl, any(1, &IOCTL)?),
        // The process may read its limits, but not set them.
        (SYS_prlimit64, vec![all([is(0, 0)?, is_null(2)?])?]),
        // A process may send data only to the peer of a connected socket. The filter refuses `sendmsg`. That call
        // passes the receiver and any descriptors in memory, which a filter cannot read.
        (SYS_sendto, vec![all([masked(3, MSG_FASTOPEN, 0)?, is_null(4)?])?]),
        // For the names of threads, and for the filters that follow this one.
        (SYS_prctl, any(0, &[PR_SET_NAME, PR_SET_NO_NEW_PRIVS])?),
        (
            SYS_seccomp,
            vec![all([
                is(0, SECCOMP_SET_MODE_FILTER)?,
                masked(1, !SECCOMP_FILTER_FLAG_TSYNC, 0)?,
            ])?],
        ),
    ])
}

/// Returns the rules that allow a process to query the size of an open file. Such a call passes the file's descriptor
/// and an empty name. The C library makes such calls even if no directory is granted. If no directory is granted, the
/// seal later refuses such calls.
pub(crate) fn fstat_rules() -> Result<Vec<Ruled>, Error> {
    let by_empty_name =
        |flags| Ok::<_, Error>(vec![all([masked(flags, AT_EMPTY_PATH, AT_EMPTY_PATH)?])?]);
    Ok(vec![(SYS_newfstatat, by_empty_name(3)?), (SYS_statx, by_empty_name(2)?)])
}

/// Returns the rule that allows a process to set the times of an open file. The rule matches only
/// calls without a file name. Landlock checked the file when the process opened it.
pub(crate) fn futimens_rules() -> Result<Vec<Ruled>, Error> {
    Ok(vec![(SYS_utimensat, vec![all([is_null(1)?])?])])
}

/// Returns the rule that allows writing at the end of an open file, as WASI appends.
pub(crate) fn append_rules() -> Result<Vec<Ruled>, Error> {
    Ok(vec![(SYS_pwritev2, vec![all([is(5, RWF_APPEND)?])?])])
}

/// Returns the rules that allow TCP sockets and some of their options.
pub(crate) fn socket_rules() -> Result<Vec<Ruled>, Error> {
    let mut kinds = Vec::new();
    for family in [AF_INET, AF_INET6] {
        for protocol in TCP {
            let is_stream = masked(1, !SOCK_FLAGS, SOCK_STREAM)?;
            kinds.push(all([is(0, family)?, is_stream, is(2, protocol)?])?);
        }
    }
    let options = SOCKET_OPTIONS.map(|(level, name)| all([is(1, level)?, is(2, name)?]));
    Ok(vec![(SYS_socket, kinds), (SYS_setsockopt, options.into_iter().collect::<Result<_, _>>()?)])
}

/// Returns the rules for the calls that the seal refuses. The main thread's stack lies above
/// `stack`.
pub(crate) fn sealed_call_rules(task: Task, stack: u64) -> Result<Vec<Ruled>, Error> {
    Ok(vec![
        // All threads that the process needs are running.
        (SYS_clone, Vec::new()),
        // Threads need this call only while they load code: it makes the code visible to all processors.
        (SYS_membarrier, Vec::new()),
        (SYS_mmap, vec![all([masked(2, PROT_EXEC, PROT_EXEC)?])?]),
        (SYS_mprotect, protection_rules(task)?),
        // `RLIMIT_DATA` does not count a stack, even if it is moved.
        (SYS_mremap, vec![all([condition(0, SeccompCmpArgLen::Qword, Ge, stack)?])?]),
        (SYS_prctl, vec![all([condition(0, SeccompCmpArgLen::Dword, Ne, PR_SET_NAME.into())?])?]),
        (SYS_seccomp, Vec::new()),
        // When the engine loads code, it keeps the initial contents of memories in such files. No limit counts them.
        (SYS_memfd_create, Vec::new()),
    ])
}

/// Returns the rules by which the seal refuses calls of `mprotect`. No process may make memory executable. A worker may
/// not make memory read-only, because `RLIMIT_DATA` counts only writable memory. A compiling process may make memory
/// read-only, because its engine does so. `RLIMIT_AS` limits all memory of a compiling process.
fn protection_rules(task: Task) -> Result<Vec<SeccompRule>, Error> {
    let not = |protection: u32| condition(2, SeccompCmpArgLen::Qword, Ne, protection.into());
    let (read, both) = (not(PROT_READ)?, not(PROT_READ | PROT_WRITE)?);
    Ok(vec![match task {
        Task::Work | Task::Probe => all([both])?,
        Task::Compile => all([both, read])?,
    }])
}

/// Returns a rule that holds if all conditions hold.
fn all<const N: usize>(conditions: [SeccompCondition; N]) -> Result<SeccompRule, Error> {
    SeccompRule::new(conditions.into()).map_err(Error::from)
}

/// Returns a rule for each value: it holds if the argument equals that value.
fn any(argument: u8, values: &[u32]) -> Result<Vec<SeccompRule>, Error> {
    values.iter().map(|value| all([is(argument, *value)?])).collect()
}

fn is(argument: u8, value: u32) -> Result<SeccompCondition, Error> {
    condition(argument, SeccompCmpArgLen::Dword, Eq, value.into())
}

/// Returns a condition that holds if the bits of `mask` in the argument equal `value`.
fn masked(argument: u8, mask: u32, value: u32) -> Result<SeccompCondition, Error> {
    condition(argument, SeccompCmpArgLen::Dword, MaskedEq(mask.into()), value.into())
}

fn is_null(argument: u8) -> Result<SeccompCondition, Error> {
    condition(argument, SeccompCmpArgLen::Qword, Eq, 0)
}

fn condition(
    argument: u8,
    length: SeccompCmpArgLen,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, Error> {
    SeccompCondition::new(argument, length, operator, value).map_err(Error::from)
}
