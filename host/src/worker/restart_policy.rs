//! The rules for replacing an instance and retrying an item.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use crate::item::fault::FaultKind;
use crate::item::parse_error::ParseError;
use crate::item::retry_on::RetryOn;

/// The restart policy: it defines when instances are replaced and when items are tried again. By
/// default, only failed instances are replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RestartPolicy {
    pub(crate) retries: u32,
    pub(crate) retry_on: RetryOn,
    pub(crate) max_restarts: MaxRestarts,
    /// The number of items after which an instance is replaced, even if it works.
    pub(crate) recycle: Option<NonZeroU64>,
}

impl RestartPolicy {
    /// Returns whether an item with this fault may be tried again.
    pub(crate) fn allows_retry(self, kind: FaultKind) -> bool {
        self.retries > 0 && self.retry_on.contains(kind)
    }

    /// Returns the faults after which an item may be tried again.
    pub(crate) fn retryable(self) -> RetryOn {
        if self.retries > 0 { self.retry_on } else { RetryOn::NONE }
    }
}

/// The limit of restarts in a row, after which a worker is retired. A finished item resets the
/// count.
///
/// All retries of one item count as one restart. Each failed start counts as one restart. A
/// worker's first start is tried again only after a [transient
/// failure](crate::StartError::is_transient).
///
/// ```
/// use mtl_host::limits::MaxRestarts;
///
/// assert_eq!("5".parse(), Ok(MaxRestarts::AtMost(5)));
/// assert_eq!("unlimited".parse(), Ok(MaxRestarts::Unlimited));
/// assert_eq!(MaxRestarts::default().to_string(), "unlimited");
/// assert_eq!(MaxRestarts::FAILED_STARTS, 3);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MaxRestarts {
    /// No limit for failed instances, because a failed instance loses only its current item. But a
    /// worker that cannot start is retired after [`MaxRestarts::FAILED_STARTS`] attempts.
    #[default]
    Unlimited,
    /// At most the given number of restarts, whether they succeed or fail.
    AtMost(u32),
}

impl MaxRestarts {
    /// The number of failed starts in a row after which a worker is retired even without a limit.
    pub const FAILED_STARTS: u32 = 3;

    /// Returns whether a worker must be retired after `restarts` restarts in a row. The last
    /// `failed` restarts were failed starts.
    pub(crate) fn is_exceeded_by(self, restarts: u32, failed: u32) -> bool {
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
