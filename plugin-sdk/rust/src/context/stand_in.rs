//! Stand-ins for the host's functions, so that plugins run natively under `cargo test`. Each
//! thread, and therefore each test, has its own answers.

use std::cell::{Cell, RefCell};

use super::answers::Context;
use super::kinds::Format;

thread_local! {
    static CONTEXT: RefCell<Context> = const { RefCell::new(Context::NEW) };
    static DECLARED_FORMAT: Cell<Format> = const { Cell::new(Format::Text) };
}

pub(crate) fn set(context: Context) {
    CONTEXT.replace(context);
}

pub(crate) fn declared_format() -> Format {
    DECLARED_FORMAT.get()
}

pub(super) fn worker_index() -> u32 {
    CONTEXT.with_borrow(|context| context.worker_index)
}

pub(super) fn worker_count() -> u32 {
    CONTEXT.with_borrow(|context| context.worker_count)
}

pub(super) fn argument_passing() -> u32 {
    CONTEXT.with_borrow(|context| context.argument_passing as u32)
}

pub(super) fn item_format() -> u32 {
    CONTEXT.with_borrow(|context| context.item_format as u32)
}

pub(super) fn result_format(format: u32) {
    DECLARED_FORMAT.set(if format == Format::Json as u32 { Format::Json } else { Format::Text });
}

#[expect(clippy::print_stderr, reason = "native runs show messages on standard error")]
pub(super) fn log(level: u32, message: &str) {
    const NAMES: [&str; 5] = ["trace", "debug", "info", "warn", "error"];
    let name = NAMES.get(level as usize).unwrap_or(&"?");
    eprintln!("{name}: {message}");
}
