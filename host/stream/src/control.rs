//! Stopping, cancelling and waking, and the clock by which guests are timed. No engine is needed here.

pub mod alarm;
pub mod cancel;
pub mod deadline;
pub mod panic;
pub mod schedule;
pub mod stop;
pub mod sync;
pub mod watchdog;
