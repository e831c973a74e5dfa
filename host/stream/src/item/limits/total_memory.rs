//! The memory of all instances of a pool together.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::item::byte_size::ByteSize;
use crate::item::parse_error::ParseError;

/// The maximum memory of all instances of a pool together.
///
/// Each instance has its own [`MemoryLimit`](super::MemoryLimit) in addition. If an instance
/// requests more memory than is left of the total, the host refuses the request. The item of that
/// instance fails with the fault `out-of-memory`. Other instances continue. When an instance is
/// replaced, its memory becomes available to other instances.
///
/// ```
/// use mtl_host::limits::TotalMemory;
///
/// let limit: TotalMemory = "4GiB".parse()?;
/// assert_eq!(limit.to_string(), "4GiB");
/// assert_eq!("unlimited".parse(), Ok(TotalMemory::Unlimited));
/// # Ok::<(), mtl_host::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TotalMemory {
    /// No limit on the total. This is the default of the library, which does not query the
    /// machine's memory. The command's default is three quarters of the available memory.
    #[default]
    Unlimited,
    /// This number of bytes.
    AtMost(NonZeroUsize),
}

impl TotalMemory {
    /// Returns whether instances may have this number of bytes together.
    #[doc(hidden)]
    pub fn allows(self, bytes: usize) -> bool {
        match self {
            Self::Unlimited => true,
            Self::AtMost(most) => bytes <= most.get(),
        }
    }
}

/// The error for a text that is not a limit of the total.
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
