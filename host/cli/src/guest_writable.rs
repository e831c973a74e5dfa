//! Refuses a run if a plugin may change files that the run uses. A plugin that replaces its own code, a configuration
//! or the cache could control the next run.
//!
//! A granted directory may contain files of items and of results. The run opens these files with an [`Opener`], which
//! follows no symbolic link in a granted directory.

use std::io;
use std::path::{Path, PathBuf};

use mtl_host::files::Opener;

use super::display_text::DisplayText;
use super::overwrite::FileUse;

/// Error of a file of the run that a plugin may change.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GuestWritableError {
    /// The path is in a directory that is granted for writing, or contains one.
    #[error(
        "{name} `{}` {relation} `{}`, which a plugin may change",
        DisplayText::of(path),
        DisplayText::of(grant)
    )]
    Writable { name: &'static str, path: PathBuf, relation: &'static str, grant: PathBuf },
    /// A directory on the path cannot be examined.
    #[error("cannot examine `{}`", DisplayText::of(path))]
    Examine { path: PathBuf, source: io::Error },
}

impl GuestWritableError {
    /// Returns a hint for the user.
    pub(crate) fn hint(&self) -> Option<String> {
        let Self::Writable { name, grant, .. } = self else { return None };
        let grant = DisplayText::of(grant);
        Some(match *name {
            CACHE => {
                "use `--no-cache`, or another cache: `--cache-dir DIR`; or grant another directory"
                    .into()
            }
            LIST => format!(
                "the list decides which files the host reads: move it out of `{grant}`, or grant a smaller directory"
            ),
            _ => format!("move it out of `{grant}`, or grant a smaller directory"),
        })
    }
}

/// The name of the directory of compiled plugins in messages.
const CACHE: &str = "the cache";
/// The name of an input whose items are the files that it names, in messages.
pub(super) const LIST: &str = "the list of files";

/// Checks that no plugin may change any of `files`, nor the content of a folder among them.
pub(super) fn check(opener: &Opener, files: &[FileUse<'_>]) -> Result<(), GuestWritableError> {
    for FileUse { name, path } in files {
        let failed = |source| GuestWritableError::Examine { path: path.to_path_buf(), source };
        let refusal = |relation, grant: &Path| {
            let (path, grant) = (path.to_path_buf(), grant.to_owned());
            Err(GuestWritableError::Writable { name, path, relation, grant })
        };
        if let Some(grant) = opener.writable_dir_of(path).map_err(failed)? {
            return refusal("is in", grant);
        }
        if let Some(grant) = opener.writable_dir_below(path).map_err(failed)? {
            return refusal("holds", grant);
        }
    }
    Ok(())
}

/// Checks that no plugin may change the cache.
pub(super) fn check_cache(opener: &Opener, cache: Option<&Path>) -> Result<(), GuestWritableError> {
    let cache = cache.map(|path| FileUse { name: CACHE, path });
    check(opener, cache.as_slice())
}
