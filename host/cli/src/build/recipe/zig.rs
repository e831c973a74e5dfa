//! Zig: the project's build file, or else one command.

use std::ffi::OsString;
use std::iter;
use std::path::{Path, PathBuf};

use super::plan::{Order, Plan, Product, Profile};
use crate::build::error::ProjectError;
use crate::build::probe_reply::ToolAnswer;
use crate::build::step::Step;
use crate::build::tool::Tool;

/// The install folder of a build file, relative to the project.
const PREFIX: &str = "build/zig-out";

/// A file of the SDK.
const SDK: &str = "mtl-plugin/mtl_plugin.zig";
/// The first version that can compile the SDK.
const MIN_VERSION: (u32, u32) = (0, 17);
const NAME: &str = "Zig 0.17 or newer";
/// The command that installs a version that can compile the SDK.
const INSTALL: &str =
    "`python3 -m venv .venv && .venv/bin/pip install ziglang==0.17.1` in the project";

pub(super) fn plan(order: &Order<'_>) -> Result<Plan, ProjectError> {
    let tool = recent(order)?;
    if order.project.folder().has("build.zig") {
        return Ok(by_its_build_file(order, &tool));
    }
    let entry = order.project.entry(&["worker", "main"], &["zig"], "`worker.zig`")?;
    let mut emitted = OsString::from("-femit-bin=");
    emitted.push(order.output);
    let step = Step::new(&tool)
        .arg("build-exe")
        .file(entry)
        .args(["-target", "wasm32-freestanding", "-fno-entry", "-rdynamic"])
        .args(match order.profile {
            Profile::Release => ["-OReleaseFast", "-fstrip"].as_slice(),
            Profile::Debug => &["-ODebug"],
        })
        // The default stack has 16 MiB, which count towards the plugin's memory.
        .args(["--stack", "1048576"])
        .arg(emitted);
    Ok(Plan::one(&tool, step))
}

fn by_its_build_file(order: &Order<'_>, tool: &Tool) -> Plan {
    let step = Step::new(tool).arg("build").args(["--prefix", PREFIX]);
    let step = match order.profile {
        Profile::Release => step.arg("--release=fast"),
        Profile::Debug => step,
    };
    Plan { product: Product::In(PathBuf::from(PREFIX).join("bin")), ..Plan::one(tool, step) }
}

/// Returns the first Zig that can compile the SDK. A project without the SDK accepts any version.
fn recent(order: &Order<'_>) -> Result<Tool, ProjectError> {
    let mut tools = tools(order);
    if !order.dir().join(SDK).is_file() {
        return tools.next().ok_or_else(|| order.no_tool("Zig", INSTALL));
    }
    let mut first = None;
    for tool in tools {
        // If Zig does not report its version, the build will report the reason.
        match version_of(order, &tool) {
            Some(found) if version(&found).is_some_and(|it| it < MIN_VERSION) => {
                first.get_or_insert(found);
            }
            _ => return Ok(tool),
        }
    }
    let Some(found) = first else { return Err(order.no_tool(NAME, INSTALL)) };
    let language = order.project.language();
    Err(ProjectError::TooOld { language, tool: NAME, found, install: INSTALL.into() })
}

/// Parses `0.17.1` or `0.18.0-dev.1+abc`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split('.').map_while(|number| number.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}

fn version_of(order: &Order<'_>, tool: &Tool) -> Option<String> {
    match order.ask(tool, &["version"]) {
        ToolAnswer::Output(version) => Some(version),
        ToolAnswer::Fails => None,
        ToolAnswer::NotAsked => packaged(tool)?.version,
    }
}

/// Finds Zig, as a program or as a Python package. The most likely place comes first.
pub(super) fn tools(order: &Order<'_>) -> impl Iterator<Item = Tool> {
    let in_python = || {
        let mut pythons = order.tools.pythons(order.dir()).into_iter();
        let python = pythons.find(|python| has_package(order, python))?;
        Some(python.with(["-m", "ziglang"]))
    };
    // Python is queried only if needed, because that is slow.
    order.tools.find("zig").into_iter().chain(iter::once_with(in_python).flatten())
}

/// Returns whether the interpreter `python` has the package `ziglang`. If the interpreter belongs to the project,
/// searches the directories of its virtual environment instead of running it.
fn has_package(order: &Order<'_>, python: &Tool) -> bool {
    match order.ask(python, &["-c", "import ziglang"]) {
        ToolAnswer::Output(_) => true,
        ToolAnswer::Fails => false,
        ToolAnswer::NotAsked => packaged(python).is_some(),
    }
}

/// The package `ziglang` of a Python.
#[derive(Debug, PartialEq, Eq)]
struct Package {
    /// The version; `None` if no folder has it in its name.
    version: Option<String>,
}

/// Finds Zig in the virtual environment of a Python, by the names of folders.
fn packaged(python: &Tool) -> Option<Package> {
    let entries = |folder: &Path| folder.read_dir().into_iter().flatten().flatten();
    let lib = python.file.parent()?.parent()?.join("lib");
    let pythons = entries(&lib).map(|entry| entry.path().join("site-packages"));
    let packages = pythons.into_iter().find(|packages| packages.join("ziglang").is_dir())?;
    let names = entries(&packages).filter_map(|entry| entry.file_name().into_string().ok());
    let mut versions = names.filter_map(|name| {
        Some(name.strip_prefix("ziglang-")?.strip_suffix(".dist-info")?.to_owned())
    });
    Some(Package { version: versions.next() })
}

#[cfg(test)]
mod tests {
    use std::fs;

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
        assert!((0, 9) < MIN_VERSION && (0, 17) >= MIN_VERSION && (1, 0) >= MIN_VERSION);
    }

    #[test]
    fn an_installed_zig_package_is_found_by_its_folders() {
        let dir = tempfile::tempdir().unwrap();
        let python = Tool::at(dir.path().join("bin/python3"));
        let packages = dir.path().join("lib/python3.11/site-packages");
        fs::create_dir_all(&packages).unwrap();
        assert_eq!(packaged(&python), None);
        fs::create_dir(packages.join("ziglang")).unwrap();
        assert_eq!(packaged(&python), Some(Package { version: None }));
        fs::create_dir(packages.join("ziglang-0.17.1.dist-info")).unwrap();
        assert_eq!(packaged(&python), Some(Package { version: Some("0.17.1".into()) }));
    }
}
