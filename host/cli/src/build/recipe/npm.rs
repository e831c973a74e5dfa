//! What package.json names: it is installed when it is missing, and again when something else is named.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

use super::plan::Order;
use crate::build::error::ProjectError;
use crate::build::folder::Folder;
use crate::build::project::dependencies;
use crate::build::step::Step;

/// Packages that a program stands for, where `PATH` leads to it.
const PROGRAMS: [(&str, &str); 5] = [
    ("assemblyscript", "asc"),
    ("esbuild", "esbuild"),
    ("@bytecodealliance/componentize-js", "componentize-js"),
    // What the one before lacks; it is installed beside it.
    ("@bytecodealliance/preview2-shim", "componentize-js"),
    ("componentize-qjs", "componentize-qjs"),
];

/// What in a package.json decides which packages there are.
const DECIDING: [&str; 6] = [
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
    "overrides",
    "workspaces",
];
const LOCK: &str = "package-lock.json";
/// What was asked for when packages were last installed. Beside the plugin: in `node_modules` it would
/// look to npm as if somebody had changed something there.
const INSTALLED: &str = "build/.packages.json";

/// The step that installs what is missing, or is no longer what is asked for, if something is.
pub(super) fn install(order: &Order<'_>) -> Result<Option<Step>, ProjectError> {
    let folder = order.project.folder();
    let package = folder.json("package.json");
    let is_there = |name: &str| {
        let program = PROGRAMS.iter().find(|(package, _)| *package == name);
        is_installed(order.dir(), name)
            || program.is_some_and(|(_, program)| order.tools.find(program).is_some())
    };
    let asked = asked(folder, &packages(folder));
    let installed = folder.json(INSTALLED);
    let is_noted = has_own(folder) && !installed.is_null();
    let is_same = |part: &str| !is_noted || installed[part] == asked[part];
    if dependencies(&package).all(is_there) && is_same("package") && is_same("lock") {
        return Ok(None);
    }
    let npm = order.tools.find("npm");
    let npm = npm.ok_or_else(|| {
        order.no_tool("npm", "`apt-get install nodejs npm` as root, or see https://nodejs.org")
    })?;
    // `ci` fails where the lock file does not say what package.json does.
    let install = if folder.has(LOCK) && is_same("package") { "ci" } else { "install" };
    // No package that a plugin is made of has to run anything for it.
    Ok(Some(Step::new(&npm).args([install, "--ignore-scripts", "--no-audit", "--no-fund"])))
}

/// Notes that packages are about to be installed. What an installation has left that was killed goes
/// before the next: npm takes packages for whole of which it finds the folder.
pub(crate) fn begin(folder: &Folder) -> io::Result<()> {
    let modules = folder.path().join("node_modules");
    let was_begun = folder.json(INSTALLED) == json!({});
    // npm leaves this when it is through.
    if was_begun && modules.is_dir() && !modules.join(".package-lock.json").exists() {
        fs::remove_dir_all(&modules)?;
    }
    fs::write(folder.path().join(INSTALLED), "{}")
}

/// Notes that these packages are there, and the lock file that npm has left.
pub(crate) fn note(folder: &Folder, packages: &Value) -> io::Result<()> {
    match has_own(folder) {
        true => fs::write(folder.path().join(INSTALLED), asked(folder, packages).to_string()),
        false => Ok(()),
    }
}

/// Whether it has packages of its own; else they are above it, or programs that `PATH` leads to.
fn has_own(folder: &Folder) -> bool {
    folder.path().join("node_modules").is_dir()
}

/// The packages that a project asks for.
pub(crate) fn packages(folder: &Folder) -> Value {
    let package = folder.json("package.json");
    DECIDING.map(|part| package[part].clone()).into_iter().collect()
}

/// These packages, and which versions of them.
fn asked(folder: &Folder, packages: &Value) -> Value {
    json!({ "package": packages, "lock": folder.json(LOCK) })
}

/// Whether node would find it: in the project, or in a folder above it.
fn is_installed(dir: &Path, name: &str) -> bool {
    dir.ancestors().any(|folder| folder.join("node_modules").join(name).is_dir())
}
