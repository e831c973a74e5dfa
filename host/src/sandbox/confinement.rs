//! A Landlock domain for the threads on which plugins run in this process.
//!
//! The host opens files for WASI on the worker's thread, or on a thread that the worker's thread
//! has started. These threads need only the granted files and ports, so the domain denies all
//! others. This protects the user's files even if WASI's path handling has a vulnerability. The
//! domain is no jail: a plugin that exploits a vulnerability of the engine can use the threads
//! outside the domain.

use std::io;
use std::os::fd::AsFd;

use super::granted::{GrantedDir, OpenDir, OpenGrants};
use crate::jail;

/// The files and ports that the threads of all workers may open. All workers share one domain,
/// because a thread that one worker has started may serve other workers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Confinement {
    dirs: Vec<GrantedDir>,
    ports: Vec<u16>,
    /// The directory of cached snapshots.
    cache: Option<OpenDir>,
}

impl Confinement {
    /// Adds the grants of one worker.
    pub(crate) fn grant(&mut self, granted: &OpenGrants) {
        for dir in &granted.dirs {
            if !self.dirs.contains(dir) {
                self.dirs.push(dir.clone());
            }
        }
        self.ports.extend(granted.net.iter().map(super::net_grant::NetGrant::port));
    }

    /// Adds the directory of cached snapshots.
    pub(crate) fn keep_snapshots_in(&mut self, cache: &std::path::Path) -> io::Result<()> {
        self.cache = Some(OpenDir::at(cache)?);
        Ok(())
    }

    /// Confines this thread, and the threads that it starts later. Without Landlock, this has no
    /// effect.
    pub(crate) fn enter(&self) -> io::Result<()> {
        let dirs: Vec<_> = self.dirs.iter().map(GrantedDir::allowed).collect();
        jail::confine_thread(&dirs, &self.ports, self.cache.as_ref().map(AsFd::as_fd))
    }
}
