//! Python: componentize-py builds a component from the interpreter and the modules of the project.

use std::fs;

use super::plan::{Order, Plan};
use crate::build::error::ProjectError;
use crate::build::step::Step;
use crate::shell;

/// The folder of installed packages, relative to the project.
const PACKAGES: &str = "build/packages";
/// A copy of the requirements file at the last installation.
const INSTALLED: &str = "build/packages/.requirements.txt";
const REQUIREMENTS: &str = "requirements.txt";

pub(super) fn plan(order: &Order<'_>) -> Result<Plan, ProjectError> {
    let entry = order.project.entry(&["worker", "app", "main"], &["py"], "`worker.py`")?;
    let module = entry.strip_suffix(".py").expect("the entry ends in `.py`");
    let folders = order.tools.virtual_environments(order.dir());
    let tool = order.tools.find_in(&folders, "componentize-py").ok_or_else(|| {
        let venv = order.project.typed_path().join(".venv");
        let venv = shell::path(&venv);
        let install =
            format!("`python3 -m venv {venv} && {venv}/bin/pip install componentize-py==0.25.0`");
        order.no_tool("componentize-py", install)
    })?;
    let packages = order.project.folder().has(REQUIREMENTS);
    let step = Step::new(&tool)
        .args(["-q", "-d", "mtl-plugin/wit", "-w", "plugin", "componentize", module])
        .args(["-p", ".", "-p", "mtl-plugin"])
        .args(if packages { ["-p", PACKAGES].as_slice() } else { &[] })
        .arg("-o")
        .arg(order.output);
    let prepare = if packages { install(order)? } else { Vec::new() };
    Ok(Plan { prepare, ..Plan::one(&tool, step) })
}

/// Returns the steps that install packages, or none if the requirements have not changed.
fn install(order: &Order<'_>) -> Result<Vec<Step>, ProjectError> {
    let read = |name| fs::read(order.dir().join(name)).ok();
    if read(INSTALLED).is_some_and(|installed| Some(installed) == read(REQUIREMENTS)) {
        return Ok(Vec::new());
    }
    // Packages that are no longer required must not be found.
    let _ = fs::remove_dir_all(order.dir().join(PACKAGES));
    let python = order.tools.python(order.dir());
    let python = python
        .ok_or_else(|| order.no_tool("Python", "`apt-get install python3 python3-venv` as root"))?;
    let pip = Step::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"])
        .args(["--target", PACKAGES])
        // Packages that are compiled for this machine would not run in the plugin.
        .args(["--only-binary", ":all:", "--platform", "any", "--implementation", "py"])
        .args(["--abi", "none", "-r", REQUIREMENTS]);
    // The copy is made last, when the packages are complete.
    let note = Step::new(&python).args([
        "-c",
        "import shutil, sys; shutil.copyfile(*sys.argv[1:])",
        REQUIREMENTS,
        INSTALLED,
    ]);
    Ok(vec![pip, note])
}
