//! Tests of the namespaces. They pass on a system that allows none.

use std::fs;
use std::io::ErrorKind;

use rustix::fs::{Mode, OFlags, openat};
use rustix::process::Pid;
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};

use super::{
    JailConfig, JailLayer, LayerNeed, LayerStatus, Task, alone, bare, begin, enter, misdeeds,
    not_refused, seal,
};
use crate::{Access, AllowedDir, JailLayers};

/// Enters a jail with namespaces, and returns the layers.
fn enter_with(parent: Pid, task: Task, dirs: &[AllowedDir]) -> JailLayers {
    begin(parent).unwrap();
    let config = JailConfig { dirs, has_namespaces: true, ..bare(task) };
    let layers = enter(&config).unwrap();
    seal().unwrap();
    layers
}

fn has(layers: &JailLayers, layer: JailLayer) -> bool {
    layers.get(layer) == Some(&LayerStatus::Present)
}

#[test]
fn an_empty_root_keeps_open_granted_directories_usable() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["granted", "secret"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("file"), name).unwrap();
    }
    let granted = folder.path().join("granted");
    let test = "namespaces::an_empty_root_keeps_open_granted_directories_usable";
    alone(test, |parent| {
        begin(parent).unwrap();
        let dirs = [AllowedDir::open(&granted, Access::ReadWrite).unwrap()];
        let config = JailConfig { dirs: &dirs, has_namespaces: true, ..bare(Task::Work) };
        let layers = enter(&config).unwrap();
        seal().unwrap();
        let open = |name, flags| openat(&dirs[0], name, flags, Mode::RUSR);
        open("file", OFlags::RDONLY).unwrap();
        open("new", OFlags::CREATE | OFlags::WRONLY).unwrap();
        for outside in ["../secret/file", "..", "/"] {
            let error = open(outside, OFlags::RDONLY).unwrap_err();
            assert_eq!(error, rustix::io::Errno::ACCESS, "{outside}");
        }
        if has(&layers, JailLayer::EmptyRoot) {
            let found = fs::metadata("/proc").unwrap_err();
            assert_eq!(found.kind(), ErrorKind::NotFound);
        }
        // Landlock refuses the path even if the root is not empty.
        assert!(fs::read(folder.path().join("secret/file")).is_err());
    });
}

#[test]
fn an_unprivileged_process_enters_through_a_user_namespace() {
    alone("namespaces::an_unprivileged_process_enters_through_a_user_namespace", |parent| {
        // Without capabilities, root is like any other user.
        set_capabilities(
            None,
            CapabilitySets {
                effective: CapabilitySet::empty(),
                permitted: CapabilitySet::empty(),
                inheritable: CapabilitySet::empty(),
            },
        )
        .unwrap();
        let layers = enter_with(parent, Task::Probe, &[]);
        assert_eq!(layers.missing(LayerNeed::Required).count(), 0);
        if has(&layers, JailLayer::UserNamespace) {
            assert!(has(&layers, JailLayer::EmptyRoot), "{layers:?}");
            assert!(has(&layers, JailLayer::IpcNamespace), "{layers:?}");
            assert!(has(&layers, JailLayer::NetworkNamespace), "{layers:?}");
        }
        for group in [misdeeds::on_the_system(), misdeeds::on_files()] {
            let done = not_refused(group);
            assert!(done.is_empty(), "{done:#?}");
        }
    });
}

/// Keeps only the capability to read files of other users. Returns whether the process had it.
fn keeps_the_right_on_files() -> bool {
    let had = capabilities(None).unwrap().permitted;
    let kept = had & CapabilitySet::DAC_OVERRIDE;
    let sets =
        CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    set_capabilities(None, sets).unwrap();
    !kept.is_empty()
}

#[test]
fn with_file_rights_namespaces_hold_only_without_directories() {
    let test = "namespaces::with_file_rights_namespaces_hold_only_without_directories";
    alone(test, |parent| {
        if !keeps_the_right_on_files() {
            return;
        }
        let layers = enter_with(parent, Task::Probe, &[]);
        if layers.missing(LayerNeed::Strict).next().is_some() {
            // The system allows no namespaces.
            return;
        }
        let users = layers.get(JailLayer::UserNamespace).unwrap();
        assert!(matches!(users, LayerStatus::WithoutDirs(_)), "{users:?}");
        assert!(users.to_string().contains("lose the right"), "{users}");
        let partly = [
            JailLayer::UserNamespace,
            JailLayer::IpcNamespace,
            JailLayer::NetworkNamespace,
            JailLayer::EmptyRoot,
        ];
        assert!(layers.missing_with_dirs(LayerNeed::Strict).eq(partly), "{layers:?}");
    });
}

#[test]
fn with_file_rights_directories_prevent_a_user_namespace() {
    let test = "namespaces::with_file_rights_directories_prevent_a_user_namespace";
    alone(test, |parent| {
        if !keeps_the_right_on_files() {
            return;
        }
        begin(parent).unwrap();
        let dirs = [AllowedDir::open("/tmp", Access::Read).unwrap()];
        let config = JailConfig { dirs: &dirs, has_namespaces: true, ..bare(Task::Work) };
        let layers = enter(&config).unwrap();
        let users = layers.get(JailLayer::UserNamespace).unwrap();
        assert!(users.to_string().contains("lose the right"), "{users}");
    });
}
