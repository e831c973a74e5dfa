//! Tells of a wait for closing reports that takes long: to its user, the command has done all it had
//! to, and does not end.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use mtl_host::StopFlag;

use super::report::Report;

/// A wait for the closing reports of workers. It is over when this is dropped.
#[derive(Debug)]
pub(super) struct Waiting {
    running: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Waiting {
    /// Longer than most plugins take to finish, and no longer than a person waits without a word.
    const PATIENCE: Duration = Duration::from_secs(3);

    /// Tells of the wait, once, if it takes long. A system without a thread for that goes without.
    pub(super) fn begin(report: &Report, stop: &StopFlag) -> Self {
        let (report, stop) = (report.clone(), stop.clone());
        let (ending, ended) = bounded::<()>(0);
        let tell = move || {
            if ended.recv_timeout(Self::PATIENCE) == Err(RecvTimeoutError::Timeout) {
                report.waiting(stop.is_set());
            }
        };
        let thread = thread::Builder::new().name("mtl-waiting".into()).spawn(tell);
        Self { running: thread.ok().map(|thread| (ending, thread)) }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some((ending, thread)) = self.running.take() {
            drop(ending);
            // It has nothing to say that is missed.
            let _ = thread.join();
        }
    }
}
