//! The SDK for mtl-host plugins in Zig.
//!
//!     const mtl = @import("mtl-plugin/mtl_plugin.zig");
//!
//!     const Echo = struct {
//!         pub fn call(_: *Echo, item: []const u8) ![]const u8 {
//!             return item;
//!         }
//!     };
//!
//!     comptime {
//!         mtl.plugin(Echo);
//!     }
//!
//! A worker is one instance of the plugin with its own memory. Its type has these functions:
//!
//!     pub fn init(arguments: []const u8) !Worker      optional if all fields have defaults
//!     pub fn call(worker: *Worker, item: []const u8) !?[]const u8
//!     pub fn finish(worker: *Worker) !?[]const u8     optional: returns the finish report
//!     pub fn afterRestore(worker: *Worker) void       optional: prepares a worker from a snapshot
//!
//! `item` may be a `[]u8`, which the function may change in place. A result is a slice, for example of the item or of
//! memory from `scratch`. `null` is no record, and so is the result of a function that returns `void`.

const std = @import("std");

const exports = @import("exports.zig");
const failure = @import("failure.zig");
const memory = @import("memory.zig");

pub const context = @import("context.zig");
pub const testing = @import("testing.zig");
pub const text = @import("text.zig");

/// An answer of a worker's function.
pub const Answer = @import("answer.zig").Answer;

/// Refuses a valid item, or reports a failure of `init` or `finish`: `return mtl.refused("…", .{});`. Any other error
/// refuses the item with its name as the message.
pub const refused = failure.refused;

/// Reports an invalid item: `return mtl.badItem("…", .{});`.
pub const badItem = failure.badItem;

/// Allocates memory for results, which is freed before the next call.
pub const scratch = memory.scratch;

/// Allocates memory that a worker keeps between items.
pub const allocator = memory.allocator;

/// Formats a text with `std.fmt`, in memory from `scratch`.
pub fn print(comptime format: []const u8, arguments: anytype) error{OutOfMemory}![]u8 {
    return std.fmt.allocPrint(scratch(), format, arguments);
}

/// Writes the value as JSON, in memory from `scratch`.
pub fn json(value: anytype) error{OutOfMemory}![]u8 {
    return std.json.Stringify.valueAlloc(scratch(), value, .{});
}

/// Makes a plugin of a type of worker. Call it once, at `comptime`. It does nothing in a native program such as a test.
pub fn plugin(comptime Worker: type) void {
    exports.of(Worker);
}

/// Shows the message of a panic among the messages of the run: `pub const panic = mtl.panic;` in the file of the worker.
pub const panic = std.debug.FullPanic(logPanic);

fn logPanic(message: []const u8, _: ?usize) noreturn {
    context.log(.err, message);
    @trap();
}

test {
    std.testing.refAllDecls(@This());
    _ = @import("batch.zig");
}
