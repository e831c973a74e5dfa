//! The way from an item to the parameters of a plugin's `call`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::item::parse_error::ParseError;

/// The way in which an item becomes the parameters of a plugin's `call`. In every case, the host
/// passes the item unchanged. The plugin or its SDK reads this setting and splits the item into
/// parameters.
///
/// ```
/// use mtl_host::ArgumentPassing;
///
/// assert_eq!("kwargs".parse(), Ok(ArgumentPassing::Kwargs));
/// assert_eq!(ArgumentPassing::default().to_string(), "single");
/// assert_eq!(ArgumentPassing::Args.name(), "args");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ArgumentPassing {
    /// One parameter: the whole item.
    #[default]
    Single,
    /// A JSON array: its elements are the parameters, by position.
    Args,
    /// A JSON object: its members are the parameters, by name.
    Kwargs,
}

impl ArgumentPassing {
    const ALL: [Self; 3] = [Self::Single, Self::Args, Self::Kwargs];

    /// Returns the name that people and programs read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Args => "args",
            Self::Kwargs => "kwargs",
        }
    }
}

impl fmt::Display for ArgumentPassing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The error for a text other than `single`, `args` and `kwargs`.
const NOT_A_WAY: ParseError = ParseError::new("not one of `single`, `args`, `kwargs`");

impl FromStr for ArgumentPassing {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::ALL.into_iter().find(|passing| passing.name() == text).ok_or(NOT_A_WAY)
    }
}
