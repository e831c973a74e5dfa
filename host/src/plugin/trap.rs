//! What it means when a guest stopped instead of answering.

use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::fault::FaultKind;
use crate::sandbox::deadline::Overdue;
use crate::sandbox::limits::Meter;
use crate::worker::executor::Broken;

/// What the item that a guest was on is charged with.
pub(super) fn broken(error: &wasmtime::Error, meter: &Meter) -> Broken {
    let denied = meter.was_denied();
    let place = place(error);
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return Broken::new(FaultKind::Trap, format!("the plugin exited with code {code}{place}"));
    }
    if let Some(overdue) = error.downcast_ref::<Overdue>() {
        return Broken::new(FaultKind::Timeout, format!("{overdue}{place}"));
    }
    let trap = error.downcast_ref::<Trap>();
    match trap {
        Some(Trap::OutOfFuel) => Broken::new(FaultKind::OutOfFuel, format!("no fuel left{place}")),
        Some(Trap::StackOverflow) => {
            Broken::new(FaultKind::Trap, format!("call stack exhausted{place}"))
        }
        // A plugin that gets no memory mostly stops by itself, in its own way.
        Some(_) | None if denied => Broken::new(
            FaultKind::OutOfMemory,
            format!("the plugin asked for more memory than it may have{place}"),
        ),
        Some(trap) => Broken::new(FaultKind::Trap, format!("{}{place}", text(*trap))),
        None => Broken::new(FaultKind::Trap, format!("{}{place}", error.root_cause())),
    }
}

/// The innermost function, as far as the plugin names its functions.
fn place(error: &wasmtime::Error) -> String {
    let frames = error.downcast_ref::<WasmBacktrace>().map(WasmBacktrace::frames);
    let function = frames.and_then(<[_]>::first).and_then(|frame| frame.func_name());
    function.map(|name| format!(", in `{}`", name.escape_debug())).unwrap_or_default()
}

fn text(trap: Trap) -> String {
    let text = trap.to_string();
    match text.strip_prefix("wasm trap: ") {
        Some(text) => text.to_owned(),
        None => text,
    }
}
