//! Who is told what happens in a run, and passes it on: to people, and to the file of closing
//! reports.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

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
    /// The files that are emptied when a worker is ready; none any more after that, and after the run.
    outputs: Mutex<Vec<OutputFile>>,
    /// All workers have the same jail, and its lacks are told once.
    told_of_jail: AtomicBool,
}

impl Listener {
    pub(crate) fn new(report: &Report) -> Self {
        let (finish_file, outputs) = (OnceLock::new(), Mutex::default());
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
        *self.outputs() = outputs;
    }

    /// Leaves files as they are from now on: a worker that is ready when the run is over has nothing to write.
    pub(crate) fn begin_no_more(&self) {
        self.outputs().clear();
    }

    fn outputs(&self) -> MutexGuard<'_, Vec<OutputFile>> {
        // Files that are begun twice are begun once.
        self.outputs.lock().unwrap_or_else(PoisonError::into_inner)
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
            self.outputs().drain(..).for_each(|file| drop(file.begin()));
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
