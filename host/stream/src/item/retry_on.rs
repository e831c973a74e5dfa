//! The faults after which an item is tried again.

use std::fmt;
use std::str::FromStr;

use crate::item::fault::FaultKind;
use crate::item::parse_error::ParseError;

/// After which faults an item is tried again, if it is.
///
/// ```
/// use mtl_host::{FaultKind, RetryOn};
///
/// let retry_on: RetryOn = "refused,timeout".parse()?;
/// assert!(retry_on.contains(FaultKind::Refused));
/// assert!(!retry_on.contains(FaultKind::Trap));
/// assert_eq!(
///     RetryOn::NOTHING.with(FaultKind::Timeout).with(FaultKind::Refused),
///     retry_on,
/// );
/// assert_eq!(RetryOn::default().to_string(), "trap,timeout,out-of-memory,crashed");
/// # Ok::<(), mtl_host::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RetryOn(u16);

impl RetryOn {
    /// No fault.
    pub const NOTHING: Self = Self(0);

    /// The same, and this kind. An item that was not run is never tried again.
    #[must_use]
    pub const fn with(self, kind: FaultKind) -> Self {
        match kind {
            FaultKind::NotRun => self,
            kind => Self(self.0 | 1 << kind as u16),
        }
    }

    /// Returns the kinds as bits.
    #[doc(hidden)]
    pub fn bits(self) -> u16 {
        self.0
    }

    /// Reads the kinds from bits.
    #[doc(hidden)]
    pub fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// Whether an item that failed so is tried again.
    #[must_use]
    pub const fn contains(self, kind: FaultKind) -> bool {
        self.0 & 1 << kind as u16 != 0
    }
}

impl Default for RetryOn {
    /// What may have been the instance's fault, or bad luck: trap, timeout, out of memory and
    /// crashed. What a plugin says of an item is taken as its last word.
    fn default() -> Self {
        Self::NOTHING
            .with(FaultKind::Trap)
            .with(FaultKind::Timeout)
            .with(FaultKind::OutOfMemory)
            .with(FaultKind::Crashed)
    }
}

impl fmt::Debug for RetryOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RetryOn({self})")
    }
}

impl fmt::Display for RetryOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = FaultKind::ALL.into_iter().filter(|kind| self.contains(*kind));
        let names: Vec<_> = kinds.map(FaultKind::name).collect();
        f.pad(&names.join(","))
    }
}

/// An item that was not run has not been tried.
const NOT_RUN: ParseError = ParseError::new("an item that was `not-run` cannot be tried again");

impl FromStr for RetryOn {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut kinds = Self::NOTHING;
        for name in text.split(',') {
            match name.trim().parse()? {
                FaultKind::NotRun => return Err(NOT_RUN),
                kind => kinds = kinds.with(kind),
            }
        }
        Ok(kinds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_faults_that_are_retried_are_named() {
        #[rustfmt::skip]
        let cases = [
            ("trap",            Ok("trap")),
            ("timeout, trap",   Ok("trap,timeout")),
            ("refused,refused", Ok("refused")),
            ("",                Err("`` is not a kind of fault: they are refused, trap, timeout, out-of-memory, out-of-fuel, out-of-disk, bad-item, bad-result, crashed, not-run")),
            ("trap,oops",       Err("`oops` is not a kind of fault: they are refused, trap, timeout, out-of-memory, out-of-fuel, out-of-disk, bad-item, bad-result, crashed, not-run")),
            ("not-run",         Err("an item that was `not-run` cannot be tried again")),
        ];
        for (text, expected) in cases {
            let parsed = text.parse::<RetryOn>();
            let told = parsed.map(|kinds| kinds.to_string()).map_err(|error| error.to_string());
            assert_eq!(told, expected.map(str::to_owned).map_err(str::to_owned), "{text}");
        }
    }
}
