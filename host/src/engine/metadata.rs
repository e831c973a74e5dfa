//! The facts about a plugin that the layers above need in addition to its code.

use serde::{Deserialize, Serialize};

use super::PluginKind;

/// The facts about a plugin that a run needs in addition to its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the facts are independent")]
pub(crate) struct Metadata {
    pub(crate) kind: PluginKind,
    pub(crate) has_init: bool,
    pub(crate) uses_argument_passing: bool,
    pub(crate) can_connect: bool,
    /// True if an instance of the plugin can be frozen. The behaviour of its `init` may still prevent it.
    pub(crate) can_freeze: bool,
}

impl Metadata {
    /// The metadata of a snapshot. Nothing reads it, because the plugin keeps its own.
    pub(crate) const OF_A_SNAPSHOT: Self = Self {
        kind: PluginKind::CoreModule,
        has_init: true,
        uses_argument_passing: false,
        can_connect: false,
        can_freeze: false,
    };
}
