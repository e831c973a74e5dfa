//! Refuses files of the run that a plugin may change: a plugin that replaces its own code, a configuration or the cache
//! would decide what the next run does.
//!
//! Items and results may lie in a granted directory. The run opens them with an [`Opener`], which follows no link there.

use std::io;
use std::path::{Path, PathBuf};

use mtl_host::files::Opener;

use super::overwrite::FileUse;
use super::shown::Shown;

/// Error of a file of the run that a plugin may change.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GuestWritableError {
    /// The path is in a directory that is granted for writing, or contains one.
    #[error("{what} `{}` {how} `{}`, which a plugin may change", Shown::of(path), Shown::of(grant))]
    Writable { what: &'static str, path: PathBuf, how: &'static str, grant: PathBuf },
    /// A directory on the path cannot be examined.
    #[error("cannot examine `{}`", Shown::of(path))]
    Look { path: PathBuf, source: io::Error },
}

impl GuestWritableError {
    /// Returns a hint for the user.
    pub(crate) fn hint(&self) -> Option<String> {
        let Self::Writable { what, grant, .. } = self else { return None };
        let grant = Shown::of(grant);
        Some(match *what {
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
    for FileUse { what, path } in files {
        let failed = |source| GuestWritableError::Look { path: path.to_path_buf(), source };
        let refusal = |how, grant: &Path| {
            let (path, grant) = (path.to_path_buf(), grant.to_owned());
            Err(GuestWritableError::Writable { what, path, how, grant })
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
    let cache = cache.map(|path| FileUse { what: CACHE, path });
    check(opener, cache.as_slice())
}
