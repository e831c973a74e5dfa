//! How much of the jail there must be.

use std::fmt;
use std::str::FromStr;

/// What happens where the kernel lacks a part of the jail of a worker's process.
///
/// ```
/// use mtl_host::Jail;
///
/// assert_eq!(Jail::default(), Jail::Required);
/// assert_eq!("best-effort".parse(), Ok(Jail::BestEffort));
/// assert_eq!(Jail::Required.to_string(), "required");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Jail {
    /// The run is refused.
    #[default]
    Required,
    /// The run goes on with what there is, and says what is missing.
    BestEffort,
}

impl Jail {
    const ALL: [Self; 2] = [Self::Required, Self::BestEffort];

    const fn name(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::BestEffort => "best-effort",
        }
    }
}

impl fmt::Display for Jail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Not the name of a [`Jail`].
///
/// ```
/// let error = "none".parse::<mtl_host::Jail>().unwrap_err();
/// assert_eq!(error.to_string(), "neither `required` nor `best-effort`");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither `required` nor `best-effort`")]
pub struct UnknownJail;

impl FromStr for Jail {
    type Err = UnknownJail;

    fn from_str(text: &str) -> Result<Self, UnknownJail> {
        Self::ALL.into_iter().find(|jail| jail.name() == text).ok_or(UnknownJail)
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
        assert_eq!("Required".parse::<Jail>(), Err(UnknownJail));
    }
}
