//! The verdict of a snapshot's maker on it.

use serde::{Deserialize, Serialize};

use crate::item::bounded;

/// The properties of a snapshot, as its maker says them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Verdict {
    /// True if random bytes are in it.
    pub(crate) has_random: bool,
    /// The files that it depends on; none if that cannot be told.
    #[serde(deserialize_with = "bounded::optional_list::<MOST_DEPENDENCIES, _, _>")]
    pub(crate) dependencies: Option<Vec<Dependency>>,
}

/// The most paths that are told.
pub(crate) const MOST_DEPENDENCIES: usize = 10_000;

/// A path that was opened or asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Dependency {
    /// Which of the granted directories it is below.
    pub(crate) dir: u32,
    pub(crate) path: String,
    /// Whether there was something.
    pub(crate) was_found: bool,
}
