//! Why a plugin is refused, on its way from the child that compiled it.
//!
//! A child says only what it has found. What the parent knows itself, such as the plugin's path, it
//! puts in; causes become text, one for each link of their chain.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{BadFrame, Frame, Reply, bounded, short};
use crate::engine::compile_settings::CompileSettings;
use crate::engine::{CompilerError, Complexity, LoadError, WasmFeatures, known_type};

/// The most bytes of a child's reason for refusing a plugin.
pub(crate) const MOST_REFUSED: usize = 64 * 1024;

/// Why a plugin is refused, as a child says it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Refused {
    TooManyFunctions { functions: u64 },
    TooComplex { complexity: Complexity },
    Features { missing: WasmFeatures },
    NotWasm { begins: String },
    Truncated { bytes: usize },
    Version { version: u32 },
    Text { causes: Causes },
    Invalid { causes: Causes },
    MissingExport { missing: String, exports: String },
    Signature { export: String, expected: String, found: String },
    Import { import: String },
    ImportType { import: String, expected: String },
    Link { causes: Causes },
    World { exports: String },
    CallOfWorld,
    Ambiguous { candidates: String },
    Untyped { function: String, what: String },
    Code { causes: Causes },
    OutOfMemory,
}

impl From<&LoadError> for Refused {
    fn from(error: &LoadError) -> Self {
        match error {
            LoadError::TooManyFunctions { functions, .. } => {
                Self::TooManyFunctions { functions: *functions }
            }
            LoadError::TooComplex { complexity, .. } => {
                Self::TooComplex { complexity: *complexity }
            }
            LoadError::Features { missing, .. } => Self::Features { missing: *missing },
            LoadError::NotWasm { begins, .. } => Self::NotWasm { begins: short(begins.clone()) },
            LoadError::Truncated { bytes, .. } => Self::Truncated { bytes: *bytes },
            LoadError::Version { version, .. } => Self::Version { version: *version },
            LoadError::Text { source, .. } => Self::Text { causes: Causes::of(&**source) },
            // It may be as valid as can be.
            LoadError::Invalid { source, .. } if is_out_of_memory(&**source) => Self::OutOfMemory,
            LoadError::Invalid { source, .. } => Self::Invalid { causes: Causes::of(&**source) },
            LoadError::MissingExport { missing, exports, .. } => Self::MissingExport {
                missing: short(missing.clone()),
                exports: short(exports.clone()),
            },
            LoadError::Signature { export, expected, found, .. } => Self::Signature {
                export: short(export.clone()),
                expected: short(expected.clone()),
                found: short(found.clone()),
            },
            LoadError::Import { import, .. } => Self::Import { import: short(import.clone()) },
            LoadError::ImportType { import, expected, .. } => {
                Self::ImportType { import: short(import.clone()), expected: (*expected).into() }
            }
            LoadError::Link { source, .. } => Self::Link { causes: Causes::of(&**source) },
            LoadError::World { exports, .. } => Self::World { exports: short(exports.clone()) },
            LoadError::CallOfWorld { .. } => Self::CallOfWorld,
            LoadError::Ambiguous { candidates, .. } => {
                Self::Ambiguous { candidates: short(candidates.clone()) }
            }
            LoadError::Untyped { function, what, .. } => {
                Self::Untyped { function: short(function.clone()), what: short(what.clone()) }
            }
            LoadError::Code { source } => Self::Code { causes: Causes::of(source) },
            // None of these is of a child.
            LoadError::Read { .. }
            | LoadError::TooLarge { .. }
            | LoadError::Digest { .. }
            | LoadError::HostFunction(_)
            | LoadError::Engine(_)
            | LoadError::Precompiled { .. }
            | LoadError::CompiledOtherwise { .. }
            | LoadError::Compiler(_) => Self::Code { causes: Causes::of(error) },
        }
    }
}

