//! The functions that the host calls: ABI 1, described in host/docs/plugin-interface.md.

const builtin = @import("builtin");
const batch = @import("batch.zig");
const memory = @import("memory.zig");
const Guest = @import("guest.zig").Guest;

/// Exports the functions of a plugin for this type of worker.
pub fn of(comptime Worker: type) void {
    if (!builtin.cpu.arch.isWasm()) return;
    const functions = Exports(Worker);
    @export(&functions.version, .{ .name = "mtl_abi_version" });
    @export(&functions.alloc, .{ .name = "mtl_alloc" });
    @export(&functions.init, .{ .name = "init" });
    @export(&functions.call, .{ .name = "call" });
    @export(&functions.callBatch, .{ .name = "call_batch" });
    @export(&functions.finish, .{ .name = "finish" });
    if (@hasDecl(Worker, "afterRestore")) @export(&functions.afterRestore, .{ .name = "after_restore" });
}

fn Exports(comptime Worker: type) type {
    return struct {
        var guest: Guest(Worker) = .{};
        var results: batch.Results = .{};
        /// The buffer that the host owns until it requests the next one.
        var item: []align(8) u8 = &.{};

        fn version() callconv(.c) i32 {
            return 1;
        }

        fn alloc(length: usize) callconv(.c) usize {
            // The old buffer is freed first, so that memory need not hold both.
            memory.allocator.free(item);
            item = &.{};
            item = memory.allocator.alignedAlloc(u8, .@"8", length) catch return 0;
            return @intFromPtr(item.ptr);
        }

        fn init(address: usize, length: usize) callconv(.c) i64 {
            return guest.init(bytesAt(address, length)).word();
        }

        fn call(address: usize, length: usize) callconv(.c) i64 {
            return guest.call(bytesAt(address, length)).word();
        }

        fn callBatch(address: usize) callconv(.c) i32 {
            batch.run(&guest, address, &results);
            return 0;
        }

        fn finish() callconv(.c) i64 {
            return guest.finish().word();
        }

        fn afterRestore() callconv(.c) void {
            guest.afterRestore();
        }
    };
}

fn bytesAt(address: usize, length: usize) []u8 {
    return if (length == 0) &.{} else @as([*]u8, @ptrFromInt(address))[0..length];
}
