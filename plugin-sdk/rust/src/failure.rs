//! Errors of a worker, and failures of one item.
//!
//! `?` and `into()` convert any text to either type, and any error that is `Send` and `Sync`. The
//! types do not implement [`std::error::Error`]. Otherwise, this conversion would overlap with
//! `From<T> for T`.

use std::fmt;

type BoxedError = Box<dyn std::error::Error + Send + Sync>;

/// The reason why a worker cannot start or finish: a message for the user of the host.
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
    /// Creates an error with this message.
    ///
    /// ```
    /// # use mtl_plugin::Error;
    /// let error = "x".parse::<u8>().map_err(Error::new).unwrap_err();
    /// assert_eq!(error.message(), "invalid digit found in string");
    /// ```
    pub fn new(message: impl fmt::Display) -> Self {
        Self(message.to_string())
    }

    /// Returns the message.
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

impl<E: Into<BoxedError>> From<E> for Error {
    fn from(error: E) -> Self {
        Self(error_chain_text(&*error.into()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The reason why an item has no result.
///
/// `?` converts any error to a refusal. Use [`bad_item`](Failure::bad_item) if the item itself is
/// wrong.
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
    /// The item itself is wrong: the worker cannot read it.
    BadItem(String),
    /// The worker refuses an item that it can read.
    Refused(String),
}

impl Failure {
    /// Reports an item that the worker cannot read.
    ///
    /// ```
    /// # use mtl_plugin::Failure;
    /// let failure = "x".parse::<u8>().map_err(Failure::bad_item).unwrap_err();
    /// assert_eq!(failure, Failure::BadItem("invalid digit found in string".into()));
    /// ```
    pub fn bad_item(message: impl fmt::Display) -> Self {
        Self::BadItem(message.to_string())
    }

    /// Reports an item that the worker can read, but that has no result.
    ///
    /// ```
    /// # use mtl_plugin::Failure;
    /// assert_eq!(Failure::refused("too large"), Failure::from("too large"));
    /// ```
    pub fn refused(message: impl fmt::Display) -> Self {
        Self::Refused(message.to_string())
    }

    /// Returns the message.
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

impl<E: Into<BoxedError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Refused(error_chain_text(&*error.into()))
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

/// Joins the texts of an error and its causes to one line.
fn error_chain_text(error: &dyn std::error::Error) -> String {
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
    fn the_question_mark_turns_any_error_into_a_failure() {
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
