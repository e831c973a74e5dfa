//! Types of results.

mod numbers;

use crate::{Failure, context::Format};

/// A type that can be converted to the bytes of a result. The bytes are borrowed, or written to the
/// worker's buffer. Some values, such as `None`, stand for "no record".
///
/// ```
/// use mtl_plugin::IntoOutput;
///
/// let mut buffer = Vec::new();
/// assert_eq!("text".into_output(&mut buffer), Ok(Some(&b"text"[..])));
/// assert_eq!(None::<&str>.into_output(&mut buffer), Ok(None));
/// assert_eq!(144.into_output(&mut buffer), Ok(Some(&b"144"[..])));
/// ```
///
/// A `Result` implements this trait: `Ok` has the output, and `Err` becomes a failure.
#[diagnostic::on_unimplemented(
    message = "a result cannot have the type `{Self}`",
    note = "a type that serde writes can be a result as `Json<…>`"
)]
pub trait IntoOutput {
    /// The format of the bytes. A worker reports [`Format::Json`] to the host when it starts.
    const FORMAT: Format = Format::Text;

    /// Returns the bytes of the result, or `None` for no record.
    ///
    /// An implementation may clear `buffer` and write the bytes to it.
    ///
    /// # Errors
    ///
    /// Fails if the value cannot be written, such as a JSON map whose keys are not text.
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

impl<T: IntoOutput, E: Into<Failure>> IntoOutput for Result<T, E> {
    const FORMAT: Format = T::FORMAT;

    fn into_output<'b>(self, buffer: &'b mut Vec<u8>) -> Result<Option<&'b [u8]>, Failure>
    where
        Self: 'b,
    {
        self.map_err(Into::into)?.into_output(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_output<T: IntoOutput>(output: T, expected: Result<&str, &str>) {
        let mut buffer = b"of the item before".to_vec();
        let expected = match expected {
            Ok(text) => Ok(Some(text.as_bytes())),
            Err(message) => Err(Failure::refused(message)),
        };
        assert_eq!(output.into_output(&mut buffer), expected);
    }

    #[test]
    fn numbers_are_json_if_json_can_represent_them() {
        assert_output(true, Ok("true"));
        assert_output(i64::MIN, Ok("-9223372036854775808"));
        assert_output(u128::MAX, Ok("340282366920938463463374607431768211455"));
        assert_output(0.1_f32, Ok("0.1"));
        assert_output(2.0, Ok("2.0"));
        assert_output(f64::NAN, Err("the result is `NaN`, which JSON cannot represent"));
        assert_output(-f32::INFINITY, Err("the result is `-inf`, which JSON cannot represent"));
        assert_eq!(<Result<Option<i64>, Failure>>::FORMAT, Format::Json);
    }

    #[test]
    fn a_result_is_an_output() {
        assert_output(Ok::<_, Failure>("text"), Ok("text"));
        assert_output(Err::<&str, _>("too large"), Err("too large"));
        assert_output(Err::<i64, _>(Failure::refused("too large")), Err("too large"));
        assert_eq!(<Result<&str, Failure>>::FORMAT, Format::Text);
    }
}
