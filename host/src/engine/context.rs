//! The functions of `mtl:plugin/context`, which plugins call for information about their worker and
//! for logging.
//!
//! Components import the functions with component types. Core modules import the canonical lowering
//! of these types. Both imports call the same implementation.

use wasmtime::component::{ComponentType, Lift, Lower};
use wasmtime::{Caller, Linker};

use super::core_abi::guest_memory;
use super::state::{CommonState, HasCommonState};
use crate::event::snapshot_refusal::SnapshotRefusal;
use crate::item::argument_passing::ArgumentPassing;
use crate::item::format::Format;
use crate::sandbox::guest_event::LogLevel;

/// The name of the interface, for core modules and components.
pub(crate) const INTERFACE: &str = "mtl:plugin/context@1.0.0";

/// The name of the function that reports how a plugin's parameters are passed.
pub(crate) const PASSING: &str = "argument-passing";

/// The size limit of a log message, in bytes. Longer messages are cut.
const MAX_MESSAGE: usize = 64 * 1024;

impl CommonState {
    fn log(&self, level: LogLevel, message: &str) {
        let mut end = message.len().min(MAX_MESSAGE);
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        self.guest_output.log(level, &message[..end]);
    }
}

const fn number(format: Format) -> u32 {
    match format {
        Format::Text => 0,
        Format::Json => 1,
    }
}

/// Adds the interface to the linker of core modules.
pub(crate) fn add_to_core_linker<T: HasCommonState>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    type Guest<'a, T> = Caller<'a, T>;
    linker.func_wrap(INTERFACE, "worker-index", |mut guest: Guest<'_, T>| {
        let common = guest.data_mut().common();
        common.refuse_snapshot(SnapshotRefusal::QueriesWorkerIndex);
        common.index.get()
    })?;
    linker.func_wrap(INTERFACE, "worker-count", |mut guest: Guest<'_, T>| {
        let common = guest.data_mut().common();
        common.refuse_snapshot(SnapshotRefusal::QueriesWorkerIndex);
        common.workers
    })?;
    linker.func_wrap(INTERFACE, PASSING, |mut guest: Guest<'_, T>| {
        match guest.data_mut().common().config.passing {
            ArgumentPassing::Single => 0_u32,
            ArgumentPassing::Args => 1,
            ArgumentPassing::Kwargs => 2,
        }
    })?;
    linker.func_wrap(INTERFACE, "item-format", |mut guest: Guest<'_, T>| {
        number(guest.data_mut().common().config.item_format)
    })?;
    linker.func_wrap(INTERFACE, "result-format", |mut guest: Guest<'_, T>, format: u32| {
        guest.data_mut().common().result_format = match format {
            0 => Format::Text,
            1 => Format::Json,
            other => return Err(wasmtime::format_err!("`result-format` has no case {other}")),
        };
        Ok(())
    })?;
    linker.func_wrap(
        INTERFACE,
        "log",
        |mut guest: Guest<'_, T>, level: u32, ptr: u32, len: u32| {
            let level = match level {
                0 => LogLevel::Trace,
                1 => LogLevel::Debug,
                2 => LogLevel::Info,
                3 => LogLevel::Warn,
                4 => LogLevel::Error,
                other => return Err(wasmtime::format_err!("`log` has no level {other}")),
            };
            let memory = guest.get_export("memory").and_then(wasmtime::Extern::into_memory);
            let memory = memory.ok_or_else(|| wasmtime::format_err!("no memory is exported"))?;
            let bytes = guest_memory::bytes(memory.data(&guest), ptr, len).ok_or_else(|| {
                wasmtime::format_err!("`log` was called with an address outside the memory")
            })?;
            let message = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_MESSAGE)]);
            let message = message.into_owned();
            guest.data_mut().common().log(level, &message);
            Ok(())
        },
    )?;
    Ok(())
}

#[derive(Clone, Copy, Debug, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
enum WitPassing {
    #[component(name = "single")]
    Single,
    #[component(name = "args")]
    Args,
    #[component(name = "kwargs")]
    Kwargs,
}

#[derive(Clone, Copy, Debug, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
enum WitFormat {
    #[component(name = "text")]
    Text,
    #[component(name = "json")]
    Json,
}

#[derive(Clone, Copy, Debug, ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
#[expect(dead_code, reason = "lifting constructs the variants")]
enum WitLevel {
    #[component(name = "trace")]
    Trace,
    #[component(name = "debug")]
    Debug,
    #[component(name = "info")]
    Info,
    #[component(name = "warn")]
    Warn,
    #[component(name = "error")]
    Error,
}

impl From<ArgumentPassing> for WitPassing {
    fn from(passing: ArgumentPassing) -> Self {
        match passing {
            ArgumentPassing::Single => Self::Single,
            ArgumentPassing::Args => Self::Args,
            ArgumentPassing::Kwargs => Self::Kwargs,
        }
    }
}

impl From<Format> for WitFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => Self::Text,
            Format::Json => Self::Json,
        }
    }
}

impl From<WitFormat> for Format {
    fn from(format: WitFormat) -> Self {
        match format {
            WitFormat::Text => Self::Text,
            WitFormat::Json => Self::Json,
        }
    }
}

impl From<WitLevel> for LogLevel {
    fn from(level: WitLevel) -> Self {
        match level {
            WitLevel::Trace => Self::Trace,
            WitLevel::Debug => Self::Debug,
            WitLevel::Info => Self::Info,
            WitLevel::Warn => Self::Warn,
            WitLevel::Error => Self::Error,
        }
    }
}

/// Adds the interface to the linker of components.
pub(crate) fn add_to_component_linker<T: HasCommonState>(
    linker: &mut wasmtime::component::Linker<T>,
) -> wasmtime::Result<()> {
    let mut interface = linker.instance(INTERFACE)?;
    interface.func_wrap("worker-index", |mut store, (): ()| {
        Ok((store.data_mut().common().index.get(),))
    })?;
    interface
        .func_wrap("worker-count", |mut store, (): ()| Ok((store.data_mut().common().workers,)))?;
    interface.func_wrap(PASSING, |mut store, (): ()| {
        Ok((WitPassing::from(store.data_mut().common().config.passing),))
    })?;
    interface.func_wrap("item-format", |mut store, (): ()| {
        Ok((WitFormat::from(store.data_mut().common().config.item_format),))
    })?;
    interface.func_wrap("result-format", |mut store, (format,): (WitFormat,)| {
        store.data_mut().common().result_format = format.into();
        Ok(())
    })?;
    interface.func_wrap("log", |mut store, (level, message): (WitLevel, String)| {
        store.data_mut().common().log(level.into(), &message);
        Ok(())
    })?;
    Ok(())
}
