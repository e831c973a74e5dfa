//! The layers of the jail and their names.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A layer of the jail around a worker's process.
///
/// ```
/// use mtl_host::isolation::{JailLayer, LayerNeed};
///
/// assert_eq!(JailLayer::Seccomp.name(), "seccomp");
/// assert_eq!(JailLayer::Seccomp.need(), LayerNeed::Required);
/// assert_eq!(JailLayer::EmptyRoot.need(), LayerNeed::Strict);
/// assert_eq!(JailLayer::Landlock.protects(), "files that were not granted");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum JailLayer {
    /// Files in memory that no process can change: compiled code, and the page that names the
    /// current item.
    SealedMemory,
    /// A process that cannot gain privileges by running a program.
    NoNewPrivileges,
    /// A filter that allows only the system calls of a list.
    Seccomp,
    /// Rules that decide which files the calls work on.
    Landlock,
    /// A Landlock rule on truncating files.
    LandlockTruncation,
    /// Rules that decide which TCP ports the process connects to.
    LandlockPorts,
    /// Rules that keep signals and abstract sockets inside the jail.
    LandlockScopes,
    /// A user namespace, in which the process may make the other namespaces.
    UserNamespace,
    /// A mount namespace whose root is an empty directory.
    EmptyRoot,
    /// A namespace for shared memory and message queues.
    IpcNamespace,
    /// A network namespace without a network.
    NetworkNamespace,
    /// A processor setting: no load passes an earlier store speculatively.
    StoreBypass,
    /// A processor setting: indirect branches ignore predictions that other programs have trained.
    IndirectBranches,
    /// A control group that limits memory and tasks. The host makes no control group. It only
    /// reports the limits of its own group.
    ControlGroup,
}

/// The condition under which a run needs a layer.
///
/// ```
/// use mtl_host::isolation::{JailLayer, LayerNeed};
///
/// let is_required = |layer: &JailLayer| layer.need() == LayerNeed::Required;
/// assert_eq!(JailLayer::ALL.into_iter().filter(is_required).count(), 6);
/// assert_eq!(LayerNeed::Strict.to_string(), "strict");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LayerNeed {
    /// [`JailLevel::Required`](crate::JailLevel::Required) and [`JailLevel::Strict`](crate::JailLevel::Strict) refuse
    /// to run without it.
    Required,
    /// Only [`JailLevel::Strict`](crate::JailLevel::Strict) refuses to run without it.
    Strict,
    /// No jail needs it; the jail uses it if the machine offers it.
    Optional,
}

impl JailLayer {
    /// All layers, in the order in which they are listed for users.
    pub const ALL: [Self; 14] = [
        Self::SealedMemory,
        Self::NoNewPrivileges,
        Self::Seccomp,
        Self::Landlock,
        Self::LandlockTruncation,
        Self::LandlockPorts,
        Self::LandlockScopes,
        Self::UserNamespace,
        Self::EmptyRoot,
        Self::IpcNamespace,
        Self::NetworkNamespace,
        Self::StoreBypass,
        Self::IndirectBranches,
        Self::ControlGroup,
    ];

    /// Returns the name for programs, such as `landlock-ports`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SealedMemory => "sealed-memory",
            Self::NoNewPrivileges => "no-new-privileges",
            Self::Seccomp => "seccomp",
            Self::Landlock => "landlock",
            Self::LandlockTruncation => "landlock-truncation",
            Self::LandlockPorts => "landlock-ports",
            Self::LandlockScopes => "landlock-scopes",
            Self::UserNamespace => "user-namespace",
            Self::EmptyRoot => "empty-root",
            Self::IpcNamespace => "ipc-namespace",
            Self::NetworkNamespace => "network-namespace",
            Self::StoreBypass => "store-bypass",
            Self::IndirectBranches => "indirect-branches",
            Self::ControlGroup => "control-group",
        }
    }

    /// Returns what the layer protects from, as a phrase.
    #[must_use]
    pub const fn protects(self) -> &'static str {
        match self {
            Self::SealedMemory => "changes to compiled code that other workers run",
            Self::NoNewPrivileges => "privileges by way of programs such as sudo",
            Self::Seccomp => "all system calls that a worker does not need",
            Self::Landlock => "files that were not granted",
            Self::LandlockTruncation => "truncation of files that were not granted",
            Self::LandlockPorts => "TCP ports that were not granted (if an address is granted)",
            Self::LandlockScopes => {
                "signals and sockets to processes outside (in addition to seccomp)"
            }
            Self::UserNamespace => "rights that rest on the user's own identity",
            Self::EmptyRoot => {
                "paths of the host, even that they exist (if a directory is granted: absolute paths only)"
            }
            Self::IpcNamespace => {
                "shared memory and queues of other programs (in addition to seccomp)"
            }
            Self::NetworkNamespace => {
                "holes in the kernel's network code (if no address is granted)"
            }
            Self::StoreBypass => "reading memory by Spectre variant 4",
            Self::IndirectBranches => "reading memory by Spectre variant 2",
            Self::ControlGroup => "use of all memory, processors and tasks of the machine",
        }
    }

    /// Returns when a run needs the layer.
    #[must_use]
    pub const fn need(self) -> LayerNeed {
        match self {
            Self::SealedMemory
            | Self::NoNewPrivileges
            | Self::Seccomp
            | Self::Landlock
            | Self::LandlockTruncation
            | Self::LandlockPorts => LayerNeed::Required,
            Self::LandlockScopes
            | Self::UserNamespace
            | Self::EmptyRoot
            | Self::IpcNamespace
            | Self::NetworkNamespace => LayerNeed::Strict,
            Self::StoreBypass | Self::IndirectBranches | Self::ControlGroup => LayerNeed::Optional,
        }
    }
}

impl fmt::Display for JailLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::SealedMemory => "sealed files in memory",
            Self::NoNewPrivileges => "no new privileges",
            Self::Seccomp => "seccomp filters",
            Self::Landlock => "Landlock (Linux 5.13, and enabled at boot)",
            Self::LandlockTruncation => "Landlock's rule on truncating files (Linux 6.2)",
            Self::LandlockPorts => "Landlock's rules on TCP ports (Linux 6.7)",
            Self::LandlockScopes => "Landlock's scopes (Linux 6.12)",
            Self::UserNamespace => "a user namespace",
            Self::EmptyRoot => "a mount namespace with an empty root",
            Self::IpcNamespace => "an IPC namespace",
            Self::NetworkNamespace => "a network namespace",
            Self::StoreBypass => "control of speculative store bypass",
            Self::IndirectBranches => "control of indirect branch speculation",
            Self::ControlGroup => "a control group with limits",
        })
    }
}

impl fmt::Display for LayerNeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Required => "required",
            Self::Strict => "strict",
            Self::Optional => "offered",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_have_distinct_names_and_indexes() {
        for (index, layer) in JailLayer::ALL.into_iter().enumerate() {
            assert_eq!(layer as usize, index, "{layer}");
            let same = |other: &&JailLayer| other.name() == layer.name();
            assert_eq!(JailLayer::ALL.iter().filter(same).count(), 1, "{layer}");
        }
    }
}
