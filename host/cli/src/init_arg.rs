//! Arguments of a plugin's `init`: `--init TEXT` or `--init @FILE`.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use mtl_host::Init;

use super::display_text::DisplayText;

/// The value of `--init`, as typed: no file is read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InitArg {
    Text(Vec<u8>),
    /// A file that contains the arguments.
    File(PathBuf),
}

/// Error of a file of `--init @FILE` that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read init arguments `{}`", DisplayText::of(path))]
pub(crate) struct InitFileError {
    pub(crate) path: PathBuf,
    pub(crate) source: io::Error,
}

impl InitFileError {
    /// Returns a hint for the user.
    pub(crate) const HINT: &str =
        "`--init @FILE` takes a file that can be read, `--init TEXT` takes the text itself";
}

impl From<OsString> for InitArg {
    fn from(text: OsString) -> Self {
        match text.as_bytes().strip_prefix(b"@") {
            Some(path) => Self::File(PathBuf::from(OsString::from_vec(path.to_vec()))),
            None => Self::Text(text.into_vec()),
        }
    }
}

impl InitArg {
    /// Returns the file that contains the arguments, if they are in one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::Text(_) => None,
            Self::File(path) => Some(path),
        }
    }

    pub(crate) fn read(&self) -> Result<Vec<u8>, InitFileError> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::File(path) => {
                fs::read(path).map_err(|source| InitFileError { path: path.clone(), source })
            }
        }
    }
}

/// Combines all values of `--init`. A single value is for all workers; several values are for one worker each.
pub(crate) fn init(args: &[InitArg]) -> Result<Init, InitFileError> {
    let mut read = args.iter().map(InitArg::read).collect::<Result<Vec<_>, _>>()?;
    Ok(match (read.pop(), read.is_empty()) {
        (None, _) => Init::None,
        (Some(only), true) => Init::Same(only),
        (Some(last), false) => {
            read.push(last);
            Init::Each(read)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_init_serves_all_workers_and_several_one_each() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("args");
        fs::write(&path, "from a file\n").unwrap();
        let file = format!("@{}", path.to_string_lossy());
        let cases: [(&[&str], Init); 4] = [
            (&[], Init::None),
            (&["text"], Init::Same(b"text".to_vec())),
            (&[&file], Init::Same(b"from a file\n".to_vec())),
            (&["", "b"], Init::Each(vec![b"".to_vec(), b"b".to_vec()])),
        ];
        for (texts, expected) in cases {
            let args: Vec<_> = texts.iter().map(|text| OsString::from(text).into()).collect();
            assert_eq!(init(&args).unwrap(), expected, "{texts:?}");
        }
    }

    #[test]
    fn a_missing_init_file_is_named() {
        let error = init(&[InitArg::File("no-such-file".into())]).unwrap_err();
        assert_eq!(error.to_string(), "cannot read init arguments `no-such-file`");
    }
}
