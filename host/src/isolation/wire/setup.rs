//! The first message of a parent: the work of the child.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{BadFrame, Frame, Order, Payload};
use crate::engine::{EngineOptions, PluginKind};
use crate::item::format::Format;
use crate::item::instance_config::InstanceConfig;
use crate::item::limits::{LogLimit, TotalMemory};
use crate::jail::{Access, Jail};

/// What a child is to be. What it is to hold open comes beside, as descriptors.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ChildSetup {
    pub(crate) task: Task,
    pub(crate) jail: Jail,
    /// Those of the engine that compiles the plugin, and of the one that runs it.
    pub(crate) engine: EngineOptions,
    /// What it may have of data, in bytes.
    pub(crate) data: u64,
}

/// What it is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Task {
    /// To compile the plugin that is in the first file, or to look into it.
    Compile(Compile),
    /// To be a worker, with the init arguments that come after this.
    Work(Box<WorkOrder>),
    /// To try the layers of the jail.
    Probe,
}

/// What is to be known of a plugin to compile it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Compile {
    /// How errors call it: nothing is read there.
    pub(crate) path: OsString,
    /// How many bytes its file has.
    pub(crate) length: usize,
    pub(crate) call: String,
    /// The host functions: their interfaces and names.
    pub(crate) functions: Vec<(String, String)>,
    pub(crate) max_functions: u32,
    pub(crate) wants: Wanted,
}

/// What is wanted of a plugin's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Wanted {
    /// Its code, in the second file.
    Code,
    /// The code of one whose instances can be frozen, in the second file.
    Instrumented,
    /// The code of what was frozen, in the second file.
    Snapshot,
    /// What is in it.
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
    /// The granted directories: how errors call one, how the plugin calls it, and the rights. The directories
    /// themselves were sent before, in the same order.
    pub(crate) dirs: Vec<(OsString, String, Access)>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) net: Vec<String>,
    pub(crate) names: BTreeMap<String, Vec<IpAddr>>,
    /// The memory of all workers together. If it has a limit, the child asks before its memory grows.
    pub(crate) total_memory: TotalMemory,
    pub(crate) log: LogLimit,
    /// The time on the worker's monotonic clock.
    pub(crate) clock: Duration,
    pub(crate) begins: Begins,
}

/// How a worker's instance comes to its first item.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Begins {
    /// By its `init`.
    Init,
    /// By its `init`, and then it is frozen. The module of which it is made, without what makes that
    /// possible, is in the third file, where the frozen one goes.
    Freeze {
        /// How errors call it: nothing is read there.
        path: OsString,
        /// How many bytes it has.
        length: usize,
    },
    /// From a snapshot, in which it has said what its results are.
    Snapshot { results: Format },
}

/// The version of this program: another one has another protocol.
const VERSION: &str = env!("CARGO_PKG_VERSION");

impl ChildSetup {
    /// The order; `beside` is what the task says that comes after it.
    pub(crate) fn encode(&self, beside: &[u8]) -> Vec<u8> {
        let setup = postcard::to_allocvec(self).expect("all lengths are known");
        let frame = Frame::order(Order::Setup).bytes(VERSION.as_bytes());
        frame.bytes(&setup).rest(beside).seal()
    }

    /// Reads the order, and what comes after it; or the version of a parent that has another one.
    pub(crate) fn decode(payload: &[u8]) -> Result<Result<(Self, &[u8]), String>, BadFrame> {
        let mut payload = Payload(payload);
        let version = payload.bytes()?;
        if version != VERSION.as_bytes() {
            return Ok(Err(String::from_utf8_lossy(version).into_owned()));
        }
        let setup = Payload(payload.bytes()?).data(BadFrame("a set-up that is none"))?;
        Ok(Ok((setup, payload.rest())))
    }
}
