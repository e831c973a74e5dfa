//! The fingerprint of a build: a digest of its sources and the files of its tools, kept beside the
//! plugin. While the fingerprint holds, the plugin is not built again.
//!
//! Sources count by their contents, so a fresh checkout of the same sources builds nothing. Compilers
//! count by their files, because asking for their versions takes longer than the rest. A compiler that
//! is gone changes nothing, so the plugin still runs without it.

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
use super::tool::Seen;

/// Counted up when a recipe changes, so that everything is made again.
const RECIPES: u32 = 1;

/// The sources and the tools that a plugin was made with.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Fingerprint {
    /// Of the sources, and of how they are built.
    digest: String,
    /// The sources, if there is a list of them; without one it is all that is in the project.
    sources: Option<Vec<PathBuf>>,
    tools: Vec<Seen>,
    plugin: Seen,
}

impl Fingerprint {
    /// Describes a plugin that was just made; nothing, if it is gone already.
    pub(super) fn of(
        plugin: &Path,
        digest: String,
        sources: Option<Vec<PathBuf>>,
        tools: &[PathBuf],
    ) -> Option<Self> {
        let tools = tools.iter().filter_map(|tool| Seen::look(tool)).collect();
        Some(Self { digest, sources, tools, plugin: Seen::look(plugin)? })
    }

    /// Reads what was written; what is not there, or not whole, is no fingerprint.
    pub(super) fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        fs::write(path, serde_json::to_vec(self)?)
    }

    /// The plugin, if it would come out the same again.
    pub(super) fn still_right(&self, project: &Project, profile: Profile) -> Option<PathBuf> {
        let same = |seen: &Seen| Seen::look(seen.file()).is_some_and(|now| now == *seen);
        let same_or_gone = |seen: &Seen| Seen::look(seen.file()).is_none_or(|now| now == *seen);
        if !same(&self.plugin) || !self.tools.iter().all(same_or_gone) {
            return None;
        }
        let digest = match &self.sources {
            Some(sources) => digest(project, profile, sources),
            None => digest_of_all(project, profile).ok()?,
        };
        (digest == self.digest).then(|| self.plugin.file().to_owned())
    }
}

/// The digest of all that is in a project.
pub(super) fn digest_of_all(project: &Project, profile: Profile) -> Result<String, ProjectError> {
    Ok(digest(project, profile, &sources::below(project.dir())?))
}

/// The digest of what is in a file, which may be large: items may lie beside sources.
fn digest_of_file(path: &Path) -> io::Result<[u8; 32]> {
    let (mut file, mut all, mut piece) = (File::open(path)?, Sha256::new(), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(all.finalize().into()),
            read => all.update(&piece[..read]),
        }
    }
}

/// The digest of these files, and of how they are built. That one is not there counts, too.
pub(super) fn digest(project: &Project, profile: Profile, sources: &[PathBuf]) -> String {
    let mut all = Sha256::new();
    // Where it is, too: a copy of a folder does not have the plugin of the other.
    let how = (project.language(), profile, project.name(), project.dir());
    let how = (env!("CARGO_PKG_VERSION"), RECIPES, how);
    all.update(format!("{how:?}"));
    for path in sources {
        let name = path.strip_prefix(project.dir()).unwrap_or(path);
        let content = digest_of_file(path).ok();
        // Each name has an end and each content a length, so that nothing passes for something else.
        all.update(name.as_os_str().as_bytes());
        all.update([0, u8::from(content.is_some())]);
        all.update(content.unwrap_or_default());
    }
    all.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
