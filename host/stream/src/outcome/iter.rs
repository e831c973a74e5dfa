//! Iteration over outcomes.

use super::{Outcome, Outcomes};

/// An iterator over consecutive outcomes, for a sink that takes many of them in one call
/// ([`Sink::write_many`](crate::sink::Sink::write_many)).
///
/// ```
/// use mtl_host::sink::SinkError;
/// use mtl_host::sink::OutcomeIter;
/// use mtl_host::Outcome;
///
/// /// Adds up the lengths of records.
/// fn add(total: &mut usize, outcomes: &mut OutcomeIter<'_>) -> Result<(), SinkError> {
///     let length = |outcome: Outcome<'_>| outcome.result.ok().flatten().map_or(0, <[u8]>::len);
///     *total += outcomes.map(length).sum::<usize>();
///     Ok(())
/// }
/// # use mtl_host::sink::Sink;
/// # use mtl_host::source::Items;
/// # use mtl_host::{Engine, Plugin, Pool};
/// # struct Total(usize);
/// # impl Sink for Total {
/// #     fn write(&mut self, outcome: &Outcome<'_>) -> Result<(), SinkError> {
/// #         unreachable!("{outcome:?}")
/// #     }
/// #     fn write_many(&mut self, outcomes: &mut OutcomeIter<'_>) -> Result<(), SinkError> {
/// #         add(&mut self.0, outcomes)
/// #     }
/// # }
/// # let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
/// # let mut total = Total(0);
/// # Pool::builder(&plugin).build()?.run(Items::new(["one", "three"]), &mut total).into_result()?;
/// # assert_eq!(total.0, 8);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "iterators are lazy"]
pub struct OutcomeIter<'a> {
    outcomes: &'a Outcomes,
    cursor: Cursor,
}

impl<'a> OutcomeIter<'a> {
    /// Returns a cursor at the first outcome.
    #[doc(hidden)]
    pub fn new(outcomes: &'a Outcomes) -> Self {
        Self { outcomes, cursor: Cursor::default() }
    }

    /// Returns the number of outcomes that the iterator has given.
    #[doc(hidden)]
    pub fn given(&self) -> usize {
        self.cursor.at
    }
}

impl<'a> Iterator for OutcomeIter<'a> {
    type Item = Outcome<'a>;

    #[inline]
    fn next(&mut self) -> Option<Outcome<'a>> {
        self.outcomes.next(&mut self.cursor)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.outcomes.len_not_handed_over() - self.cursor.at;
        (left, Some(left))
    }
}

impl ExactSizeIterator for OutcomeIter<'_> {}

/// A position among outcomes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cursor {
    pub(super) at: usize,
    /// The start of the next record.
    pub(super) start: usize,
}

impl Cursor {
    /// Returns the number of outcomes before the cursor.
    pub fn passed(self) -> usize {
        self.at
    }
}
