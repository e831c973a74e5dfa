//! Reasons for which machine code that was compiled ahead of time does not fit.

use super::WasmFeatures;

/// A reason for which this host cannot run a plugin that was compiled ahead of time.
///
/// ```
/// use mtl_host::PrecompiledMismatch;
///
/// let mismatch = PrecompiledMismatch::Fuel { is_counted: false };
/// assert_eq!(mismatch.to_string(), "was compiled for runs that do not count fuel");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrecompiledMismatch {
    /// The file is damaged, or something else has made it.
    #[error("is damaged, or was not made by `mtl-host compile`")]
    Damaged,
    /// Another version of this library has compiled it.
    #[error("was compiled by mtl-host {found}, and this is {}", env!("CARGO_PKG_VERSION"))]
    Version {
        /// The version that has compiled it.
        found: String,
    },
    /// One of the engines counts fuel, and the other does not.
    #[error("was compiled for runs that {}", if *is_counted { "count fuel" } else { "do not count fuel" })]
    Fuel {
        /// True if the code counts fuel.
        is_counted: bool,
    },
    /// The engines allow other features of WebAssembly.
    #[error("was compiled for runs that allow {}", features.described())]
    Features {
        /// The features that the code may use.
        features: WasmFeatures,
    },
    /// The code is for other instructions than this processor has, or for another build of the engine.
    #[error("was compiled for another processor, or by another build")]
    Processor,
}
