//! Waits until results are on the disk: the content of files and their names.

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, fstat, fsync, open, openat, syncfs};
use rustix::io::Errno;

/// Syncs a regular file and the directory that contains it. For a block device, syncs the content only. For a file of
/// another type, such as a pipe or a terminal, does nothing.
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

/// Syncs the whole file system that contains a directory.
pub(super) fn sync_all(dir: impl AsFd) -> io::Result<()> {
    // The descriptor may have been opened by `O_PATH`, which cannot be synced.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(syncfs(openat(dir, ".", flags, Mode::empty())?)?)
}

/// Syncs the directory that contains a file. If the directory cannot be opened or synced, syncs the whole file system.
fn sync_name(file: BorrowedFd<'_>) -> io::Result<()> {
    match directory_of(file) {
        Some(dir) => match fsync(dir) {
            // Some file systems cannot sync a single directory.
            Err(Errno::INVAL) => Ok(syncfs(file)?),
            synced => Ok(synced?),
        },
        None => Ok(syncfs(file)?),
    }
}

/// Opens the directory that contains the file now, even if the file was opened by another path.
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
    fn only_files_and_directories_are_synced() {
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
