//! Stopping, cancelling and waking, and the clock by which guests are timed. No engine is needed here.

pub(crate) mod alarm;
pub(crate) mod cancel;
pub(crate) mod deadline;
pub(crate) mod panic;
pub(crate) mod schedule;
pub(crate) mod stop;
pub(crate) mod sync;
pub(crate) mod watchdog;
