//! The errors of a directory that cannot be a cache.

use std::io;
use std::path::PathBuf;

/// Why a directory cannot be a cache.
///
/// What is in a cache is run: a directory that others can change is none.
///
/// ```
/// use std::os::unix::fs::PermissionsExt;
///
/// use mtl_host::{Cache, CacheError};
///
/// let folder = tempfile::tempdir()?;
/// std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777))?;
/// let error = Cache::open(folder.path()).unwrap_err();
/// assert!(matches!(error, CacheError::Unsafe { .. }));
/// assert!(error.to_string().ends_with("can be written by others"));
/// assert!(error.hint().unwrap().contains("`chmod go-w DIR`"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// It cannot be made, or opened, or read.
    #[error("cannot use the cache `{}`", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// The answer of the system.
        source: io::Error,
    },
    /// Others could change what is in it.
    #[error("the cache `{}` is not safe: `{}` {why}", cache.display(), path.display())]
    Unsafe {
        /// The directory.
        cache: PathBuf,
        /// It, or a directory around it.
        path: PathBuf,
        /// How others come to it.
        why: String,
    },
}

impl CacheError {
    /// Returns a hint for the user.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Io { .. } => Some("name another directory, or do without a cache"),
            Self::Unsafe { .. } => Some(
                "what is in a cache is run: `chmod go-w DIR` closes a directory of yours; \
                 or name another directory, or do without a cache",
            ),
        }
    }
}
