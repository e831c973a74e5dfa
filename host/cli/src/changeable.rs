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

/// A plugin may change a file of the run.
#[derive(Debug, thiserror::Error)]
#[error("{what} `{}` {how} `{}`, which a plugin may change", Shown::of(path), Shown::of(grant))]
pub(crate) struct Changeable {
    /// The use of the file in the run.
    what: &'static str,
    path: PathBuf,
    how: &'static str,
    /// The directory that is granted for writing.
    grant: PathBuf,
}

impl Changeable {
    /// Returns what the user can do about it.
    pub(super) fn hint(&self) -> String {
        let grant = Shown::of(&self.grant);
        match self.what {
            CACHE => "`--no-cache` goes without, `--cache-dir DIR` names another one; or grant another directory"
                .into(),
            LIST => format!(
                "the list decides which files the host reads: move it out of there, or grant a smaller directory than \
                 `{grant}`"
            ),
            _ => format!("move it out of there, or grant a smaller directory than `{grant}`"),
        }
    }
}

/// The name of the directory of compiled plugins in messages.
const CACHE: &str = "the cache";
/// The name of an input whose items are the files that it names, in messages.
pub(super) const LIST: &str = "the list of files";

/// Checks that no plugin may change any of `files`, nor what is in one that is a folder.
pub(super) fn check(opener: &Opener, files: &[Used<'_>]) -> Result<(), CliError> {
    for Used { what, path } in files {
        let failed = |source| CliError::Look { path: path.to_path_buf(), source };
        let refusal = |how, grant: &Path| {
            let (path, grant) = (path.to_path_buf(), grant.to_owned());
            Err(Changeable { what, path, how, grant }.into())
        };
        if let Some(grant) = opener.changeable(path).map_err(failed)? {
            return refusal("is in", grant);
        }
        if let Some(grant) = opener.changeable_below(path).map_err(failed)? {
            return refusal("holds", grant);
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
