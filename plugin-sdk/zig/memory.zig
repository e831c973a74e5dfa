//! Where a worker's memory comes from.

const std = @import("std");
const builtin = @import("builtin");

/// Memory for what a worker keeps.
pub const allocator: std.mem.Allocator = if (builtin.cpu.arch.isWasm()) std.heap.wasm_allocator else std.heap.page_allocator;

/// So much is kept from call to call, and not given back.
const kept = 1024 * 1024;

var arena: std.heap.ArenaAllocator = .init(allocator);

/// Memory that is freed before the next call.
pub fn scratch() std.mem.Allocator {
    return arena.allocator();
}

/// Frees what the last call has taken.
pub fn forget() void {
    _ = arena.reset(.{ .retain_with_limit = kept });
}
