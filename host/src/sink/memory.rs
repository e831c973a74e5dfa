//! Results kept in memory.

use super::{Sink, SinkError};
use crate::fault::Fault;
use crate::outcome::Outcome;

/// Keeps every result: for tests, and for results known to be few.
///
/// ```
/// use mtl_host::sink::Memory;
///
/// let sink = Memory::new();
/// assert!(sink.results().is_empty());
/// ```
#[derive(Debug, Default)]
pub struct Memory {
    results: Vec<Result<Option<Vec<u8>>, Fault>>,
}

impl Memory {
    /// A sink that holds nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What has been written so far: a record, no record, or a fault for each item.
    pub fn results(&self) -> &[Result<Option<Vec<u8>>, Fault>] {
        &self.results
    }

    /// The same, given away.
    #[must_use]
    pub fn into_results(self) -> Vec<Result<Option<Vec<u8>>, Fault>> {
        self.results
    }
}

impl Sink for Memory {
    fn write(&mut self, outcome: &Outcome<'_>) -> Result<(), SinkError> {
        let result = outcome.result.map(|record| record.map(<[u8]>::to_vec));
        self.results.push(result.map_err(Clone::clone));
        Ok(())
    }
}
