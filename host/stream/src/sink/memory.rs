//! Results kept in memory.

use super::{Sink, SinkError};
use crate::item::fault::Fault;
use crate::outcome::Outcome;

/// A sink that keeps every result in memory, for tests and for small results.
///
/// ```
/// use mtl_host::sink::Memory;
/// use mtl_host::source::Items;
/// use mtl_host::{Engine, Plugin, Pool};
///
/// let plugin = Plugin::load(&Engine::new()?, "../fixtures/judge.wat")?;
/// let mut sink = Memory::new();
/// let source = Items::new(["one", "#filtered out", "!bad"]);
/// Pool::builder(&plugin).build()?.run(source, &mut sink).into_result()?;
/// assert!(sink.results()[2].is_err());
/// assert_eq!(sink.into_results()[..2], [Ok(Some(b"one".to_vec())), Ok(None)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Memory {
    results: Vec<Result<Option<Vec<u8>>, Fault>>,
}

impl Memory {
    /// Creates an empty sink.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the results so far: a record, no record or a fault for each item.
    pub fn results(&self) -> &[Result<Option<Vec<u8>>, Fault>] {
        &self.results
    }

    /// Returns the results and drops the sink.
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
