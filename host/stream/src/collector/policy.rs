//! The error policy: the effect of failed items on the run. This module only decides; others act.

use std::fmt;
use std::str::FromStr;

use crate::collector::Order;
use crate::item::index::ItemIndex;
use crate::item::parse_error::ParseError;

/// The effect of a failed item on the run.
///
/// ```
/// use mtl_host::ErrorPolicy;
///
/// assert_eq!("deferred".parse(), Ok(ErrorPolicy::Deferred));
/// assert_eq!(ErrorPolicy::default().to_string(), "ignore");
/// assert_eq!(ErrorPolicy::Immediate.to_string(), "immediate");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorPolicy {
    /// The output has the fault instead of a result, and the run continues.
    #[default]
    Ignore,
    /// The run reads no more items, finishes the items that plugins are working on, and fails. If
    /// results come out in input order, the run first writes all results before the failed item.
    Immediate,
    /// The run continues, and fails at the end with every fault.
    Deferred,
}

impl ErrorPolicy {
    /// Returns the new horizon after the item with the index `failed` has failed. No item whose
    /// index is the horizon or higher may start. Returns `None` if the failure does not change the
    /// horizon.
    #[doc(hidden)]
    pub fn horizon(self, order: Order, failed: ItemIndex) -> Option<ItemIndex> {
        match (self, order) {
            (Self::Ignore | Self::Deferred, _) => None,
            // Items that come before the failed item in the output must still be processed.
            (Self::Immediate, Order::Input) => Some(failed),
            (Self::Immediate, Order::Completion) => Some(ItemIndex::default()),
        }
    }

    /// Returns whether outcomes after a failed item are written.
    #[doc(hidden)]
    pub fn writes_after_fault(self, order: Order) -> bool {
        !matches!((self, order), (Self::Immediate, Order::Input))
    }
}

impl fmt::Display for ErrorPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ignore => "ignore",
            Self::Immediate => "immediate",
            Self::Deferred => "deferred",
        })
    }
}

/// The error for a text other than `ignore`, `immediate` and `deferred`.
const NOT_A_POLICY: ParseError = ParseError::new("not one of `ignore`, `immediate`, `deferred`");

impl FromStr for ErrorPolicy {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "ignore" => Ok(Self::Ignore),
            "immediate" => Ok(Self::Immediate),
            "deferred" => Ok(Self::Deferred),
            _ => Err(NOT_A_POLICY),
        }
    }
}

/// The maximum number of items that may fail before the run ends: a number, or a percentage of the
/// finished items. It is written as `10`, `5%` or `unlimited`.
///
/// ```
/// use mtl_host::limits::MaxFaults;
///
/// let share: MaxFaults = "5%".parse()?;
/// assert!(!share.is_exceeded_by(5, 100));
/// assert!(share.is_exceeded_by(6, 100));
/// assert!(!share.is_exceeded_by(6, MaxFaults::MIN_ITEMS - 1), "too few items are done");
/// assert!("10".parse::<MaxFaults>()?.is_exceeded_by(11, 11));
/// # Ok::<(), mtl_host::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum MaxFaults {
    /// Any number of faults.
    #[default]
    Unlimited,
    /// At most this number of faults.
    Count(u64),
    /// At most this percentage of the finished items. The limit applies as soon as
    /// [`MaxFaults::MIN_ITEMS`] items are finished.
    Percent(f64),
}

impl MaxFaults {
    /// The minimum number of items done for which a share is meaningful.
    pub const MIN_ITEMS: u64 = 100;

    /// Returns whether `faults` faults among `done` items are too many.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rounded share is exact enough beyond 2^52 items"
    )]
    pub fn is_exceeded_by(self, faults: u64, done: u64) -> bool {
        match self {
            Self::Unlimited => false,
            Self::Count(most) => faults > most,
            Self::Percent(most) => {
                done >= Self::MIN_ITEMS && faults as f64 * 100.0 > most * done as f64
            }
        }
    }
}

impl fmt::Display for MaxFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.pad("unlimited"),
            Self::Count(most) => most.fmt(f),
            Self::Percent(most) => write!(f, "{most}%"),
        }
    }
}

