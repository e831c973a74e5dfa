//! The limits of the system on memory and open files.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use mtl_host::limits::TotalMemory;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Returns the default memory limit of all plugins together: three quarters of the memory that is
/// available to this process. The remaining quarter is for the host, compiled code and other
/// processes.
pub(super) fn total_memory() -> TotalMemory {
    let group = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let available = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let group = group_limits(&group).filter_map(|file| limit(&fs::read_to_string(file).ok()?));
    match available_bytes(&available).into_iter().chain(group).min() {
        Some(bytes) => share(bytes),
        None => TotalMemory::Unlimited,
    }
}

/// Raises the limit on open files to the maximum that the system allows this process. Usually, the
/// system starts a process with a lower limit. Files that plugins have open count towards this
/// limit.
pub(super) fn allow_open_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // If the system refuses, the lower limit stays.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

fn share(bytes: u64) -> TotalMemory {
    let bytes = usize::try_from(bytes / 4 * 3).unwrap_or(usize::MAX);
    NonZeroUsize::new(bytes).map_or(TotalMemory::Unlimited, TotalMemory::AtMost)
}

/// Returns the memory that programs can get without swapping, according to `/proc/meminfo`.
fn available_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    kib.checked_mul(1024)
}

/// Returns the paths of the files that may contain a memory limit of this process. Each path
/// belongs to the control group of the process or to a parent group. Both versions of control
/// groups are supported. In a container, only the files of the root group may exist.
fn group_limits(cgroup: &str) -> impl Iterator<Item = PathBuf> {
    cgroup.lines().flat_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (root, file) = match fields.next() {
            Some("") => ("/sys/fs/cgroup", "memory.max"),
            Some(kinds) if kinds.split(',').any(|kind| kind == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => return Vec::new(),
        };
        let group = fields.next().unwrap_or_default().trim_start_matches('/');
        let groups = Path::new(group).ancestors();
        groups.map(|group| Path::new(root).join(group).join(file)).collect()
    })
}

/// Returns the limit in such a file, or `None` if it contains `max`.
fn limit(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_memory_is_read_from_meminfo() {
        let meminfo = "MemTotal:  100 kB\nMemAvailable:    4096 kB\nHugePages_Total:  0\n";
        assert_eq!(available_bytes(meminfo), Some(4096 * 1024));
        assert_eq!(available_bytes("MemTotal: 100 kB\n"), None);
        assert_eq!(share(4096).to_string(), "3KiB");
        assert_eq!(share(0), TotalMemory::Unlimited);
    }

    #[test]
    fn memory_limits_of_all_enclosing_cgroups_are_read() {
        let files = |cgroup| -> Vec<_> {
            group_limits(cgroup).map(|file| file.to_string_lossy().into_owned()).collect()
        };
        assert_eq!(
            files("0::/a.slice/b\n"),
            [
                "/sys/fs/cgroup/a.slice/b/memory.max",
                "/sys/fs/cgroup/a.slice/memory.max",
                "/sys/fs/cgroup/memory.max",
            ]
        );
        assert_eq!(
            files("5:cpu,memory:/x\n4:pids:/x\n"),
            [
                "/sys/fs/cgroup/memory/x/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes",
            ]
        );
        assert_eq!(files(""), [""; 0]);
        assert_eq!((limit("1048576\n"), limit("max\n")), (Some(1_048_576), None));
    }
}
