//! How many functions a plugin may have.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

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
///
/// ```
/// let error = "0".parse::<mtl_host::FunctionLimit>().unwrap_err();
/// assert_eq!(error, mtl_host::NotAFunctionLimit);
/// assert_eq!(error.to_string(), "not a number of functions, from 1 to 4294967295");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a number of functions, from 1 to 4294967295")]
pub struct NotAFunctionLimit;

impl FromStr for FunctionLimit {
    type Err = NotAFunctionLimit;

    fn from_str(text: &str) -> Result<Self, NotAFunctionLimit> {
        text.parse().map(Self).map_err(|_| NotAFunctionLimit)
    }
}

impl fmt::Display for FunctionLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
