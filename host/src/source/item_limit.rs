//! How large one item may be.

use std::fmt;
use std::num::NonZeroUsize;

/// Upper bound on one item's bytes.
///
/// A longer record is a fault of that item; of a frame, an error, because a stream whose
/// lengths make no sense cannot be read on.
///
/// ```
/// use mtl_host::source::ItemLimit;
///
/// assert_eq!(ItemLimit::DEFAULT.to_string(), "64 MiB");
/// assert!(ItemLimit::new(0).is_none());
/// assert_eq!(ItemLimit::new(1000).unwrap().get(), 1000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ItemLimit(NonZeroUsize);

impl ItemLimit {
    /// Room for any document that a plugin takes in one piece, and small enough that an
    /// input without separators does not fill the memory.
    pub const DEFAULT: Self = Self(NonZeroUsize::new(64 << 20).expect("64 MiB is not nothing"));

    /// A limit of `bytes`; none if that is 0, because then no item could be read.
    #[must_use]
    pub const fn new(bytes: usize) -> Option<Self> {
        match NonZeroUsize::new(bytes) {
            Some(bytes) => Some(Self(bytes)),
            None => None,
        }
    }

    /// The limit in bytes.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0.get()
    }
}

impl Default for ItemLimit {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Display for ItemLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(usize, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        let bytes = self.get();
        match UNITS.iter().find(|(size, _)| bytes.is_multiple_of(*size)) {
            Some((size, unit)) => write!(f, "{} {unit}", bytes / size),
            None if bytes == 1 => f.write_str("1 byte"),
            None => write!(f, "{bytes} bytes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_shown_in_the_largest_unit_that_says_it_exactly() {
        let cases = [
            (1, "1 byte"),
            (1000, "1000 bytes"),
            (1024, "1 KiB"),
            (1536, "1536 bytes"),
            (64 << 20, "64 MiB"),
            (1 << 30, "1 GiB"),
        ];
        for (bytes, shown) in cases {
            assert_eq!(ItemLimit::new(bytes).unwrap().to_string(), shown);
        }
    }
}
