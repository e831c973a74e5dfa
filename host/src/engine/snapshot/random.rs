//! The random bytes of plugins. The recorder notes whether `init` drew random bytes, because all instances that start
//! from the snapshot share these bytes.

use wasmtime::{Caller, Extern, Linker};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::wasi_snapshot_preview1::{self as functions, WasiSnapshotPreview1 as _};
use wiggle::GuestMemory;

use crate::engine::blocking_calls::MODULE;
use crate::engine::state::HasCommonState;

/// Replaces the linker's `random_get` with a function that notes each call.
pub(crate) fn add_to_linker<T: HasCommonState>(
    linker: &mut Linker<T>,
    wasi: impl Fn(&mut T) -> &mut WasiP1Ctx + Copy + Send + Sync + 'static,
) {
    linker.allow_shadowing(true);
    let random_get = move |mut guest: Caller<'_, T>, at: i32, len: i32| -> wasmtime::Result<i32> {
        let memory = guest.get_export("memory").and_then(Extern::into_memory);
        let memory = memory.ok_or_else(|| wasmtime::format_err!("no memory is exported"))?;
        let fuel = wasmtime::AsContextMut::as_context_mut(&mut guest).hostcall_fuel();
        let (memory, state) = memory.data_and_store_mut(&mut guest);
        if let Some(recorder) = state.common().recorder() {
            recorder.record_random();
        }
        let wasi = wasi(state);
        wasi.set_hostcall_fuel(fuel);
        functions::random_get(wasi, &mut GuestMemory::Unshared(memory), at, len)
    };
    let defined = linker.func_wrap(MODULE, "random_get", random_get).map(drop);
    defined.expect("the linker allows shadowing");
    linker.allow_shadowing(false);
}
