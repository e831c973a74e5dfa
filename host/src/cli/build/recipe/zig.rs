//! Zig: its own build file if there is one, else one command.

use std::iter;
use std::path::{Path, PathBuf};

use super::{Order, Product, Profile, Recipe};
use crate::cli::build::error::ProjectError;
use crate::cli::build::step::Step;
use crate::cli::build::tool::Tool;
use crate::cli::build::toolbox::Toolbox;

/// Where a build file puts what it makes; relative to the project.
const PREFIX: &str = "build/zig-out";

/// A file of the SDK.
const SDK: &str = "mtl-plugin/mtl_plugin.zig";
/// The first that the SDK can be compiled with.
const OLDEST: (u32, u32) = (0, 17);
const NAME: &str = "Zig 0.17 or newer";
/// The version that the SDK is written for.
const INSTALL: &str =
    "`python3 -m venv .venv && .venv/bin/pip install ziglang==0.17.1` in the project";

pub(super) fn recipe(order: &Order<'_>) -> Result<Recipe, ProjectError> {
    let tool = recent(order)?;
    if order.project.folder().has("build.zig") {
        return Ok(by_its_build_file(order, &tool));
    }
    let entry = order.project.entry(&["worker", "main"], &["zig"], "`worker.zig`")?;
    let step = Step::new(&tool)
        .arg("build-exe")
        .file(entry)
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

/// The first that can compile the SDK. Without the SDK, the project knows what it needs.
fn recent(order: &Order<'_>) -> Result<Tool, ProjectError> {
    let mut tools = tools(order.toolbox, order.dir());
    if !order.dir().join(SDK).is_file() {
        return tools.next().ok_or_else(|| order.no_tool("Zig", INSTALL));
    }
    let mut first = None;
    for tool in tools {
        // What does not say its version says why when it is to build.
        match tool.answer(["version"], order.dir()) {
            Some(found) if version(&found).is_some_and(|it| it < OLDEST) => {
                first.get_or_insert(found);
            }
            _ => return Ok(tool),
        }
    }
    let Some(found) = first else { return Err(order.no_tool(NAME, INSTALL)) };
    let language = order.project.language();
    Err(ProjectError::TooOld { language, tool: NAME, found, install: INSTALL.into() })
}

/// The numbers of `0.17.1`, or of `0.18.0-dev.1+abc`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split('.').map_while(|number| number.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}

/// Zig, by itself or as the package of Python; the most likely first.
pub(super) fn tools(toolbox: &Toolbox, dir: &Path) -> impl Iterator<Item = Tool> {
    let in_python = || {
        let python = toolbox.python(dir)?;
        python.answer(["-c", "import ziglang"], dir)?;
        Some(python.with(["-m", "ziglang"]))
    };
    // Asked only if it is needed: that takes a while.
    toolbox.find("zig").into_iter().chain(iter::once_with(in_python).flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        #[rustfmt::skip]
        let cases = [
            ("0.17.1", Some((0, 17))), ("0.9.0", Some((0, 9))), ("1.0.0", Some((1, 0))),
            ("0.18.0-dev.1+abc", Some((0, 18))), ("0", None), ("zig", None), ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(version(text), expected, "{text}");
        }
        assert!((0, 9) < OLDEST && (0, 17) >= OLDEST && (1, 0) >= OLDEST);
    }
}
