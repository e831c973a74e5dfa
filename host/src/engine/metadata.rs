//! Facts about a plugin that the layers above need beside its code.

use serde::{Deserialize, Serialize};

use super::PluginKind;

/// The facts about a plugin that running it needs, beside its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Metadata {
    pub(crate) kind: PluginKind,
    pub(crate) has_init: bool,
    pub(crate) asks_for_passing: bool,
    pub(crate) can_connect: bool,
    /// True if its instances can be frozen, and nothing that they do prevents it.
    pub(crate) can_freeze: bool,
}

impl Metadata {
    /// The metadata of a snapshot, which nobody reads: the plugin has its own.
    pub(crate) const OF_A_SNAPSHOT: Self = Self {
        kind: PluginKind::CoreModule,
        has_init: true,
        asks_for_passing: false,
        can_connect: false,
        can_freeze: false,
    };
}
