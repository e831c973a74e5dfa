//! The reasons for which precompiled code does not fit this host.

use super::WasmFeatures;

/// A reason for which this host cannot run a precompiled plugin.
///
/// ```
/// use mtl_host::load::PrecompiledMismatch;
///
/// let mismatch = PrecompiledMismatch::Fuel { is_counted: false };
/// assert_eq!(mismatch.to_string(), "was compiled for runs that do not count fuel");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrecompiledMismatch {
    /// The file is damaged, or another program made it.
    #[error("is damaged, or was not made by `mtl-host compile`")]
    Damaged,
    /// Another version of this library compiled the file.
    #[error("was compiled by mtl-host {found}, and this is {}", env!("CARGO_PKG_VERSION"))]
    Version {
        /// The version that compiled the file.
        found: String,
    },
    /// Only one of the two engines counts fuel.
    #[error("was compiled for runs that {}", if *is_counted { "count fuel" } else { "do not count fuel" })]
    Fuel {
        /// True if the code counts fuel.
        is_counted: bool,
    },
    /// The engines allow different WebAssembly features.
    #[error("was compiled for runs that allow {}", features.described())]
    Features {
        /// The features that the code may use.
        features: WasmFeatures,
    },
    /// The code needs instructions that this processor lacks, or comes from another build of the engine.
    #[error("was compiled for another processor, or by another build")]
    Processor,
}
