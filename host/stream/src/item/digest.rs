//! The digest of a pinned plugin: its file must have this digest.

use std::fmt;
use std::str::FromStr;

use sha2::Digest;

use crate::item::parse_error::ParseError;

/// The SHA-256 of a file.
///
/// ```
/// use mtl_host::load::Sha256;
///
/// let pinned = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";
/// let pinned: Sha256 = pinned.parse()?;
/// assert_eq!(pinned, Sha256::digest(b"abc"));
/// assert!(pinned.to_string().starts_with("ba7816bf"));
/// # Ok::<(), mtl_host::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// Computes the digest of these bytes.
    #[must_use]
    pub fn digest(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// Returns the bytes of the digest.
    #[doc(hidden)]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Wraps a digest that was computed elsewhere.
impl From<[u8; 32]> for Sha256 {
    fn from(digest: [u8; 32]) -> Self {
        Self(digest)
    }
}

/// Returns the error for a text that is not the 64 digits of a SHA-256.
fn digest_error(problem: fmt::Arguments<'_>) -> ParseError {
    ParseError::of(format!("not the 64 hexadecimal digits that `sha256sum FILE` prints: {problem}"))
}

impl FromStr for Sha256 {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut digest = [0; 32];
        let length = text.chars().count();
        if length != digest.len() * 2 {
            return Err(digest_error(format_args!("there are {length} characters")));
        }
        for (at, digit) in text.chars().enumerate() {
            let value = digit.to_digit(16).and_then(|value| u8::try_from(value).ok());
            let value = value.ok_or_else(|| {
                digest_error(format_args!("`{digit}` is not a hexadecimal digit"))
            })?;
            let byte: &mut u8 = &mut digest[at / 2];
            *byte = *byte << 4 | value;
        }
        Ok(Self(digest))
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_64_hexadecimal_digits_in_either_case() {
        let digits = "00ff0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab";
        let not = "not the 64 hexadecimal digits that `sha256sum FILE` prints";
        #[rustfmt::skip]
        let cases = [
            ("lower case", digits.to_owned(),               digits.to_owned()),
            ("upper case", digits.to_uppercase(),           digits.to_owned()),
            ("empty",      String::new(),                   format!("{not}: there are 0 characters")),
            ("too short",  digits[1..].to_owned(),          format!("{not}: there are 63 characters")),
            ("too long",   format!("{digits}0"),            format!("{not}: there are 65 characters")),
            ("named",      format!("sha256:{digits}"),      format!("{not}: there are 71 characters")),
            ("no digit",   format!("{}g", &digits[1..]),    format!("{not}: `g` is not a hexadecimal digit")),
            ("a sign",     format!("+{}", &digits[1..]),    format!("{not}: `+` is not a hexadecimal digit")),
            ("no ASCII",   format!("{}é", &digits[1..]),    format!("{not}: `é` is not a hexadecimal digit")),
        ];
        for (case, text, expected) in cases {
            let actual = match text.parse::<Sha256>() {
                Ok(digest) => digest.to_string(),
                Err(error) => error.to_string(),
            };
            assert_eq!(actual, expected, "{case}");
        }
    }
}
