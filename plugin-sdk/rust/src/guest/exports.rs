//! The bodies of the exported functions, for core modules and components.

use std::{cell::RefCell, fmt};

use super::{
    Guest,
    batch::{self, Results},
    buffer::{Buffer, Heap},
};
use crate::Worker;

thread_local! {
    /// The buffers of `cabi_realloc`. During a WASI call of the worker, `Exports` is borrowed, and
    /// an adapter may allocate a buffer. These buffers are therefore not in [`Exports`].
    static HEAP: RefCell<Heap> = const { RefCell::new(Heap::new()) };
}

/// A worker, and the state that its exported functions use in later calls. A module has one such
/// value and one thread.
pub struct Exports<W: Worker> {
    guest: Guest<W>,
    /// The last buffer from `mtl_alloc`, or the argument of a component's call.
    item: Buffer,
    /// The message of the last error.
    message: String,
    /// The results of a batch.
    results: Results,
    /// The result of a component's call.
    area: [u32; 4],
}

impl<W: Worker> Exports<W> {
    /// Creates the exports of a worker that has not started.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            guest: Guest::new(),
            item: Buffer::EMPTY,
            message: String::new(),
            results: Results::EMPTY,
            area: [0; 4],
        }
    }

    /// Implements `mtl_alloc`: the host owns the buffer until it requests the next one.
    pub fn alloc(&mut self, length: usize) -> usize {
        // The old buffer is freed first, so that memory need not hold both.
        self.item = Buffer::EMPTY;
        let Some(buffer) = Buffer::new(length, 8) else {
            return 0;
        };
        self.item = buffer;
        self.item.address()
    }

    /// Implements `init` of a core module.
    pub fn init(&mut self, address: usize, length: usize) -> i64 {
        log_panics();
        let args = bytes_of(&mut self.item, address, length);
        self.guest.init(args).into_pinned(&mut self.message).encode_word()
    }

    /// Implements `after_restore` of a core module.
    pub fn after_restore(&mut self) {
        self.guest.after_restore();
    }

    /// Implements `call` of a core module.
    pub fn call(&mut self, address: usize, length: usize) -> i64 {
        let item = bytes_of(&mut self.item, address, length);
        self.guest.call(item).into_pinned(&mut self.message).encode_word()
    }

    /// Implements `call_batch` of a core module. `address` is that of the batch.
    pub fn call_batch(&mut self, address: usize) -> i32 {
        batch::run_batch(&mut self.guest, self.item.tail_mut(address), &mut self.results);
        0
    }

    /// Implements `finish` of a core module.
    pub fn finish(&mut self) -> i64 {
        self.guest.finish().into_pinned(&mut self.message).encode_word()
    }

    /// Implements `init` of a component, and returns the address of its result.
    pub fn component_init(&mut self, address: usize, length: usize) -> usize {
        log_panics();
        self.item = take_argument(address);
        let args = bytes_of(&mut self.item, address, length);
        self.area = self.guest.init(args).into_pinned(&mut self.message).encode_init();
        self.area.as_ptr().addr()
    }

    /// Implements `call` of a component, and returns the address of its result.
    pub fn component_call(&mut self, address: usize, length: usize) -> usize {
        self.item = take_argument(address);
        let item = bytes_of(&mut self.item, address, length);
        self.area = self.guest.call(item).into_pinned(&mut self.message).encode_call();
        self.area.as_ptr().addr()
    }

    /// Implements `finish` of a component, and returns the address of its result.
    pub fn component_finish(&mut self) -> usize {
        self.area = self.guest.finish().into_pinned(&mut self.message).encode_finish();
        self.area.as_ptr().addr()
    }
}

impl<W: Worker> Default for Exports<W> {
    fn default() -> Self {
        Self::new()
    }
}

impl<W: Worker> fmt::Debug for Exports<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exports").finish_non_exhaustive()
    }
}

/// Implements `cabi_realloc` of a component.
#[must_use]
pub fn realloc(old: usize, old_size: usize, align: usize, size: usize) -> usize {
    HEAP.with_borrow_mut(|heap| heap.realloc(old, old_size, align, size))
}

/// Takes ownership of a call's argument, which [`realloc`] allocated.
fn take_argument(address: usize) -> Buffer {
    HEAP.with_borrow_mut(|heap| heap.take(address)).unwrap_or_default()
}

fn bytes_of(buffer: &mut Buffer, address: usize, length: usize) -> &mut [u8] {
    let Some(bytes) = buffer.get_mut(address, length) else {
        panic!("the host passed bytes that lie outside the buffer it was given");
    };
    bytes
}

/// Sends the message of a panic to the host's log if the target has no standard error.
fn log_panics() {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    std::panic::set_hook(Box::new(|panic| {
        crate::context::log(crate::context::Level::Error, &panic.to_string());
    }));
}
