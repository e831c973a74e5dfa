//! Wraps the WASI calls of core modules that may block: calls that wait for a file, and calls that sleep.
//!
//! wasmtime-wasi implements these calls as futures. For a synchronous store, wasmtime-wasi blocks until each future
//! ends. This module instead runs each future under the instance's watch, which can stop the future early. Deadlines
//! and the end of the pool therefore take effect even while the guest sleeps, or waits for a file operation that never
//! completes. The store stays synchronous, because calls into an instance are slower in an asynchronous store than in a
//! synchronous one.

use wasmtime::{Caller, Extern, Linker};
use wasmtime_wasi::p1::WasiP1Ctx;
// These functions are public, but their documentation calls them internal. A new release of wasmtime may therefore
// change them. The project stays on one long-term release of wasmtime, and tests cover each kind of blocking call.
use wasmtime_wasi::p1::wasi_snapshot_preview1::{self as functions, WasiSnapshotPreview1 as _};
use wiggle::GuestMemory;

use super::block_on::{block_on, block_on_with};
use super::file_calls::{self, CallDecision, FileCall};
use super::state::CommonState;

/// The module from which plugins import WASI preview 1.
pub(crate) const MODULE: &str = "wasi_snapshot_preview1";

/// Defines functions by their names and parameter types.
macro_rules! define {
    ($linker:ident, $parts:ident: $($name:ident($($parameter:ident: $type:ty),*);)*) => {$(
        $linker
            .func_wrap(
                MODULE,
                stringify!($name),
                move |mut guest: Caller<'_, T>, $($parameter: $type),*| -> wasmtime::Result<i32> {
                    let memory = guest.get_export("memory").and_then(Extern::into_memory);
                    let memory = memory.ok_or_else(|| wasmtime::format_err!("no memory is exported"))?;
                    let fuel = wasmtime::AsContextMut::as_context_mut(&mut guest).hostcall_fuel();
                    let (bytes, state) = memory.data_and_store_mut(&mut guest);
                    let call = FileCall {
                        name: stringify!($name),
                        parameters: &[$(i64::from($parameter)),*],
                    };
                    let (wasi, common) = $parts(state);
                    let charged = match common.files.before_call(call, bytes)? {
                        CallDecision::Refused(error_code) => return Ok(error_code),
                        CallDecision::Allowed { charged } => charged,
                    };
                    let (watch, moved) =
                        (common.watch.clone(), common.files.moved_file(call, bytes));
                    let mut memory = GuestMemory::Unshared(bytes);
                    if let Some(moved) = moved
                        && block_on(&watch, file_calls::is_symlink(wasi, moved))??
                    {
                        return Ok(file_calls::NOT_PERMITTED);
                    }
                    wasi.set_hostcall_fuel(fuel);
                    let wasi_call = functions::$name(wasi, &mut memory, $($parameter),*);
                    let error_code = block_on_with(&watch, wasi_call, || common.hand_over())??;
                    common.files.after_call(call, bytes, charged, error_code == 0);
                    if let Some(recorder) = common.recorder() {
                        recorder.record(call.name, call.parameters, bytes, error_code == 0);
                    }
                    Ok(error_code)
                },
            )
            .expect("the linker allows shadowing");
    )*};
}

/// Replaces the functions of the linker that may block.
pub(crate) fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    parts: impl Fn(&mut T) -> (&mut WasiP1Ctx, &mut CommonState) + Copy + Send + Sync + 'static,
) {
    linker.allow_shadowing(true);
    define! { linker, parts:
        fd_advise(fd: i32, offset: i64, len: i64, advice: i32);
        fd_close(fd: i32);
        fd_datasync(fd: i32);
        fd_fdstat_get(fd: i32, stat: i32);
        fd_filestat_get(fd: i32, stat: i32);
        fd_filestat_set_size(fd: i32, size: i64);
        fd_filestat_set_times(fd: i32, accessed: i64, modified: i64, flags: i32);
        fd_pread(fd: i32, buffers: i32, count: i32, offset: i64, read: i32);
        fd_pwrite(fd: i32, buffers: i32, count: i32, offset: i64, written: i32);
        fd_read(fd: i32, buffers: i32, count: i32, read: i32);
        fd_readdir(fd: i32, buffer: i32, len: i32, cookie: i64, used: i32);
        fd_renumber(from: i32, to: i32);
        fd_seek(fd: i32, offset: i64, whence: i32, position: i32);
        fd_sync(fd: i32);
        fd_write(fd: i32, buffers: i32, count: i32, written: i32);
        path_create_directory(fd: i32, path: i32, len: i32);
        path_filestat_get(fd: i32, flags: i32, path: i32, len: i32, stat: i32);
        path_filestat_set_times(
            fd: i32, flags: i32, path: i32, len: i32, accessed: i64, modified: i64, time_flags: i32
        );
        path_link(
            from: i32, flags: i32, old: i32, old_len: i32, to: i32, new: i32, new_len: i32
        );
        path_open(
            fd: i32, flags: i32, path: i32, len: i32, open: i32, rights: i64, inherited: i64,
            fd_flags: i32, opened: i32
        );
        path_readlink(fd: i32, path: i32, len: i32, buffer: i32, size: i32, used: i32);
        path_remove_directory(fd: i32, path: i32, len: i32);
        path_rename(from: i32, old: i32, old_len: i32, to: i32, new: i32, new_len: i32);
        path_symlink(old: i32, old_len: i32, fd: i32, new: i32, new_len: i32);
        path_unlink_file(fd: i32, path: i32, len: i32);
        poll_oneoff(subscriptions: i32, events: i32, count: i32, event_count: i32);
    }
    linker.allow_shadowing(false);
}
