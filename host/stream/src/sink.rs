//! Sinks, which write results.
//!
//! A sink is told of every outcome that is to be written, in the order in which the run
//! gives them: input order unless asked otherwise. It runs on the thread that called
//! `Pool::run`, never on a worker's.

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
pub use self::output_file::{Locked, OutputFile};

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
    /// As [`write`](Self::write). Of the outcomes that were taken out, the last one then counts as not
    /// written.
    fn write_many(&mut self, outcomes: &mut OutcomeIter<'_>) -> Result<(), SinkError> {
        outcomes.try_for_each(|outcome| self.write(&outcome))
    }

    /// Returns how many of the outcomes that it was given last are not written: it holds them back until it is
    /// flushed, or it lost them with an error. The outcome that was given last when there was an error is one of them.
    /// Default: none but that one.
    fn held(&self) -> usize {
        0
    }

    /// Takes an outcome that is not in the output, and why. Default: nothing is done with it.
    ///
    /// ```
    /// use mtl_host::sink::{LeftOut, Sink, SinkError};
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
    ///     fn left_out(&mut self, _outcome: &Outcome<'_>, _why: LeftOut) -> Result<(), SinkError> {
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
    /// When that cannot be done; the run ends with the error, unless it has ended with another one.
    fn left_out(&mut self, _outcome: &Outcome<'_>, _why: LeftOut) -> Result<(), SinkError> {
        Ok(())
    }

    /// Returns whether each record stands for itself, as a file does that is named after its item. Where it does not,
    /// the output of a run in input order ends before the first item that was not run: it is a prefix.
    /// Default: it does not.
    fn stands_alone(&self) -> bool {
        false
    }

    /// Returns the rule for records that this sink takes. It is checked where the record is made.
    fn rule(&self) -> RecordRule {
        RecordRule::Any
    }

    /// Passes on what is held back. Called when there is nothing to write for now, because
    /// somebody may be waiting for the last record, and at the end; after an error once more, if the sink says that it
    /// holds outcomes.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    /// Waits until what was written survives a crash of the machine. A run does not call this; whoever needs it does,
    /// after the run. Without an implementation it does nothing.
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
    /// When the system does not confirm it: what was written may be lost.
    fn sync(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Says why an outcome is not in the output.
///
/// ```
/// use mtl_host::sink::LeftOut;
///
/// let told = |why| match why {
///     LeftOut::Lost => "it was given to the sink, which failed",
///     _ => "the output has ended before it",
/// };
/// assert_eq!(told(LeftOut::Behind), "the output has ended before it");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeftOut {
    /// The sink was given it, and failed before it was written.
    Lost,
    /// No worker finished it, or the output has ended before it: with an item that no worker finished, with one that has
    /// ended the run, or because the sink failed.
    Behind,
}

/// Forwards all of a sink to the one behind a pointer.
macro_rules! forward_sink {
    ($($pointer:ty),*) => {$(
        impl<S: Sink + ?Sized> Sink for $pointer {
            fn write(&mut self, outcome: &Outcome<'_>) -> Result<(), SinkError> {
                (**self).write(outcome)
            }

            fn write_many(&mut self, outcomes: &mut OutcomeIter<'_>) -> Result<(), SinkError> {
                (**self).write_many(outcomes)
            }

            fn held(&self) -> usize {
                (**self).held()
            }

            fn left_out(&mut self, outcome: &Outcome<'_>, why: LeftOut) -> Result<(), SinkError> {
                (**self).left_out(outcome, why)
            }

            fn stands_alone(&self) -> bool {
                (**self).stands_alone()
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
