//! Stopping, cancelling, waking, and the clock for the time limits of guests. Nothing here needs the engine.

pub mod alarm;
pub mod cancel;
pub mod deadline;
pub mod panic;
pub mod sched_stat;
pub mod stop;
pub mod sync;
pub mod watchdog;
