//! The vocabulary of all layers: numbers of items and workers, formats, faults, limits.

pub mod argument_passing;
pub mod bounded;
pub mod byte_size;
pub mod digest;
pub mod error_chain;
pub mod fault;
pub mod format;
pub mod index;
pub mod instance_config;
pub mod instance_failure;
pub mod limits;
pub mod parse_error;
pub mod quantity;
pub mod retry_on;
