//! The choice of the layers that the jail must have.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The layers that the jail of a worker's process must have. If the machine lacks one of them, no
/// worker starts.
///
/// ```
/// use mtl_host::isolation::Jail;
///
/// assert_eq!(Jail::default(), Jail::Required);
/// assert_eq!("best-effort".parse(), Ok(Jail::BestEffort));
/// assert_eq!(Jail::Required.to_string(), "required");
/// assert_eq!("strict".parse(), Ok(Jail::Strict));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Jail {
    /// The required layers, such as seccomp and Landlock. The jail adds namespaces if the system
    /// allows them.
    #[default]
    Required,
    /// No layer. The run continues with the layers that the machine has, and warns about missing
    /// required ones.
    BestEffort,
    /// The required layers and all namespaces, including one without a network if no port is
    /// granted.
    Strict,
}

impl Jail {
    const ALL: [Self; 3] = [Self::Required, Self::BestEffort, Self::Strict];

    const fn name(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::BestEffort => "best-effort",
            Self::Strict => "strict",
        }
    }
}

impl fmt::Display for Jail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Error of parsing a [`Jail`].
///
/// ```
/// let error = "none".parse::<mtl_host::isolation::Jail>().unwrap_err();
/// assert_eq!(error.to_string(), "none of `required`, `best-effort` and `strict`");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("none of `required`, `best-effort` and `strict`")]
pub struct ParseJailError;

impl FromStr for Jail {
    type Err = ParseJailError;

    fn from_str(text: &str) -> Result<Self, ParseJailError> {
        Self::ALL.into_iter().find(|jail| jail.name() == text).ok_or(ParseJailError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_it_is_read() {
        for jail in Jail::ALL {
            assert_eq!(jail.to_string().parse(), Ok(jail));
        }
        assert_eq!("Required".parse::<Jail>(), Err(ParseJailError));
    }
}
