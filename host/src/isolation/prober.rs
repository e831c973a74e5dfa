//! The parent's end of a child that tries the layers of the jail.

use std::io;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::time::Duration;

use super::Processes;
use super::compiler::Until;
use super::eventfd::Bell;
use super::link::{Gone, Received};
use super::process::{Child, TO_BE_READY, TO_END};
use super::wire::setup::{ChildSetup, Task};
use super::wire::{BadFrame, Reply, layers};
use crate::engine::EngineOptions;
use crate::isolation::claim_page::ClaimPage;
use crate::jail::{Jail, JailLayer, JailLayers, LayerAnswer, sealed_file};
use crate::sandbox::control_group;

/// The most bytes of a reply.
const MOST_SAID: usize = 64 * 1024;
/// The child's memory limit, in bytes.
const DATA: u64 = 1024 * 1024 * 1024;
/// The most time until the reply. The child only enters its jail.
const PATIENCE: Duration = TO_BE_READY;

/// Error of trying the layers of the jail.
///
/// ```
/// let error = mtl_host::LayersError::NoProgram;
/// assert_eq!(error.to_string(), "no process can try the jail: this program has not called `child_main`");
/// assert!(error.hint().unwrap().contains("child_main"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayersError {
    /// No program is known that makes workers.
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
        /// The way in which it ended.
        message: String,
    },
}

impl LayersError {
    /// Returns a hint for the user.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoProgram => Some(
                "call `mtl_host::child_main()` first of all in `main`, or name a program that does: \
                 `Processes::program`",
            ),
            Self::Process { .. } | Self::Died { .. } => None,
        }
    }
}

/// Tries the layers in a child, and adds the layers that this process can check itself.
pub(super) fn layers(processes: &Processes) -> Result<JailLayers, LayersError> {
    if processes.find_program().is_none() {
        return Err(LayersError::NoProgram);
    }
    let refused = |source| LayersError::Process { source };
    let bell = Arc::new(Bell::new().map_err(refused)?);
    let (_page, page) = ClaimPage::create().map_err(refused)?;
    let place = sealed_file::place().map_err(refused)?;
    let mut child = Child::start(processes, &bell).map_err(refused)?;
    let asked = child.hand_over(&[page.as_fd(), place.as_fd()], &[]);
    let mut found = asked
        .and_then(|()| ask(&mut child))
        .map_err(|gone| LayersError::Died { message: how(&mut child, gone) })??;
    found.note(JailLayer::SealedMemory, LayerAnswer::Present);
    found.note(JailLayer::ControlGroup, control_group::find());
    found.sort();
    Ok(found)
}

fn ask(child: &mut Child) -> Result<Result<JailLayers, LayersError>, Gone> {
    let setup = ChildSetup {
        engine: EngineOptions::default(),
        jail: Jail::BestEffort,
        data: DATA,
        task: Task::Probe,
    };
    let mut until = Until::now_and(PATIENCE, None);
    child.link.send(&setup.encode(&[]), &mut until)?;
    let Received { kind, mut payload } = child.link.receive(MOST_SAID, &mut until)?;
    match kind {
        Reply::Layers => Ok(Ok(layers::decode(payload)?)),
        Reply::Unjailed => {
            payload.byte()?;
            Ok(Err(LayersError::Died { message: payload.message() }))
        }
        _ => Err(BadFrame("an unexpected reply (expected: layers)").into()),
    }
}

fn how(child: &mut Child, gone: Gone) -> String {
    match gone {
        Gone::Ended => child.wait(&mut Until::now_and(TO_END, None)).to_string(),
        Gone::Overdue(overdue) => format!("it {overdue}"),
        Gone::Bad(why) => why.to_string(),
        Gone::Io(error) => format!("the socket failed: {error}"),
    }
}
