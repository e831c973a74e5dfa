//! A limit on computation, counted in instructions instead of time.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::item::parse_error::ParseError;
use crate::item::quantity;
use crate::item::quantity::Unit;

/// The maximum computation for one item, in units of about one instruction each.
///
/// Unlike a timeout, fuel does not depend on the machine: the same item uses the same amount of
/// fuel in every run. The host's own work for the plugin uses no fuel. The text form is a number,
/// with or without `k`, `M` or `G`: `1000000`, `50M`.
///
/// ```
/// use mtl_host::limits::Fuel;
///
/// let fuel: Fuel = "50M".parse()?;
/// assert_eq!(fuel.units(), 50_000_000);
/// assert!(Fuel::new(1000.try_into().unwrap()) < fuel);
/// # Ok::<(), mtl_host::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fuel(NonZeroU64);

impl Fuel {
    /// The units. A number is written with the first unit that divides it.
    const UNITS: [Unit; 4] = [("G", 1_000_000_000), ("M", 1_000_000), ("k", 1000), ("", 1)];

    /// Creates a limit of this number of units.
    #[must_use]
    pub const fn new(units: NonZeroU64) -> Self {
        Self(units)
    }

    /// Returns the number of units.
    #[must_use]
    pub const fn units(self) -> u64 {
        self.0.get()
    }
}

/// The error for a text that is not an amount of fuel.
const NOT_FUEL: ParseError =
    ParseError::new("not an amount of fuel, such as `1000000`, `50M` or `2G`");

impl FromStr for Fuel {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        quantity::parse(text, &Self::UNITS).map(Self).ok_or(NOT_FUEL)
    }
}

impl fmt::Display for Fuel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = quantity::in_largest_unit(self.0.get(), &Self::UNITS);
        f.pad(&format!("{number}{unit}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fuel_is_a_number_with_an_optional_unit() {
        #[rustfmt::skip]
        let cases = [
            ("1",       Some("1")),
            ("1000",    Some("1k")),
            ("1500",    Some("1500")),
            ("50m",     Some("50M")),
            ("2000M",   Some("2G")),
            ("0",       None),
            ("0M",      None),
            ("",        None),
            ("M",       None),
            ("1.5M",    None),
            ("-1",      None),
            ("1T",      None),
            ("99999999999G", None),
        ];
        for (text, shown) in cases {
            let fuel = text.parse::<Fuel>().ok().map(|fuel| fuel.to_string());
            assert_eq!(fuel.as_deref(), shown, "{text}");
        }
    }
}
