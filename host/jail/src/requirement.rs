//! The jail level: the layers that the jail must have.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The jail level: the layers that the jail of a worker's process must have. If the machine lacks one
/// of them, no worker starts.
///
/// ```
/// use mtl_host::isolation::JailLevel;
///
/// assert_eq!(JailLevel::default(), JailLevel::Required);
/// assert_eq!(JailLevel::from_name("best-effort"), Some(JailLevel::BestEffort));
/// assert_eq!(JailLevel::Required.to_string(), "required");
/// assert_eq!(JailLevel::from_name("strict"), Some(JailLevel::Strict));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum JailLevel {
    /// The required layers, such as seccomp and Landlock. The jail adds namespaces if the system
    /// allows them.
    #[default]
    Required,
    /// No layer. The jail uses the layers that the machine has. The run warns if a required layer is missing.
    BestEffort,
    /// The required layers, all namespaces and Landlock's scopes. The network namespace is needed
    /// only if no address is granted.
    Strict,
}

impl JailLevel {
    /// Returns the level with this name: `required`, `best-effort` or `strict`.
    ///
    /// ```
    /// use mtl_host::isolation::JailLevel;
    ///
    /// assert_eq!(JailLevel::from_name("strict"), Some(JailLevel::Strict));
    /// assert_eq!(JailLevel::from_name("none"), None);
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

impl fmt::Display for JailLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jail_requirement_round_trips_as_text() {
        for jail in JailLevel::ALL {
            assert_eq!(JailLevel::from_name(&jail.to_string()), Some(jail));
        }
        assert_eq!(JailLevel::from_name("Required"), None);
    }
}
