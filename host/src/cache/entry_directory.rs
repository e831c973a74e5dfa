//! One part of the cache: a directory with one file for each entry.
//!
//! The host writes each entry under a temporary name, and then renames the file. Therefore no process reads an
//! incomplete entry. If a process has an old entry open, the content of that entry does not change. No process waits
//! for another process. If two processes write the same entry, the later file replaces the earlier one.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufWriter, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{
    AtFlags, Dir, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, fstat, futimens,
    openat, renameat, statat, unlinkat,
};
use rustix::io::Errno;

use super::directory::{Directory, is_own_file};
use super::key::Key;
use crate::cache::code_package::CodePackage;

/// The prefix of the names of files that are still being written.
const UNFINISHED: &str = ".new-";

/// The age after which an unfinished file counts as abandoned by its writer.
const ABANDONED: Duration = Duration::from_hours(1);

#[derive(Debug)]
pub(crate) struct EntryDirectory(pub(crate) Directory);

/// A checked entry, whose file is unchanged and belongs to the requested key.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) file: File,
    pub(crate) package: CodePackage,
}

/// The result of a lookup.
#[derive(Debug)]
pub(crate) enum Lookup {
    Entry(Entry),
    Nothing,
    /// A file that has changed, or that other users can write to.
    Damaged,
}

/// The properties of an entry that can be read without opening it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EntryInfo {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    /// The time when the entry was written or last used.
    pub(crate) used: SystemTime,
}

impl EntryDirectory {
    /// Looks up the entry for `key`, and marks it as used.
    pub(crate) fn get(&self, key: &Key) -> io::Result<Lookup> {
        // With `NONBLOCK`, opening a pipe under this name does not block.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match openat(&self.0, key.to_string(), flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(Lookup::Nothing),
            Err(Errno::LOOP) => return Ok(Lookup::Damaged),
            Err(error) => return Err(error.into()),
        };
        if !is_own_file(&fstat(&file)?) {
            return Ok(Lookup::Damaged);
        }
        let file = File::from(file);
        let package = match CodePackage::read(&file) {
            Ok(package) if package.key == key.digest() => package,
            Ok(_) | Err(_) => return Ok(Lookup::Damaged),
        };
        let omit = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        // The call fails if the directory is read-only. Then no entry is removed by age either.
        let _ = futimens(&file, &Timestamps { last_access: omit, last_modification: now });
        Ok(Lookup::Entry(Entry { file, package }))
    }

    /// Writes an entry, and replaces an older one with the same key.
    pub(crate) fn put(&self, key: &Key, code: &[u8], metadata: &[u8]) -> io::Result<()> {
        let unfinished = format!("{UNFINISHED}{:016x}", RandomState::new().hash_one(code.len()));
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.0, &unfinished, flags, Mode::RUSR | Mode::WUSR)?;
        let written = write(File::from(file), key, code, metadata);
        let renamed =
            written.and_then(|()| Ok(renameat(&self.0, &unfinished, &self.0, key.to_string())?));
        if renamed.is_err() {
            let _ = unlinkat(&self.0, &unfinished, AtFlags::empty());
        }
        renamed
    }

    /// Returns the finished entries.
    pub(crate) fn list(&self) -> io::Result<Vec<EntryInfo>> {
        Ok(self.files()?.into_iter().filter(|file| !is_unfinished(file)).collect())
    }

    /// Removes an entry, if it exists.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match unlinkat(&self.0, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes unfinished files that their writers have abandoned.
    pub(crate) fn remove_abandoned(&self, now: SystemTime) -> io::Result<()> {
        let is_abandoned = |file: &EntryInfo| {
            let age = now.duration_since(file.used).unwrap_or_default();
            is_unfinished(file) && age > ABANDONED
        };
        self.files()?
            .iter()
            .filter(|file| is_abandoned(file))
            .try_for_each(|file| self.remove(&file.name))
    }

    /// Removes all unfinished files. An entry that a process is still writing is lost.
    pub(crate) fn clear_unfinished(&self) -> io::Result<()> {
        let mut files = self.files()?.into_iter().filter(is_unfinished);
        files.try_for_each(|file| self.remove(&file.name))
    }

    fn files(&self) -> io::Result<Vec<EntryInfo>> {
        let mut files = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            // Names of cache files are UTF-8, so other files are skipped.
            let Ok(name) = entry.file_name().to_str() else { continue };
            // A file that was removed in the meantime is skipped.
            let Ok(found) = statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            if !is_own_file(&found) {
                continue;
            }
            let nanos = u32::try_from(found.st_mtime_nsec).unwrap_or_default();
            let seconds = u64::try_from(found.st_mtime).unwrap_or_default();
            files.push(EntryInfo {
                name: name.to_owned(),
                bytes: u64::try_from(found.st_size).unwrap_or_default(),
                used: UNIX_EPOCH + Duration::new(seconds, nanos),
            });
        }
        Ok(files)
    }
}

fn is_unfinished(file: &EntryInfo) -> bool {
    file.name.starts_with(UNFINISHED)
}

fn write(file: File, key: &Key, code: &[u8], metadata: &[u8]) -> io::Result<()> {
    let mut file = BufWriter::new(file);
    CodePackage::write(&mut file, key.digest(), code, metadata)?;
    // No `fsync` is needed: after a crash, the digest detects data that did not reach the disk.
    file.flush()
}
