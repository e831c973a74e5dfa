//! The message about a long wait for finish reports. Without this message, the command would seem to hang after its
//! last item.

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
    /// The delay before the message appears. The `finish` of most plugins takes less time than this delay. For a user
    /// who waits, the delay is short enough.
    const DELAY: Duration = Duration::from_secs(3);

    /// Starts a thread that shows the message once if the wait exceeds `DELAY`. If the thread cannot start, no message
    /// appears.
    pub(super) fn begin(report: &Report, stop: &StopFlag) -> Self {
        let (report, stop) = (report.clone(), stop.clone());
        let (end_sender, end_receiver) = bounded::<()>(0);
        let show_message = move || {
            if end_receiver.recv_timeout(Self::DELAY) == Err(RecvTimeoutError::Timeout) {
                report.waiting(stop.is_set());
            }
        };
        let thread = thread::Builder::new().name("mtl-waiting".into()).spawn(show_message);
        Self { running: thread.ok().map(|thread| (end_sender, thread)) }
    }
}

impl Drop for FinishWait {
    fn drop(&mut self) {
        if let Some((end_sender, thread)) = self.running.take() {
            drop(end_sender);
            // The thread returns nothing, and a panic in it loses only the message.
            let _ = thread.join();
        }
    }
}
