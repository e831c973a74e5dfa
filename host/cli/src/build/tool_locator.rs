//! Finds the tools of this machine: on `PATH`, and in the usual folders of each language.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::tool::Tool;

/// The folders to search for tools.
#[derive(Clone, Debug, Default)]
pub(super) struct ToolLocator {
    path: Vec<PathBuf>,
    cache: Option<PathBuf>,
    cargo_home: Option<PathBuf>,
    virtual_env: Option<PathBuf>,
    wasi_sdk: Option<PathBuf>,
}

impl ToolLocator {
    /// Reads the folders from the environment.
    pub(super) fn of_environment() -> Self {
        Self::of(|name| env::var_os(name))
    }

    fn of(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let folder = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let path = variable("PATH").unwrap_or_default();
        let home = folder("HOME");
        let below_home = |name| Some(home.as_ref()?.join(name));
        Self {
            path: env::split_paths(&path).filter(|path| path.is_absolute()).collect(),
            cache: folder("XDG_CACHE_HOME").or_else(|| below_home(".cache")),
            cargo_home: folder("CARGO_HOME").or_else(|| below_home(".cargo")),
            virtual_env: folder("VIRTUAL_ENV"),
            wasi_sdk: folder("WASI_SDK_PATH"),
        }
    }

    /// Finds a program on `PATH`.
    pub(super) fn find(&self, name: &str) -> Option<Tool> {
        let file =
            self.path.iter().map(|folder| folder.join(name)).find(|file| is_program(file))?;
        Some(Tool { program: name.into(), args: Vec::new(), file })
    }

    /// Finds a program in one of these folders, or else on `PATH`.
    pub(super) fn find_in(&self, folders: &[PathBuf], name: &str) -> Option<Tool> {
        let mut files = folders.iter().map(|folder| folder.join(name));
        files.find(|file| is_program(file)).map(Tool::at).or_else(|| self.find(name))
    }

    /// Finds the first of these programs on `PATH`.
    pub(super) fn first<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Option<Tool> {
        names.into_iter().find_map(|name| self.find(name))
    }

    /// Finds Python: first in the virtual environment of the project.
    pub(super) fn python(&self, dir: &Path) -> Option<Tool> {
        self.pythons(dir).into_iter().next()
    }

    /// Finds every Python: those of virtual environments, then the one on `PATH`.
    pub(super) fn pythons(&self, dir: &Path) -> Vec<Tool> {
        let folders = self.virtual_environments(dir).into_iter();
        let files = folders.map(|folder| folder.join("python3")).filter(|file| is_program(file));
        files.map(Tool::at).chain(self.first(["python3", "python"])).collect()
    }

    /// Returns the program folders of the project's virtual environment and of the active one.
    pub(super) fn virtual_environments(&self, dir: &Path) -> Vec<PathBuf> {
        let active = self.virtual_env.iter().map(|folder| folder.join("bin"));
        [dir.join(".venv/bin")].into_iter().chain(active).collect()
    }

    /// Finds every `cargo`, the most likely first.
    pub(super) fn cargos(&self) -> Vec<Tool> {
        let toolchains = self.cache.as_ref().map(|cache| cache.join("mtl-host"));
        let mut toolchains: Vec<PathBuf> = toolchains
            .and_then(|folder| folder.read_dir().ok())
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.file_name().is_some_and(is_rust_toolchain))
            .map(|path| path.join("bin/cargo"))
            .collect();
        // The newest comes first.
        toolchains.sort();
        toolchains.reverse();
        let home = self.cargo_home.iter().map(|home| home.join("bin/cargo"));
        let others =
            home.chain(["/usr/bin/cargo".into()]).chain(toolchains).filter(|file| is_program(file));
        let first = self.find("cargo");
        let is_other = |file: &PathBuf| first.as_ref().is_none_or(|first| first.file != *file);
        let others: Vec<_> = others.filter(is_other).map(Tool::at).collect();
        first.into_iter().chain(others).collect()
    }

    /// Finds every `clang`, the most likely first.
    pub(super) fn clangs(&self) -> Vec<Tool> {
        let sdk = self.wasi_sdk.clone().into_iter();
        let sdk = sdk
            .map(|folder| folder.join("bin/clang"))
            .filter(|file| is_program(file))
            .map(Tool::at);
        // Debian installs several, with their versions in the names.
        let versions = (14..40).rev().map(|version| format!("clang-{version}"));
        let names = ["clang".to_owned()].into_iter().chain(versions);
        sdk.chain(names.filter_map(|name| self.find(&name))).collect()
    }
}

fn is_rust_toolchain(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b"wasm-rust-")
}

fn is_program(file: &Path) -> bool {
    file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn tools_are_found_in_path_order() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in [
            "a/go",
            "b/go",
            "b/zig",
            "c/plain",
            ".cargo/bin/cargo",
            ".cache/mtl-host/wasm-rust-1.9/bin/cargo",
        ] {
            fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            fs::write(at(name), "").unwrap();
            fs::set_permissions(
                at(name),
                fs::Permissions::from_mode(if name == "c/plain" { 0o644 } else { 0o755 }),
            )
            .unwrap();
        }
        let path = env::join_paths([at("a"), at("b"), "relative".into(), at("c")]).unwrap();
        let locator = ToolLocator::of(|name| match name {
            "PATH" => Some(path.clone()),
            "HOME" => Some(dir.path().into()),
            _ => None,
        });
        let found = |name| locator.find(name).map(|tool| (tool.program, tool.file));
        assert_eq!(found("go"), Some(("go".into(), at("a/go"))));
        assert_eq!(found("zig"), Some(("zig".into(), at("b/zig"))));
        assert_eq!([found("plain"), found("asc")], [None, None]);
        let inside = locator.find_in(&[at("none"), at("b")], "go").unwrap();
        assert_eq!(inside, Tool::at(at("b/go")));

        let cargos: Vec<_> = locator.cargos().into_iter().map(|tool| tool.file).collect();
        assert_eq!(cargos.first(), Some(&at(".cargo/bin/cargo")));
        assert_eq!(cargos.last(), Some(&at(".cache/mtl-host/wasm-rust-1.9/bin/cargo")));
    }
}
