//! Calls that are allowed, or sealed, by what they are asked.
//!
//! A filter sees the numbers that a call is given, and not the memory that they point to.

use rustix::process::getpid;
use seccompiler::SeccompCmpOp::{Eq, Ge, MaskedEq, Ne};
use seccompiler::{Error, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompRule};

use super::Task;
#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "a list of nothing but these")
)]
use super::calls::*;

/// A call, and what it must be asked for one of its rules to hold.
type Ruled = (i64, Vec<SeccompRule>);

const AT_EMPTY_PATH: u32 = 0x1000;
const PROT_EXEC: u32 = 4;
const PROT_READ: u32 = 1;
const PROT_WRITE: u32 = 2;

/// `MAP_PRIVATE`: shared memory belongs to no process, so `RLIMIT_DATA` does not count it.
const MAP_PRIVATE: u32 = 2;
/// `MAP_FIXED`, `MAP_ANONYMOUS`, `MAP_NORESERVE`, `MAP_STACK`. Not `MAP_GROWSDOWN`: `RLIMIT_DATA` takes that for
/// a stack. Nor huge, locked or filled pages.
const MAP_FLAGS: u32 = 0x10 | 0x20 | 0x4000 | 0x2_0000;
/// `MADV_DONTNEED`, `MADV_GUARD_INSTALL`, `MADV_GUARD_REMOVE`: allocators give back pages, and the C library guards stacks.
const ADVICE: [u32; 3] = [4, 102, 103];

const PR_SET_NAME: u32 = 15;
const PR_SET_NO_NEW_PRIVS: u32 = 38;
const SECCOMP_SET_MODE_FILTER: u32 = 1;
const SECCOMP_FILTER_FLAG_TSYNC: u32 = 1;

/// `F_DUPFD`, `F_GETFD`, `F_SETFD`, `F_GETFL`, `F_SETFL`, `F_DUPFD_CLOEXEC`, `F_ADD_SEALS`, `F_GET_SEALS`. Not
/// `F_SETOWN`, which has signals sent to others.
const FCNTL: [u32; 8] = [0, 1, 2, 3, 4, 1030, 1033, 1034];
/// `FIONBIO`, `FIOCLEX`. Not `TIOCSTI`, which types on a terminal.
const IOCTL: [u32; 2] = [0x5421, 0x5451];

/// `CLONE_VM`, `CLONE_SIGHAND`, `CLONE_THREAD`: a thread, and no process.
const THREAD: u32 = 0x100 | 0x800 | 0x1_0000;
/// `CLONE_PIDFD`, `CLONE_PTRACE`, `CLONE_VFORK`, `CLONE_PARENT`, `CLONE_UNTRACED`, and all of
/// `CLONE_NEW…`: with root's rights a thread could have mounts of its own.
const NO_THREAD: u32 = 0x1000 | 0x2000 | 0x4000 | 0x8000 | 0x80_0000 | 0x7e02_0080;

const RWF_APPEND: u32 = 0x10;

const AF_INET: u32 = 2;
const AF_INET6: u32 = 10;
const SOCK_STREAM: u32 = 1;
/// `SOCK_NONBLOCK`, `SOCK_CLOEXEC`.
const SOCK_FLAGS: u32 = 0x800 | 0x8_0000;
/// The default, and `IPPROTO_TCP`. With others, such as MPTCP, Landlock would not see the port.
const TCP: [u32; 2] = [0, 6];
/// It connects while it sends, and Landlock would not see it.
const MSG_FASTOPEN: u32 = 0x2000_0000;
/// Level and name: `SO_REUSEADDR`, `SO_SNDBUF`, `SO_RCVBUF`, `SO_KEEPALIVE`, `SO_LINGER`;
/// `TCP_NODELAY`, `TCP_KEEPIDLE`, `TCP_KEEPINTVL`, `TCP_KEEPCNT`; `IP_TTL`; `IPV6_UNICAST_HOPS`,
/// `IPV6_V6ONLY`.
#[rustfmt::skip]
const SOCKET_OPTIONS: [(u32, u32); 12] = [
    (1, 2), (1, 7), (1, 8), (1, 9), (1, 13), (6, 1), (6, 4), (6, 5), (6, 6), (0, 2), (41, 16), (41, 26),
];

