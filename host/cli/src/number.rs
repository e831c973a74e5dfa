//! Numbers without a unit on the command line. The errors of the standard library describe invalid digits and the
//! ranges of types. The errors of this module name the valid numbers instead.

use std::num::NonZeroU64;
use std::str::FromStr;

/// Error of a text that is not such a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParseNumberError {
    #[error("not a number from 0 to {}", u32::MAX)]
    From0,
    #[error("not a number of items, at least 1")]
    From1,
    #[error("not a number of items such as `1000`")]
    Items,
}

/// Parses a number from 0.
pub(super) fn from_0(text: &str) -> Result<u32, ParseNumberError> {
    text.parse().map_err(|_| ParseNumberError::From0)
}

/// Parses a number of items from 1.
pub(super) fn from_1(text: &str) -> Result<NonZeroU64, ParseNumberError> {
    text.parse().map_err(|_| ParseNumberError::From1)
}

/// Parses a number of items from 0.
pub(super) fn items<T: FromStr>(text: &str) -> Result<T, ParseNumberError> {
    text.parse().map_err(|_| ParseNumberError::Items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_respect_their_minimum() {
        #[rustfmt::skip]
        let cases = [
            // text         from 0    from 1
            ("0",           Some(0),  None),
            ("1",           Some(1),  Some(1)),
            ("4294967296",  None,     Some(4_294_967_296)),
            ("-1",          None,     None),
            ("many",        None,     None),
            ("",            None,     None),
        ];
        for (text, zero, one) in cases {
            assert_eq!(from_0(text).ok(), zero, "{text}");
            assert_eq!(from_1(text).ok().map(NonZeroU64::get), one, "{text}");
        }
    }
}