/// The error for a text that is neither a number nor a percentage.
const NOT_A_LIMIT: ParseError =
    ParseError::new("not a number such as `10`, nor a share from `0%` to `100%`");

impl FromStr for MaxFaults {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text.strip_suffix('%') {
            Some(share) => match share.parse() {
                Ok(share) if (0.0..=100.0).contains(&share) => Ok(Self::Percent(share)),
                _ => Err(NOT_A_LIMIT),
            },
            None if text == "unlimited" => Ok(Self::Unlimited),
            None => text.parse().map(Self::Count).map_err(|_| NOT_A_LIMIT),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn max_faults_parse_as_a_count_or_percentage() {
        #[rustfmt::skip]
        let cases = [
            // text     faults  done   exceeded
            ("0",       0,      10,    Some(false)),
            ("0",       1,      10,    Some(true)),
            ("10",      10,     10,    Some(false)),
            ("2.5%",    25,     1000,  Some(false)),
            ("2.5%",    26,     1000,  Some(true)),
            ("1%",      50,     99,    Some(false)),  // too few to judge
            ("101%",    0,      0,     None),
            ("-1",      0,      0,     None),
            ("NaN%",    0,      0,     None),
            ("many",    0,      0,     None),
        ];
        for (text, faults, done, exceeded) in cases {
            let judged =
                text.parse::<MaxFaults>().ok().map(|most| most.is_exceeded_by(faults, done));
            assert_eq!(judged, exceeded, "{text}, {faults} of {done}");
        }
    }

    #[test]
    fn only_the_immediate_policy_sets_a_horizon() {
        let failed = ItemIndex::new(7);
        let zero = Some(ItemIndex::default());
        #[rustfmt::skip]
        let cases = [
            (ErrorPolicy::Ignore,    Order::Input,      None),
            (ErrorPolicy::Ignore,    Order::Completion, None),
            (ErrorPolicy::Immediate, Order::Input,      Some(failed)),
            (ErrorPolicy::Immediate, Order::Completion, zero),
            (ErrorPolicy::Deferred,  Order::Input,      None),
            (ErrorPolicy::Deferred,  Order::Completion, None),
        ];
        for (policy, order, horizon) in cases {
            assert_eq!(policy.horizon(order, failed), horizon, "{policy}, {order:?}");
        }
    }

    fn max_faults() -> impl Strategy<Value = MaxFaults> {
        prop_oneof![
            Just(MaxFaults::Unlimited),
            prop_oneof![0_u64..10_000, any::<u64>()].prop_map(MaxFaults::Count),
            (0.0_f64..=100.0).prop_map(MaxFaults::Percent),
        ]
    }

    proptest! {
        /// A value is displayed in a form that parses to the same value.
        #[test]
        fn max_faults_round_trip_as_text(most in max_faults()) {
            prop_assert_eq!(most.to_string().parse(), Ok(most));
        }

        /// The horizon does not depend on the order in which items fail. Either the horizon is at
        /// the first failed item or at the first item of the run, or the run has no horizon.
        #[test]
        fn the_first_failed_item_sets_the_horizon(
            failed in prop::collection::vec(0_u64..1000, 1..20),
        ) {
            let horizon = |policy: ErrorPolicy, order| {
                let horizons = failed.iter().filter_map(|&item| {
                    policy.horizon(order, ItemIndex::new(item))
                });
                horizons.min()
            };
            let first = failed.iter().copied().min().map(ItemIndex::new);
            prop_assert_eq!(horizon(ErrorPolicy::Immediate, Order::Input), first);
            let none = Some(ItemIndex::default());
            prop_assert_eq!(horizon(ErrorPolicy::Immediate, Order::Completion), none);
            for policy in [ErrorPolicy::Ignore, ErrorPolicy::Deferred] {
                for order in [Order::Input, Order::Completion] {
                    prop_assert_eq!(horizon(policy, order), None);
                    prop_assert!(policy.writes_after_fault(order));
                }
            }
        }
    }
}
