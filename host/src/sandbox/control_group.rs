//! The control group (cgroup) of this process. The kernel enforces the limits of the group for all
//! processes of a run together.
//!
//! The host creates no groups. A service manager creates them, and the limits of a group apply to
//! all workers' processes in it.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::jail::LayerStatus;

/// The required limits: without one of them, a run can use up the whole machine.
const LIMITS: [&str; 2] = ["memory.max", "pids.max"];

/// Checks the limits of this process's group.
pub(crate) fn find() -> LayerStatus {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let (groups, mounts) = (read("/proc/self/cgroup"), read("/proc/self/mountinfo"));
    match locate(&groups, &mounts) {
        Some((root, group)) => limits(&root, &group),
        None => LayerStatus::Missing("the system has no control groups of version 2".into()),
    }
}

/// Returns the mount point of the groups, and the path of this process's group.
fn locate(groups: &str, mounts: &str) -> Option<(PathBuf, PathBuf)> {
    let group = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let root = mounts.lines().find_map(|line| {
        let (mount, file_system) = line.split_once(" - ")?;
        let is_right = file_system.starts_with("cgroup2 ");
        is_right.then(|| mount.split(' ').nth(4)).flatten()
    })?;
    let root = PathBuf::from(root);
    let group = root.join(group);
    Some((root, group))
}

/// Checks the limits of a group and of its ancestors.
fn limits(root: &Path, group: &Path) -> LayerStatus {
    let of = |limit: &str| {
        let groups = group.ancestors().take_while(|group| group.starts_with(root));
        let values = groups.filter_map(|group| fs::read_to_string(group.join(limit)).ok());
        values.map(|value| value.trim().to_owned()).find(|value| value != "max")
    };
    let missing: Vec<_> = LIMITS.into_iter().filter(|limit| of(limit).is_none()).collect();
    if missing.is_empty() {
        return LayerStatus::Present;
    }
    let is_delegated = access(group, Access::WRITE_OK).is_ok();
    let delegated = if is_delegated { "you may set it" } else { "only root may set it" };
    LayerStatus::Missing(format!("the group has no {}; {delegated}", missing.join(" and no ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "22 1 0:20 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
                          23 1 0:21 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n";

    #[test]
    fn the_control_group_is_found_under_its_mount() {
        let found = locate("3:cpu:/old\n0::/user.slice/run.scope\n", MOUNTS);
        let root = PathBuf::from("/sys/fs/cgroup");
        assert_eq!(found, Some((root.clone(), root.join("user.slice/run.scope"))));
        assert_eq!(locate("3:cpu:/old\n", MOUNTS), None);
        assert_eq!(locate("0::/\n", ""), None);
    }

    #[test]
    fn a_limit_of_any_parent_group_counts() {
        let root = tempfile::tempdir().unwrap();
        let group = root.path().join("user.slice/run.scope");
        fs::create_dir_all(&group).unwrap();
        fs::write(group.join("memory.max"), "4294967296\n").unwrap();
        fs::write(group.join("pids.max"), "max\n").unwrap();
        let status = limits(root.path(), &group).to_string();
        assert_eq!(status, "the group has no pids.max; you may set it");
        fs::write(root.path().join("user.slice/pids.max"), "256\n").unwrap();
        assert_eq!(limits(root.path(), &group), LayerStatus::Present);
    }
}
