//! The recipe for C and C++. It uses Zig, which contains a C compiler and a C library for WebAssembly. If a C library
//! for WebAssembly is installed, the recipe can use clang instead.

use std::path::{Path, PathBuf};

use super::plan::{Order, Plan, Profile};
use super::zig::tools as zigs;
use crate::build::error::ProjectError;
use crate::build::probe_reply::ToolAnswer;
use crate::build::project::C_EXTENSIONS;
use crate::build::step::Step;
use crate::build::tool::Tool;

const INSTALL: &str = "`python3 -m venv .venv && .venv/bin/pip install ziglang==0.17.1` in the project, or on Debian, as root, \
                       `apt-get install clang lld wasi-libc libclang-rt-dev-wasm32`";

pub(super) fn plan(order: &Order<'_>) -> Result<Plan, ProjectError> {
    let sources = sources(order)?;
    let is_cpp =
        sources.iter().any(|path| path.extension().is_some_and(|extension| extension != "c"));
    let (tool, compiler) = compiler(order)?;
    let libraries: &[&str] = match compiler {
        _ if !is_cpp => &[],
        Compiler::Zig => &["-lc++"],
        Compiler::Clang => &["-lc++", "-lc++abi"],
    };
    let step = Step::new(&tool)
        .args(match compiler {
            Compiler::Zig => ["-target", "wasm32-wasi"].as_slice(),
            Compiler::Clang => &["--target=wasm32-wasi"],
        })
        .arg("-mexec-model=reactor")
        .args(match order.profile {
            Profile::Release => ["-Os", "-s"].as_slice(),
            Profile::Debug => &["-O0", "-g"],
        })
        // Zig's default stack has 16 MiB, which count towards the plugin's memory.
        .arg("-Wl,-z,stack-size=1048576")
        .args(["-I.", "-Imtl-plugin"])
        // Exceptions would not link.
        .args(is_cpp.then_some("-fno-exceptions"));
    let step = sources.iter().fold(step, Step::file).args(libraries).arg("-o").arg(order.output);
    Ok(Plan::one(&tool, step))
}

/// Returns the sources, relative to the project: those at its top, in `src` and in the SDK.
fn sources(order: &Order<'_>) -> Result<Vec<PathBuf>, ProjectError> {
    let top = order.project.folder();
    let mut sources: Vec<PathBuf> = top.sources(&C_EXTENSIONS).map(PathBuf::from).collect();
    for name in ["src", "mtl-plugin"] {
        if let Some(folder) = top.inside(name)? {
            sources.extend(folder.sources(&C_EXTENSIONS).map(|file| Path::new(name).join(file)));
        }
    }
    if sources.iter().all(|path| path.starts_with("mtl-plugin")) {
        return Err(order.project.missing("file in .c or .cpp"));
    }
    Ok(sources)
}

#[derive(Clone, Copy)]
enum Compiler {
    Zig,
    Clang,
}

fn compiler(order: &Order<'_>) -> Result<(Tool, Compiler), ProjectError> {
    if let Some(zig) = zigs(order).next() {
        return Ok((zig.with(["cc"]), Compiler::Zig));
    }
    // clang may be installed without a C library for WebAssembly.
    let has_library = |clang: &Tool| {
        let query = ["--target=wasm32-wasi", "-print-file-name=crt1-reactor.o"];
        match order.ask(clang, &query) {
            // clang prints a missing file without a folder.
            ToolAnswer::Output(path) => Path::new(&path).is_absolute(),
            ToolAnswer::Fails => false,
            // If the library is missing, the build reports that.
            ToolAnswer::NotAsked => true,
        }
    };
    let clang = order.tools.clangs().into_iter().find(has_library);
    let clang = clang.ok_or_else(|| order.no_tool("Zig, or clang with wasi-libc", INSTALL))?;
    Ok((clang, Compiler::Clang))
}
