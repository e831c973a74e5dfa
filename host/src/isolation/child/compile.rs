//! A child that compiles or inspects one plugin, and then exits. The child treats the plugin's code
//! as data and never runs it. The child seals its jail before it reads the plugin.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::errors::SetupError;
use super::parent_connection::ParentConnection;
use super::serve::ready;
use super::threads;
use crate::engine::compile_settings::CompileSettings;
use crate::engine::{Engine, HostFunctions, LinkedPlugin, LoadErrorKind, Metadata};
use crate::isolation::wire::ProtocolError;
use crate::isolation::wire::compile_reply::{ChildCompileReply, encode_findings};
use crate::isolation::wire::refused::encode_refusal;
use crate::isolation::wire::setup::{ChildSetup, Compile, CompileOutput};
use crate::isolation::wire::snapshot_reply::encode_snapshot_refusal;
use crate::item::limits::FunctionLimit;
use crate::jail;
use crate::jail::{JailConfig, Task, sealed_file};

/// Compiles or inspects the plugin in the first file. Compiled code goes into the second file.
pub(super) fn compile(
    parent: &ParentConnection,
    setup: &ChildSetup,
    job: &Compile,
    [plugin, file]: [OwnedFd; 2],
) -> Result<(), SetupError> {
    let layers = jail::enter(&JailConfig::without_grants(Task::Compile, setup.jail, setup.data))?;
    let engine = Engine::to_compile(setup.engine)?;
    threads::start_compiling(&engine)?;
    jail::seal()?;
    parent.send(&ready(&layers))?;
    let mut bytes = vec![0; job.length];
    File::from(plugin).read_exact_at(&mut bytes, 0)?;
    let settings = settings(&engine, job)?;
    let path = Path::new(&job.path);
    let reply = match job.output {
        CompileOutput::Code => {
            let compiled = compile_into(&File::from(file), &settings, path, &bytes);
            compiled.map(|compiled| compiled.encode())
        }
        CompileOutput::Instrumented => match settings.load_instrumented(path, &bytes) {
            Ok(Err(refusal)) => return Ok(parent.send(&encode_snapshot_refusal(&refusal))?),
            Ok(Ok(plugin)) => write_code(&File::from(file), &plugin),
            Err(error) => Err(error),
        }
        .map(|compiled| compiled.encode()),
        CompileOutput::Snapshot => {
            let code = settings.compile_snapshot(path, &bytes);
            let written = code.and_then(|code| {
                sealed_file::write_code(&File::from(file), &code).map_err(LoadErrorKind::code)
            });
            written.map(|length| {
                ChildCompileReply { metadata: Metadata::OF_A_SNAPSHOT, length }.encode()
            })
        }
        CompileOutput::Inspection => settings.inspect_in_process(path, &bytes).map(encode_findings),
    };
    let reply = reply.unwrap_or_else(encode_refusal);
    Ok(parent.send(&reply)?)
}

fn settings(engine: &Engine, job: &Compile) -> Result<CompileSettings, ProtocolError> {
    // No function is called, because no code of the plugin runs.
    let functions = HostFunctions::remote(job.functions.clone(), |_, _| {
        Err(wasmtime::format_err!("a host function was called in a compiler"))
    });
    let limit =
        job.max_functions.try_into().map_err(|_| ProtocolError("a limit of zero functions"))?;
    let settings = CompileSettings::of_child(engine, &job.call, functions);
    Ok(CompileSettings { max_functions: FunctionLimit::new(limit), ..settings })
}

fn compile_into(
    file: &File,
    settings: &CompileSettings,
    path: &Path,
    bytes: &[u8],
) -> Result<ChildCompileReply, LoadErrorKind> {
    write_code(file, &settings.load_in_process(path, bytes)?)
}

fn write_code(file: &File, plugin: &LinkedPlugin) -> Result<ChildCompileReply, LoadErrorKind> {
    let code = plugin.code().serialize().map_err(LoadErrorKind::invalid)?;
    let length = sealed_file::write_code(file, &code).map_err(LoadErrorKind::code)?;
    Ok(ChildCompileReply { metadata: plugin.metadata(), length })
}
