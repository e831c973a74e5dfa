//! The bodies of the exported functions, for both kinds of host.

use std::{cell::RefCell, fmt};

use super::{
    Guest,
    batch::{self, Results},
    buffer::{Buffer, Heap},
};
use crate::Worker;

thread_local! {
    /// Apart from the worker: an adapter asks for memory while the worker is inside a WASI call.
    static HEAP: RefCell<Heap> = const { RefCell::new(Heap::new()) };
}

/// A worker with all that its exported functions keep between calls. A module has one, and one thread.
pub struct Exports<W: Worker> {
    guest: Guest<W>,
    /// The host's: what `mtl_alloc` gave last, or the argument of a component's call.
    item: Buffer,
    /// The message of the last error.
    message: String,
    /// The results of a batch.
    results: Results,
    /// The result of a component's call.
    area: [u32; 4],
}

impl<W: Worker> Exports<W> {
    /// A worker that was not started yet.
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

    /// `mtl_alloc`: a buffer that stays the host's until it asks for the next one.
    pub fn alloc(&mut self, length: usize) -> usize {
        // Freed first, so that both need not fit.
        self.item = Buffer::EMPTY;
        let Some(buffer) = Buffer::new(length, 8) else {
            return 0;
        };
        self.item = buffer;
        self.item.address()
    }

    /// `init` of a core module.
    pub fn init(&mut self, address: usize, length: usize) -> i64 {
        show_panics();
        let args = bytes_of(&mut self.item, address, length);
        self.guest.init(args).placed(&mut self.message).word()
    }

    /// `after_restore` of a core module.
    pub fn after_restore(&mut self) {
        self.guest.after_restore();
    }

    /// `call` of a core module.
    pub fn call(&mut self, address: usize, length: usize) -> i64 {
        let item = bytes_of(&mut self.item, address, length);
        self.guest.call(item).placed(&mut self.message).word()
    }

    /// `call_batch` of a core module: the words and the items are at this address.
    pub fn call_batch(&mut self, address: usize) -> i32 {
        batch::work(&mut self.guest, self.item.from(address), &mut self.results);
        0
    }

    /// `finish` of a core module.
    pub fn finish(&mut self) -> i64 {
        self.guest.finish().placed(&mut self.message).word()
    }

    /// `init` of a component; returns where its result is.
    pub fn component_init(&mut self, address: usize, length: usize) -> usize {
        show_panics();
        self.item = argument(address);
        let args = bytes_of(&mut self.item, address, length);
        self.area = self.guest.init(args).placed(&mut self.message).of_init();
        self.area.as_ptr().addr()
    }

    /// `call` of a component; returns where its result is.
    pub fn component_call(&mut self, address: usize, length: usize) -> usize {
        self.item = argument(address);
        let item = bytes_of(&mut self.item, address, length);
        self.area = self.guest.call(item).placed(&mut self.message).of_call();
        self.area.as_ptr().addr()
    }

    /// `finish` of a component; returns where its result is.
    pub fn component_finish(&mut self) -> usize {
        self.area = self.guest.finish().placed(&mut self.message).of_finish();
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

/// `cabi_realloc` of a component.
#[must_use]
pub fn realloc(old: usize, old_size: usize, align: usize, size: usize) -> usize {
    HEAP.with_borrow_mut(|heap| heap.realloc(old, old_size, align, size))
}

/// The argument of a component's call: given out by [`realloc`], and now ours.
fn argument(address: usize) -> Buffer {
    HEAP.with_borrow_mut(|heap| heap.take(address)).unwrap_or_default()
}

fn bytes_of(buffer: &mut Buffer, address: usize, length: usize) -> &mut [u8] {
    let Some(bytes) = buffer.at(address, length) else {
        panic!("the host passed bytes that lie outside the buffer it was given");
    };
    bytes
}

/// Makes the message of a panic visible where there is no standard error to print it to.
fn show_panics() {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    std::panic::set_hook(Box::new(|panic| {
        crate::context::log(crate::context::Level::Error, &panic.to_string());
    }));
}
