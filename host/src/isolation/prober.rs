//! The parent's end of a child that tries the layers of the jail.

use std::io;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::time::Duration;

use super::Processes;
use super::child_connection::{LinkError, Received};
use super::compiler::TimeLimit;
use super::eventfd::EventFd;
use super::process::{Child, EXIT_TIMEOUT, READY_TIMEOUT};
use super::wire::setup::{ChildSetup, Task};
use super::wire::{ProtocolError, Reply, layers};
use crate::engine::EngineOptions;
use crate::isolation::claim_page::ClaimPage;
use crate::jail::{JailLayer, JailLayers, JailLevel, LayerStatus, sealed_file};
use crate::sandbox::control_group;

/// The most bytes of a reply.
const MAX_MESSAGE: usize = 64 * 1024;
/// The child's memory limit, in bytes.
const DATA: u64 = 1024 * 1024 * 1024;
/// The most time until the reply. The child only enters its jail.
const PROBE_TIMEOUT: Duration = READY_TIMEOUT;

/// Error of trying the layers of the jail.
///
/// ```
/// let error = mtl_host::isolation::LayersError::NoProgram;
/// assert_eq!(error.to_string(), "no process can try the jail: this program has not called `child_main`");
/// assert!(error.hint().unwrap().contains("child_main"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayersError {
    /// No program is set, and this program has not called `child_main`.
    #[error("no process can try the jail: this program has not called `child_main`")]
    NoProgram,
    /// The system cannot start a process, or refuses a resource that each run needs.
    #[error("cannot start a process to try the jail")]
    Process {
        /// The system's error.
        source: io::Error,
    },
    /// The process ended without an answer.
    #[error("the process that tries the jail ended: {message}")]
    Died {
        /// The description of its end.
        message: String,
    },
}

impl LayersError {
    /// Returns a hint for the user.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoProgram => Some(
                "call `mtl_host::isolation::child_main()` first in `main`, or name a program that does with \
                 `Processes::program`",
            ),
            Self::Process { .. } | Self::Died { .. } => None,
        }
    }
}

/// Tries the layers in a child, and adds the layers that this process itself can check.
pub(super) fn layers(processes: &Processes) -> Result<JailLayers, LayersError> {
    if processes.find_program().is_none() {
        return Err(LayersError::NoProgram);
    }
    let refused = |source| LayersError::Process { source };
    let event_fd = Arc::new(EventFd::new().map_err(refused)?);
    let (_page, page) = ClaimPage::create().map_err(refused)?;
    let file = sealed_file::create_code_file().map_err(refused)?;
    let mut child = Child::start(processes, &event_fd).map_err(refused)?;
    let sent = child.hand_over(&[page.as_fd(), file.as_fd()], &[]);
    let mut layers = sent
        .and_then(|()| exchange(&mut child))
        .map_err(|error| LayersError::Died { message: failure_message(&mut child, error) })??;
    layers.add_answer(JailLayer::SealedMemory, LayerStatus::Present);
    layers.add_answer(JailLayer::ControlGroup, control_group::find());
    layers.sort();
    Ok(layers)
}

fn exchange(child: &mut Child) -> Result<Result<JailLayers, LayersError>, LinkError> {
    let setup = ChildSetup {
        engine: EngineOptions::default(),
        jail: JailLevel::BestEffort,
        data: DATA,
        task: Task::Probe,
    };
    let mut limit = TimeLimit::from_now(PROBE_TIMEOUT, None);
    child.connection.send(&setup.encode(&[]), &mut limit)?;
    let Received { kind, mut payload } = child.connection.receive(MAX_MESSAGE, &mut limit)?;
    match kind {
        Reply::Layers => Ok(Ok(layers::decode(payload)?)),
        Reply::Unjailed => {
            payload.byte()?;
            Ok(Err(LayersError::Died { message: payload.message() }))
        }
        _ => Err(ProtocolError("an unexpected reply (expected: layers)").into()),
    }
}

fn failure_message(child: &mut Child, error: LinkError) -> String {
    match error {
        LinkError::Ended => child.wait(&mut TimeLimit::from_now(EXIT_TIMEOUT, None)).to_string(),
        LinkError::Overdue(overdue) => format!("it {overdue}"),
        LinkError::Protocol(error) => error.to_string(),
        LinkError::Io(error) => format!("the socket failed: {error}"),
    }
}
