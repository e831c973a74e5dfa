//! Builds the plugin of a project, unless the fingerprint of its last build still matches.
//!
//! All output is in the project's directory `build`. The compiler writes into a new subdirectory of `build`. A rename
//! then moves the finished plugin to its final path. A second build of the same project waits for the first build.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::error::ProjectError;
use super::fingerprint::{self, Fingerprint};
use super::project::Project;
use super::recipe::{self, Order, Plan, Product, Profile};
use super::step::Step;
use super::tool_locator::ToolLocator;
use crate::console::Console;
use crate::display_text::DisplayText;

/// The build of one plugin.
#[derive(Debug)]
pub(super) struct Builder<'a> {
    project: &'a Project,
    profile: Profile,
    tools: &'a ToolLocator,
    console: Console,
}

impl<'a> Builder<'a> {
    pub(super) fn new(project: &'a Project, profile: Profile, tools: &'a ToolLocator) -> Self {
        Self { project, profile, tools, console: Console::standard_error() }
    }

    /// Builds the plugin if needed, and returns its path.
    pub(super) fn build(&self) -> Result<PathBuf, ProjectError> {
        if let Some(plugin) = self.up_to_date_plugin() {
            return Ok(self.as_typed(&plugin));
        }
        self.create_folder()?;
        let _lock = self.lock()?;
        // Another process may have built the plugin in the meantime.
        let plugin = match self.up_to_date_plugin() {
            Some(plugin) => plugin,
            None => self.build_now()?,
        };
        Ok(self.as_typed(&plugin))
    }

    fn up_to_date_plugin(&self) -> Option<PathBuf> {
        Fingerprint::read(&self.fingerprint())?.up_to_date_plugin(self.project, self.profile)
    }

    fn build_now(&self) -> Result<PathBuf, ProjectError> {
        let fresh = self.relative().join(".new");
        let output = fresh.join(self.file_name(".wasm"));
        let (project, profile) = (self.project, self.profile);
        let (tools, console) = (self.tools, &self.console);
        let order = Order { project, profile, tools, console, output: &output };
        let plan = recipe::plan(&order)?;
        let fresh = project.dir().join(fresh);
        self.empty(&fresh)?;
        if plan.packages.is_some() && !plan.prepare.is_empty() {
            // If this write fails, a killed installation is not detected later.
            let _ = recipe::begin_packages(project.folder());
        }
        for step in &plan.prepare {
            self.show_step(step);
            step.run(project.dir())?;
        }
        if let Some(packages) = &plan.packages {
            // If this write fails, the packages count as up to date.
            let _ = recipe::record_packages(project.folder(), packages);
        }
        let started = SystemTime::now();
        let digest = fingerprint::digest_of_all(project, profile)?;
        let plugin = self.compile(&plan, &output)?;
        let _ = fs::remove_dir_all(&fresh);
        let packages_now = recipe::packages(project.folder());
        // If package.json changed during the installation, the next build installs again.
        if plan.packages.as_ref().is_none_or(|packages| *packages == packages_now) {
            self.write_fingerprint(&plan, digest, &plugin, started);
        }
        Ok(plugin)
    }

