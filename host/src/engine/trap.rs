//! Translates a guest's premature stop into an instance failure.

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

/// Returns the failure to charge to the item that the guest was working on.
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
            "the plugin has reached the limit of {MOST_OPEN} open files and other resources{place}"
        );
        return Broken::new(FaultKind::Trap, message);
    }
    if let Some(full) = error.downcast_ref::<OutOfDisk>() {
        return Broken::new(FaultKind::OutOfDisk, format!("{full}{place}"));
    }
    if error.is::<ThrownException>() {
        // The exception object stays in the instance, which is replaced.
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

/// Returns the failure of a plugin that was denied memory. Most such plugins then stop in their own
/// way.
fn out_of_memory(denied: Denied, place: &str) -> Broken {
    Broken::new(FaultKind::OutOfMemory, format!("the plugin asked for {denied}{place}"))
}

/// Returns the failure of a component that passed too much to the host in one call: as its result,
/// or as the argument of a call from within.
fn too_much(error: &wasmtime::Error, limit: ResultLimit) -> Option<Broken> {
    // The engine's error has no public type. A test fails if its text changes.
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

/// Returns the innermost function as a suffix for messages, if the plugin names its functions.
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
