//! Records the actions of an instance's `init` that a snapshot would not preserve.
//!
//! The recorder receives each WASI call of a core module, and whether the call succeeded. It does not record socket
//! calls, because core modules cannot open sockets through WASI.

use std::collections::{BTreeMap, BTreeSet};

use super::verdict::{Dependency, MAX_DEPENDENCIES, Verdict};
use crate::engine::core_abi::guest_memory;
use crate::event::snapshot_refusal::SnapshotRefusal;

/// The record of an instance's calls during `init`.
#[derive(Debug, Default)]
pub(crate) struct InitRecorder {
    /// The first reason against a snapshot.
    refusal: Option<SnapshotRefusal>,
    /// The files that `init` has opened and not closed: for each, the granted directory and the path below it.
    open: BTreeMap<u32, (u32, String)>,
    drew_random: bool,
    dependencies: BTreeSet<Dependency>,
    /// True if `init` made an access that `dependencies` cannot list.
    is_incomplete: bool,
}

/// The descriptor of the first granted directory.
const FIRST_GRANTED: u32 = 3;

/// The `path_open` flags that create a missing file or empty an existing one.
const CREATES_OR_TRUNCATES: i64 = 1 | 8;

impl InitRecorder {
    pub(crate) fn refuse(&mut self, reason: SnapshotRefusal) {
        self.refusal.get_or_insert(reason);
    }

    /// Notes that random bytes were drawn, such as the seed of a hash map.
    pub(crate) fn record_random(&mut self) {
        self.drew_random = true;
    }

    /// Records a call with its parameters, if it concerns a file.
    pub(crate) fn record(
        &mut self,
        call: &str,
        parameters: &[i64],
        memory: &[u8],
        has_succeeded: bool,
    ) {
        let parameter = |at: usize| parameters.get(at).copied().unwrap_or_default();
        let file = |at| u32::try_from(parameter(at) & 0xFFFF_FFFF).unwrap_or_default();
        let accessed = match call {
            "path_open" | "path_filestat_get" => {
                let path = guest_memory::bytes(memory, file(2), file(3));
                self.record_access(file(0), path.unwrap_or_default(), has_succeeded)
            }
            // Reads of an open file need no record, because `path_open` recorded the file.
            "fd_readdir" => self.record_access(file(0), b".", has_succeeded),
            "fd_filestat_get" if file(0) >= FIRST_GRANTED && !self.open.contains_key(&file(0)) => {
                self.record_access(file(0), b".", has_succeeded)
            }
            "path_readlink" => {
                self.is_incomplete = true;
                None
            }
            _ => None,
        };
        if !has_succeeded {
            return;
        }
        match call {
            "path_open" => {
                if parameter(4) & CREATES_OR_TRUNCATES != 0 {
                    self.refuse(SnapshotRefusal::Writes);
                }
                let opened =
                    guest_memory::bytes(memory, file(8), 4).and_then(|at| at.try_into().ok());
                let opened = opened.map_or(0, u32::from_le_bytes);
                self.open.insert(opened, accessed.unwrap_or_default());
            }
            "fd_close" if self.open.remove(&file(0)).is_some() => {}
            "fd_close" | "fd_renumber" => self.refuse(SnapshotRefusal::ClosesDescriptor),
            // Standard output and standard error.
            "fd_write" if matches!(file(0), 1 | 2) => {}
            "fd_write"
            | "fd_pwrite"
            | "fd_filestat_set_size"
            | "fd_filestat_set_times"
            | "path_create_directory"
            | "path_filestat_set_times"
            | "path_link"
            | "path_remove_directory"
            | "path_rename"
            | "path_symlink"
            | "path_unlink_file" => self.refuse(SnapshotRefusal::Writes),
            // The other calls leave nothing behind. The data that they read is in the memory.
            _ => {}
        }
    }

    /// Notes an access to a path below the open directory `file`. Returns the granted directory, and the path below it.
    fn record_access(&mut self, file: u32, path: &[u8], was_found: bool) -> Option<(u32, String)> {
        let accessed = std::str::from_utf8(path).ok().and_then(|path| match self.open.get(&file) {
            Some((dir, base)) => Some((*dir, format!("{base}/{path}"))),
            None => Some((file.checked_sub(FIRST_GRANTED)?, path.to_owned())),
        });
        match &accessed {
            Some((dir, path)) if self.dependencies.len() < MAX_DEPENDENCIES => {
                self.dependencies.insert(Dependency { dir: *dir, path: path.clone(), was_found });
            }
            _ => self.is_incomplete = true,
        }
        accessed
    }

