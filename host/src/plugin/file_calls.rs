//! Rules on the files of a plugin that WASI's own rights do not know: it makes symbolic links only where that is
//! granted.
//!
//! Core modules ask by the numbers of WASI preview 1, in `waiting.rs`. Components have functions of their own,
//! which take the place of those in the linker.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings::filesystem::types::{ErrorCode, HostDescriptor as _};

use super::component::State;
use super::state::{Common, HasCommon as _};

/// The interface, in the version in which wasmtime-wasi defines it. A test notices another one.
const INTERFACE: &str = "wasi:filesystem/types@0.2.12";

/// What WASI preview 1 answers to a call that is not permitted: `perm`.
const NOT_PERMITTED: i32 = 63;

/// Returns the answer to a call of WASI preview 1 that is refused.
pub(super) fn refusal(call: &str, common: &Common) -> Option<i32> {
    (call == "path_symlink" && !common.may_link).then_some(NOT_PERMITTED)
}

/// Defines functions of components in place of those that the linker has.
pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut files = linker.instance(INTERFACE)?;
    files.func_wrap_async("[method]descriptor.symlink-at", |guest, names| {
        Box::new(async move { Ok((symlink(guest, names).await?,)) })
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

async fn symlink(
    mut guest: StoreContextMut<'_, State>,
    (dir, target, name): (Resource<Descriptor>, String, String),
) -> wasmtime::Result<Result<(), ErrorCode>> {
    let state = guest.data_mut();
    if !state.common().may_link {
        return Ok(Err(ErrorCode::NotPermitted));
    }
    match state.filesystem().symlink_at(dir, target, name).await {
        Ok(()) => Ok(Ok(())),
        Err(error) => Ok(Err(error.downcast()?)),
    }
}
