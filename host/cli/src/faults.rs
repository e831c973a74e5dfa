//! The faults of a run. The command shows the first faults, and then only the number of further faults. `--faults`
//! writes all faults to a file. It adds a line for each item whose result is not in the output.

use std::fmt;

use mtl_host::sink::{OmitReason, OutputFile, Sink, SinkError};
use mtl_host::sink::{OutcomeIter, RecordRule};
use mtl_host::{Fault, FaultKind, Outcome};

use super::faults_file::FaultsFile;
use super::report::{Report, SuppressedFaults};

/// A sink that records faults, and passes every outcome on to the real sink.
pub(super) struct FaultRecorder {
    sink: Box<dyn Sink>,
    report: Report,
    file: Option<FaultsFile>,
    suppressed: SuppressedFaults,
    shown: u32,
    /// The number of outcomes that did not reach the real sink because the file of faults failed.
    refused: usize,
    /// The files that are emptied when the first item is done.
    outputs: Vec<OutputFile>,
    /// Is true when the files have been emptied.
    has_begun: bool,
}

impl FaultRecorder {
    /// The number of faults that are shown: enough to see the problem, few enough for one screen.
    const SHOWN: u32 = 10;

    pub(super) fn new(sink: Box<dyn Sink>, report: Report, file: Option<FaultsFile>) -> Self {
        Self {
            sink,
            report,
            file,
            suppressed: SuppressedFaults::default(),
            shown: 0,
            refused: 0,
            outputs: Vec::new(),
            has_begun: false,
        }
    }

    /// Returns the numbers of faults that were not shown.
    pub(super) fn suppressed(&self) -> &SuppressedFaults {
        &self.suppressed
    }

    /// Empties these files when the first item is done. Until then they keep the output of an earlier run.
    pub(super) fn with_outputs(self, outputs: Vec<OutputFile>) -> Self {
        Self { outputs, ..self }
    }

    fn begin(&mut self) {
        if !std::mem::replace(&mut self.has_begun, true) {
            // The next write reports a failure, or `end` does.
            self.outputs.iter().for_each(|file| drop(file.begin()));
        }
    }

    /// Ends the output. If `has_begun` is true, removes the output of an earlier run, even if no item was done.
    pub(super) fn end(&mut self, has_begun: bool) -> Result<(), SinkError> {
        if has_begun {
            self.has_begun = true;
            self.outputs.iter().try_for_each(OutputFile::begin).map_err(SinkError::other)?;
        }
        self.flush_file()
    }

    fn flush_file(&mut self) -> Result<(), SinkError> {
        match &mut self.file {
            Some(file) => file.flush().map_err(SinkError::other),
            None => Ok(()),
        }
    }

    /// Waits until the file of faults is on the disk.
    pub(super) fn sync_file(&self) -> Result<(), SinkError> {
        self.file.as_ref().map_or(Ok(()), FaultsFile::sync)
    }

    /// Records a fault: shows or counts it, and writes it to the file of faults.
    fn record(&mut self, fault: &Fault, outcome: &Outcome<'_>) -> Result<(), SinkError> {
        if fault.kind() != FaultKind::NotRun {
            if self.shown < Self::SHOWN {
                self.shown += 1;
                self.report.fault(fault, outcome.path);
            } else {
                self.suppressed.add(fault.kind());
            }
        }
        match &mut self.file {
            Some(file) => file.write(fault, outcome).map_err(SinkError::other),
            None => Ok(()),
        }
    }
}

impl Sink for FaultRecorder {
    fn write(&mut self, outcome: &Outcome<'_>) -> Result<(), SinkError> {
        self.begin();
        if let Err(fault) = outcome.result
            && let Err(error) = self.record(fault, outcome)
        {
            self.refused = 1;
            return Err(error);
        }
        self.sink.write(outcome)
    }

    fn write_many(&mut self, outcomes: &mut OutcomeIter<'_>) -> Result<(), SinkError> {
        self.begin();
        self.sink.write_many(outcomes)
    }

    fn unwritten(&self) -> usize {
        self.sink.unwritten() + self.refused
    }

    fn omit(&mut self, outcome: &Outcome<'_>, reason: OmitReason) -> Result<(), SinkError> {
        self.sink.omit(outcome, reason)?;
        match (outcome.result, reason) {
            // The fault was recorded when the outcome was passed to the sink.
            (Err(_), OmitReason::Lost) => Ok(()),
            (Err(fault), _) => self.record(fault, outcome),
            (Ok(_), _) => match &mut self.file {
                Some(file) => file.write_unwritten(outcome, reason).map_err(SinkError::other),
                None => Ok(()),
            },
        }
    }

    fn has_separate_records(&self) -> bool {
        self.sink.has_separate_records()
    }

    fn rule(&self) -> RecordRule {
        self.sink.rule()
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        // Results come first, because a reader may wait for them. If they fail, the faults are still written.
        let flushed = self.sink.flush();
        let faults_flushed = self.flush_file();
        flushed.and(faults_flushed)
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        self.sink.sync()
    }
}

impl fmt::Debug for FaultRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("unshown", &self.suppressed).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use mtl_host::sink::{Jsonl, Output};
    use mtl_host::source::Items;
    use mtl_host::{Engine, Jobs, Plugin, Pool};

    use super::*;
    use crate::console::Console;
    use crate::terminal::Raw;

    /// A plugin that returns each item. For all but the first, the result is outside of its memory.
    const ECHO_ONCE: &str = r#"(module
        (memory (export "memory") 1)
        (func (export "mtl_alloc") (param i32) (result i32) i32.const 8)
        (func (export "call") (param i32 i32) (result i64)
            (select (i64.const 0x800000001) (i64.const 0x7fffffff00000001)
                (i32.eq (i32.load8_u (local.get 0)) (i32.const 49)))))"#;

    #[test]
    fn the_first_faults_are_shown_and_the_rest_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("faults");
        let report = Report::new(&Arc::new(Console::to(io::sink())));
        let sink = Box::new(Jsonl::new(Output::to("nowhere", io::sink())));
        let file = FaultsFile::open(&path, Raw::No).unwrap();
        let mut faults = FaultRecorder::new(sink, report, Some(file));
        assert_eq!(faults.rule(), RecordRule::ValidJson);

        let plugin = Plugin::from_bytes(&Engine::new().unwrap(), "echo", ECHO_ONCE.as_bytes());
        let jobs: Jobs = "1".parse().unwrap();
        let mut pool = Pool::builder(&plugin.unwrap()).jobs(jobs).build().unwrap();
        // Of the 13 items that do not begin with 1, ten are shown.
        let items = ["1"; 3].into_iter().chain(["2"; 13]);
        let summary = pool.run(Items::new(items), &mut faults).summary;
        assert_eq!(summary.counts.failed(), 13);
        assert_eq!(faults.suppressed().all(), 3);
        assert_eq!(std::fs::read_to_string(path).unwrap().lines().count(), 13);
    }
}
