//! Errors have no text in Zig. So the text of one that is about to be returned is kept here.

const std = @import("std");
const memory = @import("memory.zig");

var message: ?[]const u8 = null;

/// To be returned by a function of a worker.
pub fn refused(comptime format: []const u8, arguments: anytype) error{Refused} {
    keep(format, arguments);
    return error.Refused;
}

/// To be returned by `call`.
pub fn badItem(comptime format: []const u8, arguments: anytype) error{BadItem} {
    keep(format, arguments);
    return error.BadItem;
}

fn keep(comptime format: []const u8, arguments: anytype) void {
    message = std.fmt.allocPrint(memory.scratch(), format, arguments) catch "out of memory";
}

/// Forgets the text of an error that was not returned after all.
pub fn forget() void {
    message = null;
}

/// Returns the text of the error that a function has returned, and forgets it.
pub fn take() ?[]const u8 {
    defer message = null;
    return message;
}
