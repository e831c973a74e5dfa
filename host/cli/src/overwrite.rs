//! Checks that a run does not overwrite a file that it reads. Otherwise a typing error could destroy the input.

use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Stat, fstat, stat};

use super::display_text::DisplayText;

/// The identity of a file that may have several names.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Identity {
    /// An existing regular file.
    Inode { device: u64, inode: u64 },
    /// A file that does not exist yet.
    Name { folder: PathBuf, name: PathBuf },
}

/// A file that a run reads or writes, and its name in messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileUse<'a> {
    pub(crate) name: &'static str,
    pub(crate) path: &'a Path,
}

/// Error of a file that would be both written and read.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {written} `{}`: it is also {read}", DisplayText::of(path))]
pub(crate) struct OverwriteError {
    written: &'static str,
    read: &'static str,
    path: PathBuf,
}

impl OverwriteError {
    /// Returns a hint for the user.
    pub(crate) const HINT: &str = "write to another file";
}

/// Checks that `written` is none of `others`. Devices always pass: any of the files may be `/dev/null`.
pub(crate) fn check(written: FileUse<'_>, others: &[FileUse<'_>]) -> Result<(), OverwriteError> {
    let Some(identity) = identify(written.path) else { return Ok(()) };
    let same = |other: &&FileUse<'_>| identify(other.path).is_some_and(|other| other == identity);
    match others.iter().find(same) {
        None => Ok(()),
        Some(other) => Err(OverwriteError {
            written: written.name,
            read: other.name,
            path: written.path.to_owned(),
        }),
    }
}

fn identify(path: &Path) -> Option<Identity> {
    let found = if path.as_os_str() == "-" { fstat(rustix::stdio::stdin()) } else { stat(path) };
    match found {
        Ok(found) => regular(&found),
        Err(_) => {
            let name = PathBuf::from(path.file_name()?);
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
            Some(Identity::Name { folder, name })
        }
    }
}

fn regular(found: &Stat) -> Option<Identity> {
    let is_file = FileType::from_raw_mode(found.st_mode) == FileType::RegularFile;
    is_file.then_some(Identity::Inode { device: found.st_dev, inode: found.st_ino })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_overwrite_check_resolves_links_and_paths() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("input"), "").unwrap();
        fs::hard_link(at("input"), at("link")).unwrap();
        #[rustfmt::skip]
        let cases = [
            // written     other        refused
            ("input",      "input",     true),
            ("link",       "input",     true),
            ("./input",    "input",     true),
            ("new",        "input",     false),
            ("new",        "./new",     true),
            ("new",        "newer",     false),
            ("gone/new",   "gone/new",  false),
        ];
        for (written, other, refused) in cases {
            let (written, other) = (at(written), at(other));
            let others = [FileUse { name: "an input", path: &other }];
            let checked = check(FileUse { name: "output", path: &written }, &others);
            assert_eq!(checked.is_err(), refused, "{written:?} and {other:?}");
        }
    }

    #[test]
    fn a_device_may_be_used_twice() {
        let null = FileUse { name: "output", path: Path::new("/dev/null") };
        assert!(check(null, &[null]).is_ok());
    }
}
