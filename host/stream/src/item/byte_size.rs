//! A number of bytes, as people write it.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use crate::item::quantity;
use crate::item::quantity::Unit;

/// A number of bytes: `64MiB`, `2GiB`, `10MB`, `1000000`. The format `{:#}` adds the word `bytes`
/// to a number without a unit: `1000000 bytes`. Units may be in upper or lower case. `K`, `M` and
/// `G` alone are powers of 1024.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ByteSize(pub(crate) NonZeroUsize);

/// The error for a text that is not a number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ParseByteSizeError;

impl ByteSize {
    /// Each unit with its number of bytes. Parsing accepts all units. Display uses the first unit
    /// that divides the number without a remainder.
    const UNITS: [Unit; 11] = [
        ("GiB", 1 << 30),
        ("MiB", 1 << 20),
        ("KiB", 1 << 10),
        ("", 1),
        ("B", 1),
        ("G", 1 << 30),
        ("M", 1 << 20),
        ("K", 1 << 10),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("KB", 1000),
    ];
}

impl FromStr for ByteSize {
    type Err = ParseByteSizeError;

    fn from_str(text: &str) -> Result<Self, ParseByteSizeError> {
        let bytes = quantity::parse(text, &Self::UNITS).ok_or(ParseByteSizeError)?;
        NonZeroUsize::try_from(bytes).map(Self).map_err(|_| ParseByteSizeError)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (f.alternate(), quantity::in_largest_unit(self.0.get() as u64, &Self::UNITS)) {
            (true, (1, "")) => f.pad("1 byte"),
            (true, (number, "")) => f.pad(&format!("{number} bytes")),
            (_, (number, unit)) => f.pad(&format!("{number}{unit}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_without_a_unit_is_in_bytes() {
        #[rustfmt::skip]
        let cases = [
            ("64MiB",   Some("64MiB")),
            ("2 gib",   Some("2GiB")),
            ("1024",    Some("1KiB")),
            ("1000000", Some("1000000")),
            ("1MB",     Some("1000000")),
            ("512K",    Some("512KiB")),
            ("0",       None),
            ("0MiB",    None),
            ("-1",      None),
            ("1.5GiB",  None),
            ("MiB",     None),
            ("1XB",     None),
            ("",        None),
            ("99999999999GiB", None),
        ];
        for (text, shown) in cases {
            let size = text.parse::<ByteSize>().ok().map(|size| size.to_string());
            assert_eq!(size.as_deref(), shown, "{text}");
        }
    }
}
