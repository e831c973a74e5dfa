//! Types that can be read from the text of `--init`.

use crate::Error;

/// A type that can be read from the arguments of a worker.
///
/// Implemented for `()`, `String`, `Vec<u8>`, [`Json<T>`](crate::Json), and an `Option` of these.
/// The `Option` is `None` if there are no arguments.
///
/// ```
/// use mtl_plugin::{FromArgs, Json};
///
/// assert_eq!(String::from_args(b"/data/model")?, "/data/model");
/// assert_eq!(Option::<Json<u32>>::from_args(b"")?, None);
/// assert!(<()>::from_args(b"what for?").is_err());
/// # Ok::<(), mtl_plugin::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`--init` cannot be read as `{Self}`",
    note = "a type that serde reads can be used as `Json<…>`"
)]
pub trait FromArgs: Sized {
    /// Reads the arguments, which are empty without `--init`.
    ///
    /// # Errors
    ///
    /// Fails if the arguments do not fit the type. The error ends the run.
    fn from_args(args: &[u8]) -> Result<Self, Error>;
}

impl FromArgs for () {
    fn from_args(args: &[u8]) -> Result<Self, Error> {
        if args.is_empty() { Ok(()) } else { Err(Error::new("this worker takes no arguments")) }
    }
}

impl FromArgs for Vec<u8> {
    fn from_args(args: &[u8]) -> Result<Self, Error> {
        Ok(args.to_vec())
    }
}

impl FromArgs for String {
    fn from_args(args: &[u8]) -> Result<Self, Error> {
        match std::str::from_utf8(args) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(Error::new("the arguments are not UTF-8")),
        }
    }
}

impl<T: FromArgs> FromArgs for Option<T> {
    fn from_args(args: &[u8]) -> Result<Self, Error> {
        if args.is_empty() { Ok(None) } else { T::from_args(args).map(Some) }
    }
}
