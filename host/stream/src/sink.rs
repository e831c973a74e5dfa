//! Sinks, which write results.
//!
//! The run passes each outcome to the sink: in input order by default, or in the order in which workers finish. A sink
//! runs on the thread that called `Pool::run`, never on a worker's thread.

mod directory;
mod durable;
mod error;
mod frames;
mod jsonl;
mod layout;
mod lines;
mod memory;
#[cfg(test)]
mod outcomes;
mod output;
mod output_file;
mod records;

pub use self::directory::Directory;
pub use self::error::SinkError;
pub use self::frames::Frames;
pub use self::jsonl::Jsonl;
pub use self::lines::Lines;
pub use self::memory::Memory;
pub use self::output::Output;
pub use self::output_file::{OutputFile, OutputLocked};

use crate::outcome::{Outcome, OutcomeIter, RecordRule};

/// A destination of outcomes: the run passes it the outcome of each item.
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
/// let plugin = Plugin::load(&Engine::new()?, "../fixtures/judge.wat")?;
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
    /// Returns an error if the outcome cannot be written. The run then ends with the error.
    fn write(&mut self, outcome: &Outcome<'_>) -> Result<(), SinkError>;

    /// Takes many outcomes. None of them is a fault. The default implementation passes each outcome to
    /// [`write`](Self::write). A sink may override this method with a faster one. If the sink leaves outcomes in the
    /// iterator, the run passes them to `write` one by one.
    ///
    /// ```
    /// use mtl_host::sink::{Sink, SinkError};
    /// use mtl_host::source::Items;
    /// use mtl_host::sink::OutcomeIter;
    /// use mtl_host::{Engine, Outcome, Plugin, Pool};
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
    /// let plugin = Plugin::load(&Engine::new()?, "../fixtures/judge.wat")?;
    /// let mut count = Count(0);
    /// let source = Items::new(["good", "!bad", "good"]);
    /// let summary = Pool::builder(&plugin).build()?.run(source, &mut count).into_result()?;
    /// assert_eq!((count.0, summary.delivered), (3, 3));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error in the same cases as [`write`](Self::write). In that case, the last outcome that the sink took
    /// from the iterator counts as not written.
    fn write_many(&mut self, outcomes: &mut OutcomeIter<'_>) -> Result<(), SinkError> {
        outcomes.try_for_each(|outcome| self.write(&outcome))
    }

    /// Returns the number of outcomes that the sink has received but not written (default: 0). They are the last
    /// outcomes that the sink received. The sink has buffered them for the next flush, or has lost them because of an
    /// error. After an error, the number includes the outcome on which the sink failed. If the sink returns 0 after an
    /// error, the run treats only the outcome on which the sink failed as lost.
    fn unwritten(&self) -> usize {
        0
    }

    /// Receives an outcome that is not in the output, with the reason. The default implementation does nothing.
    ///
    /// ```
    /// use mtl_host::sink::{OmitReason, Sink, SinkError};
    /// use mtl_host::source::Items;
    /// use mtl_host::{Engine, Outcome, Plugin, Pool};
    ///
    /// /// Takes three results, and counts those that come after.
    /// #[derive(Default)]
    /// struct Three(usize, usize);
    ///
    /// impl Sink for Three {
    ///     fn write(&mut self, _outcome: &Outcome<'_>) -> Result<(), SinkError> {
    ///         self.0 += 1;
    ///         if self.0 > 3 { Err(SinkError::other(std::fmt::Error)) } else { Ok(()) }
    ///     }
    ///
    ///     fn omit(&mut self, _outcome: &Outcome<'_>, _why: OmitReason) -> Result<(), SinkError> {
    ///         self.1 += 1;
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
    /// let mut sink = Three::default();
    /// let ended = Pool::builder(&plugin).build()?.run(Items::new(["a"; 5]), &mut sink);
    /// assert_eq!((ended.summary.delivered, sink.1 as u64), (3, ended.summary.read - 3));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the sink cannot handle the outcome. The run ends with this error, unless it has already
    /// ended with another error.
    fn omit(&mut self, _outcome: &Outcome<'_>, _why: OmitReason) -> Result<(), SinkError> {
        Ok(())
    }

    /// Returns whether each record can be used without the other records, for example because each record is a separate
    /// file (default: `false`). If `false`, the output of a run in input order ends before the first item that was not
    /// run. So the output is always a prefix of the complete output.
    fn has_separate_records(&self) -> bool {
        false
    }

    /// Returns the rule for records of this sink. The worker that makes a record checks the rule.
    fn rule(&self) -> RecordRule {
        RecordRule::Any
    }

    /// Writes the buffered outcomes. The run calls this method at its end. It calls the method whenever no outcome is
    /// ready, because a reader of the output may be waiting for a buffered record. After an error, the run calls the
    /// method once more if [`unwritten`](Self::unwritten) is not 0.
    ///
    /// # Errors
    ///
    /// Returns an error in the same cases as [`write`](Self::write).
    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    /// Waits until the written records would survive a crash of the machine. A run never calls this method. A user who
    /// needs this guarantee calls it after the run. The default implementation does nothing.
    ///
    /// ```
    /// use mtl_host::sink::{Lines, Output, Sink};
    /// use mtl_host::source::Items;
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("results");
    /// let mut sink = Lines::new(Output::create(&path)?);
    /// let mut pool = Pool::builder(&plugin).build()?;
    /// pool.run(Items::new(["one"]), &mut sink).into_result()?;
    /// sink.sync()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the system cannot store the records on the disk. Written records may then be lost.
    fn sync(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// The reason why an outcome is not in the output.
///
/// ```
/// use mtl_host::sink::OmitReason;
///
/// let text = |reason| match reason {
///     OmitReason::Lost => "the sink had it and failed",
///     _ => "the output has ended before it",
/// };
/// assert_eq!(text(OmitReason::NotReached), "the output has ended before it");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OmitReason {
    /// The sink took the outcome and failed before it was written.
    Lost,
    /// No worker finished the item, or the output ended before the item. The output ends at the first item that no
    /// worker finished, at an item that has ended the run, or when the sink fails.
    NotReached,
}

/// Forwards all methods of a sink to the sink behind a pointer.
macro_rules! forward_sink {
    ($($pointer:ty),*) => {$(
        impl<S: Sink + ?Sized> Sink for $pointer {
            fn write(&mut self, outcome: &Outcome<'_>) -> Result<(), SinkError> {
                (**self).write(outcome)
            }

            fn write_many(&mut self, outcomes: &mut OutcomeIter<'_>) -> Result<(), SinkError> {
                (**self).write_many(outcomes)
            }

            fn unwritten(&self) -> usize {
                (**self).unwritten()
            }

            fn omit(&mut self, outcome: &Outcome<'_>, reason: OmitReason) -> Result<(), SinkError> {
                (**self).omit(outcome, reason)
            }

            fn has_separate_records(&self) -> bool {
                (**self).has_separate_records()
            }

            fn rule(&self) -> RecordRule {
                (**self).rule()
            }

            fn flush(&mut self) -> Result<(), SinkError> {
                (**self).flush()
            }

            fn sync(&mut self) -> Result<(), SinkError> {
                (**self).sync()
            }
        }
    )*};
}

forward_sink!(&mut S, Box<S>);
