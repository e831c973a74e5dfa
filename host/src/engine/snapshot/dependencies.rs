//! The files in granted directories that an `init` accessed. A cached snapshot is valid while these files are unchanged.

use std::path::{Component, Path};
use std::time::{Duration, SystemTime};

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, openat2};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::Dependency;
use crate::sandbox::granted::{GrantedDir, OpenDir};

/// The state of a path; `None` inside if nothing exists there.
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
    /// Returns the current state of the path; none if it cannot be determined, such as behind a symbolic link. A plugin
    /// could make a link that leads out of the granted directories.
    pub(crate) fn stamp(&self, dirs: &[GrantedDir]) -> Option<Stamp> {
        file_state(self.dir(dirs)?, Path::new(&self.path)).ok().map(Stamp)
    }

    /// Returns the current state of the path, if it is still the state that `init` saw. `init` started at `begun`.
    pub(crate) fn stamp_if_unchanged(
        &self,
        dirs: &[GrantedDir],
        begun: SystemTime,
    ) -> Option<Stamp> {
        let stamp = self.stamp(dirs)?;
        let dir = self.dir(dirs)?;
        // A directory on the path may have been replaced meanwhile by another directory, with an old file in it.
        let mut on_the_way = Path::new(&self.path).ancestors().skip(1);
        let is_same_way = on_the_way
            .all(|path| file_state(dir, path).is_ok_and(|found| Stamp(found).is_older_than(begun)));
        let is_as_seen = stamp.0.is_some() == self.was_found;
        (is_as_seen && is_same_way && stamp.is_older_than(begun)).then_some(stamp)
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
    let how = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let way = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let it = match openat2(dir, path, how, Mode::empty(), way) {
        Ok(it) => fstat(it).map_err(|_| UnknownState)?,
        Err(Errno::NOENT) => return Ok(None),
        Err(_) => return Err(UnknownState),
    };
    if FileType::from_raw_mode(it.st_mode) == FileType::Symlink {
        return Err(UnknownState);
    }
    Ok(Some(FileState {
        device: it.st_dev,
        number: it.st_ino,
        size: it.st_size,
        modified: (it.st_mtime, it.st_mtime_nsec),
        changed: (it.st_ctime, it.st_ctime_nsec),
    }))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::sandbox::capabilities::DirGrant;

    #[test]
    fn what_was_looked_at_is_as_it_was_or_not() {
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
        let untold =
            [(1, "file"), (0, "../file"), (0, "/etc/passwd"), (0, "link"), (0, "out/none")];
        for (dir, path) in untold {
            let dependency = Dependency { dir, path: path.into(), was_found: true };
            assert_eq!(dependency.stamp(&dirs), None, "{path}");
        }
    }

    #[test]
    fn what_may_have_changed_meanwhile_is_not_what_was_seen() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "1").unwrap();
        let dirs = [GrantedDir::open(&DirGrant::read(folder.path(), "/data")).unwrap()];
        let now = SystemTime::now();
        let (before, later) = (now - Duration::from_secs(9), now + Duration::from_secs(9));
        #[rustfmt::skip]
        let cases = [
            // path   found   begun   the stamp holds
            ("file",  true,   later,  true),
            ("file",  true,   now,    false),
            ("file",  true,   before, false),
            ("file",  false,  later,  false),
            ("none",  false,  before, false),
            ("none",  false,  later,  true),
            ("none",  true,   later,  false),
        ];
        for (path, was_found, begun, expected) in cases {
            let dependency = Dependency { dir: 0, path: path.into(), was_found };
            assert_eq!(
                dependency.stamp_if_unchanged(&dirs, begun).is_some(),
                expected,
                "{path} {was_found}"
            );
        }
    }
}
