//! A Landlock domain for the threads on which plugins run in this process.
//!
//! The host opens WASI's files, on the worker's thread or on a thread that this thread has started.
//! Such threads need only the granted files and ports. So the user's files stay safe even if WASI's
//! path handling has a vulnerability. The domain is no jail: a vulnerability of the engine gives
//! access to the other threads, which have no domain.

use std::io;
use std::os::fd::AsFd;

use super::granted::{GrantedDir, OpenDir, OpenGrants};
use crate::jail;

/// The files and ports that the threads of all workers may open. One domain serves all workers,
/// because threads that one worker has started serve the others.
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
