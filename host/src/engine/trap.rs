//! Translates a guest's premature stop into an instance failure.

use wasmtime::component::ResourceTableError;
use wasmtime::{ThrownException, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use super::state::{CommonState, MAX_OPEN};
use crate::control::deadline::Overdue;
use crate::item::fault::FaultKind;
use crate::item::instance_failure::InstanceFailure;
use crate::item::limits::ResultLimit;
use crate::sandbox::disk::OutOfDisk;
use crate::sandbox::meter::GrowthDenied;

/// Returns the failure to charge to the item that the guest was working on.
pub(crate) fn instance_failure(error: &wasmtime::Error, common: &CommonState) -> InstanceFailure {
    let denied = common.meter.denied();
    let location = location(error);
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return InstanceFailure::new(
            FaultKind::Trap,
            format!("the plugin exited with code {code}{location}"),
        );
    }
    if let Some(overdue) = error.downcast_ref::<Overdue>() {
        return InstanceFailure::new(FaultKind::Timeout, format!("{overdue}{location}"));
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref() {
        let message = format!(
            "the plugin has reached the limit of {MAX_OPEN} open files and other resources{location}"
        );
        return InstanceFailure::new(FaultKind::Trap, message);
    }
    if let Some(full) = error.downcast_ref::<OutOfDisk>() {
        return InstanceFailure::new(FaultKind::OutOfDisk, format!("{full}{location}"));
    }
    if error.is::<ThrownException>() {
        // The exception object stays in the instance, which is replaced.
        return InstanceFailure::new(FaultKind::Trap, format!("uncaught exception{location}"));
    }
    let trap = error.downcast_ref::<Trap>();
    match trap {
        Some(Trap::OutOfFuel) => {
            let limit = common.config.fuel.map(|fuel| format!(" of the {fuel} of `fuel`"));
            let limit = limit.unwrap_or_default();
            InstanceFailure::new(FaultKind::OutOfFuel, format!("no fuel is left{limit}{location}"))
        }
        Some(Trap::StackOverflow) => {
            InstanceFailure::new(FaultKind::Trap, format!("call stack exhausted{location}"))
        }
        Some(trap) => match denied {
            Some(denied) => out_of_memory(denied, &location),
            None => InstanceFailure::new(FaultKind::Trap, format!("{}{location}", text(*trap))),
        },
        None => match (denied, transfer_failure(error, common.config.max_result)) {
            (_, Some(failure)) => failure,
            (Some(denied), None) => out_of_memory(denied, &location),
            (None, None) => {
                InstanceFailure::new(FaultKind::Trap, format!("{}{location}", error.root_cause()))
            }
        },
    }
}

/// Returns the failure of a plugin that stopped after the host had denied it memory. The failure names the denial
/// instead of the trap, because plugins trap in different ways after a denial.
fn out_of_memory(denied: GrowthDenied, location: &str) -> InstanceFailure {
    InstanceFailure::new(FaultKind::OutOfMemory, format!("the plugin asked for {denied}{location}"))
}

/// Returns the failure of a component that passed too much data to the host at once: as the result of its call, or as
/// an argument of a host call. Returns `None` for any other error.
fn transfer_failure(error: &wasmtime::Error, limit: ResultLimit) -> Option<InstanceFailure> {
    // The engine's error has no public type. A test fails if its text changes.
    const WORDS: &str = "fuel allocated for hostcalls has been exhausted";
    if !error.root_cause().to_string().ends_with(WORDS) {
        return None;
    }
    Some(match error.downcast_ref::<WasmBacktrace>() {
        None => InstanceFailure::new(
            FaultKind::BadResult,
            format!("the result is larger than the {limit:#} of `max_result`"),
        ),
        Some(_) => InstanceFailure::new(
            FaultKind::Trap,
            format!(
                "the plugin passed more to the host at once than the {limit:#} of `max_result`{}",
                location(error)
            ),
        ),
    })
}

/// Returns the innermost function as a suffix for messages, if the plugin names its functions.
fn location(error: &wasmtime::Error) -> String {
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
