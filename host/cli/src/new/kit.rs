//! What a project begins with, in each language: `build.rs` of this package puts it here.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::NewError;
use super::name::Name;
use crate::build::Language;

/// All that there are.
#[cfg(not(fuzzing))]
const KITS: &[Kit] = &include!(concat!(env!("OUT_DIR"), "/kits.rs"));

/// The target that takes in these files has no build script, and begins no projects.
#[cfg(fuzzing)]
const KITS: &[Kit] = &[];

/// What a project begins with: files, by their names.
#[derive(Debug)]
pub(super) struct Kit {
    language: &'static str,
    template: &'static [(&'static str, &'static [u8])],
    sdk: &'static [(&'static str, &'static [u8])],
}

impl Kit {
    pub(super) fn of(language: Language) -> Option<&'static Self> {
        KITS.iter().find(|kit| kit.language == language.name())
    }

    /// Writes everything into a folder.
    pub(super) fn write(&self, dir: &Path, name: &Name) -> Result<(), NewError> {
        let template = self.template.iter().map(|(file, content)| {
            // Under its own name it would have a say in the repository of the template.
            let file = if *file == "gitignore" { ".gitignore".into() } else { name.put_into(file) };
            let content = match std::str::from_utf8(content) {
                Ok(text) => name.put_into(text).into_bytes(),
                Err(_) => content.to_vec(),
            };
            (PathBuf::from(file), content)
        });
        let sdk = self.sdk.iter();
        let sdk = sdk.map(|(file, content)| (Path::new("mtl-plugin").join(file), content.to_vec()));
        for (file, content) in template.chain(sdk) {
            let path = dir.join(file);
            let error = |source| NewError::Write { path: path.clone(), source };
            let folder = path.parent().expect("it is below a folder");
            fs::create_dir_all(folder).map_err(error)?;
            fs::write(&path, content).map_err(error)?;
        }
        Ok(())
    }
}
