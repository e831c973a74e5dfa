//! The meaning of a guest that stopped instead of answering.

use wasmtime::component::ResourceTableError;
use wasmtime::{ThrownException, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use super::state::{Common, MOST_OPEN};
use crate::control::deadline::Overdue;
use crate::item::failure::Broken;
use crate::item::fault::FaultKind;
use crate::item::limits::ResultLimit;
use crate::sandbox::disk::OutOfDisk;
use crate::sandbox::meter::Denied;

/// What the item that a guest was on is charged with.
pub(crate) fn broken(error: &wasmtime::Error, common: &Common) -> Broken {
    let denied = common.meter.denied();
    let place = place(error);
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return Broken::new(FaultKind::Trap, format!("the plugin exited with code {code}{place}"));
    }
    if let Some(overdue) = error.downcast_ref::<Overdue>() {
        return Broken::new(FaultKind::Timeout, format!("{overdue}{place}"));
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref() {
        let message = format!(
            "the plugin has {MOST_OPEN} files and other things open, and may have no more{place}"
        );
        return Broken::new(FaultKind::Trap, message);
    }
    if let Some(full) = error.downcast_ref::<OutOfDisk>() {
        return Broken::new(FaultKind::OutOfDisk, format!("{full}{place}"));
    }
    if error.is::<ThrownException>() {
        // The exception itself stays in the instance, which is replaced.
        return Broken::new(FaultKind::Trap, format!("uncaught exception{place}"));
    }
    let trap = error.downcast_ref::<Trap>();
    match trap {
        Some(Trap::OutOfFuel) => {
            let limit = common.config.fuel.map(|fuel| format!(" of the {fuel} of `fuel`"));
            let limit = limit.unwrap_or_default();
            Broken::new(FaultKind::OutOfFuel, format!("no fuel is left{limit}{place}"))
        }
        Some(Trap::StackOverflow) => {
            Broken::new(FaultKind::Trap, format!("call stack exhausted{place}"))
        }
        Some(trap) => match denied {
            Some(denied) => out_of_memory(denied, &place),
            None => Broken::new(FaultKind::Trap, format!("{}{place}", text(*trap))),
        },
        None => match (denied, too_much(error, common.config.max_result)) {
            (_, Some(broken)) => broken,
            (Some(denied), None) => out_of_memory(denied, &place),
            (None, None) => Broken::new(FaultKind::Trap, format!("{}{place}", error.root_cause())),
        },
    }
}

/// A plugin that gets no memory mostly stops by itself, in its own way.
fn out_of_memory(denied: Denied, place: &str) -> Broken {
    Broken::new(FaultKind::OutOfMemory, format!("the plugin asked for {denied}{place}"))
}

/// A component that hands over more than the host takes at once: as its result, or from
/// within, by a call.
fn too_much(error: &wasmtime::Error, limit: ResultLimit) -> Option<Broken> {
    // The engine's error has no public type; a test says when its words have changed.
    const WORDS: &str = "fuel allocated for hostcalls has been exhausted";
    if !error.root_cause().to_string().ends_with(WORDS) {
        return None;
    }
    Some(match error.downcast_ref::<WasmBacktrace>() {
        None => Broken::new(
            FaultKind::BadResult,
            format!("the result is larger than the {limit:#} of `max_result`"),
        ),
        Some(_) => Broken::new(
            FaultKind::Trap,
            format!(
                "the plugin passed more to the host at once than the {limit:#} of `max_result`{}",
                place(error)
            ),
        ),
    })
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
