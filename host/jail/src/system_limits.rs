//! Limits that the system sets to a process, and hints about how to raise them.

use std::fs;
use std::io;

use rustix::process::{Resource, getrlimit};

/// The hint for a refused thread or process.
pub const THREADS: &str = "`ulimit -u` limits the number of your processes and threads, in all programs \
                                  together: raise it, or end some";

/// The message by which a child reports that the system refused it a thread.
pub const THREAD_REFUSED: &str = "the system refuses a thread";

/// The hint for refused addresses.
const ADDRESSES: &str = "each memory of a plugin reserves 4 GiB of addresses, and `ulimit -v` counts them: raise it \
                         (`ulimit -v unlimited`), or start fewer workers";

/// The hint for refused mappings.
pub const MAPS: &str = "`vm.max_map_count` limits the memory mappings of a process: raise it (`sysctl -w \
                               vm.max_map_count=N`), or start fewer workers";

/// The maximum number of memory mappings of a worker on a thread: for its stack, its instance and
/// its guest's stack. A worker of a core module has 10 mappings, and a worker of a component has
/// 12.
const MAPS_OF_WORKER: u64 = 12;
/// The number of mappings that are reserved for the program and its libraries.
const MAPS_OF_PROGRAM: u64 = 500;

/// Returns a hint for the error of starting a thread or process.
pub fn spawn_hint(error: &io::Error) -> Option<&'static str> {
    (error.kind() == io::ErrorKind::WouldBlock).then_some(THREADS)
}

/// Returns a hint for an error message about refused memory.
pub fn memory_hint(message: &str) -> Option<&'static str> {
    let is_limited = getrlimit(Resource::As).current.is_some();
    hint_of_refused(message, is_limited)
}

fn hint_of_refused(message: &str, is_limited: bool) -> Option<&'static str> {
    let is_refused = message.contains("Cannot allocate memory (os error 12)");
    is_refused.then_some(if is_limited { ADDRESSES } else { MAPS })
}

/// Returns the maximum number of workers on threads for which the system allows enough mappings, or
/// `None` if the limit is unknown.
pub fn max_workers() -> Option<u64> {
    let maps = fs::read_to_string("/proc/sys/vm/max_map_count").ok()?;
    Some(workers_with(maps.trim().parse().ok()?))
}

fn workers_with(maps: u64) -> u64 {
    maps.saturating_sub(MAPS_OF_PROGRAM) / MAPS_OF_WORKER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_mapping_limit_allows_5419_workers() {
        assert_eq!(workers_with(65_530), 5419);
        assert_eq!(workers_with(0), 0);
    }

    #[test]
    fn a_hint_names_the_exceeded_system_limit() {
        let refused = "the plugin could not be instantiated: Cannot allocate memory (os error 12)";
        assert_eq!(hint_of_refused(refused, true), Some(ADDRESSES));
        assert_eq!(hint_of_refused(refused, false), Some(MAPS));
        assert_eq!(hint_of_refused("wasm trap", true), None);
        assert_eq!(spawn_hint(&io::ErrorKind::WouldBlock.into()), Some(THREADS));
        assert_eq!(spawn_hint(&io::ErrorKind::NotFound.into()), None);
    }
}