    fn compile(&self, plan: &Plan, output: &Path) -> Result<PathBuf, ProjectError> {
        let (step, dir) = (&plan.compile, self.project.dir());
        self.show_step(step);
        let built = match &plan.product {
            Product::Cargo => {
                let built = recipe::made_by_cargo(&step.output(dir)?, dir);
                // The plugin stays where cargo puts it.
                return built.map_err(|built| self.not_one_plugin(built));
            }
            Product::AtOutput => {
                step.run(dir)?;
                dir.join(output)
            }
            Product::In(folder) => {
                let folder = dir.join(folder);
                self.empty(&folder)?;
                step.run(dir)?;
                self.only_plugin_in(&folder)?
            }
        };
        let destination = dir.join(self.relative()).join(self.file_name(".wasm"));
        fs::rename(&built, &destination).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => {
                ProjectError::MissingOutput { program: step.program(), path: self.as_typed(&built) }
            }
            _ => self.write_error(&destination, source),
        })?;
        Ok(destination)
    }

    /// Writes the fingerprint. If the write fails, the next build builds the plugin again.
    fn write_fingerprint(&self, plan: &Plan, digest: String, plugin: &Path, started: SystemTime) {
        let fingerprint = match plan.product {
            Product::AtOutput | Product::In(_) => {
                Fingerprint::of(plugin, digest, None, &plan.tools)
            }
            // cargo lists the sources only after the build. If a source changed during the build, the plugin may
            // contain the old or the new version of the source. In this case, no fingerprint is written.
            Product::Cargo => recipe::sources_of_cargo(plugin, self.project.dir())
                .filter(|sources| !sources.iter().any(|source| is_newer(source, started)))
                .and_then(|sources| {
                    let digest = fingerprint::digest(self.project, self.profile, &sources);
                    Fingerprint::of(plugin, digest, Some(sources), &plan.tools)
                }),
        };
        let _ = fingerprint.map(|fingerprint| fingerprint.write(&self.fingerprint()));
    }

    fn only_plugin_in(&self, folder: &Path) -> Result<PathBuf, ProjectError> {
        let entries = folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
        let mut built: Vec<_> = entries
            .filter(|path| path.extension().is_some_and(|extension| extension == "wasm"))
            .collect();
        built.sort();
        match built.as_slice() {
            [built] => Ok(built.clone()),
            _ => {
                let names = built.iter().filter_map(|path| path.file_name());
                Err(self.not_one_plugin(
                    names.map(|name| format!("`{}`", DisplayText::of(name))).collect(),
                ))
            }
        }
    }

    fn not_one_plugin(&self, built: Vec<String>) -> ProjectError {
        let (dir, language) = (self.project.typed_path().to_owned(), self.project.language());
        ProjectError::NotOnePlugin { dir, language, built }
    }

    fn show_step(&self, step: &Step) {
        step.show(self.project.dir(), &self.console);
    }

    // ---------------------------------------------------------------- the folder `build`

    /// Returns the output folder, relative to the project.
    fn relative(&self) -> PathBuf {
        match self.profile {
            Profile::Release => "build".into(),
            Profile::Debug => "build/debug".into(),
        }
    }

    fn file_name(&self, extension: &str) -> OsString {
        let mut name = OsString::from(self.project.name());
        name.push(extension);
        name
    }

    fn fingerprint(&self) -> PathBuf {
        let mut name = OsString::from(".");
        name.push(self.file_name(".built"));
        self.project.dir().join(self.relative()).join(name)
    }

    fn create_folder(&self) -> Result<(), ProjectError> {
        let build = self.project.dir().join("build");
        let is_new = !build.exists();
        let folder = self.project.dir().join(self.relative());
        fs::create_dir_all(&folder).map_err(|source| self.write_error(&folder, source))?;
        if is_new {
            // The output can be built again, so git should ignore it.
            let _ = fs::write(build.join(".gitignore"), "*\n");
        }
        Ok(())
    }

    fn lock(&self) -> Result<File, ProjectError> {
        let path = self.project.dir().join("build/.lock");
        let locked = File::create(&path).and_then(|file| {
            // If the file system has no locks, two builds may run at the same time, which is a small risk.
            if let Err(TryLockError::WouldBlock) = file.try_lock() {
                let dir = DisplayText::of(self.project.typed_path());
                self.console.print_line(&format!("waiting for another build of `{dir}`"));
                file.lock()?;
            }
            Ok(file)
        });
        locked.map_err(|source| self.write_error(&path, source))
    }

    fn empty(&self, folder: &Path) -> Result<(), ProjectError> {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).map_err(|source| self.write_error(folder, source))
    }

    fn write_error(&self, path: &Path, source: io::Error) -> ProjectError {
        ProjectError::Write { path: self.as_typed(path), source }
    }

    /// Returns a path of the project in the form in which the user named the project.
    fn as_typed(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(self.project.dir()) {
            Ok(below) => self.project.typed_path().join(below),
            Err(_) => path.to_owned(),
        }
    }
}

/// Returns whether `file` was modified at the time `than` or later. For Cargo.lock, returns `false`, because cargo may
/// write this file during the build.
fn is_newer(file: &Path, than: SystemTime) -> bool {
    let modified = fs::metadata(file).and_then(|found| found.modified());
    !file.ends_with("Cargo.lock") && modified.is_ok_and(|modified| modified >= than)
}
