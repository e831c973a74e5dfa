//! The guest's side of an instance: its store, its memory, and the host's buffer in that memory.
//!
//! This module checks every address and length from the guest against the current memory.

use std::ops::Range;

use wasmtime::{Instance, Memory, Store, TypedFunc, WasmParams, WasmResults};

use super::batch::{self, Crossing, HEAD};
use super::guest_memory;
use super::packed_result::{self, Answer, PackedResult};
use super::{ABI_VERSION, State};
use crate::block::Span;
use crate::engine::state::{StartedFrom, enter};
use crate::executor::start_error::StartError;
use crate::item::failure::Broken;
use crate::item::fault::FaultKind;
use crate::queue::Rest;

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
    /// The smallest capacity. It fits most items, so most plugins allocate once.
    const LEAST: u32 = 4096;
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
            enter(&mut self.store, |store| initialize.call(store, ()))
                .map_err(StartError::instantiate)?;
        }
        if let Some(version) = self.function::<(), i32>(instance, "mtl_abi_version") {
            let found = enter(&mut self.store, |store| version.call(store, ()))
                .map_err(StartError::instantiate)?;
            if found != ABI_VERSION {
                return Err(StartError::Abi { found, supported: ABI_VERSION });
            }
        }
        if let StartedFrom::Snapshot = self.store.data().common.started_from {
            return self.after_restore(instance);
        }
        let Some(init) = self.function(instance, "init") else { return Ok(()) };
        let answered = self.pass(args, &init).and_then(|word| self.answer(word));
        match answered {
            Ok(Answer::Record(_) | Answer::NoRecord) => Ok(()),
            Ok(Answer::Refused(message) | Answer::BadItem(message)) => {
                Err(StartError::InitRefused { message: packed_result::text(message) })
            }
            Err(broken) => Err(StartError::init_broke(broken)),
        }
    }

    /// Calls `after_restore`, in which an instance that starts from a snapshot refreshes outdated state.
    fn after_restore(&mut self, instance: &Instance) -> Result<(), StartError> {
        match self.function::<(), ()>(instance, "after_restore") {
            None => Ok(()),
            Some(after_restore) => enter(&mut self.store, |store| after_restore.call(store, ()))
                .map_err(StartError::restore_broke),
        }
    }

    /// Copies `bytes` into the buffer, and calls `function` with it.
    pub(crate) fn pass(
        &mut self,
        bytes: &[u8],
        function: &TypedFunc<(i32, i32), i64>,
    ) -> Result<PackedResult, Broken> {
        let (ptr, len) = self.put(bytes)?;
        let word = enter(&mut self.store, |store| function.call(store, (ptr, len)))?;
        Ok(PackedResult::new(word))
    }

    /// Copies `bytes` into the buffer, and enlarges the buffer if necessary.
    fn put(&mut self, bytes: &[u8]) -> Result<(i32, i32), Broken> {
        let len = u32::try_from(bytes.len()).map_err(|_| {
            Broken::new(FaultKind::OutOfMemory, "the item is larger than the plugin's memory")
        })?;
        if self.buffer.ptr == 0 || len > self.buffer.capacity {
            self.buffer = self.allocate(len)?;
        }
        let place = guest_memory::range(self.buffer.ptr, len);
        let place = place.and_then(|range| self.memory.data_mut(&mut self.store).get_mut(range));
        let place = place.ok_or_else(|| {
            Broken::new(FaultKind::BadResult, "the buffer of `mtl_alloc` is not in the memory")
        })?;
        place.copy_from_slice(bytes);
        Ok((self.buffer.ptr.cast_signed(), len.cast_signed()))
    }

    /// Makes the buffer large enough for batches of [`Self::BATCH`] bytes. Returns false if the plugin has no memory
    /// for that.
    pub(crate) fn make_room(&mut self) -> Result<bool, Broken> {
        if self.buffer.capacity < Self::BATCH {
            self.buffer = Buffer::default();
            self.buffer = self.ask(Self::BATCH)?.unwrap_or_default();
        }
        Ok(self.buffer.ptr != 0)
    }

    /// Writes `items` into the buffer as a batch, and calls `function` with it. The batch must fit. Returns the batch's
    /// state and the result of the call.
    pub(crate) fn pass_batch(
        &mut self,
        span: &Span,
        items: &Range<usize>,
        rest: Rest,
        function: &TypedFunc<i32, i32>,
    ) -> (Crossing, Result<i32, Broken>) {
        let at = self.buffer.ptr;
        let place = guest_memory::range(at, self.buffer.capacity)
            .expect("the buffer was checked when it was allocated");
        let place = &mut self.memory.data_mut(&mut self.store)[place];
        write(place, span, items);
        let crossing = Crossing::new(self.memory, at, items, rest);
        self.store.data_mut().crossing = Some(crossing);
        let returned = enter(&mut self.store, |store| function.call(store, at.cast_signed()));
        let crossing = self.store.data_mut().crossing.take();
        (crossing.expect("the crossing stays until the call ends"), returned)
    }

    /// Returns the current memory, and the other data in the store.
    pub(crate) fn bytes_and_state(&mut self) -> (&[u8], &mut State) {
        let (bytes, state) = self.memory.data_and_store_mut(&mut self.store);
        (bytes, state)
    }

    /// Allocates a buffer with the plugin's allocator; none if the plugin has no memory.
    fn ask(&mut self, capacity: u32) -> Result<Option<Buffer>, Broken> {
        let ptr = enter(&mut self.store, |store| self.alloc.call(store, capacity.cast_signed()))?;
        let ptr = ptr.cast_unsigned();
        if ptr == 0 {
            return Ok(None);
        }
        if guest_memory::bytes(self.memory.data(&self.store), ptr, capacity).is_none() {
            let message =
                format!("`mtl_alloc` gave {capacity} bytes at {ptr}, which are not in the memory");
            return Err(Broken::new(FaultKind::BadResult, message));
        }
        Ok(Some(Buffer { ptr, capacity }))
    }

    fn allocate(&mut self, len: u32) -> Result<Buffer, Broken> {
        // Doubling keeps allocations rare as items grow. A length above half the address space is used unchanged.
        let capacity = len.max(Buffer::LEAST).checked_next_power_of_two().unwrap_or(len);
        self.ask(capacity)?.ok_or_else(|| {
            let denied = self.store.data().common.meter.denied();
            let why = denied.map(|denied| format!(": it asked for {denied}")).unwrap_or_default();
            let message = format!("the plugin has no memory for a buffer of {capacity} bytes{why}");
            Broken::new(FaultKind::OutOfMemory, message)
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
    pub(crate) fn answer(&self, word: PackedResult) -> Result<Answer<'_>, Broken> {
        word.read(self.memory.data(&self.store))
    }
}

/// Writes a batch of `items`.
fn write(place: &mut [u8], span: &Span, items: &Range<usize>) {
    let (head, place) = place.split_at_mut(HEAD as usize);
    let (ends, place) = place.split_at_mut(4 * items.len());
    let word = |number: usize| u32::try_from(number).expect("the buffer is smaller").to_le_bytes();
    head.fill(0);
    head[..4].copy_from_slice(&word(items.len()));
    for (place, end) in ends.as_chunks_mut().0.iter_mut().zip(span.ends(items.clone())) {
        *place = word(end);
    }
    let bytes = span.bytes(items.clone());
    place[..bytes.len()].copy_from_slice(bytes);
}
