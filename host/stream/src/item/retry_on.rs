//! The kinds of faults after which an item is tried again.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};

use crate::item::fault::FaultKind;
use crate::item::parse_error::ParseError;

/// The kinds of faults after which an item is tried again, if retries are enabled.
///
/// ```
/// use mtl_host::{FaultKind, RetryOn};
///
/// let retry_on: RetryOn = "refused,timeout".parse()?;
/// assert!(retry_on.contains(FaultKind::Refused));
/// assert!(!retry_on.contains(FaultKind::Trap));
/// assert_eq!(
///     RetryOn::NONE.with(FaultKind::Timeout).with(FaultKind::Refused),
///     retry_on,
/// );
/// assert_eq!(RetryOn::default().to_string(), "trap,timeout,out-of-memory,crashed");
/// # Ok::<(), mtl_host::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RetryOn(u16);

impl RetryOn {
    /// The empty set.
    pub const NONE: Self = Self(0);

    /// Returns this set with `kind` added. If `kind` is `not-run`, returns the set unchanged,
    /// because an item that was not run cannot be tried again.
    #[must_use]
    pub const fn with(self, kind: FaultKind) -> Self {
        match kind {
            FaultKind::NotRun => self,
            kind => Self(self.0 | 1 << kind as u16),
        }
    }

    /// Returns whether an item with a fault of this kind is tried again.
    #[must_use]
    pub const fn contains(self, kind: FaultKind) -> bool {
        self.0 & 1 << kind as u16 != 0
    }
}

impl<'de> Deserialize<'de> for RetryOn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bits = u16::deserialize(deserializer)?;
        let all = FaultKind::ALL.into_iter().fold(Self::NONE, Self::with);
        if bits & !all.0 != 0 {
            let unexpected = Unexpected::Unsigned(bits.into());
            return Err(D::Error::invalid_value(unexpected, &"a set of faults"));
        }
        Ok(Self(bits))
    }
}

impl Default for RetryOn {
    /// Returns the kinds of faults that the state of the instance or chance may cause: trap,
    /// timeout, out of memory and crashed. The set does not include errors that a plugin reports.
    fn default() -> Self {
        Self::NONE
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

/// The error for `not-run`: an item that was not run cannot be tried again.
const NOT_RUN: ParseError = ParseError::new("an item that was `not-run` cannot be tried again");

impl FromStr for RetryOn {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut kinds = Self::NONE;
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
    fn the_retried_fault_kinds_are_parsed_by_name() {
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
            let actual = parsed.map(|kinds| kinds.to_string()).map_err(|error| error.to_string());
            assert_eq!(actual, expected.map(str::to_owned).map_err(str::to_owned), "{text}");
        }
    }

    #[test]
    fn a_set_with_unretryable_faults_is_rejected() {
        let read = |bits: u16| {
            let sent = postcard::to_allocvec(&bits).unwrap();
            postcard::from_bytes::<RetryOn>(&sent).ok()
        };
        assert_eq!(read(RetryOn::default().0), Some(RetryOn::default()));
        assert_eq!(read(0), Some(RetryOn::NONE));
        assert_eq!(read(1 << FaultKind::NotRun as u16), None);
        assert_eq!(read(1 << 15), None);
    }
}
