//! What an `init` has looked at below granted directories: a snapshot that is kept holds as long as
//! that is as it was.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::sandbox::capabilities::DirGrant;

/// A path that was opened or asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// Which of the granted directories it is below.
    pub(crate) dir: u32,
    pub(crate) path: String,
    /// Whether there was something.
    pub(crate) was_found: bool,
}

/// What there is at a path: what is called so, and what that leads to if it is a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp([Option<Found>; 2]);

/// A file or a directory as it is now. Whoever changes it changes one of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Found {
    device: u64,
    number: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Seen {
    /// What there is now; none if that cannot be told.
    pub(crate) fn stamp(&self, dirs: &[DirGrant]) -> Option<Stamp> {
        let dir = dirs.get(usize::try_from(self.dir).ok()?)?;
        let path = Path::new(&self.path);
        let is_below =
            |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        if !path.components().all(is_below) {
            return None;
        }
        let path = dir.host().join(path);
        Some(Stamp([found(path.symlink_metadata()).ok()?, found(path.metadata()).ok()?]))
    }

    /// What there is now, if it is what was there while `init` ran, which began then.
    pub(crate) fn stamp_of_then(&self, dirs: &[DirGrant], begun: SystemTime) -> Option<Stamp> {
        let stamp = self.stamp(dirs)?;
        let is_as_seen = stamp.0[1].is_some() == self.was_found;
        (is_as_seen && stamp.is_older_than(begun)).then_some(stamp)
    }
}

impl Stamp {
    /// How far the time of a file may be behind the clock.
    const COARSE: Duration = Duration::from_millis(100);

    fn is_older_than(&self, time: SystemTime) -> bool {
        let time = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let time = time.saturating_sub(Self::COARSE);
        let time = (i64::try_from(time.as_secs()).unwrap_or_default(), time.subsec_nanos().into());
        self.0.iter().flatten().all(|found| found.modified < time && found.changed < time)
    }
}

fn found(metadata: io::Result<Metadata>) -> io::Result<Option<Found>> {
    match metadata {
        Ok(it) => Ok(Some(Found {
            device: it.dev(),
            number: it.ino(),
            size: it.size(),
            modified: (it.mtime(), it.mtime_nsec()),
            changed: (it.ctime(), it.ctime_nsec()),
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_was_looked_at_is_as_it_was_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "1").unwrap();
        std::os::unix::fs::symlink("file", at("link")).unwrap();
        let dirs = [DirGrant::read(folder.path(), "/data")];
        let seen = |path: &str| Seen { dir: 0, path: path.into(), was_found: true };
        let stamps = |paths: &[&str]| -> Vec<_> {
            paths.iter().map(|path| seen(path).stamp(&dirs).unwrap()).collect()
        };
        let paths = ["file", "link", "none", "."];
        let before = stamps(&paths);
        assert_eq!(stamps(&paths), before);

        // A new file of the same size, and one where there was none: the directory is another, too.
        fs::write(at("other"), "2").unwrap();
        fs::rename(at("other"), at("file")).unwrap();
        fs::write(at("none"), "").unwrap();
        let after = stamps(&paths);
        for (path, (before, after)) in paths.iter().zip(before.iter().zip(&after)) {
            assert_ne!(before, after, "{path}");
        }
        for (dir, path) in [(1, "file"), (0, "../file"), (0, "/etc/passwd")] {
            let seen = Seen { dir, path: path.into(), was_found: true };
            assert_eq!(seen.stamp(&dirs), None, "{path}");
        }
    }

    #[test]
    fn what_may_have_changed_meanwhile_is_not_what_was_seen() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "1").unwrap();
        let dirs = [DirGrant::read(folder.path(), "/data")];
        let now = SystemTime::now();
        let (before, later) = (now - Duration::from_secs(9), now + Duration::from_secs(9));
        #[rustfmt::skip]
        let cases = [
            // path   found   begun   the stamp holds
            ("file",  true,   later,  true),
            ("file",  true,   now,    false),
            ("file",  true,   before, false),
            ("file",  false,  later,  false),
            ("none",  false,  before, true),
            ("none",  true,   later,  false),
        ];
        for (path, was_found, begun, expected) in cases {
            let seen = Seen { dir: 0, path: path.into(), was_found };
            assert_eq!(seen.stamp_of_then(&dirs, begun).is_some(), expected, "{path} {was_found}");
        }
    }
}
