//! What a result can be.

use crate::{Failure, context::Format};

/// A type that a result can be: bytes that are borrowed, or made in the worker's buffer, or none.
///
/// ```
/// use mtl_plugin::IntoOutput;
///
/// let mut buffer = Vec::new();
/// assert_eq!("text".into_output(&mut buffer), Ok(Some(&b"text"[..])));
/// assert_eq!(None::<&str>.into_output(&mut buffer), Ok(None));
/// ```
pub trait IntoOutput {
    /// What the bytes are. A worker of JSON results tells the host so when it starts.
    const FORMAT: Format = Format::Text;

    /// The bytes of the result, or `None` for no record.
    ///
    /// What has to be made is made in `buffer`, whose content before that does not matter.
    ///
    /// # Errors
    ///
    /// When the value cannot be written, such as a JSON map whose keys are not text.
    fn into_output<'b>(self, buffer: &'b mut Vec<u8>) -> Result<Option<&'b [u8]>, Failure>
    where
        Self: 'b;
}

impl IntoOutput for () {
    fn into_output<'b>(self, _: &'b mut Vec<u8>) -> Result<Option<&'b [u8]>, Failure>
    where
        Self: 'b,
    {
        Ok(None)
    }
}

impl IntoOutput for &[u8] {
    fn into_output<'b>(self, _: &'b mut Vec<u8>) -> Result<Option<&'b [u8]>, Failure>
    where
        Self: 'b,
    {
        Ok(Some(self))
    }
}

impl IntoOutput for &mut [u8] {
    fn into_output<'b>(self, _: &'b mut Vec<u8>) -> Result<Option<&'b [u8]>, Failure>
    where
        Self: 'b,
    {
        Ok(Some(self))
    }
}

impl IntoOutput for &str {
    fn into_output<'b>(self, _: &'b mut Vec<u8>) -> Result<Option<&'b [u8]>, Failure>
    where
        Self: 'b,
    {
        Ok(Some(self.as_bytes()))
    }
}

impl IntoOutput for Vec<u8> {
    fn into_output<'b>(self, buffer: &'b mut Vec<u8>) -> Result<Option<&'b [u8]>, Failure>
    where
        Self: 'b,
    {
        *buffer = self;
        Ok(Some(buffer))
    }
}

impl IntoOutput for String {
    fn into_output<'b>(self, buffer: &'b mut Vec<u8>) -> Result<Option<&'b [u8]>, Failure>
    where
        Self: 'b,
    {
        self.into_bytes().into_output(buffer)
    }
}

impl<T: IntoOutput> IntoOutput for Option<T> {
    const FORMAT: Format = T::FORMAT;

    fn into_output<'b>(self, buffer: &'b mut Vec<u8>) -> Result<Option<&'b [u8]>, Failure>
    where
        Self: 'b,
    {
        match self {
            Some(output) => output.into_output(buffer),
            None => Ok(None),
        }
    }
}
