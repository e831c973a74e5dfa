//! The two binary formats of WebAssembly.

use serde::{Deserialize, Serialize};

/// The binary format of a plugin.
///
/// ```
/// # use mtl_host::inspect::{Capability, ImportProvider, PluginKind};
/// # use mtl_host::{Engine, Plugin};
/// let found = Plugin::inspect(&Engine::new()?, "../tests/fixtures/component.wat")?;
/// assert_eq!(found.kind, PluginKind::Component);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum PluginKind {
    /// A core module.
    CoreModule,
    /// A component.
    Component,
}
