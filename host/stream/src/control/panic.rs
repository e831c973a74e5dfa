//! The message of a panic that was caught in a source or a function of the embedder.

use std::any::Any;

/// Returns the panic's message, if it has one.
pub fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "no message".into())
}
