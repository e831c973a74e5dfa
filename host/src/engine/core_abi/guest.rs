//! The guest's side of an instance: its store, its memory, and the host's buffer in that memory.
//!
//! This module checks every address and length from the guest against the current memory.

use std::ops::Range;

use wasmtime::{Instance, Memory, Store, TypedFunc, WasmParams, WasmResults};

use super::batch::{self, BatchCall, HEADER_LEN};
use super::guest_memory;
use super::packed_result::{self, PackedResult, PluginAnswer};
use super::{ABI_VERSION, State};
use crate::block::Span;
use crate::engine::state::{StartedFrom, run_guest};
use crate::executor::start_error::StartError;
use crate::item::fault::FaultKind;
use crate::item::instance_failure::InstanceFailure;
use crate::queue::ClaimReturner;

/// The store and the memory of an instance, and the host's buffer in that memory.
pub(crate) struct Guest {
    pub(crate) store: Store<State>,
    memory: Memory,
    alloc: TypedFunc<i32, i32>,
    buffer: Buffer,
}

/// The buffer for items: the last allocation that `mtl_alloc` returned.
#[derive(Clone, Copy, Debug, Default)]
struct Buffer {
    ptr: u32,
    capacity: u32,
}

impl Buffer {
    /// The smallest capacity. Most items fit into it, so most plugins allocate once.
    const MIN_CAPACITY: u32 = 4096;
}

impl Guest {
    /// The capacity for a batch: some hundred items, and small enough for a processor's cache.
    pub(crate) const BATCH: u32 = 64 * 1024;

    pub(crate) fn new(mut store: Store<State>, instance: &Instance) -> Self {
        let memory = instance.get_memory(&mut store, "memory").expect("checked when loaded");
        let alloc = instance.get_typed_func(&mut store, "mtl_alloc").expect("checked when loaded");
        store.epoch_deadline_callback(batch::tick);
        Self { store, memory, alloc, buffer: Buffer::default() }
    }

    /// Prepares the instance for its first item.
    pub(crate) fn start(&mut self, instance: &Instance, args: &[u8]) -> Result<(), StartError> {
        if let Some(initialize) = self.function::<(), ()>(instance, "_initialize") {
            run_guest(&mut self.store, |store| initialize.call(store, ()))
                .map_err(StartError::instantiate)?;
        }
        if let Some(version) = self.function::<(), i32>(instance, "mtl_abi_version") {
            let found = run_guest(&mut self.store, |store| version.call(store, ()))
                .map_err(StartError::instantiate)?;
            if found != ABI_VERSION {
                return Err(StartError::Abi { found, supported: ABI_VERSION });
            }
        }
        if let StartedFrom::Snapshot = self.store.data().common.started_from {
            return self.after_restore(instance);
        }
        let Some(init) = self.function(instance, "init") else { return Ok(()) };
        let answer = self.call_with(args, &init).and_then(|word| self.answer(word));
        match answer {
            Ok(PluginAnswer::Record(_) | PluginAnswer::NoRecord) => Ok(()),
            Ok(PluginAnswer::Refused(message) | PluginAnswer::BadItem(message)) => {
                Err(StartError::InitRefused { message: packed_result::text(message) })
            }
            Err(failure) => Err(StartError::from_init(failure)),
        }
    }

    /// Calls `after_restore`, with which an instance from a snapshot refreshes outdated state.
    fn after_restore(&mut self, instance: &Instance) -> Result<(), StartError> {
        match self.function::<(), ()>(instance, "after_restore") {
            None => Ok(()),
            Some(after_restore) => {
                run_guest(&mut self.store, |store| after_restore.call(store, ()))
                    .map_err(StartError::from_restore)
            }
        }
    }

    /// Copies `bytes` into the buffer, and calls `function` with it.
    pub(crate) fn call_with(
        &mut self,
        bytes: &[u8],
        function: &TypedFunc<(i32, i32), i64>,
    ) -> Result<PackedResult, InstanceFailure> {
        let (ptr, len) = self.copy_to_buffer(bytes)?;
        let word = run_guest(&mut self.store, |store| function.call(store, (ptr, len)))?;
        Ok(PackedResult::new(word))
    }

    /// Copies `bytes` into the buffer, and enlarges the buffer if necessary.
    fn copy_to_buffer(&mut self, bytes: &[u8]) -> Result<(i32, i32), InstanceFailure> {
        let len = u32::try_from(bytes.len()).map_err(|_| {
            InstanceFailure::new(
                FaultKind::OutOfMemory,
                "the item is larger than the plugin's memory",
            )
        })?;
        if self.buffer.ptr == 0 || len > self.buffer.capacity {
            self.buffer = self.allocate(len)?;
        }
        let range = guest_memory::range(self.buffer.ptr, len);
        let target = range.and_then(|range| self.memory.data_mut(&mut self.store).get_mut(range));
        let target = target.ok_or_else(|| {
            InstanceFailure::new(
                FaultKind::BadResult,
                "the buffer of `mtl_alloc` is not in the memory",
            )
        })?;
        target.copy_from_slice(bytes);
        Ok((self.buffer.ptr.cast_signed(), len.cast_signed()))
    }