impl Refused {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let json = serde_json::to_vec(self).expect("it is text and numbers");
        Frame::reply(Reply::NotCompiled).rest(&json).seal()
    }

    pub(crate) fn decode(payload: &[u8]) -> Result<Self, BadFrame> {
        if payload.len() > MOST_REFUSED {
            return Err(BadFrame("a refusal that is too long"));
        }
        serde_json::from_slice(payload).map_err(|_| BadFrame("an error that is none"))
    }

    /// The error of the settings that was to load the plugin.
    pub(crate) fn error(
        self,
        settings: &CompileSettings,
        path: &Path,
    ) -> Result<LoadError, BadFrame> {
        let path = path.to_owned();
        Ok(match self {
            Self::TooManyFunctions { functions } => {
                LoadError::TooManyFunctions { path, functions, limit: settings.max_functions }
            }
            Self::TooComplex { complexity } => LoadError::TooComplex { path, complexity },
            Self::Features { missing } => {
                let allowed = settings.engine.features();
                if missing.without(allowed) != missing || missing.is_empty() {
                    return Err(BadFrame("a lack of what is allowed"));
                }
                LoadError::Features { path, missing, allowed }
            }
            Self::NotWasm { begins } => LoadError::NotWasm { path, begins: short(begins) },
            Self::Truncated { bytes } => LoadError::Truncated { path, bytes },
            Self::Version { version } => LoadError::Version { path, version },
            Self::Text { causes } => LoadError::Text { path, source: causes.into_error() },
            Self::Invalid { causes } => LoadError::Invalid { path, source: causes.into_error() },
            Self::MissingExport { missing, exports } => {
                LoadError::MissingExport { path, missing: short(missing), exports: short(exports) }
            }
            Self::Signature { export, expected, found } => {
                let (export, expected) = (short(export), short(expected));
                LoadError::Signature { path, export, expected, found: short(found) }
            }
            Self::Import { import } => {
                let offered = settings.functions.names();
                LoadError::Import { path, import: short(import), offered }
            }
            Self::ImportType { import, expected } => {
                let expected = known_type(&expected).ok_or(BadFrame("a type that there is not"))?;
                LoadError::ImportType { path, import: short(import), expected }
            }
            Self::Link { causes } => LoadError::Link { path, source: causes.into_error() },
            Self::World { exports } => LoadError::world(path, short(exports)),
            Self::CallOfWorld => LoadError::CallOfWorld { path, call: settings.call.clone() },
            Self::Ambiguous { candidates } => {
                let call = settings.call.clone();
                LoadError::Ambiguous { path, call, candidates: short(candidates) }
            }
            Self::Untyped { function, what } => {
                LoadError::Untyped { path, function: short(function), what: short(what) }
            }
            Self::Code { causes } => {
                LoadError::Code { source: io::Error::other(causes.into_error()) }
            }
            Self::OutOfMemory => {
                CompilerError::Memory { path, limit: settings.limits.memory }.into()
            }
        })
    }
}

/// Whether it was memory that was short.
fn is_out_of_memory(error: &(dyn Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |&error| error.source());
    let short = rustix::io::Errno::NOMEM;
    causes.any(|cause| {
        let errno = cause.downcast_ref::<io::Error>().and_then(rustix::io::Errno::from_io_error);
        errno.or(cause.downcast_ref().copied()) == Some(short)
    })
}

/// The texts of an error's causes, itself first.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Causes(
    #[serde(deserialize_with = "bounded::list::<{ Causes::MOST }, _, _>")] Vec<String>,
);

impl Causes {
    /// No error has more; a child that says so has none of our code any more.
    const MOST: usize = 32;
    /// How many bytes they have together: with all of them escaped they fit into a frame.
    const MOST_TEXT: usize = 8 * 1024;

    fn of(error: &dyn Error) -> Self {
        let causes = std::iter::successors(Some(error), |&error| error.source());
        Self(causes.take(Self::MOST).map(ToString::to_string).collect()).bounded()
    }

    /// The same, with no more text than all may have.
    fn bounded(self) -> Self {
        let mut left = Self::MOST_TEXT;
        let texts = self.0.into_iter().map(|text| {
            let mut text = short(text);
            text.truncate(text.floor_char_boundary(left));
            left -= text.len();
            text
        });
        Self(texts.collect())
    }

    fn into_error(self) -> Box<dyn Error + Send + Sync> {
        let texts = self.bounded().0.into_iter().take(Self::MOST).rev();
        let said = texts.fold(None, |cause, text| Some(Box::new(Said { text, cause })));
        match said {
            Some(said) => said,
            None => "nothing was said of it".into(),
        }
    }
}

/// An error of another process.
#[derive(Debug)]
struct Said {
    text: String,
    cause: Option<Box<Self>>,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Said {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests;
