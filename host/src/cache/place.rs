//! A directory of entries, each a file of its own, whole or not there.
//!
//! An entry is written under another name and renamed: nobody reads half of one, and those who
//! have an old one open keep it. Nobody waits for anybody: of two that put the same entry, one
//! is the last.

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

/// How the name of a file begins that is being written.
const UNFINISHED: &str = ".new-";

/// After so long, whoever wrote such a file is not there any more.
const ABANDONED: Duration = Duration::from_hours(1);

/// A place for entries.
#[derive(Debug)]
pub(crate) struct Place(pub(crate) Directory);

/// An entry, checked: all of it is as it was put there, for this key.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) file: File,
    pub(crate) package: CodePackage,
}

/// What there is for a key.
#[derive(Debug)]
pub(crate) enum Found {
    /// This.
    Entry(Entry),
    Nothing,
    /// A file that is not what was put there; or that others can write to.
    Damaged,
}

/// What can be said of an entry without opening it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    /// When it was put there, or used last.
    pub(crate) used: SystemTime,
}

impl Place {
    /// The entry for `key`. It counts as used.
    pub(crate) fn get(&self, key: &Key) -> io::Result<Found> {
        // A pipe in its place is not waited for.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match openat(&self.0, key.to_string(), flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(Found::Nothing),
            Err(Errno::LOOP) => return Ok(Found::Damaged),
            Err(error) => return Err(error.into()),
        };
        if !is_own_file(&fstat(&file)?) {
            return Ok(Found::Damaged);
        }
        let file = File::from(file);
        let package = match CodePackage::read(&file) {
            Ok(package) if package.key == key.digest() => package,
            Ok(_) | Err(_) => return Ok(Found::Damaged),
        };
        let omit = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        // Where nothing can be written, nothing has to be thrown out.
        let _ = futimens(&file, &Timestamps { last_access: omit, last_modification: now });
        Ok(Found::Entry(Entry { file, package }))
    }

    /// Puts an entry there, in the place of what there is.
    pub(crate) fn put(&self, key: &Key, code: &[u8], metadata: &[u8]) -> io::Result<()> {
        let unfinished = format!("{UNFINISHED}{:016x}", RandomState::new().hash_one(code.len()));
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.0, &unfinished, flags, Mode::RUSR | Mode::WUSR)?;
        let written = write(File::from(file), key, code, metadata);
        let put =
            written.and_then(|()| Ok(renameat(&self.0, &unfinished, &self.0, key.to_string())?));
        if put.is_err() {
            let _ = unlinkat(&self.0, &unfinished, AtFlags::empty());
        }
        put
    }

    /// The entries that there are.
    pub(crate) fn list(&self) -> io::Result<Vec<Listed>> {
        Ok(self.files()?.into_iter().filter(|file| !is_unfinished(file)).collect())
    }

    /// Removes an entry. One that is not there is removed already.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match unlinkat(&self.0, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes what nobody will finish.
    pub(crate) fn sweep(&self, now: SystemTime) -> io::Result<()> {
        let is_abandoned = |file: &Listed| {
            let age = now.duration_since(file.used).unwrap_or_default();
            is_unfinished(file) && age > ABANDONED
        };
        self.files()?
            .iter()
            .filter(|file| is_abandoned(file))
            .try_for_each(|file| self.remove(&file.name))
    }

    /// Removes all that is unfinished. Who is writing it keeps nothing.
    pub(crate) fn clear_unfinished(&self) -> io::Result<()> {
        let mut files = self.files()?.into_iter().filter(is_unfinished);
        files.try_for_each(|file| self.remove(&file.name))
    }

    fn files(&self) -> io::Result<Vec<Listed>> {
        let mut files = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            // What is ours has a name that is text.
            let Ok(name) = entry.file_name().to_str() else { continue };
            // One that is removed meanwhile is not there.
            let Ok(found) = statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            if !is_own_file(&found) {
                continue;
            }
            let nanos = u32::try_from(found.st_mtime_nsec).unwrap_or_default();
            let seconds = u64::try_from(found.st_mtime).unwrap_or_default();
            files.push(Listed {
                name: name.to_owned(),
                bytes: u64::try_from(found.st_size).unwrap_or_default(),
                used: UNIX_EPOCH + Duration::new(seconds, nanos),
            });
        }
        Ok(files)
    }
}

fn is_unfinished(file: &Listed) -> bool {
    file.name.starts_with(UNFINISHED)
}

fn write(file: File, key: &Key, code: &[u8], metadata: &[u8]) -> io::Result<()> {
    let mut file = BufWriter::new(file);
    CodePackage::write(&mut file, key.digest(), code, metadata)?;
    // After a crash, what the disk has not got is seen by the digest.
    file.flush()
}
