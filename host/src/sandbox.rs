//! What a plugin may do, and who sees to it.

pub(crate) mod alarm;
pub(crate) mod capabilities;
pub(crate) mod deadline;
pub(crate) mod http;
pub(crate) mod limits;
pub(crate) mod meter;
pub(crate) mod output;
pub(crate) mod voice;
pub(crate) mod watchdog;
