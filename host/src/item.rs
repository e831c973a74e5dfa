//! Words that every layer uses: numbers of items and workers, formats, faults, limits.

pub(crate) mod bounded;
pub(crate) mod byte_size;
pub(crate) mod digest;
pub(crate) mod error_chain;
pub(crate) mod failure;
pub(crate) mod fault;
pub(crate) mod format;
pub(crate) mod index;
pub(crate) mod limits;
pub(crate) mod passing;
pub(crate) mod quantity;
pub(crate) mod retry_on;
