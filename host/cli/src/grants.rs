//! Opens the granted directories, before the command opens any other file.

use std::io;

use mtl_host::BuildError;
use mtl_host::files::Opener;
use mtl_host::grants::DirGrant;

use super::error::CliError;
use super::guest_writable::GuestWritableError;
use super::run_args::WorkerArgs;

impl WorkerArgs {
    /// Opens every granted directory, and returns the opener for all other files of the run.
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

/// Returns an opener that follows no link in directories which plugins with these grants may change.
pub(super) fn opener<'a>(
    grants: impl IntoIterator<Item = &'a DirGrant>,
) -> Result<Opener, CliError> {
    DirGrant::opener(grants)
        .map_err(|source| GuestWritableError::Examine { path: "/".into(), source }.into())
}

fn cannot_grant(grant: &DirGrant, source: io::Error) -> CliError {
    BuildError::Dir { path: grant.host().to_owned(), source }.into()
}
