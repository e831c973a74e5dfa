//! The files in granted directories that an `init` accessed. A cached snapshot is valid while these files are
//! unchanged.

use std::path::{Component, Path};
use std::time::{Duration, SystemTime};

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, openat2};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::Dependency;
use crate::sandbox::granted::{GrantedDir, OpenDir};

/// The state of a path. The value inside is `None` if nothing exists at the path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp(Option<FileState>);

/// The state of a file or directory. Every modification changes one of the fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FileState {
    device: u64,
    number: u64,
    size: i64,
    modified: (i64, u64),
    changed: (i64, u64),
}

/// The error of a path whose state cannot be determined.
struct UnknownState;

impl Dependency {
    /// Returns the current state of the path. Returns `None` if the state cannot be determined, for example because the
    /// path contains a symbolic link. The host follows no links, because a plugin could create a link to a file outside
    /// the granted directories.
    pub(crate) fn stamp(&self, dirs: &[GrantedDir]) -> Option<Stamp> {
        file_state(self.dir(dirs)?, Path::new(&self.path)).ok().map(Stamp)
    }

    /// Returns the current state of the path, if it is still the state that `init` saw. `init` started at `started_at`.
    pub(crate) fn stamp_if_unchanged(
        &self,
        dirs: &[GrantedDir],
        started_at: SystemTime,
    ) -> Option<Stamp> {
        let stamp = self.stamp(dirs)?;
        let dir = self.dir(dirs)?;
        // A parent may have been replaced since then by another directory, with an old file in it.
        let mut parents = Path::new(&self.path).ancestors().skip(1);
        let are_parents_unchanged = parents.all(|path| {
            file_state(dir, path).is_ok_and(|found| Stamp(found).is_older_than(started_at))
        });
        let is_as_seen = stamp.0.is_some() == self.was_found;
        (is_as_seen && are_parents_unchanged && stamp.is_older_than(started_at)).then_some(stamp)
    }

    /// Returns the granted directory.
    fn dir<'a>(&self, dirs: &'a [GrantedDir]) -> Option<&'a OpenDir> {
        Some(&dirs.get(usize::try_from(self.dir).ok()?)?.dir)
    }
}

impl Stamp {
    /// The largest lag of file times behind the clock.
    const COARSE: Duration = Duration::from_millis(100);

    fn is_older_than(&self, time: SystemTime) -> bool {
        let time = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let time = time.saturating_sub(Self::COARSE);
        let time = (i64::try_from(time.as_secs()).unwrap_or_default(), time.subsec_nanos().into());
        self.0.iter().all(|found| found.modified < time && found.changed < time)
    }
}

/// Returns the state of `path` below `dir`, without following symbolic links.
fn file_state(dir: &OpenDir, path: &Path) -> Result<Option<FileState>, UnknownState> {
    let is_below = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if !path.components().all(is_below) {
        return Err(UnknownState);
    }
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let stat = match openat2(dir, path, flags, Mode::empty(), resolve) {
        Ok(file) => fstat(file).map_err(|_| UnknownState)?,
        Err(Errno::NOENT) => return Ok(None),
        Err(_) => return Err(UnknownState),
    };
    if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
        return Err(UnknownState);
    }
    Ok(Some(FileState {
        device: stat.st_dev,
        number: stat.st_ino,
        size: stat.st_size,
        modified: (stat.st_mtime, stat.st_mtime_nsec),
        changed: (stat.st_ctime, stat.st_ctime_nsec),
    }))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::sandbox::capabilities::DirGrant;

    #[test]
    fn a_dependency_stamp_detects_changes() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "1").unwrap();
        symlink("file", at("link")).unwrap();
        symlink("..", at("out")).unwrap();
        let dirs = [GrantedDir::open(&DirGrant::read(folder.path(), "/data")).unwrap()];
        let dependency = |path: &str| Dependency { dir: 0, path: path.into(), was_found: true };
        let stamps = |paths: &[&str]| -> Vec<_> {
            paths.iter().map(|path| dependency(path).stamp(&dirs).unwrap()).collect()
        };
        let paths = ["file", "none", "."];
        let before = stamps(&paths);
        assert_eq!(stamps(&paths), before);

        // Replace a file by one of the same size, and make a missing one. Both change the directory.
        fs::write(at("other"), "2").unwrap();
        fs::rename(at("other"), at("file")).unwrap();
        fs::write(at("none"), "").unwrap();
        let after = stamps(&paths);
        for (path, (before, after)) in paths.iter().zip(before.iter().zip(&after)) {
            assert_ne!(before, after, "{path}");
        }
        let unknown =
            [(1, "file"), (0, "../file"), (0, "/etc/passwd"), (0, "link"), (0, "out/none")];
        for (dir, path) in unknown {
            let dependency = Dependency { dir, path: path.into(), was_found: true };
            assert_eq!(dependency.stamp(&dirs), None, "{path}");
        }
    }

    #[test]
    fn a_dependency_changed_after_the_start_has_no_stamp() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "1").unwrap();
        let dirs = [GrantedDir::open(&DirGrant::read(folder.path(), "/data")).unwrap()];
        let now = SystemTime::now();
        let (before, later) = (now - Duration::from_secs(9), now + Duration::from_secs(9));
        #[rustfmt::skip]
        let cases = [
            // path   found   started_at   the stamp holds
            ("file",  true,   later,  true),
            ("file",  true,   now,    false),
            ("file",  true,   before, false),
            ("file",  false,  later,  false),
            ("none",  false,  before, false),
            ("none",  false,  later,  true),
            ("none",  true,   later,  false),
        ];
        for (path, was_found, started_at, expected) in cases {
            let dependency = Dependency { dir: 0, path: path.into(), was_found };
            assert_eq!(
                dependency.stamp_if_unchanged(&dirs, started_at).is_some(),
                expected,
                "{path} {was_found}"
            );
        }
    }
}
