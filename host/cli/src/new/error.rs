//! Why a project cannot be begun.

use std::io;
use std::path::PathBuf;

use crate::build::Language;
use crate::shown::Shown;

/// Why a project cannot be begun.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NewError {
    /// Something is there, which is not to be lost.
    #[error("`{}` is not empty", Shown::of(path))]
    NotEmpty { path: PathBuf },
    /// The folder has no name, or one that the language cannot take.
    #[error("a worker in {language} cannot be called `{}`", Shown::of(name))]
    Name { name: String, language: Language },
    /// The program was built without the SDKs.
    #[error("this mtl-host was built without the SDK for {language}")]
    NoTemplate { language: Language },
    /// A file has no place.
    #[error("cannot write `{}`", Shown::of(path))]
    Write { path: PathBuf, source: io::Error },
}

impl NewError {
    /// Returns a hint for the user.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::NotEmpty { .. } => Some("name a folder that is not there yet".into()),
            Self::Name { language, .. } => Some(format!(
                "name the folder by letters, digits and `-`, such as `my-worker`, and by no word of \
                 {language} itself"
            )),
            Self::NoTemplate { .. } => Some("build it from a checkout of its repository".into()),
            Self::Write { .. } => None,
        }
    }
}
