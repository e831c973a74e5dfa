//! AssemblyScript: npm installs its compiler, `asc`.

use super::npm;
use super::plan::{Order, Plan, Profile};
use crate::build::error::ProjectError;
use crate::build::step::Step;
use crate::build::tool::Tool;

pub(super) fn plan(order: &Order<'_>) -> Result<Plan, ProjectError> {
    let entry = entry(order)?;
    let packages = npm::packages(order.project.folder());
    let install = npm::install(order)?;
    let bin = order.dir().join("node_modules/.bin");
    let tool = match &install {
        // npm will install it.
        Some(_) => Tool::at(bin.join("asc")),
        None => {
            let above = order.dir().ancestors().map(|folder| folder.join("node_modules/.bin"));
            let tool = order.tools.find_in(&above.collect::<Vec<_>>(), "asc");
            tool.ok_or_else(|| order.no_tool("asc", "`npm install --save-dev assemblyscript`"))?
        }
    };
    let step = Step::new(&tool)
        .file(entry)
        .arg("-o")
        .arg(order.output)
        .args(
            match order.profile {
                Profile::Release => "--optimize",
                Profile::Debug => "--debug",
            }
            .split(' '),
        )
        // Without `--use`, the plugin would import a function of the host.
        .args(["--runtime", "incremental", "--use", abort(order)]);
    let prepare = install.into_iter().collect();
    Ok(Plan { prepare, packages: Some(packages), ..Plan::one(&tool, step) })
}

/// Returns the function that runs when the plugin aborts. The SDK's function reports the reason.
fn abort(order: &Order<'_>) -> &'static str {
    match order.dir().join("mtl-plugin/abort.ts").is_file() {
        true => "abort=mtl-plugin/abort/abort",
        false => "abort=",
    }
}

fn entry(order: &Order<'_>) -> Result<String, ProjectError> {
    let folder = order.project.folder();
    if let Some(assembly) = folder.inside("assembly")?
        && assembly.has("index.ts")
    {
        return Ok("assembly/index.ts".into());
    }
    let package = folder.json("package.json");
    if let Some(main) = package["main"].as_str().filter(|main| main.ends_with(".ts")) {
        return Ok(main.to_owned());
    }
    order.project.entry(&["worker", "index", "main"], &["ts"], "`worker.ts`").map(Into::into)
}
