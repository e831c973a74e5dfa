//! Flags that say where compiled code is kept, and what they mean.

use std::env;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::PathBuf;

use clap::Args;
use mtl_host::{Cache, CacheError, CacheSize};

/// Where compiled code is kept.
#[derive(Debug, Args)]
#[command(next_help_heading = "Cache")]
pub(crate) struct CacheArgs {
    #[command(flatten)]
    pub(crate) place: CachePlace,

    /// Compile plugins anew, and keep nothing
    #[arg(long, conflicts_with_all = ["cache_dir", "cache_size"])]
    pub(crate) no_cache: bool,
}

/// The directory, and how large it may get.
#[derive(Debug, Args)]
pub(crate) struct CachePlace {
    /// Keep compiled plugins in DIR, so that they start at once the next time. Nobody else may be
    /// able to write there: what is in it is run [default: mtl-host in $XDG_CACHE_HOME or ~/.cache]
    #[arg(long, value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,

    /// How much the cache may keep: beyond that, what was not used for the longest time goes
    #[arg(long, value_name = "SIZE", default_value_t, allow_hyphen_values = true)]
    pub(crate) cache_size: CacheSize,
}

/// Nothing says where compiled code is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no place for a cache: neither `HOME` nor `XDG_CACHE_HOME` names one")]
pub(crate) struct NoCachePlace;

impl NoCachePlace {
    /// Returns a hint for the user.
    pub(crate) const HINT: &str = "name it: `--cache-dir DIR`";
}

impl CacheArgs {
    /// Where the cache is, if there is to be one.
    pub(super) fn path(&self) -> Option<PathBuf> {
        if self.no_cache { None } else { self.place.path().ok() }
    }

    /// Opens the cache, if there is to be one. Without one, a run takes longer.
    pub(super) fn cache(&self) -> Result<Option<Cache>, CacheError> {
        let Some(path) = self.path() else { return Ok(None) };
        match Cache::open(path) {
            Ok(cache) => Ok(Some(cache.limit(self.place.cache_size))),
            // Nobody has asked for one in a home that does not exist, or belongs to somebody else.
            Err(CacheError::Io { source, .. })
                if self.place.cache_dir.is_none()
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

impl CachePlace {
    /// The directory.
    pub(super) fn path(&self) -> Result<PathBuf, NoCachePlace> {
        let usual = || usual_place(|name| env::var_os(name));
        self.cache_dir.clone().or_else(usual).ok_or(NoCachePlace)
    }
}

/// Where caches are, as the XDG base directories say.
fn usual_place(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    // A path that is not absolute is none, there and here.
    let directory = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = directory("XDG_CACHE_HOME").or_else(|| Some(directory("HOME")?.join(".cache")));
    Some(caches?.join("mtl-host"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_are_where_the_environment_says() {
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
        for (caches, home, place) in cases {
            let variable = |name: &str| match name {
                "XDG_CACHE_HOME" => caches.map(OsString::from),
                "HOME" => home.map(OsString::from),
                other => panic!("{other}"),
            };
            assert_eq!(usual_place(variable), place.map(PathBuf::from), "{caches:?} {home:?}");
        }
    }
}
