//! What can go wrong in a worker: with the worker itself, or with one item.
//!
//! Both types take any error that threads may share, and any text, by `?` and `into()`. For that they do not implement
//! [`std::error::Error`] themselves; they are where errors end.

use std::fmt;

type Boxed = Box<dyn std::error::Error + Send + Sync>;

/// Why a worker could not be started, or not be ended. A message for the person at the host.
///
/// ```
/// use mtl_plugin::Error;
///
/// fn vocabulary(path: &str) -> Result<String, Error> {
///     if path.is_empty() {
///         return Err("the path of a vocabulary is needed".into());
///     }
///     Ok(std::fs::read_to_string(path)?)
/// }
///
/// assert_eq!(vocabulary("").unwrap_err().message(), "the path of a vocabulary is needed");
/// assert!(vocabulary("/no/such").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(String);

impl Error {
    /// An error with this message.
    ///
    /// ```
    /// # use mtl_plugin::Error;
    /// let error = "x".parse::<u8>().map_err(Error::new).unwrap_err();
    /// assert_eq!(error.message(), "invalid digit found in string");
    /// ```
    pub fn new(message: impl fmt::Display) -> Self {
        Self(message.to_string())
    }

    /// What is shown.
    ///
    /// ```
    /// # use mtl_plugin::Error;
    /// assert_eq!(Error::new("no model").message(), "no model");
    /// ```
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_message(self) -> String {
        self.0
    }
}

impl<E: Into<Boxed>> From<E> for Error {
    fn from(error: E) -> Self {
        Self(with_sources(&*error.into()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why an item has no result.
///
/// `?` makes any error a refusal; say [`bad_item`](Failure::bad_item) where the item is to blame.
///
/// ```
/// use mtl_plugin::Failure;
///
/// fn third(item: &str) -> Result<char, Failure> {
///     item.chars().nth(2).ok_or_else(|| Failure::bad_item("shorter than three letters"))
/// }
///
/// assert_eq!(third("ab").unwrap_err().message(), "shorter than three letters");
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
    /// # use mtl_plugin::Failure;
    /// let failure = "x".parse::<u8>().map_err(Failure::bad_item).unwrap_err();
    /// assert_eq!(failure, Failure::BadItem("invalid digit found in string".into()));
    /// ```
    pub fn bad_item(message: impl fmt::Display) -> Self {
        Self::BadItem(message.to_string())
    }

    /// The item is what it should be, and yet has no result.
    ///
    /// ```
    /// # use mtl_plugin::Failure;
    /// assert_eq!(Failure::refused("too large"), Failure::from("too large"));
    /// ```
    pub fn refused(message: impl fmt::Display) -> Self {
        Self::Refused(message.to_string())
    }

    /// What is shown.
    ///
    /// ```
    /// # use mtl_plugin::Failure;
    /// assert_eq!(Failure::refused("too large").message(), "too large");
    /// ```
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::BadItem(message) | Self::Refused(message) => message,
        }
    }
}

impl<E: Into<Boxed>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Refused(with_sources(&*error.into()))
    }
}

impl From<Error> for Failure {
    fn from(Error(message): Error) -> Self {
        Self::Refused(message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

/// The text of an error, and of what caused it, as one line.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[derive(Debug)]
    struct Outer(io::Error);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("cannot read the model")
        }
    }

    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn every_error_and_text_becomes_a_failure_by_question_mark() {
        fn all(which: u8) -> Result<(), Failure> {
            match which {
                0 => Err("text")?,
                1 => Err(String::from("owned text"))?,
                2 => Err(Outer(io::Error::other("disk on fire")))?,
                3 => Err(Box::<dyn std::error::Error + Send + Sync>::from("boxed"))?,
                _ => Err(Error::new("of the worker"))?,
            }
            Ok(())
        }
        #[rustfmt::skip]
        let cases = [
            (0, "text"),
            (1, "owned text"),
            (2, "cannot read the model: disk on fire"),
            (3, "boxed"),
            (4, "of the worker"),
        ];
        for (which, message) in cases {
            assert_eq!(all(which), Err(Failure::Refused(message.into())));
        }
    }
}
