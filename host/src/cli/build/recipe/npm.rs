//! What package.json names: it is installed when it is missing.

use std::path::Path;

use super::Order;
use crate::cli::build::error::ProjectError;
use crate::cli::build::project::dependencies;
use crate::cli::build::step::Step;

/// Packages that a program stands for, where `PATH` leads to it.
const PROGRAMS: [(&str, &str); 5] = [
    ("assemblyscript", "asc"),
    ("esbuild", "esbuild"),
    ("@bytecodealliance/componentize-js", "componentize-js"),
    // What the one before lacks; it is installed beside it.
    ("@bytecodealliance/preview2-shim", "componentize-js"),
    ("componentize-qjs", "componentize-qjs"),
];

/// The step that installs what is missing, if something is.
pub(super) fn install(order: &Order<'_>) -> Result<Option<Step>, ProjectError> {
    let folder = order.project.folder();
    let package = folder.json("package.json");
    let is_there = |name: &str| {
        let program = PROGRAMS.iter().find(|(package, _)| *package == name);
        is_installed(order.dir(), name)
            || program.is_some_and(|(_, program)| order.toolbox.find(program).is_some())
    };
    if dependencies(&package).all(is_there) {
        return Ok(None);
    }
    let npm = order.toolbox.find("npm");
    let npm = npm.ok_or_else(|| {
        order.no_tool("npm", "`apt-get install nodejs npm` as root, or see https://nodejs.org")
    })?;
    let install = if folder.has("package-lock.json") { "ci" } else { "install" };
    // No package that a plugin is made of has to run anything for it.
    Ok(Some(Step::new(&npm).args([install, "--ignore-scripts", "--no-audit", "--no-fund"])))
}

/// Whether node would find it: in the project, or in a folder above it.
fn is_installed(dir: &Path, name: &str) -> bool {
    dir.ancestors().any(|folder| folder.join("node_modules").join(name).is_dir())
}
