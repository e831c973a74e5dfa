//! The code between the host's calls and a worker.

const std = @import("std");
const context = @import("context.zig");
const failure = @import("failure.zig");
const memory = @import("memory.zig");
const Answer = @import("answer.zig").Answer;

/// A worker of this type, which `init` has started or not yet.
pub fn Guest(comptime Worker: type) type {
    return struct {
        worker: ?Worker = null,
        items: context.Format = .text,

        const Self = @This();

        pub fn init(guest: *Self, arguments: []const u8) Answer {
            begin();
            guest.items = context.itemFormat();
            guest.worker = started(arguments) catch |err| return Answer.failed(err);
            return .nothing;
        }

        fn started(arguments: []const u8) !Worker {
            if (@hasDecl(Worker, "init")) return Worker.init(arguments);
            if (arguments.len > 0) return failure.refused("this worker takes no arguments", .{});
            return .{};
        }

        pub fn afterRestore(guest: *Self) void {
            if (!@hasDecl(Worker, "afterRestore")) return;
            if (guest.worker) |*worker| worker.afterRestore();
        }

        pub fn call(guest: *Self, item: []u8) Answer {
            begin();
            const worker = if (guest.worker) |*worker| worker else return .{ .refused = "called before `init`" };
            const meant = guest.read(item) catch |err| return Answer.failed(err);
            return .of(worker.call(meant));
        }

        pub fn finish(guest: *Self) Answer {
            begin();
            const worker = if (guest.worker) |*worker| worker else return .{ .refused = "finished before `init`" };
            if (!@hasDecl(Worker, "finish")) return .nothing;
            return .of(worker.finish());
        }

        /// Decodes a JSON string if items are JSON.
        fn read(guest: *const Self, item: []u8) ![]u8 {
            if (guest.items == .text) return item;
            const written = std.mem.trimStart(u8, item, " \t\r\n");
            if (!std.mem.startsWith(u8, written, "\"")) return item;
            const options: std.json.ParseOptions = .{ .allocate = .alloc_always };
            const said = std.json.parseFromSliceLeaky([]const u8, memory.scratch(), written, options) catch |err| switch (err) {
                error.OutOfMemory => return error.OutOfMemory,
                else => return failure.badItem("not a JSON string: {s}", .{@errorName(err)}),
            };
            // The text was allocated for this item only.
            return @constCast(said);
        }

        fn begin() void {
            failure.forget();
            memory.forget();
        }
    };
}
