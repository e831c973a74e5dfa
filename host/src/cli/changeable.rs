//! Refuses files of the run where a plugin may change them: a plugin that exchanges its own code, a configuration
//! or the cache would decide what the next run does.
//!
//! Items and results may lie in a granted directory. They are opened by an [`Opener`], which follows no link there.

use std::path::{Path, PathBuf};

use mtl_host::{DirGrant, Opener};

use super::error::CliError;
use super::overwrite::Used;
use super::run_args::WorkerArgs;
use super::shown::Shown;

/// A file of the run is where a plugin may change it.
#[derive(Debug, thiserror::Error)]
#[error("{what} `{}` is in `{}`, which a plugin may change", Shown::of(path), Shown::of(grant))]
pub(crate) struct Changeable {
    /// What the run uses it for.
    what: &'static str,
    path: PathBuf,
    /// The directory that is granted for writing.
    grant: PathBuf,
}

impl Changeable {
    /// What the user can do about it.
    pub(super) fn hint(&self) -> String {
        match self.what {
            CACHE => "`--no-cache` goes without, `--cache-dir DIR` names another one; or grant a smaller \
                      directory"
                .into(),
            _ => format!("move it out of there, or grant a smaller directory than `{}`", Shown::of(&self.grant)),
        }
    }
}

/// What messages call the directory of compiled plugins.
const CACHE: &str = "the cache";

/// Checks that no plugin may change any of `files`.
pub(super) fn check(opener: &Opener, files: &[Used<'_>]) -> Result<(), CliError> {
    for Used { what, path } in files {
        let failed = |source| CliError::Look { path: path.to_path_buf(), source };
        if let Some(grant) = opener.changeable(path).map_err(failed)? {
            let (path, grant) = (path.to_path_buf(), grant.to_owned());
            return Err(Changeable { what, path, grant }.into());
        }
    }
    Ok(())
}

/// Checks that no plugin may change the cache.
pub(super) fn check_cache(opener: &Opener, cache: Option<&Path>) -> Result<(), CliError> {
    let cache = cache.map(|path| Used { what: CACHE, path });
    check(opener, cache.as_slice())
}

impl WorkerArgs {
    /// Opens every granted directory, and returns what opens files beside plugins that have them.
    pub(super) fn open_dirs(&mut self) -> Result<Opener, CliError> {
        let listed = self.worker.iter_mut().flat_map(|worker| &mut worker.dirs);
        let mut all: Vec<_> = self.dir.iter_mut().chain(listed).collect();
        for grant in &mut all {
            **grant = open(grant)?;
        }
        opener(all.into_iter().map(|grant| &*grant))
    }
}

/// Opens a granted directory.
pub(super) fn open(grant: &DirGrant) -> Result<DirGrant, CliError> {
    grant.clone().open().map_err(|source| cannot_grant(grant, source))
}

/// Returns what opens files beside plugins that have these grants.
pub(super) fn opener<'a>(
    grants: impl IntoIterator<Item = &'a DirGrant>,
) -> Result<Opener, CliError> {
    DirGrant::opener(grants).map_err(|source| CliError::Look { path: "/".into(), source })
}

fn cannot_grant(grant: &DirGrant, source: std::io::Error) -> CliError {
    mtl_host::BuildError::Dir { path: grant.host().to_owned(), source }.into()
}
