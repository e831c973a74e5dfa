//! The models, by topic.

pub mod alarm;
pub mod barrier;
pub mod claim;
pub mod instance_failure;
pub mod loan;
pub mod overfull;
pub mod stop;
pub mod window;
