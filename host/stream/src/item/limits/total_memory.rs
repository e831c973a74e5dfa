//! The memory of all instances of a pool together.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::item::byte_size::ByteSize;
use crate::item::parse_error::ParseError;

/// What all instances of a pool may take of memory, together.
///
/// Each has its own [`MemoryLimit`](super::MemoryLimit) beside. A growth that would pass it is
/// refused: the item of that instance has the fault `out-of-memory`, the others go on. What an
/// instance has is given back when it is replaced.
///
/// ```
/// use mtl_host::TotalMemory;
///
/// let limit: TotalMemory = "4GiB".parse()?;
/// assert_eq!(limit.to_string(), "4GiB");
/// assert_eq!("unlimited".parse(), Ok(TotalMemory::Unlimited));
/// # Ok::<(), mtl_host::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TotalMemory {
    /// As much as each may have: a library does not look at the machine that it is on. The
    /// command does, and allows three quarters of what is there.
    #[default]
    Unlimited,
    /// So many bytes.
    AtMost(NonZeroUsize),
}

impl TotalMemory {
    /// Whether so many bytes may be taken.
    #[doc(hidden)]
    pub fn allows(self, bytes: usize) -> bool {
        match self {
            Self::Unlimited => true,
            Self::AtMost(most) => bytes <= most.get(),
        }
    }
}

/// Not what all instances may take together.
const NOT_A_LIMIT: ParseError = ParseError::new("not a size, such as `4GiB`, and not `unlimited`");

impl FromStr for TotalMemory {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "unlimited" => Ok(Self::Unlimited),
            size => {
                size.parse().map(|ByteSize(bytes)| Self::AtMost(bytes)).map_err(|_| NOT_A_LIMIT)
            }
        }
    }
}

impl fmt::Display for TotalMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.pad("unlimited"),
            Self::AtMost(bytes) => ByteSize(*bytes).fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_is_a_size_or_unlimited() {
        for (text, most) in [("unlimited", None), ("1", Some(1)), ("2KiB", Some(2048))] {
            let total: TotalMemory = text.parse().unwrap();
            assert_eq!(total.to_string(), text);
            assert!(total.allows(most.unwrap_or(usize::MAX)), "{text}");
            assert!(most.is_none_or(|most| !total.allows(most + 1)), "{text}");
        }
        for text in ["0", "", "none", "-1"] {
            assert_eq!(text.parse::<TotalMemory>(), Err(NOT_A_LIMIT), "{text}");
        }
    }
}
