//! Where results go.
//!
//! A sink is told of every outcome that is to be written, in the order in which the run
//! gives them: input order unless asked otherwise. It runs on the thread that called
//! [`Pool::run`](crate::Pool::run), never on a worker's.

mod directory;
mod error;
mod frames;
mod jsonl;
mod layout;
mod lines;
mod memory;
#[cfg(test)]
mod outcomes;
mod output;
mod records;

pub use self::directory::Directory;
pub use self::error::SinkError;
pub use self::frames::Frames;
pub use self::jsonl::Jsonl;
pub use self::lines::Lines;
pub use self::memory::Memory;
pub use self::output::Output;

use crate::outcome::{Outcome, RecordRule};

/// Takes what became of each item.
///
/// ```
/// use mtl_host::sink::{Sink, SinkError};
/// use mtl_host::source::Items;
/// use mtl_host::{Engine, Outcome, Plugin, Pool};
///
/// /// Counts faults.
/// struct Faults(usize);
///
/// impl Sink for Faults {
///     fn write(&mut self, outcome: &Outcome<'_>) -> Result<(), SinkError> {
///         self.0 += usize::from(outcome.result.is_err());
///         Ok(())
///     }
/// }
///
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/judge.wat")?;
/// let mut faults = Faults(0);
/// let source = Items::new(["good", "!bad", "?worse"]);
/// Pool::builder(&plugin).build()?.run(source, &mut faults).into_result()?;
/// assert_eq!(faults.0, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Sink {
    /// Takes one outcome.
    ///
    /// # Errors
    ///
    /// When it cannot be written; the run ends with the error.
    fn write(&mut self, outcome: &Outcome<'_>) -> Result<(), SinkError>;

    /// What a record must be for this sink to take it. It is checked where the record is made.
    fn rule(&self) -> RecordRule {
        RecordRule::Any
    }

    /// Passes on what is held back. Called when there is nothing to write for now, because
    /// somebody may be waiting for the last record, and at the end.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

impl<S: Sink + ?Sized> Sink for &mut S {
    fn write(&mut self, outcome: &Outcome<'_>) -> Result<(), SinkError> {
        (**self).write(outcome)
    }

    fn rule(&self) -> RecordRule {
        (**self).rule()
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        (**self).flush()
    }
}

impl<S: Sink + ?Sized> Sink for Box<S> {
    fn write(&mut self, outcome: &Outcome<'_>) -> Result<(), SinkError> {
        (**self).write(outcome)
    }

    fn rule(&self) -> RecordRule {
        (**self).rule()
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        (**self).flush()
    }
}
