//! Who is told what happens in a run, and passes it on: to people, and to the file of closing
//! reports.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use mtl_host::{Event, Observer};

use super::finish_file::{FinishFile, FinishFileError};
use super::report::Report;

/// Passes events on.
#[derive(Debug)]
pub(crate) struct Listener {
    report: Report,
    /// Made when the pool can be built, and before anything has an end.
    finish_file: OnceLock<FinishFile>,
    /// All workers have the same jail, and its lacks are told once.
    told_of_jail: AtomicBool,
}

impl Listener {
    pub(crate) fn new(report: &Report) -> Self {
        Self { report: report.clone(), finish_file: OnceLock::new(), told_of_jail: false.into() }
    }

    /// Returns who tells people.
    pub(crate) fn report(&self) -> &Report {
        &self.report
    }

    /// Closing reports go to this file from now on.
    pub(crate) fn write_closings_to(&self, file: FinishFile) {
        self.finish_file.set(file).expect("there is one file of closing reports");
    }

    /// Waits until the closing reports are on the disk.
    pub(crate) fn sync(&self) -> Result<(), FinishFileError> {
        self.finish_file.get().map_or(Ok(()), FinishFile::sync)
    }

    /// Tells whether all closing reports were written. To be asked when no more will come.
    pub(crate) fn end(&self) -> Result<(), FinishFileError> {
        self.finish_file.get().map_or(Ok(()), FinishFile::end)
    }
}

impl Observer for Listener {
    fn notify(&self, event: &Event<'_>) {
        match (event, self.finish_file.get()) {
            (Event::Finished { worker, items, closing }, Some(file)) => {
                file.report(*worker, *items, *closing);
            }
            (Event::JailLacks { lacks, .. }, _) => {
                if !self.told_of_jail.swap(true, Ordering::Relaxed) {
                    self.report.jail_lacks(lacks);
                }
            }
            _ => self.report.notify(event),
        }
    }
}
