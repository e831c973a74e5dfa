//! Finds what stands on the disk where a result, or a folder for it, must be: an earlier run may have left it there.
//!
//! It is found before the item costs any work. The sink looks again, in its own way: what comes later ends the run.

use std::fs::{FileType, symlink_metadata};
use std::path::{Path, PathBuf};

use super::Place;

/// Looks for obstacles in a directory.
#[derive(Debug)]
pub(crate) struct Obstacles {
    root: PathBuf,
    /// The folder that was found free of them last: items of a folder come together.
    free: Option<PathBuf>,
}

/// Something that stands in the way of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Obstacle {
    /// Where it stands, relative to the directory.
    pub(crate) at: PathBuf,
    pub(crate) what: &'static str,
}

impl Obstacles {
    /// Looks in this directory.
    pub(crate) fn below(root: PathBuf) -> Self {
        Self { root, free: None }
    }

    /// Returns what stands in the way of a file at `place`. Another file or a link does not: it is replaced.
    pub(crate) fn of(&mut self, place: &Place) -> Option<Obstacle> {
        if self.free.as_deref() != Some(place.folder()) {
            if let Some(obstacle) = self.above(place) {
                return Some(obstacle);
            }
            self.free = Some(place.folder().to_owned());
        }
        let is_folder = self.kind(place.path()).is_some_and(|kind| kind.is_dir());
        is_folder.then(|| Obstacle { at: place.path().to_owned(), what: "a folder" })
    }

    /// Returns the first of the folders that is something else, from the directory down.
    fn above(&self, place: &Place) -> Option<Obstacle> {
        let mut at = PathBuf::new();
        for name in place.folder() {
            at.push(name);
            // Where there is nothing, there is nothing below.
            if !self.kind(&at)?.is_dir() {
                return Some(Obstacle { at, what: "no folder, or a link" });
            }
        }
        None
    }

    /// Returns the kind of what is there. Where that cannot be told, the sink will see.
    fn kind(&self, path: &Path) -> Option<FileType> {
        symlink_metadata(self.root.join(path)).ok().map(|metadata| metadata.file_type())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn folders_stand_in_the_way_of_files_and_others_in_that_of_folders() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("a/b")).unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        symlink("a", folder.path().join("link")).unwrap();
        symlink("nowhere", folder.path().join("a/dangling")).unwrap();
        #[rustfmt::skip]
        let cases = [
            // place           obstacle
            ("a",              Some(("a", "a folder"))),
            ("a/b",            Some(("a/b", "a folder"))),
            ("a/c",            None),
            ("a/b/c/d",        None),
            ("file",           None),
            ("link",           None),
            ("file/x",         Some(("file", "no folder, or a link"))),
            ("link/b/x",       Some(("link", "no folder, or a link"))),
            ("a/dangling/x",   Some(("a/dangling", "no folder, or a link"))),
            ("new/x",          None),
        ];
        let mut obstacles = Obstacles::below(folder.path().to_owned());
        for (place, expected) in cases {
            let expected = expected.map(|(at, what)| Obstacle { at: at.into(), what });
            assert_eq!(obstacles.of(&Place::of(place.as_ref()).unwrap()), expected, "{place}");
        }
    }
}
