//! The number of functions that a plugin may have.

use std::num::NonZeroU32;

use super::limit;
use crate::item::parse_error::ParseError;
use crate::item::quantity::Count;

limit! {
    /// The most functions of a plugin, in all modules of its file together.
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
    pub struct FunctionLimit(NonZeroU32) as Count or NOT_A_LIMIT;
    /// Several times as many as an interpreter of Python or Ruby has. Empty ones, of 4 bytes
    /// each, take the compiler some 2 s and 300 MB.
    DEFAULT = 50_000
}

impl FunctionLimit {
    /// So many functions.
    #[must_use]
    pub const fn new(functions: NonZeroU32) -> Self {
        Self(functions)
    }

    /// Returns the number of functions.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

/// Not a number of functions.
const NOT_A_LIMIT: ParseError = ParseError::new("not a number of functions, from 1 to 4294967295");
