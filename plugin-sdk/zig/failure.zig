//! Messages of errors. Zig's errors have no text, so this file holds the text of an error until the host gets it.

const std = @import("std");
const memory = @import("memory.zig");

var message: ?[]const u8 = null;

/// Makes an error that a function of a worker returns to refuse an item.
pub fn refused(comptime format: []const u8, arguments: anytype) error{Refused} {
    setMessage(format, arguments);
    return error.Refused;
}

/// Makes an error that `call` returns for an invalid item.
pub fn badItem(comptime format: []const u8, arguments: anytype) error{BadItem} {
    setMessage(format, arguments);
    return error.BadItem;
}

fn setMessage(comptime format: []const u8, arguments: anytype) void {
    message = std.fmt.allocPrint(memory.scratch(), format, arguments) catch "out of memory";
}

/// Discards the text of an error that was not returned.
pub fn clear() void {
    message = null;
}

/// Returns and discards the text of the returned error.
pub fn take() ?[]const u8 {
    defer message = null;
    return message;
}
