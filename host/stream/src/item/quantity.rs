//! Numbers with a unit, as people write them: `64MiB`, `50M`.

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64, ParseIntError};
use std::str::FromStr;

/// A unit and the number that it stands for.
pub(crate) type Unit = (&'static str, u64);

/// Parses a nonzero number followed by one of `units`, in upper or lower case.
pub(crate) fn parse(text: &str, units: &[Unit]) -> Option<NonZeroU64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let has_name = |(name, _): &&Unit| name.eq_ignore_ascii_case(unit.trim_start());
    let (_, factor) = units.iter().find(has_name)?;
    number.checked_mul(*factor).and_then(NonZeroU64::new)
}

/// Expresses a number in the first of `units` that divides it. One of the units must stand for 1.
pub(crate) fn in_largest_unit(number: u64, units: &[Unit]) -> (u64, &'static str) {
    let divides = |(_, factor): &&Unit| number.is_multiple_of(*factor);
    let (name, factor) = units.iter().find(divides).expect("the unit 1 divides every number");
    (number / factor, name)
}

/// A count as people write it: a number without a unit.
pub(crate) struct Count(pub(crate) NonZeroU32);

impl FromStr for Count {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
