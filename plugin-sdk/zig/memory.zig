//! Allocators for workers.

const std = @import("std");
const builtin = @import("builtin");

/// Allocates memory that a worker keeps between items.
pub const allocator: std.mem.Allocator = if (builtin.cpu.arch.isWasm()) std.heap.wasm_allocator else std.heap.page_allocator;

/// The number of bytes that stay allocated from call to call.
const retained_bytes = 1024 * 1024;

var arena: std.heap.ArenaAllocator = .init(allocator);

/// Allocates memory that is freed before the next call.
pub fn scratch() std.mem.Allocator {
    return arena.allocator();
}

/// Frees the memory of the previous call.
pub fn reset() void {
    _ = arena.reset(.{ .retain_with_limit = retained_bytes });
}
