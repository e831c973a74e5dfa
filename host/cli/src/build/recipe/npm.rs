//! The packages in package.json. They are installed if one is missing, and again when package.json changes.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

use super::plan::Order;
use crate::build::error::ProjectError;
use crate::build::folder::Folder;
use crate::build::project::dependencies;
use crate::build::step::Step;

/// Packages that need no installation if a program is on `PATH`, each with the name of the program.
const PROGRAMS: [(&str, &str); 5] = [
    ("assemblyscript", "asc"),
    ("esbuild", "esbuild"),
    ("@bytecodealliance/componentize-js", "componentize-js"),
    // componentize-js needs this package, and npm installs both together.
    ("@bytecodealliance/preview2-shim", "componentize-js"),
    ("componentize-qjs", "componentize-qjs"),
];

/// The keys of a package.json that decide which packages are installed.
const DECIDING: [&str; 6] = [
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
    "overrides",
    "workspaces",
];
const LOCK: &str = "package-lock.json";
/// The file that records the packages and the lock file of the last installation. It is outside `node_modules`, because
/// npm would treat a new file in `node_modules` as a change of the packages.
const INSTALLED: &str = "build/.packages.json";

/// Returns the step that installs packages, if a package is missing or package.json has changed.
pub(super) fn install(order: &Order<'_>) -> Result<Option<Step>, ProjectError> {
    let folder = order.project.folder();
    let package = folder.json("package.json");
    let is_available = |name: &str| {
        let program = PROGRAMS.iter().find(|(package, _)| *package == name);
        is_installed(order.dir(), name)
            || program.is_some_and(|(_, program)| order.tools.find(program).is_some())
    };
    let wanted = installation_record(folder, &packages(folder));
    let installed = folder.json(INSTALLED);
    let is_recorded = has_own(folder) && !installed.is_null();
    let is_same = |part: &str| !is_recorded || installed[part] == wanted[part];
    if dependencies(&package).all(is_available) && is_same("package") && is_same("lock") {
        return Ok(None);
    }
    let npm = order.tools.find("npm");
    let npm = npm.ok_or_else(|| {
        order.no_tool("npm", "`apt-get install nodejs npm` as root, or see https://nodejs.org")
    })?;
    // `npm ci` fails if the lock file does not match package.json.
    let install = if folder.has(LOCK) && is_same("package") { "ci" } else { "install" };
    // No package of a plugin needs to run its own install scripts.
    Ok(Some(Step::new(&npm).args([install, "--ignore-scripts", "--no-audit", "--no-fund"])))
}

/// Records the start of an installation. If the last installation was killed, first removes `node_modules`, because npm
/// would assume that every package directory in it is complete.
pub(crate) fn begin(folder: &Folder) -> io::Result<()> {
    let modules = folder.path().join("node_modules");
    let was_interrupted = folder.json(INSTALLED) == json!({});
    // npm writes this file at the end of an installation.
    if was_interrupted && modules.is_dir() && !modules.join(".package-lock.json").exists() {
        fs::remove_dir_all(&modules)?;
    }
    fs::write(folder.path().join(INSTALLED), "{}")
}

/// Records that these packages are installed, with the lock file of npm.
pub(crate) fn record(folder: &Folder, packages: &Value) -> io::Result<()> {
    match has_own(folder) {
        true => fs::write(
            folder.path().join(INSTALLED),
            installation_record(folder, packages).to_string(),
        ),
        false => Ok(()),
    }
}

/// Returns whether the project has its own `node_modules`. Without this directory, the project uses packages from a
/// directory above it, or programs on `PATH`.
fn has_own(folder: &Folder) -> bool {
    folder.path().join("node_modules").is_dir()
}

/// Returns the keys of package.json that decide which packages are installed.
pub(crate) fn packages(folder: &Folder) -> Value {
    let package = folder.json("package.json");
    DECIDING.map(|part| package[part].clone()).into_iter().collect()
}

/// Returns the record of an installation: these packages, and the lock file with their versions.
fn installation_record(folder: &Folder, packages: &Value) -> Value {
    json!({ "package": packages, "lock": folder.json(LOCK) })
}

/// Returns whether node would find the package: in the project, or in a folder above it.
fn is_installed(dir: &Path, name: &str) -> bool {
    dir.ancestors().any(|folder| folder.join("node_modules").join(name).is_dir())
}
