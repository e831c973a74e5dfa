//! Zig: its own build file if there is one, else one command.

use std::path::{Path, PathBuf};

use super::{Order, Product, Profile, Recipe};
use crate::cli::build::error::ProjectError;
use crate::cli::build::step::Step;
use crate::cli::build::tool::Tool;
use crate::cli::build::toolbox::Toolbox;

/// Where a build file puts what it makes; relative to the project.
const PREFIX: &str = "build/zig-out";

/// The version that the SDK is written for.
pub(super) const INSTALL: &str =
    "`python3 -m venv .venv && .venv/bin/pip install ziglang==0.17.1` in the project";

pub(super) fn recipe(order: &Order<'_>) -> Result<Recipe, ProjectError> {
    let tool = tool(order.toolbox, order.dir());
    let tool = tool.ok_or_else(|| order.no_tool("Zig", INSTALL))?;
    if order.project.folder().has("build.zig") {
        return Ok(by_its_build_file(order, &tool));
    }
    let entry = order.project.entry(&["worker", "main"], &["zig"], "`worker.zig`")?;
    let step = Step::new(&tool)
        .arg("build-exe")
        .arg(entry)
        .args(["-target", "wasm32-freestanding", "-fno-entry", "-rdynamic"])
        .args(match order.profile {
            Profile::Release => ["-OReleaseFast", "-fstrip"].as_slice(),
            Profile::Debug => &["-ODebug"],
        })
        // Else it would be 16 MiB, which count as the plugin's memory.
        .args(["--stack", "1048576"])
        .arg(format!("-femit-bin={}", order.output.display()));
    Ok(Recipe::one(&tool, step))
}

fn by_its_build_file(order: &Order<'_>, tool: &Tool) -> Recipe {
    let step = Step::new(tool).arg("build").args(["--prefix", PREFIX]);
    let step = match order.profile {
        Profile::Release => step.arg("--release=fast"),
        Profile::Debug => step,
    };
    Recipe { product: Product::In(PathBuf::from(PREFIX).join("bin")), ..Recipe::one(tool, step) }
}

/// Zig, by itself or as the package of Python.
pub(super) fn tool(toolbox: &Toolbox, dir: &Path) -> Option<Tool> {
    let in_python = || {
        let python = toolbox.python(dir)?;
        python.answer(["-c", "import ziglang"], dir)?;
        Some(python.with(["-m", "ziglang"]))
    };
    toolbox.find("zig").or_else(in_python)
}
