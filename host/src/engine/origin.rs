//! The origin of a plugin, from which it can be compiled again.

use std::fmt;

use super::compile_settings::CompileSettings;

/// The content of a plugin's file, and the settings with which it was loaded.
pub(crate) struct Origin {
    pub(crate) bytes: Box<[u8]>,
    pub(crate) settings: CompileSettings,
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Origin").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}
