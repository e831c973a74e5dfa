//! Directories to which only their owner can write. The host accesses each directory through a file descriptor.
//! Therefore the host still accesses the checked directory after the directory has been renamed.

use std::fs::DirBuilder;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, Stat, fstat, mkdirat, openat};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::CacheError;

/// The permission bits with which users other than the owner may write.
const OTHERS_WRITE: u32 = 0o022;
/// The sticky bit: in such a directory, users cannot rename or remove each other's files.
const STICKY: u32 = 0o1000;

/// A directory of this user that nobody else can write to or replace.
#[derive(Debug)]
pub(crate) struct Directory(OwnedFd);

impl Directory {
    /// Opens the directory at `path`, and creates it if it does not exist.
    pub(crate) fn create(path: &Path) -> Result<Self, CacheError> {
        let created = DirBuilder::new().recursive(true).mode(0o700).create(path);
        created.map_err(|source| CacheError::Io { path: path.to_owned(), source })?;
        Self::open(path)
    }

    /// Opens the directory at `path`.
    ///
    /// No other user may own the directory or its parents, or have write access to them, because such a user could
    /// replace the directory. This function first resolves the symbolic links in the path, and then follows no further
    /// symbolic link.
    pub(crate) fn open(path: &Path) -> Result<Self, CacheError> {
        let io_error = |source| CacheError::Io { path: path.to_owned(), source };
        let real = path.canonicalize().map_err(io_error)?;
        let unsafe_error = |at: &Path, reason: &str| CacheError::Unsafe {
            cache: path.to_owned(),
            path: at.to_owned(),
            reason: reason.into(),
        };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let (mut at, mut current) = (PathBuf::new(), None::<OwnedFd>);
        for component in real.components() {
            let name = match component {
                Component::RootDir => Path::new("/"),
                Component::Normal(name) => Path::new(name),
                _ => continue,
            };
            at.push(name);
            let next = match &current {
                Some(current) => openat(current, name, flags, Mode::empty()),
                None => openat(CWD, name, flags, Mode::empty()),
            };
            let next = next.map_err(|error| io_error(error.into()))?;
            let found = fstat(&next).map_err(|error| io_error(error.into()))?;
            if let Some(reason) = exposure(&found, at != real) {
                return Err(unsafe_error(&at, reason));
            }
            current = Some(next);
        }
        let directory = current.ok_or_else(|| io_error(io::ErrorKind::NotFound.into()))?;
        // The loop opened the directory with `O_PATH`, which does not allow reading it.
        let opened = openat(&directory, ".", OPEN, Mode::empty());
        Ok(Self(opened.map_err(|error| io_error(error.into()))?))
    }

