//! Answers of a worker's functions, and their encoding for the host.

const std = @import("std");
const failure = @import("failure.zig");

/// An answer. Its bytes must not change until the next call.
pub const Answer = union(enum) {
    record: []const u8,
    nothing,
    refused: []const u8,
    bad_item: []const u8,

    /// The greatest length of an answer.
    pub const most = (1 << 30) - 1;

    const error_flag: u32 = 1 << 31;
    const no_record: u32 = 1 << 30;

    /// Converts the return value of a function: bytes, null, nothing or an error.
    pub fn of(returned: anytype) Answer {
        return switch (@typeInfo(@TypeOf(returned))) {
            .error_union => if (returned) |value| of(value) else |err| failed(err),
            .optional => if (returned) |value| of(value) else .nothing,
            .void => .nothing,
            else => .{ .record = returned },
        };
    }

    /// Returns the answer for an error.
    pub fn failed(err: anyerror) Answer {
        const text = failure.take();
        return switch (err) {
            error.Refused => .{ .refused = text orelse "refused" },
            error.BadItem => .{ .bad_item = text orelse "bad item" },
            else => .{ .refused = @errorName(err) },
        };
    }

    pub fn bytes(answer: Answer) []const u8 {
        return switch (answer) {
            .nothing => "",
            inline else => |data| data,
        };
    }

    /// Returns the flags above a length of 30 bits.
    pub fn flags(answer: Answer) u32 {
        return switch (answer) {
            .record => 0,
            .nothing => no_record,
            .refused => error_flag,
            .bad_item => error_flag | no_record,
        };
    }

    /// Encodes the answer: `address << 32 | flags | length`.
    pub fn word(answer: Answer) i64 {
        const data = answer.bytes();
        if (data.len > most) return tooLong(data.len).word();
        const address: u64 = if (data.len == 0) 0 else @intFromPtr(data.ptr);
        return @bitCast(address << 32 | answer.flags() | data.len);
    }

    /// Returns the answer for an item whose result is too long.
    pub fn tooLong(length: usize) Answer {
        return of(@as(error{Refused}!void, failure.refused("a result of {d} bytes; the longest that can be passed has {d}", .{ length, most })));
    }
};

test "each answer has one word" {
    const none: error{Refused}!?[]const u8 = null;
    try std.testing.expectEqual(@as(i64, 1 << 30), Answer.of(none).word());
    try std.testing.expectEqual(@as(i64, 0), Answer.of("").word());
    try std.testing.expectEqual(@as(u32, 0xC000_0000), Answer.of(@as(error{BadItem}!void, error.BadItem)).flags());
    try std.testing.expectEqualStrings("NotFound", Answer.of(@as(error{NotFound}!void, error.NotFound)).refused);
}
