//! The recorder's verdict on a snapshot.

use serde::{Deserialize, Serialize};

use crate::item::bounded;

/// The properties of a snapshot, as its maker reports them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Verdict {
    /// True if the snapshot contains random bytes.
    pub(crate) has_random: bool,
    /// The files that the snapshot depends on; `None` if they cannot be listed.
    #[serde(deserialize_with = "bounded::optional_list::<MAX_DEPENDENCIES, _, _>")]
    pub(crate) dependencies: Option<Vec<Dependency>>,
}

/// The largest number of listed paths.
pub(crate) const MAX_DEPENDENCIES: usize = 10_000;

/// A path that `init` accessed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Dependency {
    /// The index of the granted directory that contains the path.
    pub(crate) dir: u32,
    pub(crate) path: String,
    /// True if something existed at the path.
    pub(crate) was_found: bool,
}
