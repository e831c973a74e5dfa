//! Tests of a kernel that lacks a layer. Another filter hides the calls of that layer.

use std::env::consts::ARCH;
use std::fs;

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

use super::alone::in_a_fork;
use super::{
    JailConfig, JailError, JailLayer, JailLevel, LayerNeed, LayerStatus, Task, alone, bare, begin,
    enter, misdeeds, not_refused, seal,
};
use crate::{Access, AllowedDir, JailLayers};

/// Makes the kernel answer `errno` to a call from now on.
fn hide(number: i64, errno: Errno) {
    let errno = SeccompAction::Errno(errno.raw_os_error().cast_unsigned());
    let rules = [(number, Vec::new())].into();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, errno, ARCH.try_into().unwrap());
    let program: BpfProgram = filter.unwrap().try_into().unwrap();
    apply_filter(&program).unwrap();
}

fn with(requirement: JailLevel) -> JailConfig<'static> {
    JailConfig { requirement, ports: &[80], ..bare(Task::Work) }
}

/// Enters a best-effort jail, and returns the required layers that it lacks.
fn missing_layers() -> Vec<JailLayer> {
    let layers = enter(&with(JailLevel::BestEffort)).unwrap();
    layers.missing(LayerNeed::Required).collect()
}

fn is_refused(missing: JailLayer, name: &str) {
    let error = enter(&with(JailLevel::Required)).unwrap_err();
    assert!(matches!(error, JailError::MissingLayer(named) if named == missing), "{error:?}");
    assert!(error.to_string().contains(name), "{error}");
}

#[test]
fn without_landlock_only_a_best_effort_jail_runs() {
    alone("lacking::without_landlock_only_a_best_effort_jail_runs", |parent| {
        begin(parent).unwrap();
        hide(libc::SYS_landlock_create_ruleset, Errno::NOSYS);
        is_refused(JailLayer::Landlock, "Landlock");
        assert_eq!(missing_layers(), [JailLayer::Landlock]);
        seal().unwrap();
        // The other layers hold: none relies on a missing layer.
        let parent = parent.as_raw_nonzero().get();
        for group in [misdeeds::on_processes(parent), misdeeds::on_the_system()] {
            let done = not_refused(group);
            assert!(done.is_empty(), "{done:#?}");
        }
    });
}

#[test]
fn without_landlock_a_granted_directory_can_be_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let test = "lacking::without_landlock_a_granted_directory_can_be_escaped";
    alone(test, |parent| {
        begin(parent).unwrap();
        hide(libc::SYS_landlock_create_ruleset, Errno::NOSYS);
        let dirs = [AllowedDir::open(folder.path(), Access::Read).unwrap()];
        let best = with(JailLevel::BestEffort);
        let layers = enter(&JailConfig { dirs: &dirs, has_namespaces: true, ..best }).unwrap();
        seal().unwrap();
        openat(&dirs[0], "../..", OFlags::RDONLY, Mode::empty()).unwrap();
        let protects = layers.protects(JailLayer::EmptyRoot);
        assert!(protects.contains("Landlock is missing"), "{protects}");
        assert_eq!(layers.protects(JailLayer::Seccomp), JailLayer::Seccomp.protects());
    });
}

#[test]
fn a_disabled_landlock_counts_as_missing() {
    alone("lacking::a_disabled_landlock_counts_as_missing", |parent| {
        begin(parent).unwrap();
        hide(libc::SYS_landlock_create_ruleset, Errno::OPNOTSUPP);
        is_refused(JailLayer::Landlock, "enabled at boot");
    });
}

#[test]
fn without_seccomp_only_a_best_effort_jail_runs() {
    alone("lacking::without_seccomp_only_a_best_effort_jail_runs", |parent| {
        begin(parent).unwrap();
        hide(libc::SYS_seccomp, Errno::NOSYS);
        let refused = in_a_fork(|_| is_refused(JailLayer::Seccomp, "seccomp"));
        assert_eq!(refused.exit_status(), Some(0));
        assert_eq!(missing_layers(), [JailLayer::Seccomp]);
        seal().unwrap();
        assert!(fs::read("/etc/passwd").is_err(), "the other layers still protect the file");
    });
}

/// Enters a jail with namespaces and this requirement.
fn with_namespaces(requirement: JailLevel) -> Result<JailLayers, JailError> {
    enter(&JailConfig { has_namespaces: true, ports: &[], ..with(requirement) })
}

#[test]
fn a_refused_mount_leaves_out_the_empty_root() {
    let test = "lacking::a_refused_mount_leaves_out_the_empty_root";
    alone(test, |parent| {
        begin(parent).unwrap();
        hide(libc::SYS_fsopen, Errno::PERM);
        let refused = in_a_fork(|_| {
            let error = with_namespaces(JailLevel::Strict).unwrap_err();
            let text = error.to_string();
            assert!(text.contains("an empty root: Operation not permitted"), "{text}");
        });
        assert_eq!(refused.exit_status(), Some(0));
        let layers = with_namespaces(JailLevel::Required).unwrap();
        assert!(matches!(layers.get(JailLayer::EmptyRoot), Some(LayerStatus::Missing(_))));
        seal().unwrap();
        assert!(fs::read("/etc/passwd").is_err(), "the other layers still protect the file");
    });
}

#[test]
fn without_namespaces_only_a_strict_jail_is_refused() {
    let test = "lacking::without_namespaces_only_a_strict_jail_is_refused";
    alone(test, |parent| {
        begin(parent).unwrap();
        hide(libc::SYS_unshare, Errno::NOSPC);
        let refused = in_a_fork(|_| {
            let error = with_namespaces(JailLevel::Strict).unwrap_err();
            assert!(matches!(error, JailError::MissingStrictLayer { .. }), "{error:?}");
        });
        assert_eq!(refused.exit_status(), Some(0));
        let layers = with_namespaces(JailLevel::Required).unwrap();
        for layer in [JailLayer::EmptyRoot, JailLayer::IpcNamespace] {
            assert!(matches!(layers.get(layer), Some(LayerStatus::Missing(_))), "{layer}");
        }
        seal().unwrap();
    });
}
