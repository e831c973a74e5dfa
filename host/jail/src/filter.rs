//! The seccomp filters: a list of allowed system calls; all other calls fail.
//!
//! The process installs three filters. The kernel asks all of them and applies the strictest
//! answer. If two filters refuse a call, the process gets the error number of the newer filter.
//!
//! 1. The list of allowed calls. All other calls fail with `EPERM`.
//! 2. A filter that makes `clone3` fail with `ENOSYS`, as if the kernel lacked `clone3`. The C
//!    library then falls back to `clone`. No filter can check the arguments of `clone3`, because
//!    they are in memory.
//! 3. The seal. The process installs it after it has loaded the code and started all threads. The
//!    seal refuses new executable memory, new threads and new filters.

use std::collections::BTreeMap;
use std::env::consts::ARCH;
use std::io;

use rustix::io::Errno;
use seccompiler::{
    BackendError, BpfProgram, Error, SeccompAction, SeccompFilter, SeccompRule, TargetArch,
    apply_filter_all_threads,
};

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "the module holds only these constants")
)]
use super::calls::*;
use super::{Access, JailConfig, JailError, LayerStatus, Task, arguments, process_limits};

/// The calls that a filter matches, with their rules. A call without rules always matches. A call
/// with rules matches if one of its rules matches.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Calls that are always allowed: on open files, memory, threads, signals and the clock.
#[rustfmt::skip]
const ALWAYS: &[i64] = &[
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_lseek, SYS_close,
    SYS_memfd_create, SYS_fstat, SYS_recvfrom,
    SYS_ppoll, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_eventfd2,
    SYS_munmap, SYS_mprotect, SYS_mremap, SYS_brk, SYS_membarrier,
    SYS_futex, SYS_set_robust_list, SYS_rseq, SYS_exit, SYS_exit_group,
    SYS_gettid, SYS_getpid, SYS_getppid, SYS_sched_yield, SYS_sched_getaffinity, SYS_getcpu,
    SYS_nanosleep, SYS_clock_nanosleep, SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday,
    SYS_getrandom,
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_restart_syscall,
];

#[cfg(target_arch = "x86_64")]
const ALWAYS_OLD: &[i64] = &[old::SYS_poll, old::SYS_epoll_wait, old::SYS_time];
#[cfg(not(target_arch = "x86_64"))]
const ALWAYS_OLD: &[i64] = &[];

/// Calls for a granted directory. Landlock decides which files these calls may use. The list omits
/// calls that change the mode or the owner of a file. It omits calls that change the times of a
/// file by its name. Landlock does not control the omitted calls.
#[rustfmt::skip]
const READING: &[i64] = &[
    SYS_openat, SYS_openat2, SYS_getdents64, SYS_newfstatat, SYS_statx, SYS_readlinkat,
    SYS_faccessat, SYS_faccessat2, SYS_fadvise64, SYS_fsync, SYS_fdatasync,
];

/// Calls for a granted directory that is writable.
#[rustfmt::skip]
const CHANGING: &[i64] = &[
    SYS_ftruncate, SYS_mkdirat, SYS_unlinkat, SYS_renameat, SYS_renameat2, SYS_linkat,
];

/// Calls for a granted directory that may hold symbolic links.
const LINKING: &[i64] = &[SYS_symlinkat];

/// Calls for a granted port. Landlock decides which ports the process may connect to. The list
/// omits `listen`, so the process cannot accept connections.
const CONNECTING: &[i64] =
    &[SYS_connect, SYS_bind, SYS_getsockopt, SYS_getsockname, SYS_getpeername, SYS_shutdown];

/// Installs the first two filters when a process enters the jail. Returns whether the kernel
/// supports seccomp filters.
pub(crate) fn enter(config: &JailConfig<'_>) -> Result<LayerStatus, JailError> {
    match install_list(config) {
        Err(error) if !is_unsupported(&error) => Err(refused(error)),
        answer => Ok(LayerStatus::from_result(answer)),
    }
}

/// Installs the last filter for all threads. If no directory is granted, this filter also refuses
/// calls that query a file by its name.
pub(crate) fn seal(task: Task, has_dirs: bool) -> Result<(), JailError> {
    install_seal(task, has_dirs).map_err(refused)
}

fn install_list(config: &JailConfig<'_>) -> Result<(), Error> {
    install(allowed_calls(config)?, refuse(Errno::PERM), SeccompAction::Allow)?;
    // A separate filter, because a filter has one error number for all its refusals.
    let hidden = Rules::from([(SYS_clone3, Vec::new())]);
    install(hidden, SeccompAction::Allow, refuse(Errno::NOSYS))
}

fn install_seal(task: Task, has_dirs: bool) -> Result<(), Error> {
    install(seal_rules(task, has_dirs)?, SeccompAction::Allow, refuse(Errno::PERM))
}

