//! The run, as a worker sees it: its number, the formats, and log messages.

const std = @import("std");
const builtin = @import("builtin");
const memory = @import("memory.zig");

pub const Format = enum(u32) { text, json };
pub const Level = enum(u32) { trace, debug, info, warn, err };

/// Returns the number of this worker: from 0 to `workerCount()` - 1.
pub fn workerIndex() u32 {
    return host.@"worker-index"();
}

/// Returns the number of workers in the pool.
pub fn workerCount() u32 {
    return host.@"worker-count"();
}

/// Returns the format of the run's items. The worker gets JSON strings decoded.
pub fn itemFormat() Format {
    return if (host.@"item-format"() == 1) .json else .text;
}

/// Declares the format of all records (default: text). Call it in `init`.
pub fn resultFormat(format: Format) void {
    host.@"result-format"(@backingInt(format));
}

/// Shows a message among the messages of the run.
pub fn log(level: Level, message: []const u8) void {
    host.log(@backingInt(level), message.ptr, message.len);
}

/// Sends messages of `std.log` to the run: `pub const std_options: std.Options = .{ .logFn = mtl.context.logFn };`.
pub fn logFn(
    comptime level: std.log.Level,
    comptime scope: @EnumLiteral(),
    comptime format: []const u8,
    arguments: anytype,
) void {
    const prefix = if (scope == .default) "" else @tagName(scope) ++ ": ";
    const message = std.fmt.allocPrint(memory.scratch(), prefix ++ format, arguments) catch return;
    log(switch (level) {
        .err => .err,
        .warn => .warn,
        .info => .info,
        .debug => .debug,
    }, message);
}

const host = if (builtin.cpu.arch.isWasm()) imports else stand_in;

const imports = struct {
    extern "mtl:plugin/context@1.0.0" fn @"worker-index"() u32;
    extern "mtl:plugin/context@1.0.0" fn @"worker-count"() u32;
    extern "mtl:plugin/context@1.0.0" fn @"item-format"() u32;
    extern "mtl:plugin/context@1.0.0" fn @"result-format"(format: u32) void;
    extern "mtl:plugin/context@1.0.0" fn log(level: u32, message: [*]const u8, length: usize) void;
};

/// The run of a native program, such as a test (default: one worker, text items).
pub const stand_in = struct {
    pub var worker_index: u32 = 0;
    pub var worker_count: u32 = 1;
    pub var item_format: Format = .text;
    pub var result_format: Format = .text;

    fn @"worker-index"() u32 {
        return worker_index;
    }
    fn @"worker-count"() u32 {
        return worker_count;
    }
    fn @"item-format"() u32 {
        return @backingInt(item_format);
    }
    fn @"result-format"(format: u32) void {
        result_format = @fromBackingInt(@intCast(format));
    }
    fn log(_: u32, message: [*]const u8, length: usize) void {
        std.debug.print("{s}\n", .{message[0..length]});
    }
};
