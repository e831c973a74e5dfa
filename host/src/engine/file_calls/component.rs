//! Replaces the linker's file functions for components with functions that apply the rules.

use std::sync::Arc;

use bytes::Bytes;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorType, ErrorCode, HostDescriptor as _, PathFlags,
};
use wasmtime_wasi::p2::pipe::ClosedOutputStream;
use wasmtime_wasi::p2::{
    DynOutputStream, FsResult, OutputStream, Pollable, StreamError, StreamResult,
};

use crate::engine::component::State;
use crate::engine::state::HasCommonState as _;
use crate::sandbox::disk::Disk;

/// The name of the interface, with the version that wasmtime-wasi defines. A test fails if the version changes.
const INTERFACE: &str = "wasi:filesystem/types@0.2.12";

/// Replaces functions of the linker with those that apply the rules.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut files = linker.instance(INTERFACE)?;
    files.func_wrap_async("[method]descriptor.symlink-at", |guest, names| {
        Box::new(async move { Ok((symlink(guest, names).await?,)) })
    })?;
    files.func_wrap_async("[method]descriptor.rename-at", |guest, names| {
        Box::new(async move { Ok((rename(guest, names).await?,)) })
    })?;
    files.func_wrap_async("[method]descriptor.link-at", |guest, names| {
        Box::new(async move { Ok((link(guest, names).await?,)) })
    })?;
    files.func_wrap_async("[method]descriptor.write", |guest, piece| {
        Box::new(async move { Ok((write(guest, piece).await?,)) })
    })?;
    files.func_wrap_async("[method]descriptor.set-size", |guest, size| {
        Box::new(async move { Ok((set_size(guest, size).await?,)) })
    })?;
    files.func_wrap("[method]descriptor.write-via-stream", |mut guest, (file, offset)| {
        let state: &mut State = StoreContextMut::data_mut(&mut guest);
        let stream = state.filesystem().write_via_stream(file, offset);
        Ok((limit_stream(state, stream)?,))
    })?;
    files.func_wrap("[method]descriptor.append-via-stream", |mut guest, (file,)| {
        let state: &mut State = StoreContextMut::data_mut(&mut guest);
        let stream = state.filesystem().append_via_stream(file);
        Ok((limit_stream(state, stream)?,))
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

async fn symlink(
    mut guest: StoreContextMut<'_, State>,
    (dir, target, name): (Resource<Descriptor>, String, String),
) -> wasmtime::Result<Result<(), ErrorCode>> {
    let state = guest.data_mut();
    if !state.common().files.may_link {
        return Ok(Err(ErrorCode::NotPermitted));
    }
    answer(state.filesystem().symlink_at(dir, target, name).await)
}

async fn rename(
    mut guest: StoreContextMut<'_, State>,
    (from, old, to, new): (Resource<Descriptor>, String, Resource<Descriptor>, String),
) -> wasmtime::Result<Result<(), ErrorCode>> {
    let state = guest.data_mut();
    if moves_symlink(state, &from, &old).await? {
        return Ok(Err(ErrorCode::NotPermitted));
    }
    answer(state.filesystem().rename_at(from, old, to, new).await)
}

type Link = (Resource<Descriptor>, PathFlags, String, Resource<Descriptor>, String);

async fn link(
    mut guest: StoreContextMut<'_, State>,
    (from, flags, old, to, new): Link,
) -> wasmtime::Result<Result<(), ErrorCode>> {
    let state = guest.data_mut();
    if moves_symlink(state, &from, &old).await? {
        return Ok(Err(ErrorCode::NotPermitted));
    }
    answer(state.filesystem().link_at(from, flags, old, to, new).await)
}

/// Returns whether a name is a symbolic link that must not be moved.
async fn moves_symlink(
    state: &mut State,
    dir: &Resource<Descriptor>,
    name: &str,
) -> wasmtime::Result<bool> {
    if state.common().files.may_link {
        return Ok(false);
    }
    let dir = Resource::new_borrow(dir.rep());
    let found = state.filesystem().stat_at(dir, PathFlags::empty(), name.to_owned()).await;
    Ok(answer(found)?.is_ok_and(|found| found.type_ == DescriptorType::SymbolicLink))
}

async fn write(
    mut guest: StoreContextMut<'_, State>,
    (file, bytes, offset): (Resource<Descriptor>, Vec<u8>, u64),
) -> wasmtime::Result<Result<u64, ErrorCode>> {
    let state = guest.data_mut();
    let disk = Arc::clone(&state.common().files.disk);
    let length = bytes.len() as u64;
    disk.take(length)?;
    let written = answer(state.filesystem().write(file, bytes, offset).await)?;
    disk.give_back(length.saturating_sub(*written.as_ref().unwrap_or(&0)));
    Ok(written)
}

async fn set_size(
    mut guest: StoreContextMut<'_, State>,
    (file, size): (Resource<Descriptor>, u64),
) -> wasmtime::Result<Result<(), ErrorCode>> {
    let state = guest.data_mut();
    state.common().files.disk.check_size(size)?;
    answer(state.filesystem().set_size(file, size).await)
}

/// Turns a result into the guest's answer. An error that is not one of WASI stops the guest.
fn answer<T>(result: FsResult<T>) -> wasmtime::Result<Result<T, ErrorCode>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) => Ok(Err(error.downcast()?)),
    }
}

/// Wraps a stream so that the disk limit counts its bytes.
fn limit_stream(
    state: &mut State,
    stream: FsResult<Resource<DynOutputStream>>,
) -> wasmtime::Result<Result<Resource<DynOutputStream>, ErrorCode>> {
    let stream = answer(stream)?;
    let disk = Arc::clone(&state.common().files.disk);
    if let Ok(stream) = &stream
        && disk.is_limited()
    {
        let entry = state.filesystem().table.get_mut(stream)?;
        let inner = std::mem::replace(entry, Box::new(ClosedOutputStream));
        *entry = Box::new(LimitedStream { inner, disk });
    }
    Ok(stream)
}

/// A stream to a file that takes each byte from the disk limit.
struct LimitedStream {
    inner: DynOutputStream,
    disk: Arc<Disk>,
}

#[wasmtime_wasi::async_trait]
impl Pollable for LimitedStream {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}

#[wasmtime_wasi::async_trait]
impl OutputStream for LimitedStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.disk.take(bytes.len() as u64).map_err(|full| StreamError::Trap(full.into()))?;
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.inner.check_write()
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}
