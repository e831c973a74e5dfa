//! A child that compiles or inspects a plugin, and ends. It runs no code of the plugin: the code is
//! only data here, and the jail is sealed before the plugin is read.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::errors::Unfit;
use super::serve::ready;
use super::station::Station;
use super::threads;
use crate::engine::compile_settings::CompileSettings;
use crate::engine::{Engine, HostFunctions, LinkedPlugin, LoadErrorKind, Metadata};
use crate::isolation::wire::BadFrame;
use crate::isolation::wire::compiled::{CompiledThere, inspected};
use crate::isolation::wire::frozen::not_frozen;
use crate::isolation::wire::refused::not_compiled;
use crate::isolation::wire::setup::{ChildSetup, Compile, Wanted};
use crate::item::limits::FunctionLimit;
use crate::jail;
use crate::jail::{Confines, Task, sealed_file};

/// Compiles or inspects the plugin in the first file. Compiled code goes into the second file.
pub(super) fn compile(
    station: &Station,
    setup: &ChildSetup,
    job: &Compile,
    [plugin, place]: [OwnedFd; 2],
) -> Result<(), Unfit> {
    let layers = jail::enter(&Confines::without_grants(Task::Compile, setup.jail, setup.data))?;
    let engine = Engine::to_compile(setup.engine)?;
    threads::start_compiling(&engine)?;
    jail::seal()?;
    station.send(&ready(&layers))?;
    let mut bytes = vec![0; job.length];
    File::from(plugin).read_exact_at(&mut bytes, 0)?;
    let settings = settings(&engine, job)?;
    let path = Path::new(&job.path);
    let reply = match job.wants {
        Wanted::Code => {
            let compiled = compile_into(&File::from(place), &settings, path, &bytes);
            compiled.map(|compiled| compiled.encode())
        }
        Wanted::Instrumented => match settings.load_instrumented(path, &bytes) {
            Ok(Err(why)) => return Ok(station.send(&not_frozen(&why))?),
            Ok(Ok(plugin)) => put(&File::from(place), &plugin),
            Err(error) => Err(error),
        }
        .map(|compiled| compiled.encode()),
        Wanted::Snapshot => {
            let code = settings.compile_snapshot(path, &bytes);
            let put = code.and_then(|code| {
                sealed_file::put(&File::from(place), &code).map_err(LoadErrorKind::code)
            });
            put.map(|length| CompiledThere { metadata: Metadata::OF_A_SNAPSHOT, length }.encode())
        }
        Wanted::Inspection => settings.inspect_here(path, &bytes).map(inspected),
    };
    let reply = reply.unwrap_or_else(not_compiled);
    Ok(station.send(&reply)?)
}

fn settings(engine: &Engine, job: &Compile) -> Result<CompileSettings, BadFrame> {
    // No function is called, because no code of the plugin runs.
    let functions = HostFunctions::elsewhere(job.functions.clone(), |_, _| {
        Err(wasmtime::format_err!("a host function was called in a compiler"))
    });
    let most = job.max_functions.try_into().map_err(|_| BadFrame("a limit of zero functions"))?;
    let settings = CompileSettings::of_child(engine, &job.call, functions);
    Ok(CompileSettings { max_functions: FunctionLimit::new(most), ..settings })
}

fn compile_into(
    place: &File,
    settings: &CompileSettings,
    path: &Path,
    bytes: &[u8],
) -> Result<CompiledThere, LoadErrorKind> {
    put(place, &settings.load_here(path, bytes)?)
}

fn put(place: &File, plugin: &LinkedPlugin) -> Result<CompiledThere, LoadErrorKind> {
    let code = plugin.code().bytes().map_err(LoadErrorKind::invalid)?;
    let length = sealed_file::put(place, &code).map_err(LoadErrorKind::code)?;
    Ok(CompiledThere { metadata: plugin.metadata(), length })
}
