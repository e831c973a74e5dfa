//! Messages of errors. Zig's errors have no text, so this file keeps the text of an error until it is returned.

const std = @import("std");
const memory = @import("memory.zig");

var message: ?[]const u8 = null;

/// Makes an error that a function of a worker returns to refuse an item.
pub fn refused(comptime format: []const u8, arguments: anytype) error{Refused} {
    keep(format, arguments);
    return error.Refused;
}

/// Makes an error that `call` returns for an invalid item.
pub fn badItem(comptime format: []const u8, arguments: anytype) error{BadItem} {
    keep(format, arguments);
    return error.BadItem;
}

fn keep(comptime format: []const u8, arguments: anytype) void {
    message = std.fmt.allocPrint(memory.scratch(), format, arguments) catch "out of memory";
}

/// Discards the text of an error that was not returned.
pub fn forget() void {
    message = null;
}

/// Returns and discards the text of the returned error.
pub fn take() ?[]const u8 {
    defer message = null;
    return message;
}
