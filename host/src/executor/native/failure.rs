//! The reason for which a native worker has no result for an item.

use std::fmt;

use crate::item::failure::Broken;
use crate::item::fault::FaultKind;

/// Why a native worker has no result for an item.
///
/// `?` and `into()` make a refusal of any error that threads may share, and of any text; for
/// that it is no [`std::error::Error`] itself. Say [`bad_item`](Failure::bad_item) where the
/// item is to blame.
///
/// ```
/// use mtl_host::Failure;
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
    /// The item itself is at fault: it cannot be read as what it should be.
    BadItem(String),
    /// The worker refused the item.
    Refused(String),
}

impl Failure {
    /// The item cannot be read as what it should be.
    ///
    /// ```
    /// # use mtl_host::Failure;
    /// let number = "x".parse::<u32>().map_err(Failure::bad_item);
    /// assert_eq!(number, Err(Failure::BadItem("invalid digit found in string".into())));
    /// ```
    pub fn bad_item(message: impl fmt::Display) -> Self {
        Self::BadItem(message.to_string())
    }

    /// The item is what it should be, and yet has no result.
    ///
    /// ```
    /// # use mtl_host::Failure;
    /// let failure = Failure::refused(format_args!("{} is too many", 7));
    /// assert_eq!(failure.message(), "7 is too many");
    /// ```
    pub fn refused(message: impl fmt::Display) -> Self {
        Self::Refused(message.to_string())
    }

    /// What is shown.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::BadItem(message) | Self::Refused(message) => message,
        }
    }

    pub(crate) fn into_broken(self) -> Broken {
        match self {
            Self::BadItem(message) => Broken::new(FaultKind::BadItem, message),
            Self::Refused(message) => Broken::new(FaultKind::Refused, message),
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
