//! How large one item may be.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use crate::item::byte_size::ByteSize;
use crate::item::limits::NOT_A_SIZE;
use crate::item::parse_error::ParseError;

/// Upper bound on one item's bytes.
///
/// A longer record is a fault of that item; of a frame, an error, because a stream whose
/// lengths make no sense cannot be read on.
///
/// ```
/// use mtl_host::source::ItemLimit;
///
/// assert_eq!(ItemLimit::DEFAULT.to_string(), "64MiB");
/// assert_eq!("1KiB".parse().ok(), ItemLimit::new(1024));
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

impl FromStr for ItemLimit {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        text.parse().map(|ByteSize(bytes)| Self(bytes)).map_err(|_| NOT_A_SIZE)
    }
}

impl fmt::Display for ItemLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ByteSize(self.0).fmt(f)
    }
}
