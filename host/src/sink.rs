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

use crate::outcome::{Outcome, OutcomeIter, RecordRule};

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

    /// Takes many outcomes, none of which is a fault: as if each was written, which is what it does
    /// unless a sink has a faster way. What a sink leaves in `outcomes` is written one by one.
    ///
    /// ```
    /// use mtl_host::sink::{Sink, SinkError};
    /// use mtl_host::source::Items;
    /// use mtl_host::{Engine, Outcome, OutcomeIter, Plugin, Pool};
    ///
    /// /// Counts outcomes.
    /// struct Count(usize);
    ///
    /// impl Sink for Count {
    ///     fn write(&mut self, _outcome: &Outcome<'_>) -> Result<(), SinkError> {
    ///         self.0 += 1;
    ///         Ok(())
    ///     }
    ///
    ///     fn write_many(&mut self, outcomes: &mut OutcomeIter<'_>) -> Result<(), SinkError> {
    ///         self.0 += outcomes.count();
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/judge.wat")?;
    /// let mut count = Count(0);
    /// let source = Items::new(["good", "!bad", "good"]);
    /// let summary = Pool::builder(&plugin).build()?.run(source, &mut count).into_result()?;
    /// assert_eq!((count.0, summary.delivered), (3, 3));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write). Of the outcomes that were taken out, the last one then counts as not
    /// written.
    fn write_many(&mut self, outcomes: &mut OutcomeIter<'_>) -> Result<(), SinkError> {
        outcomes.try_for_each(|outcome| self.write(&outcome))
    }

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

    fn write_many(&mut self, outcomes: &mut OutcomeIter<'_>) -> Result<(), SinkError> {
        (**self).write_many(outcomes)
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

    fn write_many(&mut self, outcomes: &mut OutcomeIter<'_>) -> Result<(), SinkError> {
        (**self).write_many(outcomes)
    }

    fn rule(&self) -> RecordRule {
        (**self).rule()
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        (**self).flush()
    }
}
