//! The grants that a plugin needs, derived from its imports.

use super::{Import, ImportProvider};
use crate::engine::component::allows_connections;

/// A resource that a plugin can use only if it is granted.
///
/// ```
/// use mtl_host::inspect::Capability;
///
/// assert_eq!(Capability::Network.name(), "network");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Capability {
    /// Files and directories.
    Files,
    /// Environment variables.
    Environment,
    /// Connections.
    Network,
}

impl Capability {
    const ALL: [Self; 3] = [Self::Files, Self::Environment, Self::Network];

    /// Returns the name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Environment => "variables",
            Self::Network => "network",
        }
    }

    /// Returns whether a WASI function is useless without this grant.
    fn is_of(self, from: &str, name: &str) -> bool {
        let is_core = from.starts_with("wasi_");
        match self {
            Self::Files if is_core => {
                name.starts_with("path_") || name.starts_with("fd_prestat") || name == "fd_readdir"
            }
            Self::Files => from.starts_with("wasi:filesystem/"),
            Self::Environment if is_core => name.starts_with("environ_"),
            Self::Environment => {
                from.starts_with("wasi:cli/environment@") && name == "get-environment"
            }
            // The WASI of core modules can only use sockets that it is given.
            Self::Network => allows_connections(from),
        }
    }
}

/// Returns the grants without which some of these imports are useless.
pub(crate) fn of(imports: &[Import]) -> Vec<Capability> {
    let of_wasi = || imports.iter().filter(|import| import.provider == ImportProvider::Wasi);
    let is_needed = |capability: &Capability| {
        of_wasi().any(|import| import.names.iter().any(|name| capability.is_of(&import.from, name)))
    };
    Capability::ALL.into_iter().filter(is_needed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_determine_the_needed_capabilities() {
        use Capability::{Environment, Files, Network};
        #[rustfmt::skip]
        let cases: [(&str, &str, &[Capability]); 11] = [
            ("wasi_snapshot_preview1",            "fd_write",             &[]),
            ("wasi_snapshot_preview1",            "clock_time_get",       &[]),
            ("wasi_snapshot_preview1",            "sock_accept",          &[]),
            ("wasi_snapshot_preview1",            "path_open",            &[Files]),
            ("wasi_snapshot_preview1",            "fd_prestat_get",       &[Files]),
            ("wasi_snapshot_preview1",            "environ_get",          &[Environment]),
            ("wasi:filesystem/preopens@0.2.3",    "get-directories",      &[Files]),
            ("wasi:cli/environment@0.2.3",        "get-environment",      &[Environment]),
            ("wasi:cli/environment@0.2.3",        "get-arguments",        &[]),
            ("wasi:sockets/tcp@0.2.0",            "[method]tcp-socket.start-connect", &[Network]),
            ("wasi:http/outgoing-handler@0.2.0",  "handle",               &[Network]),
        ];
        for (from, name, expected) in cases {
            let (from, names) = (from.to_owned(), vec![name.to_owned()]);
            let import = Import { from, provider: ImportProvider::Wasi, names };
            assert_eq!(of(&[import]), expected, "{name}");
        }
    }
}
