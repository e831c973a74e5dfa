//! A child that tries all layers of the jail, reports which of them hold, and ends.

use super::errors::Unfit;
use super::station::Station;
use crate::isolation::wire::layers;
use crate::isolation::wire::setup::ChildSetup;
use crate::jail;
use crate::jail::{Confines, Task};

/// Enters the jail of a probe, which tries every layer that a worker may use, and sends the
/// answers.
pub(super) fn probe(station: &Station, setup: &ChildSetup) -> Result<(), Unfit> {
    let found = jail::enter(&Confines::without_grants(Task::Probe, setup.jail, setup.data))?;
    jail::seal()?;
    Ok(station.send(&layers::encode(&found))?)
}
