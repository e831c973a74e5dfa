//! The format of items and of records.

use serde::{Deserialize, Serialize};

/// The format of items or of records.
///
/// ```
/// use mtl_host::sink::JsonValue;
/// use mtl_host::Format;
///
/// let value = |format| {
///     let mut value = Vec::new();
///     JsonValue::new(b"[1]", format).append_to(&mut value);
///     String::from_utf8(value)
/// };
/// assert_eq!(value(Format::Json)?, "[1]");
/// assert_eq!(value(Format::Text)?, r#""[1]""#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// Any bytes. They are shown as text if they are UTF-8.
    #[default]
    Text,
    /// One JSON value.
    Json,
}

impl Format {
    /// Checks that `bytes` have this format.
    ///
    /// # Errors
    ///
    /// Returns the reason if `bytes` do not have this format.
    #[doc(hidden)]
    pub fn check(self, bytes: &[u8]) -> Result<(), String> {
        if self == Self::Text {
            return Ok(());
        }
        // `from_slice` would accept strings that are not UTF-8.
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
        let parsed = serde_json::from_str::<serde::de::IgnoredAny>(text);
        parsed.map(drop).map_err(|error| error.to_string())
    }
}
