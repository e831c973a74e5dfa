//! The rules by which an instance is replaced and an item is tried again.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use crate::item::fault::FaultKind;
use crate::item::parse_error::ParseError;
use crate::item::retry_on::RetryOn;

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
const NOT_A_LIMIT: ParseError = ParseError::new("neither a number of restarts nor `unlimited`");

impl FromStr for MaxRestarts {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "unlimited" => Ok(Self::Unlimited),
            _ => text.parse().map(Self::AtMost).map_err(|_| NOT_A_LIMIT),
        }
    }
}
