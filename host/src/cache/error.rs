//! The errors of a directory that cannot be used as a cache.

use std::io;
use std::path::PathBuf;

/// The reason why a directory cannot be used as a cache.
///
/// The host runs the code in a cache. Therefore the host refuses a directory to which other users
/// can write.
///
/// ```
/// use std::os::unix::fs::PermissionsExt;
///
/// use mtl_host::cache::{Cache, CacheError};
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
    /// The directory cannot be created, opened or read.
    #[error("cannot use the cache `{}`", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// Other users could change the content of the directory.
    #[error("the cache `{}` is not safe: `{}` {reason}", cache.display(), path.display())]
    Unsafe {
        /// The directory of the cache.
        cache: PathBuf,
        /// The directory that is unsafe: the cache itself, or one of its parents.
        path: PathBuf,
        /// The reason why the directory is unsafe.
        reason: String,
    },
}

impl CacheError {
    /// Returns a hint for the user.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Io { .. } => Some("name another directory, or use no cache"),
            Self::Unsafe { .. } => Some(
                "the host runs the code in a cache: protect your directory with `chmod go-w DIR`; \
                 or name another directory, or use no cache",
            ),
        }
    }
}
