//! JavaScript: a script of the project's SDK builds a component from an engine and the worker.

use super::npm;
use super::plan::{Order, Plan};
use crate::build::error::ProjectError;
use crate::build::step::Step;

/// The build script. It is part of the SDK, so that it has the version of the code in the component.
const SCRIPT: &str = "mtl-plugin/build.mjs";

pub(super) fn plan(order: &Order<'_>) -> Result<Plan, ProjectError> {
    if !order.dir().join(SCRIPT).is_file() {
        return Err(order.project.missing("`mtl-plugin/build.mjs`, which is a part of the SDK"));
    }
    let node = order.tools.first(["node", "nodejs"]);
    let node = node.ok_or_else(|| {
        order.no_tool("Node.js", "`apt-get install nodejs npm` as root, or see https://nodejs.org")
    })?;
    let packages = npm::packages(order.project.folder());
    let install = npm::install(order)?;
    let step = Step::new(&node).arg(SCRIPT).arg(order.output);
    let prepare = install.into_iter().collect();
    Ok(Plan { prepare, packages: Some(packages), ..Plan::one(&node, step) })
}
