//! The error of parsing a value from text.

use std::borrow::Cow;

/// The error of a text that is not a value of the type.
///
/// ```
/// use mtl_host::limits::Fuel;
/// use mtl_host::ParseError;
///
/// let error: ParseError = "lots".parse::<Fuel>().unwrap_err();
/// assert_eq!(error.to_string(), "not an amount of fuel, such as `1000000`, `50M` or `2G`");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseError(Cow<'static, str>);

impl ParseError {
    /// Creates the error with a constant message.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(message: &'static str) -> Self {
        Self(Cow::Borrowed(message))
    }

    /// Creates the error with this message.
    #[doc(hidden)]
    #[must_use]
    pub fn of(message: String) -> Self {
        Self(Cow::Owned(message))
    }
}
