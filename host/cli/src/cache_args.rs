//! The flags of the cache for compiled code, and the directory that they select.

use std::env;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::PathBuf;

use clap::Args;
use mtl_host::cache::{Cache, CacheError};
use mtl_host::limits::CacheSize;

/// The flags that select a cache, or none.
#[derive(Debug, Args)]
#[command(next_help_heading = "Cache")]
pub(crate) struct CacheArgs {
    #[command(flatten)]
    pub(crate) dir: CacheDirArgs,

    /// Compile every plugin again, and keep nothing
    #[arg(long, conflicts_with_all = ["cache_dir", "cache_size"])]
    pub(crate) no_cache: bool,
}

/// The directory of the cache, and its size limit.
#[derive(Debug, Args)]
pub(crate) struct CacheDirArgs {
    /// Keep compiled plugins in DIR (default: ~/.cache/mtl-host)
    ///
    /// A plugin that was compiled before starts immediately. Nobody else may have write access to
    /// DIR, because the code in it is executed. The default is `mtl-host` in $XDG_CACHE_HOME, or in
    /// ~/.cache.
    #[arg(long, value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,

    /// Size limit of the cache
    ///
    /// If the cache exceeds SIZE, the entries that were unused for the longest time are removed.
    #[arg(long, value_name = "SIZE", default_value_t, allow_hyphen_values = true)]
    pub(crate) cache_size: CacheSize,
}

/// Error of an environment that names no directory for the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no directory for the cache: neither `HOME` nor `XDG_CACHE_HOME` names one")]
pub(crate) struct NoCacheDirError;

impl NoCacheDirError {
    /// Returns a hint for the user.
    pub(crate) const HINT: &str = "name it: `--cache-dir DIR`";
}

impl CacheArgs {
    /// Returns the directory of the cache, or `None` without a cache.
    pub(super) fn path(&self) -> Option<PathBuf> {
        if self.no_cache { None } else { self.dir.path().ok() }
    }

    /// Opens the cache. Returns `None` without a cache: the run then takes longer.
    pub(super) fn cache(&self) -> Result<Option<Cache>, CacheError> {
        let Some(path) = self.path() else { return Ok(None) };
        match Cache::open(path) {
            Ok(cache) => Ok(Some(cache.limit(self.dir.cache_size))),
            // The user named no directory, and the home directory is missing or belongs to another user.
            Err(CacheError::Io { source, .. })
                if self.dir.cache_dir.is_none()
                    && matches!(
                        source.kind(),
                        ErrorKind::NotFound | ErrorKind::PermissionDenied
                    ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

impl CacheDirArgs {
    /// Returns the directory that the flags or the environment name.
    pub(super) fn path(&self) -> Result<PathBuf, NoCacheDirError> {
        let usual = || default_cache_dir(|name| env::var_os(name));
        self.cache_dir.clone().or_else(usual).ok_or(NoCacheDirError)
    }
}

/// Returns the default directory, according to the XDG base directory specification.
fn default_cache_dir(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    // The specification ignores paths that are not absolute.
    let directory = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = directory("XDG_CACHE_HOME").or_else(|| Some(directory("HOME")?.join(".cache")));
    Some(caches?.join("mtl-host"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xdg_cache_home_or_home_locates_the_cache() {
        #[rustfmt::skip]
        let cases = [
            // XDG_CACHE_HOME   HOME             place
            (Some("/c"),        Some("/h"),      Some("/c/mtl-host")),
            (None,              Some("/h"),      Some("/h/.cache/mtl-host")),
            (Some(""),          Some("/h"),      Some("/h/.cache/mtl-host")),
            (Some("c"),         Some("/h"),      Some("/h/.cache/mtl-host")),
            (Some("c"),         Some(""),        None),
            (None,              None,            None),
        ];
        for (caches, home, dir) in cases {
            let variable = |name: &str| match name {
                "XDG_CACHE_HOME" => caches.map(OsString::from),
                "HOME" => home.map(OsString::from),
                other => panic!("{other}"),
            };
            assert_eq!(default_cache_dir(variable), dir.map(PathBuf::from), "{caches:?} {home:?}");
        }
    }
}
