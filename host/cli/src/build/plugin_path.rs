//! The two kinds of plugin path: a plugin file, or a directory of sources to build.
//!
//! A compiler runs with the user's rights, and a user who names a plugin file expects that no
//! compiler runs. If the name of a directory looks like a plugin file, the host therefore refuses
//! to build the directory. Only commands that run or compile plugins build directories.

use std::path::Path;

use mtl_host::load::Sha256;

use super::error::ProjectError;

/// The suffixes of a plugin file.
const EXTENSIONS: [&str; 3] = ["wasm", "wat", "cwasm"];

/// The meaning of a plugin's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PluginPath {
    /// A plugin file. If the file is missing, the loader reports that.
    File,
    /// A folder of sources.
    Sources,
}

/// The presence of a digest for the plugin's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DigestGiven {
    Yes,
    No,
}

impl DigestGiven {
    /// Returns whether a digest is given.
    pub(crate) fn by(sha256: Option<Sha256>) -> Self {
        if sha256.is_some() { Self::Yes } else { Self::No }
    }
}

impl PluginPath {
    /// Decides the meaning of a path, and opens nothing below it.
    pub(super) fn of(path: &Path, digest: DigestGiven) -> Result<Self, ProjectError> {
        match (path.is_dir(), digest) {
            (false, _) => Ok(Self::File),
            (true, _) if has_plugin_extension(path) => {
                Err(ProjectError::NamedAsFile { dir: path.into() })
            }
            (true, DigestGiven::Yes) => Err(ProjectError::PinnedFolder { dir: path.into() }),
            (true, DigestGiven::No) => Ok(Self::Sources),
        }
    }
}

fn has_plugin_extension(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_is_built_only_if_its_name_and_the_flags_allow_it() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["p", "p.wasm", "p.WAT", "p.cwasm", "p.c"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        fs::write(dir.path().join("file"), "").unwrap();
        #[rustfmt::skip]
        let cases = [
            // name       pinned        stands for
            ("p",         DigestGiven::No,   "sources"),
            ("p/",        DigestGiven::No,   "sources"),
            ("p.c",       DigestGiven::No,   "sources"),
            ("p",         DigestGiven::Yes,  "pinned"),
            ("p.wasm",    DigestGiven::No,   "named as a file"),
            ("p.wasm/.",  DigestGiven::Yes,  "named as a file"),
            ("p.WAT/",    DigestGiven::No,   "named as a file"),
            ("p.cwasm",   DigestGiven::No,   "named as a file"),
            ("file",      DigestGiven::Yes,  "file"),
            ("none.wasm", DigestGiven::No,   "file"),
        ];
        for (name, digest, expected) in cases {
            let found = match PluginPath::of(&dir.path().join(name), digest) {
                Ok(PluginPath::File) => "file",
                Ok(PluginPath::Sources) => "sources",
                Err(ProjectError::NamedAsFile { .. }) => "named as a file",
                Err(ProjectError::PinnedFolder { .. }) => "pinned",
                Err(other) => panic!("{other}"),
            };
            assert_eq!(found, expected, "{name}");
        }
    }
}
