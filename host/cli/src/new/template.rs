//! Project templates: the files of a new project in each language. `build.rs` embeds these files in
//! the program.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::NewError;
use super::name::Name;
use crate::build::Language;

/// The templates of all languages.
const TEMPLATES: &[Template] = &include!(concat!(env!("OUT_DIR"), "/kits.rs"));

/// The files of a new project, by name: those of the worker, and the SDK.
#[derive(Debug)]
pub(super) struct Template {
    language: &'static str,
    files: &'static [(&'static str, &'static [u8])],
    sdk: &'static [(&'static str, &'static [u8])],
}

impl Template {
    pub(super) fn of(language: Language) -> Option<&'static Self> {
        TEMPLATES.iter().find(|template| template.language == language.name())
    }

    /// Writes everything into a folder.
    pub(super) fn write(&self, dir: &Path, name: &Name) -> Result<(), NewError> {
        let files = self.files.iter().map(|(file, content)| {
            // As `.gitignore`, the file would apply to the repository that contains the template.
            let file =
                if *file == "gitignore" { ".gitignore".into() } else { name.insert_into(file) };
            let content = match std::str::from_utf8(content) {
                Ok(text) => name.insert_into(text).into_bytes(),
                Err(_) => content.to_vec(),
            };
            (PathBuf::from(file), content)
        });
        let sdk = self.sdk.iter();
        let sdk = sdk.map(|(file, content)| (Path::new("mtl-plugin").join(file), content.to_vec()));
        for (file, content) in files.chain(sdk) {
            let path = dir.join(file);
            let error = |source| NewError::Write { path: path.clone(), source };
            let folder = path.parent().expect("the path is below `dir`");
            fs::create_dir_all(folder).map_err(error)?;
            fs::write(&path, content).map_err(error)?;
        }
        Ok(())
    }
}
