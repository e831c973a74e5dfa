//! What the machine has for plugins: how much memory, if nobody says how much they may take together,
//! and how many open files.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use mtl_host::TotalMemory;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What all plugins may take together, unless somebody says: three quarters of what this process
/// can have. The rest is for the host, compiled code, and whoever else is there.
pub(super) fn total_memory() -> TotalMemory {
    let group = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let available = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let group = group_limits(&group).filter_map(|file| limit(&fs::read_to_string(file).ok()?));
    match available_bytes(&available).into_iter().chain(group).min() {
        Some(bytes) => share(bytes),
        None => TotalMemory::Unlimited,
    }
}

/// Lets this process have as many files open as the system allows it. At first it mostly has fewer,
/// for programs that know no better, and what plugins hold open would be missing elsewhere.
pub(super) fn allow_open_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // What cannot be had is done without.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

fn share(bytes: u64) -> TotalMemory {
    let bytes = usize::try_from(bytes / 4 * 3).unwrap_or(usize::MAX);
    NonZeroUsize::new(bytes).map_or(TotalMemory::Unlimited, TotalMemory::AtMost)
}

/// What `/proc/meminfo` says that programs can have without swapping.
fn available_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    kib.checked_mul(1024)
}

/// The files that may limit this process: of its control group and of all those around it, of
/// both versions. Within a container only the root may be there.
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

/// The limit in such a file; none in one that says `max`.
fn limit(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_available_is_read_in_kib() {
        let meminfo = "MemTotal:  100 kB\nMemAvailable:    4096 kB\nHugePages_Total:  0\n";
        assert_eq!(available_bytes(meminfo), Some(4096 * 1024));
        assert_eq!(available_bytes("MemTotal: 100 kB\n"), None);
        assert_eq!(share(4096).to_string(), "3KiB");
        assert_eq!(share(0), TotalMemory::Unlimited);
    }

    #[test]
    fn each_control_group_around_the_process_may_limit_it() {
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
