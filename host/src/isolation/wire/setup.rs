//! The first frame from a parent: the task of the child.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Frame, Order, Payload, ProtocolError};
use crate::engine::{EngineOptions, PluginKind};
use crate::item::format::Format;
use crate::item::instance_config::InstanceConfig;
use crate::item::limits::{LogLimit, TotalMemory};
use crate::jail::{Access, JailLevel};

/// The setup of a child. The descriptors that it needs are sent separately.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ChildSetup {
    pub(crate) task: Task,
    pub(crate) jail: JailLevel,
    /// The options of the engine that compiles or runs the plugin.
    pub(crate) engine: EngineOptions,
    /// The child's memory limit, in bytes.
    pub(crate) data: u64,
}

/// The task of a child.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Compiles or inspects the plugin in the first file.
    Compile(Compile),
    /// Becomes a worker. The arguments of `init` follow the setup.
    Work(Box<WorkOrder>),
    /// Tries the layers of the jail.
    Probe,
}

/// The facts that a child needs to compile a plugin.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Compile {
    /// The path that errors show. The child does not open it.
    pub(crate) path: OsString,
    /// The length of the plugin's file in bytes.
    pub(crate) length: usize,
    pub(crate) call: String,
    /// The host functions: their interfaces and names.
    pub(crate) functions: Vec<(String, String)>,
    pub(crate) max_functions: u32,
    pub(crate) output: CompileOutput,
}

/// The output that the child must produce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum CompileOutput {
    /// The code of the plugin, written to the second file.
    Code,
    /// The code of the plugin, with the instrumentation that freezing needs. The child writes the
    /// code to the second file.
    Instrumented,
    /// The code of a snapshot's module, written to the second file.
    Snapshot,
    /// The findings about the plugin.
    Inspection,
}

/// The worker that a child becomes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WorkOrder {
    pub(crate) config: InstanceConfig,
    pub(crate) worker: u32,
    pub(crate) workers: u32,
    pub(crate) kind: PluginKind,
    pub(crate) call: String,
    pub(crate) functions: Vec<(String, String)>,
    /// The granted directories: for each, the path that errors show, the path that the plugin sees,
    /// and the access. The open directories were sent before the setup, in the order of this list.
    pub(crate) dirs: Vec<(OsString, String, Access)>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) net: Vec<String>,
    pub(crate) names: BTreeMap<String, Vec<IpAddr>>,
    /// The memory limit of all workers together. If the pool has such a limit, the child requests
    /// memory before its instance grows.
    pub(crate) total_memory: TotalMemory,
    pub(crate) log: LogLimit,
    /// The time on the worker's monotonic clock.
    pub(crate) clock: Duration,
    pub(crate) start_mode: StartMode,
}

/// The way in which a worker's instance starts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum StartMode {
    /// Calls `init`.
    Init,
    /// Calls `init`, and then freezes the instance. At first, the third file contains the plugin's
    /// module without instrumentation. Later, it contains the snapshot's module.
    Freeze {
        /// The path that errors show. The child does not open it.
        path: OsString,
        /// The length of the plugin's module in bytes.
        length: usize,
    },
    /// Restores a snapshot, in which `init` has chosen the format of results.
    Snapshot { results: Format },
}

/// The version of this program. Each version has its own protocol.
const VERSION: &str = env!("CARGO_PKG_VERSION");

impl ChildSetup {
    /// Encodes the setup. The bytes `trailing` follow it, such as the arguments of `init`.
    pub(crate) fn encode(&self, trailing: &[u8]) -> Vec<u8> {
        let setup = postcard::to_allocvec(self).expect("all lengths are known");
        let frame = Frame::order(Order::Setup).bytes(VERSION.as_bytes());
        frame.bytes(&setup).rest(trailing).seal()
    }

    /// Decodes the setup, and returns it with the bytes that follow it. If the parent's version
    /// differs from the child's version, returns the parent's version.
    pub(crate) fn decode(payload: &[u8]) -> Result<Result<(Self, &[u8]), String>, ProtocolError> {
        let mut payload = Payload(payload);
        let version = payload.bytes()?;
        if version != VERSION.as_bytes() {
            return Ok(Err(String::from_utf8_lossy(version).into_owned()));
        }
        let setup = Payload(payload.bytes()?).data(ProtocolError("an invalid setup"))?;
        Ok(Ok((setup, payload.rest())))
    }
}
