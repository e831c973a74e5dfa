//! Buffers records and writes many of them at a time.
//!
//! `Records` knows how many records the system has written completely, and which outcomes these records belong to. If
//! the disk becomes full in the middle of a record, the partial record does not count. `Records` removes it if
//! possible.

use std::io::{self, Write};

use super::{Output, SinkError};

/// Records that wait to be written to an output.
#[derive(Debug)]
pub(super) struct Records<'a> {
    output: Output<'a>,
    bytes: Vec<u8>,
    /// The end of each outcome in `bytes`. An outcome without a record ends at the end of the previous one.
    ends: Vec<usize>,
    /// The number of outcomes that were lost with an error.
    lost: usize,
    /// The number of records that were written to the output.
    written: u64,
}

impl<'a> Records<'a> {
    /// The number of gathered bytes that triggers a write: one system call for thousands of short records.
    const FULL: usize = 256 * 1024;

    pub(super) fn new(output: Output<'a>) -> Self {
        let bytes = Vec::with_capacity(2 * Self::FULL);
        Self { output, bytes, ends: Vec::new(), lost: 0, written: 0 }
    }

    /// Adds one record: the bytes that `fill` appends.
    #[inline]
    pub(super) fn add(
        &mut self,
        fill: impl FnOnce(&mut Vec<u8>) -> Result<(), SinkError>,
    ) -> Result<(), SinkError> {
        let before = self.bytes.len();
        if let Err(error) = fill(&mut self.bytes) {
            self.bytes.truncate(before);
            self.lost = 1;
            return Err(error);
        }
        self.ends.push(self.bytes.len());
        if self.bytes.len() < Self::FULL { Ok(()) } else { self.write_out() }
    }

    /// Adds an outcome that has no record.
    pub(super) fn add_no_record(&mut self) {
        // If no record waits before it, the outcome counts as written.
        if !self.ends.is_empty() {
            self.ends.push(self.bytes.len());
        }
    }

    /// Returns how many of the last outcomes are not written.
    pub(super) fn held(&self) -> usize {
        self.ends.len() + self.lost
    }

    /// Writes all gathered records to the output.
    pub(super) fn flush(&mut self) -> Result<(), SinkError> {
        self.write_out()?;
        self.output.flush().map_err(|source| self.write_error(source))
    }

    /// Waits until the written records are on the disk.
    pub(super) fn sync(&mut self) -> Result<(), SinkError> {
        self.output.sync()
    }

    fn write_out(&mut self) -> Result<(), SinkError> {
        let (taken, result) = write_all(&mut self.output, &self.bytes);
        let whole = self.ends.partition_point(|end| *end <= taken);
        let kept = whole.checked_sub(1).map_or(0, |last| self.ends[last]);
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let records = starts.zip(&self.ends).take(whole).filter(|(start, end)| start < *end);
        self.written += records.count() as u64;
        self.lost += self.ends.len() - whole;
        self.ends.clear();
        self.bytes.clear();
        // One large record made the buffer grow; the next records may be small.
        self.bytes.shrink_to(4 * Self::FULL);
        result.map_err(|source| {
            // If this fails, a partial record stays in the file. In both cases, it does not count.
            let _ = self.output.remove_last(taken - kept);
            self.write_error(source)
        })
    }

    fn write_error(&self, source: io::Error) -> SinkError {
        SinkError::Write { name: self.output.name().to_owned(), records: self.written, source }
    }
}

/// Writes `bytes`. Returns how many of them were taken, even if it fails.
fn write_all(output: &mut Output<'_>, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut taken = 0;
    while taken < bytes.len() {
        match output.write(&bytes[taken..]) {
            Ok(0) => return (taken, Err(io::ErrorKind::WriteZero.into())),
            Ok(more) => taken += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (taken, Err(error)),
        }
    }
    (taken, Ok(()))
}

#[cfg(test)]
mod tests;
