//! The observer of a run. It forwards events to the report for the user, and to the file of finish
//! reports.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use mtl_host::event::{Event, Observer};

use super::finish_file::{FinishFile, FinishFileError};
use super::report::Report;

/// The observer that passes events on.
#[derive(Debug)]
pub(crate) struct RunObserver {
    report: Report,
    /// Set when the pool can be built, before any instance can end.
    finish_file: OnceLock<FinishFile>,
    /// Is true after the first message about the jail: all workers have the same jail.
    has_reported_jail: AtomicBool,
}

impl RunObserver {
    pub(crate) fn new(report: &Report) -> Self {
        Self {
            report: report.clone(),
            finish_file: OnceLock::new(),
            has_reported_jail: false.into(),
        }
    }

    /// Returns the report for the user.
    pub(crate) fn report(&self) -> &Report {
        &self.report
    }

    /// Sets the file that gets finish reports from now on.
    pub(crate) fn set_finish_file(&self, file: FinishFile) {
        self.finish_file.set(file).expect("the file of finish reports is set once");
    }

    /// Waits until the finish reports are on the disk.
    pub(crate) fn sync(&self) -> Result<(), FinishFileError> {
        self.finish_file.get().map_or(Ok(()), FinishFile::sync)
    }

    /// Returns the error if a finish report could not be written. Call it after the last report.
    pub(crate) fn end(&self) -> Result<(), FinishFileError> {
        self.finish_file.get().map_or(Ok(()), FinishFile::end)
    }
}

impl Observer for RunObserver {
    fn notify(&self, event: &Event<'_>) {
        match (event, self.finish_file.get()) {
            (Event::Finished { worker, items, report: closing }, Some(file)) => {
                file.report(*worker, *items, *closing);
            }
            (Event::JailIncomplete { missing: lacks, .. }, _) => {
                if !self.has_reported_jail.swap(true, Ordering::Relaxed) {
                    self.report.jail_incomplete(lacks);
                }
            }
            _ => self.report.notify(event),
        }
    }
}
