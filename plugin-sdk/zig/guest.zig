//! The code between the host's calls and a worker.

const std = @import("std");
const context = @import("context.zig");
const failure = @import("failure.zig");
const memory = @import("memory.zig");
const Answer = @import("answer.zig").Answer;

/// A worker of this type (null before `init`).
pub fn Guest(comptime Worker: type) type {
    return struct {
        worker: ?Worker = null,
        item_format: context.Format = .text,

        const Self = @This();

        pub fn init(guest: *Self, arguments: []const u8) Answer {
            reset();
            guest.item_format = context.itemFormat();
            guest.worker = startWorker(arguments) catch |err| return Answer.failed(err);
            return .nothing;
        }

        fn startWorker(arguments: []const u8) !Worker {
            if (@hasDecl(Worker, "init")) return Worker.init(arguments);
            if (arguments.len > 0) return failure.refused("this worker takes no arguments", .{});
            return .{};
        }

        pub fn afterRestore(guest: *Self) void {
            if (!@hasDecl(Worker, "afterRestore")) return;
            if (guest.worker) |*worker| worker.afterRestore();
        }

        pub fn call(guest: *Self, item: []u8) Answer {
            reset();
            const worker = if (guest.worker) |*worker| worker else return .{ .refused = "called before `init`" };
            const decoded = guest.decode(item) catch |err| return Answer.failed(err);
            return .of(worker.call(decoded));
        }

        pub fn finish(guest: *Self) Answer {
            reset();
            const worker = if (guest.worker) |*worker| worker else return .{ .refused = "finished before `init`" };
            if (!@hasDecl(Worker, "finish")) return .nothing;
            return .of(worker.finish());
        }

        /// Decodes a JSON string if items are JSON.
        fn decode(guest: *const Self, item: []u8) ![]u8 {
            if (guest.item_format == .text) return item;
            const value = std.mem.trimStart(u8, item, " \t\r\n");
            if (!std.mem.startsWith(u8, value, "\"")) return item;
            const options: std.json.ParseOptions = .{ .allocate = .alloc_always };
            const text = std.json.parseFromSliceLeaky([]const u8, memory.scratch(), value, options) catch |err| switch (err) {
                error.OutOfMemory => return error.OutOfMemory,
                else => return failure.badItem("not a JSON string: {s}", .{@errorName(err)}),
            };
            // The text was allocated for this item only.
            return @constCast(text);
        }

        /// Discards the failure and the memory of the previous call.
        fn reset() void {
            failure.clear();
            memory.reset();
        }
    };
}
