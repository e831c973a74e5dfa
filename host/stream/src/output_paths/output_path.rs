//! Derives the output path of a result from the path of its item.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use super::OutputPathError;

/// A relative path to a file below the directory. It has at least one component, and no component
/// is `..`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputPath(PathBuf);

impl OutputPath {
    /// The maximum length on Linux, without the zero byte at the end.
    const MAX_PATH_LEN: usize = 4095;
    const MAX_NAME_LEN: usize = 255;

    /// Derives the output path of the item that `path` names. It keeps folders and drops a root.
    pub(crate) fn of(path: &Path) -> Result<Self, OutputPathError> {
        let bytes = path.as_os_str().as_bytes();
        if bytes.len() > Self::MAX_PATH_LEN {
            // The message does not show the text, which may be very long.
            return Err(OutputPathError::TooLong { what: "it", max: Self::MAX_PATH_LEN });
        }
        if bytes.contains(&0) {
            return Err(OutputPathError::ZeroByte { path: path.to_owned() });
        }
        let mut output = PathBuf::new();
        for part in path.components() {
            match part {
                Component::Normal(name) => output.push(checked(name)?),
                Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
                Component::ParentDir => {
                    return Err(OutputPathError::Parent { path: path.to_owned() });
                }
            }
        }
        if output.as_os_str().is_empty() {
            return Err(OutputPathError::Nameless { path: path.to_owned() });
        }
        Ok(Self(output))
    }

    /// Returns the path relative to the directory.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Returns the parent directory of the file, relative to the directory. Returns an empty path
    /// if the file is in the directory itself.
    pub(crate) fn folder(&self) -> &Path {
        self.0.parent().unwrap_or(Path::new(""))
    }

    pub(crate) fn file_name(&self) -> &OsStr {
        self.0.file_name().expect("each part of an output path is a name")
    }

    /// Returns the folders up to the directory, the nearest first.
    pub(crate) fn folders(&self) -> impl Iterator<Item = &Path> {
        self.0.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty())
    }
}

fn checked(name: &OsStr) -> Result<&OsStr, OutputPathError> {
    if name.len() > OutputPath::MAX_NAME_LEN {
        return Err(OutputPathError::TooLong {
            what: "a part of it",
            max: OutputPath::MAX_NAME_LEN,
        });
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_path_keeps_folders_and_drops_the_root() {
        #[rustfmt::skip]
        let cases = [
            // item          output path
            ("a",            "a"),
            ("a/b.md",       "a/b.md"),
            ("./a",          "a"),
            ("a/./b",        "a/b"),
            ("a//b",         "a/b"),
            ("a/b/",         "a/b"),
            ("/x/y",         "x/y"),
            ("//x/y",        "x/y"),
            ("...",          "..."),
            ("a b\n/c",      "a b\n/c"),
            (" ",            " "),
        ];
        for (item, expected) in cases {
            let output = OutputPath::of(Path::new(item)).unwrap();
            assert_eq!(output.path().as_os_str(), expected, "{item:?}");
        }
    }

    #[test]
    fn output_paths_need_not_be_utf_8() {
        let path = Path::new(OsStr::from_bytes(b"/\xff/\xfe"));
        assert_eq!(OutputPath::of(path).unwrap().path().as_os_str().as_bytes(), b"\xff/\xfe");
    }

    #[test]
    fn an_invalid_item_path_has_no_output_path() {
        let long = |part: usize, parts: usize| vec!["x".repeat(part); parts].join("/");
        let path_limit = "not a valid path: it is longer than 4095 bytes";
        let name_limit = "not a valid path: a part of it is longer than 255 bytes";
        #[rustfmt::skip]
        let cases = [
            // item                why
            ("".into(),            Some("`` names no file for the result")),
            ("/".into(),           Some("`/` names no file for the result")),
            (".".into(),           Some("`.` names no file for the result")),
            ("./.".into(),         Some("`./.` names no file for the result")),
            ("..".into(),          Some("`..` has `..` in it, which could lead anywhere")),
            ("a/../b".into(),      Some("`a/../b` has `..` in it, which could lead anywhere")),
            ("/../a".into(),       Some("`/../a` has `..` in it, which could lead anywhere")),
            ("a\0".into(),         Some("`a\0` has a zero byte in it, which no path has")),
            (long(255, 16),        None),
            (long(256, 1),         Some(name_limit)),
            (long(255, 16) + "/",  Some(path_limit)),
        ];
        for (item, why) in cases {
            let error = OutputPath::of(Path::new(&item)).err().map(|error| error.to_string());
            assert_eq!(error.as_deref(), why, "{item:?}");
        }
    }

    #[test]
    fn an_output_path_lists_its_folders() {
        let output = OutputPath::of(Path::new("/a/b/c")).unwrap();
        assert_eq!(output.folder(), Path::new("a/b"));
        assert_eq!(output.file_name(), "c");
        assert_eq!(output.folders().collect::<Vec<_>>(), [Path::new("a/b"), Path::new("a")]);
        let output = OutputPath::of(Path::new("c")).unwrap();
        assert_eq!((output.folder(), output.folders().count()), (Path::new(""), 0));
    }
}