    /// Makes the buffer large enough for batches of [`Self::BATCH`] bytes. Returns false if the plugin cannot allocate
    /// that much memory.
    pub(crate) fn reserve_batch(&mut self) -> Result<bool, InstanceFailure> {
        if self.buffer.capacity < Self::BATCH {
            self.buffer = Buffer::default();
            self.buffer = self.try_allocate(Self::BATCH)?.unwrap_or_default();
        }
        Ok(self.buffer.ptr != 0)
    }

    /// Writes `items` into the buffer as a batch, and calls `function` with the batch. The batch must fit into the
    /// buffer. Returns the batch's state and the result of the call.
    pub(crate) fn call_batch(
        &mut self,
        span: &Span,
        items: &Range<usize>,
        returner: ClaimReturner,
        function: &TypedFunc<i32, i32>,
    ) -> (BatchCall, Result<i32, InstanceFailure>) {
        let at = self.buffer.ptr;
        let range = guest_memory::range(at, self.buffer.capacity)
            .expect("the buffer was checked when it was allocated");
        let buffer = &mut self.memory.data_mut(&mut self.store)[range];
        write(buffer, span, items);
        let batch = BatchCall::new(self.memory, at, items, returner);
        self.store.data_mut().batch_call = Some(batch);
        let returned = run_guest(&mut self.store, |store| function.call(store, at.cast_signed()));
        let batch = self.store.data_mut().batch_call.take();
        (batch.expect("the store holds the batch until the call ends"), returned)
    }

    /// Returns the current memory, and the other data in the store.
    pub(crate) fn bytes_and_state(&mut self) -> (&[u8], &mut State) {
        let (bytes, state) = self.memory.data_and_store_mut(&mut self.store);
        (bytes, state)
    }

    /// Allocates a buffer with the plugin's allocator. Returns `None` if the plugin has no memory.
    fn try_allocate(&mut self, capacity: u32) -> Result<Option<Buffer>, InstanceFailure> {
        let ptr =
            run_guest(&mut self.store, |store| self.alloc.call(store, capacity.cast_signed()))?;
        let ptr = ptr.cast_unsigned();
        if ptr == 0 {
            return Ok(None);
        }
        if guest_memory::bytes(self.memory.data(&self.store), ptr, capacity).is_none() {
            let message =
                format!("`mtl_alloc` gave {capacity} bytes at {ptr}, which are not in the memory");
            return Err(InstanceFailure::new(FaultKind::BadResult, message));
        }
        Ok(Some(Buffer { ptr, capacity }))
    }

    fn allocate(&mut self, len: u32) -> Result<Buffer, InstanceFailure> {
        // Doubling keeps allocations rare as items grow. A length above half the address space is used unchanged.
        let capacity = len.max(Buffer::MIN_CAPACITY).checked_next_power_of_two().unwrap_or(len);
        self.try_allocate(capacity)?.ok_or_else(|| {
            let denied = self.store.data().common.meter.denied();
            let reason =
                denied.map(|denied| format!(": it asked for {denied}")).unwrap_or_default();
            let message =
                format!("the plugin has no memory for a buffer of {capacity} bytes{reason}");
            InstanceFailure::new(FaultKind::OutOfMemory, message)
        })
    }

    /// Returns an exported function of the guest, if it exists.
    pub(crate) fn function<P: WasmParams, R: WasmResults>(
        &mut self,
        instance: &Instance,
        name: &str,
    ) -> Option<TypedFunc<P, R>> {
        let function = instance.get_func(&mut self.store, name)?;
        Some(function.typed(&self.store).expect("checked when loaded"))
    }

    /// Reads an answer from the memory.
    pub(crate) fn answer(&self, word: PackedResult) -> Result<PluginAnswer<'_>, InstanceFailure> {
        word.read(self.memory.data(&self.store))
    }
}

/// Writes a batch of `items` into the buffer.
fn write(buffer: &mut [u8], span: &Span, items: &Range<usize>) {
    let (header, buffer) = buffer.split_at_mut(HEADER_LEN as usize);
    let (ends, item_bytes) = buffer.split_at_mut(4 * items.len());
    let word = |number: usize| u32::try_from(number).expect("the buffer is smaller").to_le_bytes();
    header.fill(0);
    header[..4].copy_from_slice(&word(items.len()));
    for (slot, end) in ends.as_chunks_mut().0.iter_mut().zip(span.ends(items.clone())) {
        *slot = word(end);
    }
    let bytes = span.bytes(items.clone());
    item_bytes[..bytes.len()].copy_from_slice(bytes);
}
