//! Writes plugins for mtl-host.
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
//! A worker is one instance of the plugin, with a memory of its own. Its type has
//!
//!     pub fn init(arguments: []const u8) !Worker      or fields that all have defaults
//!     pub fn call(worker: *Worker, item: []const u8) !?[]const u8
//!     pub fn finish(worker: *Worker) !?[]const u8     may be left out: no closing report
//!     pub fn afterRestore(worker: *Worker) void       may be left out: nothing to make good after a snapshot
//!
//! `item` may also be a `[]u8`, to be changed in place. A result is a slice, perhaps of the item, perhaps of what
//! `scratch` allocated; `null`, or none of type `void`, is no record.

const std = @import("std");

const exports = @import("exports.zig");
const failure = @import("failure.zig");
const memory = @import("memory.zig");

pub const context = @import("context.zig");
pub const testing = @import("testing.zig");
pub const text = @import("text.zig");

/// What a function of a worker answered.
pub const Answer = @import("answer.zig").Answer;

/// The failure of an item with which nothing is wrong; or that of `init` or `finish`: `return mtl.refused("…", .{});`.
/// Every other error refuses the item too, with its name as the message.
pub const refused = failure.refused;

/// The failure of an item that is not what it should be: `return mtl.badItem("…", .{});`.
pub const badItem = failure.badItem;

/// Memory that is freed before the next call: for results, and for what is needed to make them.
pub const scratch = memory.scratch;

/// Memory for what a worker keeps.
pub const allocator = memory.allocator;

/// What `std.fmt` makes of this, in the memory of `scratch`.
pub fn print(comptime format: []const u8, arguments: anytype) error{OutOfMemory}![]u8 {
    return std.fmt.allocPrint(scratch(), format, arguments);
}

/// The value as JSON, in the memory of `scratch`.
pub fn json(value: anytype) error{OutOfMemory}![]u8 {
    return std.json.Stringify.valueAlloc(scratch(), value, .{});
}

/// Makes a plugin of the type of a worker. To be called once, at `comptime`. In a native program, such as a test, it does
/// nothing.
pub fn plugin(comptime Worker: type) void {
    exports.of(Worker);
}

/// Shows the message of a panic where the run shows messages: `pub const panic = mtl.panic;` in the file of the worker.
pub const panic = std.debug.FullPanic(panicked);

fn panicked(message: []const u8, _: ?usize) noreturn {
    context.log(.err, message);
    @trap();
}

test {
    std.testing.refAllDecls(@This());
    _ = @import("batch.zig");
}
