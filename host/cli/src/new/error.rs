//! Errors of creating a project.

use std::io;
use std::path::PathBuf;

use crate::build::Language;
use crate::display_text::DisplayText;

/// Error of creating a project.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NewError {
    /// The folder has content, which must not be lost.
    #[error("`{}` is not empty", DisplayText::of(path))]
    NotEmpty { path: PathBuf },
    /// The folder has no name, or a name that is invalid in the language.
    #[error("a worker in {language} cannot be named `{}`", DisplayText::of(name))]
    Name { name: String, language: Language },
    /// The program was built without the SDKs.
    #[error("this mtl-host was built without the SDK for {language}")]
    NoTemplate { language: Language },
    /// A file cannot be written.
    #[error("cannot write `{}`", DisplayText::of(path))]
    Write { path: PathBuf, source: io::Error },
}

impl NewError {
    /// Returns a hint for the user.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::NotEmpty { .. } => Some("name a folder that does not exist".into()),
            Self::Name { language, .. } => Some(format!(
                "name the folder with letters, digits and `-`, such as `my-worker`, but not with a \
                 reserved word of {language}"
            )),
            Self::NoTemplate { .. } => Some("build it from a checkout of its repository".into()),
            Self::Write { .. } => None,
        }
    }
}