/// Whatever is granted.
pub(crate) fn always() -> Result<Vec<Ruled>, Error> {
    let itself = getpid().as_raw_nonzero().get().cast_unsigned();
    Ok(vec![
        (SYS_clone, vec![all([masked(0, THREAD | NO_THREAD, THREAD)?])?]),
        // To abort. Signals to others would need another number.
        (SYS_tgkill, vec![all([is(0, itself)?])?]),
        (SYS_mmap, vec![all([masked(3, !MAP_FLAGS, MAP_PRIVATE)?])?]),
        (SYS_madvise, any(2, &ADVICE)?),
        (SYS_fcntl, any(1, &FCNTL)?),
        (SYS_ioctl, any(1, &IOCTL)?),
        // Limits can be asked for.
        (SYS_prlimit64, vec![all([is(0, 0)?, is_null(2)?])?]),
        // What is open and connected can be sent to, and nothing else. There is no `sendmsg`: it
        // names where to, and which descriptors go with it, in memory.
        (SYS_sendto, vec![all([masked(3, MSG_FASTOPEN, 0)?, is_null(4)?])?]),
        // For the name of a thread, and for the filters to come.
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

/// Without a granted directory, the C library still asks for the size of an open file by an empty
/// name. It may till the seal.
pub(crate) fn status_of_what_is_open() -> Result<Vec<Ruled>, Error> {
    let by_empty_name =
        |flags| Ok::<_, Error>(vec![all([masked(flags, AT_EMPTY_PATH, AT_EMPTY_PATH)?])?]);
    Ok(vec![(SYS_newfstatat, by_empty_name(3)?), (SYS_statx, by_empty_name(2)?)])
}

/// Without a name it is the file that is open, and so one that Landlock let be opened.
pub(crate) fn times_of_what_is_open() -> Result<Vec<Ruled>, Error> {
    Ok(vec![(SYS_utimensat, vec![all([is_null(1)?])?])])
}

/// Writing at the end of what is open: WASI appends so.
pub(crate) fn appending() -> Result<Vec<Ruled>, Error> {
    Ok(vec![(SYS_pwritev2, vec![all([is(5, RWF_APPEND)?])?])])
}

/// TCP sockets that connect.
pub(crate) fn sockets() -> Result<Vec<Ruled>, Error> {
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

/// The calls that the seal takes away. The main thread's stack lies above `stack`.
pub(crate) fn sealed(task: Task, stack: u64) -> Result<Vec<Ruled>, Error> {
    Ok(vec![
        // All threads that the process needs have started.
        (SYS_clone, Vec::new()),
        // They made their code visible to all processors when they loaded it.
        (SYS_membarrier, Vec::new()),
        (SYS_mmap, vec![all([masked(2, PROT_EXEC, PROT_EXEC)?])?]),
        (SYS_mprotect, protections(task)?),
        // `RLIMIT_DATA` does not count a stack, wherever it is moved.
        (SYS_mremap, vec![all([condition(0, SeccompCmpArgLen::Qword, Ge, stack)?])?]),
        (SYS_prctl, vec![all([condition(0, SeccompCmpArgLen::Dword, Ne, PR_SET_NAME.into())?])?]),
        (SYS_seccomp, Vec::new()),
        // The engine keeps there what memories begin with, when it loads. It is memory that no limit
        // counts.
        (SYS_memfd_create, Vec::new()),
    ])
}

/// Protections that memory cannot get any more: none makes it executable. A worker cannot make it read-only
/// either, since `RLIMIT_DATA` counts what is writable. The engine of a compiler does so; its
/// process has a limit of addresses instead.
fn protections(task: Task) -> Result<Vec<SeccompRule>, Error> {
    let not = |protection: u32| condition(2, SeccompCmpArgLen::Qword, Ne, protection.into());
    let (read, both) = (not(PROT_READ)?, not(PROT_READ | PROT_WRITE)?);
    Ok(vec![match task {
        Task::Work | Task::Probe => all([both])?,
        Task::Compile => all([both, read])?,
    }])
}

/// All of these hold.
fn all<const N: usize>(conditions: [SeccompCondition; N]) -> Result<SeccompRule, Error> {
    SeccompRule::new(conditions.into()).map_err(Error::from)
}

/// The argument is one of these.
fn any(argument: u8, values: &[u32]) -> Result<Vec<SeccompRule>, Error> {
    values.iter().map(|value| all([is(argument, *value)?])).collect()
}

fn is(argument: u8, value: u32) -> Result<SeccompCondition, Error> {
    condition(argument, SeccompCmpArgLen::Dword, Eq, value.into())
}

/// The bits of `mask` are these.
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
