//! Runs a worker in a native test as the host runs it: bytes in, bytes out.
//!
//!     test "numbers are squared" {
//!         var square = try mtl.testing.Instance(Square).start("");
//!         try square.expectRecord("12", "144");
//!         try square.expectBadItem("twelve", "not a number: `twelve`");
//!     }
//!
//! `mtl.context.stand_in` sets the properties of the run.

const std = @import("std");
const Answer = @import("answer.zig").Answer;
const Guest = @import("guest.zig").Guest;

/// A running worker of this type. An answer is valid until the next call.
pub fn Instance(comptime Worker: type) type {
    return struct {
        guest: Guest(Worker),

        const Self = @This();

        /// Starts a worker. Returns `error.InitFailed` if `init` failed.
        pub fn start(arguments: []const u8) error{InitFailed}!Self {
            var guest: Guest(Worker) = .{};
            return switch (guest.init(arguments)) {
                .refused, .bad_item => |message| {
                    std.debug.print("init failed: {s}\n", .{message});
                    return error.InitFailed;
                },
                else => .{ .guest = guest },
            };
        }

        pub fn call(instance: *Self, item: []const u8) !Answer {
            // A worker may change the item in place.
            return instance.guest.call(try std.heap.page_allocator.dupe(u8, item));
        }

        pub fn finish(instance: *Self) Answer {
            return instance.guest.finish();
        }

        pub fn expectRecord(instance: *Self, item: []const u8, expected: []const u8) !void {
            try std.testing.expectEqualDeep(Answer{ .record = expected }, try instance.call(item));
        }

        pub fn expectNothing(instance: *Self, item: []const u8) !void {
            try std.testing.expectEqualDeep(Answer.nothing, try instance.call(item));
        }

        pub fn expectRefused(instance: *Self, item: []const u8, message: []const u8) !void {
            try std.testing.expectEqualDeep(Answer{ .refused = message }, try instance.call(item));
        }

        pub fn expectBadItem(instance: *Self, item: []const u8, message: []const u8) !void {
            try std.testing.expectEqualDeep(Answer{ .bad_item = message }, try instance.call(item));
        }

        pub fn expectReport(instance: *Self, expected: []const u8) !void {
            try std.testing.expectEqualDeep(Answer{ .record = expected }, instance.finish());
        }
    };
}
