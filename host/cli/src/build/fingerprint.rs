//! The fingerprint of a build: a digest of the sources, and metadata of the tools and the plugin. It is stored next to
//! the plugin. While the fingerprint matches, the plugin is not built again.
//!
//! The digest covers the contents of the sources, but not their timestamps. If a checkout changes only timestamps, the
//! plugin is therefore not built again. Compilers are compared by the metadata of their files, because running a
//! compiler to query its version takes longer than all other checks. If a compiler was removed, the fingerprint still
//! matches, because the built plugin runs without the compiler.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::ProjectError;
use super::project::Project;
use super::recipe::Profile;
use super::sources;
use super::tool::FileStamp;

/// The version of the recipes. It is incremented when a recipe changes, so that everything is built again.
const RECIPES: u32 = 1;

/// The sources and the tools of a built plugin.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Fingerprint {
    /// The digest of the sources and of the build settings.
    digest: String,
    /// The list of sources; `None` means all files of the project.
    sources: Option<Vec<PathBuf>>,
    tools: Vec<FileStamp>,
    plugin: FileStamp,
}

impl Fingerprint {
    /// Returns the fingerprint of a plugin that was just built, or `None` if its file is missing.
    pub(super) fn of(
        plugin: &Path,
        digest: String,
        sources: Option<Vec<PathBuf>>,
        tools: &[PathBuf],
    ) -> Option<Self> {
        let tools = tools.iter().filter_map(|tool| FileStamp::read(tool)).collect();
        Some(Self { digest, sources, tools, plugin: FileStamp::read(plugin)? })
    }

    /// Reads a fingerprint. Returns `None` if the file is missing or invalid.
    pub(super) fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        fs::write(path, serde_json::to_vec(self)?)
    }

    /// Returns the plugin if the fingerprint still matches.
    pub(super) fn up_to_date_plugin(&self, project: &Project, profile: Profile) -> Option<PathBuf> {
        let same = |seen: &FileStamp| FileStamp::read(seen.file()).is_some_and(|now| now == *seen);
        let same_or_missing =
            |seen: &FileStamp| FileStamp::read(seen.file()).is_none_or(|now| now == *seen);
        if !same(&self.plugin) || !self.tools.iter().all(same_or_missing) {
            return None;
        }
        let digest = match &self.sources {
            Some(sources) => digest(project, profile, sources),
            None => digest_of_all(project, profile).ok()?,
        };
        (digest == self.digest).then(|| self.plugin.file().to_owned())
    }
}

/// Returns the digest of all files of a project.
pub(super) fn digest_of_all(project: &Project, profile: Profile) -> Result<String, ProjectError> {
    Ok(digest(project, profile, &sources::below(project.dir())?))
}

/// Returns the digest of a file, read in pieces: a project may contain large files of items.
fn digest_of_file(path: &Path) -> io::Result<[u8; 32]> {
    let (mut file, mut all, mut piece) = (File::open(path)?, Sha256::new(), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(all.finalize().into()),
            read => all.update(&piece[..read]),
        }
    }
}

/// Returns the digest of these files and of the build settings. A missing file changes the digest.
pub(super) fn digest(project: &Project, profile: Profile, sources: &[PathBuf]) -> String {
    let mut all = Sha256::new();
    // The path counts, so that a copied folder is built again.
    let settings = (project.language(), profile, project.name(), project.dir());
    let settings = (env!("CARGO_PKG_VERSION"), RECIPES, settings);
    all.update(format!("{settings:?}"));
    for path in sources {
        let name = path.strip_prefix(project.dir()).unwrap_or(path);
        let content = digest_of_file(path).ok();
        // Each name ends in a zero byte, so that different lists of files cannot give the same input.
        all.update(name.as_os_str().as_bytes());
        all.update([0, u8::from(content.is_some())]);
        all.update(content.unwrap_or_default());
    }
    all.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
