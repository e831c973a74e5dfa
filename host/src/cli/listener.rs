//! Who is told what happens in a run, and passes it on: to people, and to the file of closing
//! reports.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use mtl_host::sink::OutputFile;
use mtl_host::{Event, Observer};

use super::finish_file::{FinishFile, FinishFileError};
use super::report::Report;

/// Passes events on.
#[derive(Debug)]
pub(crate) struct Listener {
    report: Report,
    /// Made when the pool can be built, and before anything has an end.
    finish_file: OnceLock<FinishFile>,
    /// What an earlier run has left in these files, none misses once a worker is ready.
    outputs: OnceLock<Vec<OutputFile>>,
    /// All workers have the same jail, and its lacks are told once.
    told_of_jail: AtomicBool,
}

impl Listener {
    pub(crate) fn new(report: &Report) -> Self {
        let (finish_file, outputs) = (OnceLock::new(), OnceLock::new());
        Self { report: report.clone(), finish_file, outputs, told_of_jail: false.into() }
    }

    /// Returns who tells people.
    pub(crate) fn report(&self) -> &Report {
        &self.report
    }

    /// Closing reports go to this file from now on.
    pub(crate) fn write_closings_to(&self, file: FinishFile) {
        self.finish_file.set(file).expect("there is one file of closing reports");
    }

    /// Empties these files as soon as a worker is ready.
    pub(crate) fn begin_at_start(&self, outputs: Vec<OutputFile>) {
        self.outputs.set(outputs).expect("outputs are opened once");
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
        if let Event::WorkerReady { .. } = event {
            // What fails is told where the file is written, or flushed.
            self.outputs.get().into_iter().flatten().for_each(|file| drop(file.begin()));
        }
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
