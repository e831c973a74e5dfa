//! The number of items that a worker claims at a time.
//!
//! A claim is about a millisecond of work, estimated from the run time of earlier items. It may
//! contain hundreds of cheap items, or one expensive item. The size of the first claim is one, and
//! each claim is at most four times as large as the previous one. Otherwise, after a few cheap
//! items at the start, one worker could claim the items that other workers need.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use crate::item::parse_error::ParseError;

/// The number of items that a worker claims at a time.
///
/// ```
/// use mtl_host::limits::ChunkSize;
///
/// assert_eq!("auto".parse(), Ok(ChunkSize::Auto));
/// assert_eq!("16".parse::<ChunkSize>()?, ChunkSize::Fixed(16.try_into().unwrap()));
/// assert_eq!(ChunkSize::default().to_string(), "auto");
/// # Ok::<(), mtl_host::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChunkSize {
    /// About a millisecond of work, estimated from the cost of earlier items.
    #[default]
    Auto,
    /// The given number of items, but no more than are waiting, and no more than a fair share.
    Fixed(NonZeroUsize),
}

impl fmt::Display for ChunkSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.pad("auto"),
            Self::Fixed(items) => items.fmt(f),
        }
    }
}

const NOT_A_SIZE: ParseError = ParseError::new("neither a number of items from 1 on nor `auto`");

impl FromStr for ChunkSize {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "auto" => Ok(Self::Auto),
            _ => text.parse().map(Self::Fixed).map_err(|_| NOT_A_SIZE),
        }
    }
}

/// Decides the size of the next claim.
#[derive(Debug)]
pub(crate) struct ChunkSizer {
    size: ChunkSize,
    next: usize,
    /// The average cost of an item in nanoseconds, with more weight on later items. `None` before
    /// the first claim.
    cost: Option<f64>,
}

impl ChunkSizer {
    /// The time that a claim should take. With longer claims, other workers could be without items.
    /// With shorter claims, workers would spend a larger part of their time on claiming.
    const TARGET: Duration = Duration::from_millis(1);
    const GROWTH: usize = 4;
    /// The weight of the last claim in the estimate.
    const WEIGHT: f64 = 0.5;

    pub(crate) fn new(size: ChunkSize) -> Self {
        Self { size, next: 1, cost: None }
    }

    /// Returns the number of items to claim.
    pub(crate) fn claim_size(&self) -> usize {
        match self.size {
            ChunkSize::Auto => self.next,
            ChunkSize::Fixed(size) => size.get(),
        }
    }

    /// Updates the estimate: `items` items took the time `took`.
    #[expect(clippy::cast_precision_loss, reason = "an estimate needs no more")]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "float to integer saturates"
    )]
    pub(crate) fn observe(&mut self, items: usize, took: Duration) {
        if items == 0 {
            return;
        }
        let measured = took.as_nanos() as f64 / items as f64;
        let cost = match self.cost {
            Some(before) => before + (measured - before) * Self::WEIGHT,
            None => measured,
        };
        self.cost = Some(cost);
        let fitting = (Self::TARGET.as_nanos() as f64 / cost.max(1.0)) as usize;
        self.next = fitting.clamp(1, self.next.saturating_mul(Self::GROWTH));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn claims_grow_for_cheap_items_and_shrink_for_costly_ones() {
        let mut sizer = ChunkSizer::new(ChunkSize::Auto);
        assert_eq!(sizer.claim_size(), 1, "nothing is known");
        let mut claims = Vec::new();
        for _ in 0..6 {
            let items = sizer.claim_size();
            sizer.observe(items, Duration::from_micros(1) * u32::try_from(items).unwrap());
            claims.push(sizer.claim_size());
        }
        assert_eq!(claims, [4, 16, 64, 256, 1000, 1000]);
        sizer.observe(1, Duration::from_secs(1));
        assert_eq!(sizer.claim_size(), 1, "one expensive item is enough");
    }

    #[test]
    fn a_fixed_chunk_size_never_changes() {
        let size = NonZeroUsize::new(7).unwrap();
        let mut sizer = ChunkSizer::new(ChunkSize::Fixed(size));
        sizer.observe(7, Duration::from_secs(1));
        assert_eq!(sizer.claim_size(), 7);
    }

    proptest! {
        /// For any costs, a claim has at least one item, and at most four times as many items as
        /// the previous claim. A claim never has more than a million items: a millisecond of items
        /// that need a nanosecond each.
        #[test]
        fn claims_stay_within_bounds(
            measured in prop::collection::vec((0_usize..2000, 0_u64..10_000_000_000), 0..100),
        ) {
            let mut sizer = ChunkSizer::new(ChunkSize::Auto);
            for (items, nanos) in measured {
                let before = sizer.claim_size();
                sizer.observe(items, Duration::from_nanos(nanos));
                let claim = sizer.claim_size();
                prop_assert!((1..=1_000_000).contains(&claim), "{}", claim);
                prop_assert!(claim <= before * 4, "{} after {}", claim, before);
                prop_assert!(items > 0 || claim == before, "no item leaves the estimate unchanged");
            }
        }

        /// If all items cost the same, claims converge to a millisecond of work and stay there,
        /// whatever the earlier costs were.
        #[test]
        fn claims_converge_to_a_millisecond(
            before in prop::collection::vec(1_u64..1_000_000_000, 0..20),
            cost in 1_u64..10_000_000,
        ) {
            let mut sizer = ChunkSizer::new(ChunkSize::Auto);
            for nanos in before {
                sizer.observe(sizer.claim_size(), Duration::from_nanos(nanos));
            }
            // Each step halves the weight of the past, which cost at most 2^30 times as much.
            for _ in 0..60 {
                let items = sizer.claim_size() as u64;
                sizer.observe(sizer.claim_size(), Duration::from_nanos(cost * items));
            }
            let fitting = (1_000_000 / cost).max(1);
            for _ in 0..3 {
                let items = sizer.claim_size() as u64;
                prop_assert!(items.abs_diff(fitting) <= 1, "{} instead of {}", items, fitting);
                sizer.observe(sizer.claim_size(), Duration::from_nanos(cost * items));
            }
        }
    }
}
