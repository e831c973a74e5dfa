//! How many functions a plugin may have.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use crate::item::parse_error::ParseError;

/// How many functions a plugin may have, in all modules of its file together.
///
/// One with more is not compiled: a file of some hundred kilobytes can hold so many empty ones
/// that the compiler takes gigabytes.
///
/// ```
/// use mtl_host::FunctionLimit;
///
/// assert_eq!(FunctionLimit::DEFAULT.get(), 50_000);
/// assert_eq!("7".parse(), Ok(FunctionLimit::new(7.try_into().unwrap())));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FunctionLimit(NonZeroU32);

impl FunctionLimit {
    /// Several times as many as an interpreter of Python or Ruby has. Empty ones, of 4 bytes
    /// each, take the compiler some 2 s and 300 MB.
    pub const DEFAULT: Self = Self(NonZeroU32::new(50_000).expect("not zero"));

    /// So many functions.
    #[must_use]
    pub const fn new(functions: NonZeroU32) -> Self {
        Self(functions)
    }

    /// How many functions.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl Default for FunctionLimit {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Not a number of functions.
const NOT_A_LIMIT: ParseError = ParseError::new("not a number of functions, from 1 to 4294967295");

impl FromStr for FunctionLimit {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        text.parse().map(Self).map_err(|_| NOT_A_LIMIT)
    }
}

impl fmt::Display for FunctionLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
