//! The number of workers of a pool whose workers are all alike.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use crate::item::parse_error::ParseError;

/// The number of workers of a pool.
///
/// ```
/// use mtl_host::Jobs;
///
/// assert_eq!("4".parse::<Jobs>()?.to_string(), "4");
/// assert_eq!(Jobs::default(), Jobs::PerCore);
/// assert!(Jobs::MAX.to_string().parse::<Jobs>().is_ok());
/// # Ok::<(), mtl_host::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Jobs {
    /// One worker for each core that this process may use.
    #[default]
    PerCore,
    /// The given number of workers.
    Exactly(NonZeroU32),
}

impl Jobs {
    /// The largest number of workers. Most systems refuse more threads, and more threads would not
    /// help.
    pub const MAX: u32 = 10_000;

    pub(super) fn count(self) -> u32 {
        match self {
            Self::PerCore => {
                let cores = std::thread::available_parallelism().map_or(1, usize::from);
                u32::try_from(cores).unwrap_or(Self::MAX).min(Self::MAX)
            }
            Self::Exactly(count) => count.get(),
        }
    }
}

const NOT_A_NUMBER: ParseError = ParseError::new("not a number from 1 to 10000");

impl FromStr for Jobs {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let count = text.parse().map_err(|_| NOT_A_NUMBER)?;
        if count > Self::MAX {
            return Err(NOT_A_NUMBER);
        }
        NonZeroU32::new(count).map(Self::Exactly).ok_or(NOT_A_NUMBER)
    }
}

impl fmt::Display for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PerCore => f.pad("one per core"),
            Self::Exactly(count) => count.fmt(f),
        }
    }
}
