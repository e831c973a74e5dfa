//! The message about a long wait for finish reports. Without it, the command would seem to hang after
//! its work is done.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use mtl_host::StopFlag;

use super::report::Report;

/// A wait for the finish reports of workers. Dropping it ends the wait.
#[derive(Debug)]
pub(super) struct FinishWait {
    running: Option<(Sender<()>, JoinHandle<()>)>,
}

impl FinishWait {
    /// The time before the message: longer than most plugins take to finish, and short enough for a
    /// user who waits.
    const TEST_TIMEOUT: Duration = Duration::from_secs(3);

    /// Starts a thread that shows the message once if the wait takes long. If the thread cannot start,
    /// there is no message.
    pub(super) fn begin(report: &Report, stop: &StopFlag) -> Self {
        let (report, stop) = (report.clone(), stop.clone());
        let (ending, ended) = bounded::<()>(0);
        let tell = move || {
            if ended.recv_timeout(Self::TEST_TIMEOUT) == Err(RecvTimeoutError::Timeout) {
                report.waiting(stop.is_set());
            }
        };
        let thread = thread::Builder::new().name("mtl-waiting".into()).spawn(tell);
        Self { running: thread.ok().map(|thread| (ending, thread)) }
    }
}

impl Drop for FinishWait {
    fn drop(&mut self) {
        if let Some((ending, thread)) = self.running.take() {
            drop(ending);
            // The thread returns nothing, and a panic in it loses only the message.
            let _ = thread.join();
        }
    }
}
