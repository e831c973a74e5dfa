//! The number of functions that a plugin may have.

use std::num::NonZeroU32;

use super::limit;
use crate::item::parse_error::ParseError;
use crate::item::quantity::Count;

limit! {
    /// The maximum number of functions of a plugin, in all modules of its file together.
    ///
    /// The host refuses to compile a plugin with more functions. A file of some hundred kilobytes
    /// can have so many empty functions that the compiler needs gigabytes of memory.
    ///
    /// ```
    /// use mtl_host::limits::FunctionLimit;
    ///
    /// assert_eq!(FunctionLimit::DEFAULT.get(), 50_000);
    /// assert_eq!("7".parse(), Ok(FunctionLimit::new(7.try_into().unwrap())));
    /// ```
    pub struct FunctionLimit(NonZeroU32) as Count or NOT_A_LIMIT;
    /// Several times as many functions as an interpreter of Python or Ruby has. For this number of
    /// empty functions, of 4 bytes each, the compiler needs about 2 s and 300 MB.
    DEFAULT = 50_000
}

impl FunctionLimit {
    /// Creates a limit of this number of functions.
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

/// The error for a text that is not a number of functions.
const NOT_A_LIMIT: ParseError = ParseError::new("not a number of functions, from 1 to 4294967295");
