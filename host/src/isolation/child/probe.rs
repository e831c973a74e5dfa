//! A child that tries all layers of the jail, says which hold, and ends.

use super::errors::Unfit;
use super::station::Station;
use crate::isolation::wire::layers;
use crate::isolation::wire::setup::ChildSetup;
use crate::jail;
use crate::jail::{Confines, Task};

/// Enters the jail as a worker does, with everything that a worker may have.
pub(super) fn probe(station: &Station, setup: &ChildSetup) -> Result<(), Unfit> {
    let found = jail::enter(&Confines::without_grants(Task::Probe, setup.jail, setup.data))?;
    jail::seal()?;
    Ok(station.send(&layers::encode(&found))?)
}