/// Returns the calls that the seal refuses.
fn seal_rules(task: Task, has_dirs: bool) -> Result<Rules, Error> {
    let mut rules =
        Rules::from_iter(arguments::sealed_call_rules(task, process_limits::stack_lower_bound())?);
    if !has_dirs {
        rules.extend(unconditional(&[SYS_newfstatat, SYS_statx]));
    }
    Ok(rules)
}

/// Returns the calls that the jail allows.
fn allowed_calls(config: &JailConfig<'_>) -> Result<Rules, Error> {
    let mut rules = Rules::from_iter(arguments::base_rules()?);
    rules.extend(unconditional(ALWAYS));
    rules.extend(unconditional(ALWAYS_OLD));
    match config.dirs {
        [] => rules.extend(arguments::fstat_rules()?),
        _ => rules.extend(unconditional(READING)),
    }
    if config.dirs.iter().any(|dir| dir.access() != Access::Read) {
        rules.extend(unconditional(CHANGING));
        rules.extend(arguments::futimens_rules()?);
        rules.extend(arguments::append_rules()?);
    }
    if config.dirs.iter().any(|dir| dir.access() == Access::ReadWriteSymlinks) {
        rules.extend(unconditional(LINKING));
    }
    if !config.ports.is_empty() {
        rules.extend(unconditional(CONNECTING));
        rules.extend(arguments::socket_rules()?);
    }
    Ok(rules)
}

fn unconditional(calls: &[i64]) -> impl Iterator<Item = (i64, Vec<SeccompRule>)> {
    calls.iter().map(|call| (*call, Vec::new()))
}

fn refuse(errno: Errno) -> SeccompAction {
    SeccompAction::Errno(errno.raw_os_error().cast_unsigned())
}

/// Installs a filter that applies `matched` to the calls in `rules`, and `unmatched` to all other
/// calls. A call of another architecture, such as a 32-bit call, ends the process.
fn install(rules: Rules, unmatched: SeccompAction, matched: SeccompAction) -> Result<(), Error> {
    let arch = TargetArch::try_from(ARCH)?;
    let program: BpfProgram = SeccompFilter::new(rules, unmatched, matched, arch)?.try_into()?;
    apply_filter_all_threads(&program)
}

/// Returns whether the error means that the kernel does not support these filters.
fn is_unsupported(error: &Error) -> bool {
    let (Error::Prctl(error) | Error::Seccomp(error)) = error else { return false };
    matches!(Errno::from_io_error(error), Some(Errno::NOSYS | Errno::INVAL))
}

fn refused(error: Error) -> JailError {
    let source = match error {
        Error::Backend(BackendError::InvalidTargetArch(_)) => return JailError::UnsupportedArch,
        Error::Prctl(source) | Error::Seccomp(source) => source,
        other => io::Error::other(other),
    };
    JailError::System { step: "filter the system calls", source }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{AllowedDir, JailLevel};

    /// Returns the number of calls that a sealed worker with these grants can make.
    fn left(dirs: &[Access], ports: &[u16]) -> usize {
        let dirs: Vec<_> =
            dirs.iter().map(|access| AllowedDir::open("/tmp", *access).unwrap()).collect();
        let config = JailConfig {
            task: Task::Work,
            dirs: &dirs,
            ports,
            data: 0,
            max_file_size: None,
            requirement: JailLevel::Required,
            has_namespaces: false,
        };
        let sealed = seal_rules(Task::Work, !dirs.is_empty()).unwrap();
        // A call with rules is refused only if one of them holds.
        let is_left = |call: &&i64| sealed.get(call).is_none_or(|rules| !rules.is_empty());
        allowed_calls(&config).unwrap().keys().filter(is_left).count()
    }

    #[test]
    fn allowed_syscall_counts_match_the_documentation() {
        let none = left(&[], &[]);
        let counts = [
            none,
            left(&[Access::Read], &[]),
            left(&[Access::Read, Access::ReadWrite], &[]),
            left(&[Access::Read, Access::ReadWriteSymlinks], &[]),
            left(&[], &[80]) - none,
        ];
        // aarch64 never had the old calls.
        let [none, read, write, links, more] = counts;
        let old = 3 - ALWAYS_OLD.len();
        let expected = format!(
            "{} system calls without a grant, {} with a read-only directory, {} with `:rw` and {} with `:rw+symlinks`. \
             `--net` adds {more} system calls.",
            none + old,
            read + old,
            write + old,
            links + old,
        );
        let page = fs::read_to_string("../docs/security.md").unwrap();
        let words: Vec<_> = page.split_whitespace().collect();
        assert!(words.join(" ").contains(&expected), "{expected}");
    }
}
