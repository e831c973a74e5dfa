//! Waits until results are on the disk: their content, and the names under which they are found.

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, fstat, fsync, open, openat, syncfs};
use rustix::io::Errno;

/// Syncs a regular file and the directory in which it is named. A block device has no name to sync, and anything else,
/// such as a pipe or a terminal, nothing at all.
pub(super) fn sync(file: BorrowedFd<'_>) -> io::Result<()> {
    match FileType::from_raw_mode(fstat(file)?.st_mode) {
        FileType::RegularFile => {
            fsync(file)?;
            sync_name(file)
        }
        FileType::BlockDevice => Ok(fsync(file)?),
        _ => Ok(()),
    }
}

/// Syncs all of the file system on which a directory is.
pub(super) fn sync_all(dir: impl AsFd) -> io::Result<()> {
    // The descriptor may be one that only names the directory.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(syncfs(openat(dir, ".", flags, Mode::empty())?)?)
}

/// Syncs the directory in which a file is named. Where that directory cannot be opened or synced, all of the file
/// system is synced.
fn sync_name(file: BorrowedFd<'_>) -> io::Result<()> {
    match directory_of(file) {
        Some(dir) => match fsync(dir) {
            // Some file systems sync no directory by itself.
            Err(Errno::INVAL) => Ok(syncfs(file)?),
            synced => Ok(synced?),
        },
        None => Ok(syncfs(file)?),
    }
}

/// Opens the directory in which the file has its name now, whatever led to it when it was opened.
fn directory_of(file: BorrowedFd<'_>) -> Option<OwnedFd> {
    let path = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    open(path.parent()?, flags, Mode::empty()).ok()
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn files_and_directories_can_be_synced_and_others_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("file")).unwrap();
        sync(file.as_fd()).unwrap();
        assert!(directory_of(file.as_fd()).is_some());
        let (_reader, writer) = io::pipe().unwrap();
        sync(writer.as_fd()).unwrap();
        sync(File::open("/dev/null").unwrap().as_fd()).unwrap();
        let only_named = open(folder.path(), OFlags::PATH, Mode::empty()).unwrap();
        sync_all(only_named).unwrap();
    }
}
