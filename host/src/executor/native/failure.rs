//! The failure of a native worker on an item.

use std::fmt;

use crate::item::fault::FaultKind;
use crate::item::instance_failure::InstanceFailure;

/// The failure of a native worker on an item.
///
/// `?` and `into()` turn any text, and any error that is `Send` and `Sync`, into
/// [`Refused`](Failure::Refused). Rust allows this conversion only because this type is not itself a
/// [`std::error::Error`]. Use [`bad_item`](Failure::bad_item) if the item is invalid.
///
/// ```
/// use mtl_host::native::Failure;
///
/// fn half(item: &str) -> Result<u32, Failure> {
///     let number: u32 = item.parse().map_err(Failure::bad_item)?;
///     if number % 2 == 1 {
///         return Err("it is odd".into());
///     }
///     Ok(number / 2)
/// }
///
/// assert_eq!(half("6"), Ok(3));
/// assert_eq!(half("7"), Err(Failure::Refused("it is odd".into())));
/// assert!(matches!(half("x"), Err(Failure::BadItem(_))));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The item is invalid: it cannot be parsed.
    BadItem(String),
    /// The worker refused a valid item.
    Refused(String),
}

impl Failure {
    /// Returns the failure of an invalid item, such as an item that cannot be parsed.
    ///
    /// ```
    /// # use mtl_host::native::Failure;
    /// let number = "x".parse::<u32>().map_err(Failure::bad_item);
    /// assert_eq!(number, Err(Failure::BadItem("invalid digit found in string".into())));
    /// ```
    pub fn bad_item(message: impl fmt::Display) -> Self {
        Self::BadItem(message.to_string())
    }

    /// Returns the failure of a valid item for which the worker has no result.
    ///
    /// ```
    /// # use mtl_host::native::Failure;
    /// let failure = Failure::refused(format_args!("{} is too many", 7));
    /// assert_eq!(failure.message(), "7 is too many");
    /// ```
    pub fn refused(message: impl fmt::Display) -> Self {
        Self::Refused(message.to_string())
    }

    /// Returns the message of the failure.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::BadItem(message) | Self::Refused(message) => message,
        }
    }

    pub(crate) fn into_instance_failure(self) -> InstanceFailure {
        match self {
            Self::BadItem(message) => InstanceFailure::new(FaultKind::BadItem, message),
            Self::Refused(message) => InstanceFailure::new(FaultKind::Refused, message),
        }
    }
}

impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message = format!("{message}: {error}");
            cause = error.source();
        }
        Self::Refused(message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}