    /// Returns the properties of the snapshot, or the reason against a snapshot.
    pub(crate) fn verdict(self) -> Result<Verdict, SnapshotRefusal> {
        match self.refusal {
            Some(reason) => Err(reason),
            None if !self.open.is_empty() => Err(SnapshotRefusal::OpenFile),
            None => {
                let dependencies =
                    (!self.is_incomplete).then(|| self.dependencies.into_iter().collect());
                Ok(Verdict { has_random: self.drew_random, dependencies })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorder_detects_effects_a_snapshot_would_lose() {
        use SnapshotRefusal::{ClosesDescriptor, OpenFile, Writes};
        // A file is opened as descriptor 7, which WASI writes to address 4.
        let memory = [0, 0, 0, 0, 7, 0, 0, 0];
        let open = |flags| ("path_open", vec![3, 0, 0, 0, flags, 0, 0, 0, 4]);
        let call = |name, file| (name, vec![file]);
        #[rustfmt::skip]
        let cases = [
            ("nothing",               vec![],                                            Ok(false)),
            ("reads and closes",      vec![open(0), call("fd_read", 7), call("fd_close", 7)], Ok(false)),
            ("says something",        vec![call("fd_write", 1), call("fd_write", 2)],    Ok(false)),
            ("looks",                 vec![call("path_filestat_get", 3)],                Ok(false)),
            ("keeps it open",         vec![open(0), call("fd_read", 7)],                 Err(OpenFile)),
            ("opens it once more",    vec![open(0), call("fd_close", 7), open(0)],       Err(OpenFile)),
            ("closes a directory",    vec![call("fd_close", 3)],                         Err(ClosesDescriptor)),
            ("closes it twice",       vec![open(0), call("fd_close", 7), call("fd_close", 7)], Err(ClosesDescriptor)),
            ("renumbers",             vec![open(0), ("fd_renumber", vec![7, 3])],        Err(ClosesDescriptor)),
            ("makes a file",          vec![open(1), call("fd_close", 7)],                Err(Writes)),
            ("empties a file",        vec![open(8), call("fd_close", 7)],                Err(Writes)),
            ("writes",                vec![open(0), call("fd_write", 7), call("fd_close", 7)], Err(Writes)),
            ("removes",               vec![call("path_unlink_file", 3)],                 Err(Writes)),
            ("the first thing counts", vec![call("path_rename", 3), call("fd_close", 3)], Err(Writes)),
        ];
        for (case, calls, expected) in cases {
            let mut recorder = InitRecorder::default();
            for (name, parameters) in calls {
                recorder.record(name, &parameters, &memory, true);
            }
            let verdict = recorder.verdict().map(|verdict| verdict.has_random);
            assert_eq!(verdict, expected, "{case}");
        }
    }

    #[test]
    fn random_bytes_do_not_prevent_a_snapshot() {
        let mut recorder = InitRecorder::default();
        recorder.record_random();
        assert_eq!(recorder.verdict().map(|verdict| verdict.has_random), Ok(true));
    }

    #[test]
    fn recorded_paths_are_relative_to_the_granted_directory() {
        let mut memory = b"a/b none..".to_vec();
        memory.splice(0..0, [7, 0, 0, 0]);
        let mut recorder = InitRecorder::default();
        // The second granted directory contains `a/b`, which contains no `none`.
        recorder.record("path_open", &[4, 0, 4, 3, 0, 0, 0, 0, 0], &memory, true);
        recorder.record("path_filestat_get", &[7, 0, 8, 4], &memory, false);
        recorder.record("fd_close", &[7], &memory, true);
        let dependency =
            |path: &str, was_found| Dependency { dir: 1, path: path.into(), was_found };
        let expected = vec![dependency("a/b", true), dependency("a/b/none", false)];
        assert_eq!(recorder.verdict().unwrap().dependencies, Some(expected));

        let mut recorder = InitRecorder::default();
        recorder.record("path_readlink", &[3, 0, 0, 0, 0, 0], &memory, true);
        assert_eq!(recorder.verdict().unwrap().dependencies, None);
    }
}
