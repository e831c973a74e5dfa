//! The jail level: the layers that the jail must have.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The jail level: the layers that the jail of a worker's process must have. If the machine lacks one
/// of them, no worker starts.
///
/// ```
/// use mtl_host::isolation::Jail;
///
/// assert_eq!(Jail::default(), Jail::Required);
/// assert_eq!(Jail::from_name("best-effort"), Some(Jail::BestEffort));
/// assert_eq!(Jail::Required.to_string(), "required");
/// assert_eq!(Jail::from_name("strict"), Some(Jail::Strict));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Jail {
    /// The required layers, such as seccomp and Landlock. The jail adds namespaces if the system
    /// allows them.
    #[default]
    Required,
    /// No layer. The jail uses the layers that the machine has, and the run warns about missing
    /// required layers.
    BestEffort,
    /// The required layers, all namespaces and Landlock's scopes. The network namespace is needed
    /// only if no address is granted.
    Strict,
}

impl Jail {
    /// Returns the level with this name: `required`, `best-effort` or `strict`.
    ///
    /// ```
    /// use mtl_host::isolation::Jail;
    ///
    /// assert_eq!(Jail::from_name("strict"), Some(Jail::Strict));
    /// assert_eq!(Jail::from_name("none"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|jail| jail.name() == name)
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jail_requirement_round_trips_as_text() {
        for jail in Jail::ALL {
            assert_eq!(Jail::from_name(&jail.to_string()), Some(jail));
        }
        assert_eq!(Jail::from_name("Required"), None);
    }
}