    /// Opens the subdirectory `name`. Fails if other users have write access to the subdirectory. Only this user can
    /// have created the subdirectory, but its permissions may have changed since then.
    pub(crate) fn open_subdirectory(&self, name: &str, mode: CreateMode) -> io::Result<Self> {
        if mode == CreateMode::IfMissing {
            match mkdirat(self, name, Mode::RWXU) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let inner = openat(self, name, OPEN, Mode::empty())?;
        match exposure(&fstat(&inner)?, false) {
            None => Ok(Self(inner)),
            Some(reason) => Err(io::Error::other(format!("`{name}` {reason}"))),
        }
    }
}

const OPEN: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The decision whether to create a missing directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CreateMode {
    IfMissing,
    No,
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Returns the reason why other users could change a directory, or `None` if they cannot. If `is_parent` is true, root
/// may own the directory, and other users may have write access to a directory with the sticky bit.
fn exposure(found: &Stat, is_parent: bool) -> Option<&'static str> {
    let is_ours = found.st_uid == geteuid().as_raw() || is_parent && found.st_uid == 0;
    let is_closed = found.st_mode & OTHERS_WRITE == 0 || is_parent && found.st_mode & STICKY != 0;
    match (FileType::from_raw_mode(found.st_mode), is_ours, is_closed) {
        (FileType::Directory, true, true) => None,
        (FileType::Directory, false, _) => Some("belongs to another user"),
        (FileType::Directory, true, false) => Some("can be written by others"),
        _ => Some("is not a directory"),
    }
}

/// Returns whether a file is a regular file that only this user can change.
pub(crate) fn is_own_file(found: &Stat) -> bool {
    FileType::from_raw_mode(found.st_mode) == FileType::RegularFile
        && found.st_uid == geteuid().as_raw()
        && found.st_mode & OTHERS_WRITE == 0
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_directory_that_others_can_change_is_refused() {
        #[rustfmt::skip]
        let cases = [
            // around   itself   accepted
            (0o700,     0o700,   true),
            (0o755,     0o755,   true),
            (0o1777,    0o700,   true),
            (0o777,     0o700,   false),
            (0o775,     0o700,   false),
            (0o700,     0o770,   false),
            (0o700,     0o707,   false),
            // Others cannot remove this user's entries, but they can add entries.
            (0o700,     0o1777,  false),
        ];
        for (around, itself, accepted) in cases {
            let folder = tempfile::tempdir().unwrap();
            let outer = folder.path().join("outer");
            let inner = outer.join("inner");
            Directory::create(&inner).unwrap();
            mode(&inner, itself);
            mode(&outer, around);
            let opened = Directory::open(&inner);
            assert_eq!(opened.is_ok(), accepted, "{around:o} {itself:o}: {opened:?}");
        }
    }

    #[test]
    fn created_directories_are_private() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        let opened = Directory::create(&inner).unwrap();
        opened.open_subdirectory("c", CreateMode::IfMissing).unwrap();
        for path in ["a", "a/b", "a/b/c"] {
            let found = fs::metadata(folder.path().join(path)).unwrap();
            assert_eq!(found.permissions().mode() & 0o777, 0o700, "{path}");
        }
    }

    #[test]
    fn a_symlink_is_checked_at_its_target() {
        let folder = tempfile::tempdir().unwrap();
        let (open, link) = (folder.path().join("open"), folder.path().join("link"));
        Directory::create(&open.join("cache")).unwrap();
        symlink("open/cache", &link).unwrap();
        assert!(Directory::open(&link).is_ok());
        mode(&open, 0o777);
        let error = Directory::open(&link).unwrap_err().to_string();
        assert!(error.ends_with("open` can be written by others"), "{error}");
    }

    #[test]
    fn a_subdirectory_must_be_private_and_no_symlink() {
        let folder = tempfile::tempdir().unwrap();
        let outer = Directory::create(folder.path()).unwrap();
        assert!(outer.open_subdirectory("missing", CreateMode::No).is_err());
        fs::create_dir(folder.path().join("elsewhere")).unwrap();
        symlink("elsewhere", folder.path().join("link")).unwrap();
        assert!(outer.open_subdirectory("link", CreateMode::IfMissing).is_err());
        outer.open_subdirectory("it", CreateMode::IfMissing).unwrap();
        mode(&folder.path().join("it"), 0o777);
        let error = outer.open_subdirectory("it", CreateMode::IfMissing).unwrap_err();
        assert_eq!(error.to_string(), "`it` can be written by others");
    }

    #[test]
    fn a_parent_may_belong_to_root_but_to_no_other_user() {
        let folder = tempfile::tempdir().unwrap();
        let mut found = fstat(Directory::create(folder.path()).unwrap()).unwrap();
        assert_eq!(exposure(&found, false), None);
        found.st_uid = 0;
        assert_eq!(exposure(&found, true), None);
        found.st_uid = geteuid().as_raw() + 4321;
        assert_eq!(exposure(&found, true), Some("belongs to another user"));
        assert_eq!(exposure(&found, false), Some("belongs to another user"));
    }
}
