//! When a worker's instance is replaced, and when an item is tried again.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use crate::fault::{FaultKind, UnknownFaultKind};

/// When instances are replaced and items tried again; by default, only after a break.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Renewal {
    pub(crate) retries: u32,
    pub(crate) retry_on: RetryOn,
    pub(crate) max_restarts: MaxRestarts,
    /// After how many items an instance is replaced though nothing is wrong with it.
    pub(crate) recycle: Option<NonZeroU64>,
}

impl Renewal {
    /// Whether an item that failed so is tried again at all.
    pub(crate) fn retries(self, kind: FaultKind) -> bool {
        self.retries > 0 && self.retry_on.contains(kind)
    }

    /// For which faults an outcome is not the last word.
    pub(crate) fn provisional(self) -> RetryOn {
        if self.retries > 0 { self.retry_on } else { RetryOn::NOTHING }
    }
}

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
/// # Ok::<(), mtl_host::NotRetryOn>(())
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

    pub(crate) fn bits(self) -> u16 {
        self.0
    }

    pub(crate) fn from_bits(bits: u16) -> Self {
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

/// Not a list of faults after which an item can be tried again.
///
/// ```
/// use mtl_host::{NotRetryOn, RetryOn};
///
/// let error = "trap,not-run".parse::<RetryOn>().unwrap_err();
/// assert_eq!(error, NotRetryOn::NotRun);
/// assert_eq!(error.to_string(), "an item that was `not-run` cannot be tried again");
/// assert!(matches!("oom".parse::<RetryOn>(), Err(NotRetryOn::Unknown(_))));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotRetryOn {
    /// A name is not that of a kind of fault.
    #[error(transparent)]
    Unknown(#[from] UnknownFaultKind),
    /// An item that was not run has not been tried.
    #[error("an item that was `not-run` cannot be tried again")]
    NotRun,
}

impl FromStr for RetryOn {
    type Err = NotRetryOn;

    fn from_str(text: &str) -> Result<Self, NotRetryOn> {
        let mut kinds = Self::NOTHING;
        for name in text.split(',') {
            match name.trim().parse()? {
                FaultKind::NotRun => return Err(NotRetryOn::NotRun),
                kind => kinds = kinds.with(kind),
            }
        }
        Ok(kinds)
    }
}

/// How often in a row a worker is restarted, without finishing an item in between, before it
/// is retired. However often one item is tried again, its restarts count as one; a start that fails
/// counts each time. A first start is tried again only after
/// [some failures](crate::StartError::is_transient).
///
/// ```
/// use mtl_host::MaxRestarts;
///
/// assert_eq!("5".parse(), Ok(MaxRestarts::AtMost(5)));
/// assert_eq!("unlimited".parse(), Ok(MaxRestarts::Unlimited));
/// assert_eq!(MaxRestarts::default().to_string(), "unlimited");
/// assert_eq!(MaxRestarts::FAILED_STARTS, 3);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MaxRestarts {
    /// Any number, as each item that breaks an instance has its fault; but one that cannot
    /// start is given up after [`MaxRestarts::FAILED_STARTS`] attempts.
    #[default]
    Unlimited,
    /// At most so many, whether they start or not.
    AtMost(u32),
}

impl MaxRestarts {
    /// An instance that fails to start so often in a row will not start.
    pub const FAILED_STARTS: u32 = 3;

    /// Whether a worker is given up after `restarts` in a row, of which the last `failed` did
    /// not even start.
    pub(crate) fn are_used_up(self, restarts: u32, failed: u32) -> bool {
        match self {
            Self::Unlimited => failed >= Self::FAILED_STARTS,
            Self::AtMost(most) => restarts >= most,
        }
    }
}

impl fmt::Display for MaxRestarts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.pad("unlimited"),
            Self::AtMost(most) => most.fmt(f),
        }
    }
}

/// Neither a number nor `unlimited`.
///
/// ```
/// let error = "-1".parse::<mtl_host::MaxRestarts>().unwrap_err();
/// assert_eq!(error.to_string(), "neither a number of restarts nor `unlimited`");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither a number of restarts nor `unlimited`")]
pub struct NotMaxRestarts;

impl FromStr for MaxRestarts {
    type Err = NotMaxRestarts;

    fn from_str(text: &str) -> Result<Self, NotMaxRestarts> {
        match text {
            "unlimited" => Ok(Self::Unlimited),
            _ => text.parse().map(Self::AtMost).map_err(|_| NotMaxRestarts),
        }
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
