//! A Landlock domain for the threads on which plugins run in this process.
//!
//! WASI's files are opened by the host, on the worker's thread or on a thread that it has started. Such threads need
//! nothing but what is granted. So a hole in the path handling of WASI does not lead to the files of the user. It is no
//! jail: a hole in the engine leads to the other threads, which have no domain.

use std::io;
use std::os::fd::AsFd;

use super::granted::{Granted, GrantedDir, OpenDir};
use crate::jail;

/// The files and ports that the threads of all workers may open. Threads that one worker has started serve the others.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Confinement {
    dirs: Vec<GrantedDir>,
    ports: Vec<u16>,
    /// Where snapshots are kept.
    cache: Option<OpenDir>,
}

impl Confinement {
    /// Adds what one worker is granted.
    pub(crate) fn grant(&mut self, granted: &Granted) {
        for dir in &granted.dirs {
            if !self.dirs.contains(dir) {
                self.dirs.push(dir.clone());
            }
        }
        self.ports.extend(granted.net.iter().map(super::net_grant::NetGrant::port));
    }

    /// Adds the directory where snapshots are kept.
    pub(crate) fn keep_snapshots_in(&mut self, cache: &std::path::Path) -> io::Result<()> {
        self.cache = Some(OpenDir::at(cache)?);
        Ok(())
    }

    /// Confines this thread, and those that it starts from now on. A kernel without Landlock confines nothing.
    pub(crate) fn enter(&self) -> io::Result<()> {
        let dirs: Vec<_> = self.dirs.iter().map(GrantedDir::allowed).collect();
        jail::confine_thread(&dirs, &self.ports, self.cache.as_ref().map(AsFd::as_fd))
    }
}
