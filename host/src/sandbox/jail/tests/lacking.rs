//! A kernel that lacks a part: one whose calls another filter hides.

use std::env::consts::ARCH;
use std::fs;

use rustix::io::Errno;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

use super::alone::in_a_fork;
use super::{Confines, Jail, JailError, Lack, Task, alone, bare, begin, call, enter, seal};

/// From now on the kernel answers so to a call.
fn hide(number: i64, errno: Errno) {
    let errno = SeccompAction::Errno(errno.raw_os_error().cast_unsigned());
    let rules = [(number, Vec::new())].into();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, errno, ARCH.try_into().unwrap());
    let program: BpfProgram = filter.unwrap().try_into().unwrap();
    apply_filter(&program).unwrap();
}

fn with(requirement: Jail) -> Confines<'static> {
    Confines { requirement, ports: &[80], ..bare(Task::Work) }
}

fn is_refused(lack: Lack, name: &str) {
    let error = enter(&with(Jail::Required)).unwrap_err();
    assert!(matches!(error, JailError::Lacks(named) if named == lack), "{error:?}");
    assert!(error.to_string().contains(name), "{error}");
}

#[test]
fn without_landlock_a_required_jail_is_refused_and_another_says_so() {
    alone("lacking::without_landlock_a_required_jail_is_refused_and_another_says_so", |parent| {
        begin(parent).unwrap();
        hide(libc::SYS_landlock_create_ruleset, Errno::NOSYS);
        is_refused(Lack::Landlock, "Landlock");
        assert_eq!(enter(&with(Jail::BestEffort)).unwrap(), [Lack::Landlock]);
        seal().unwrap();
        assert_eq!(call(libc::SYS_unshare, &[]), Err(libc::EPERM), "what there is holds");
    });
}

#[test]
fn a_landlock_that_is_not_enabled_is_none() {
    alone("lacking::a_landlock_that_is_not_enabled_is_none", |parent| {
        begin(parent).unwrap();
        hide(libc::SYS_landlock_create_ruleset, Errno::OPNOTSUPP);
        is_refused(Lack::Landlock, "enabled at boot");
    });
}

#[test]
fn without_filters_a_required_jail_is_refused_and_another_says_so() {
    alone("lacking::without_filters_a_required_jail_is_refused_and_another_says_so", |parent| {
        begin(parent).unwrap();
        hide(libc::SYS_seccomp, Errno::NOSYS);
        let refused = in_a_fork(|_| is_refused(Lack::Seccomp, "seccomp"));
        assert_eq!(refused.exit_status(), Some(0));
        assert_eq!(enter(&with(Jail::BestEffort)).unwrap(), [Lack::Seccomp]);
        seal().unwrap();
        assert!(fs::read("/etc/passwd").is_err(), "what there is holds");
    });
}
