//! Answers commands, so that one table of items in tests/integration/languages.rs tests every part of every SDK.

const std = @import("std");
const mtl = @import("mtl-plugin/mtl_plugin.zig");

const Probe = struct {
    arguments: []const u8,
    json: bool,
    calls: u64 = 0,

    pub fn init(arguments: []const u8) !Probe {
        if (std.mem.cutPrefix(u8, arguments, "fail ")) |message| return mtl.refused("{s}", .{message});
        const json = std.mem.eql(u8, arguments, "json");
        if (json) mtl.context.resultFormat(.json);
        return .{ .arguments = try mtl.allocator.dupe(u8, arguments), .json = json };
    }

    pub fn call(probe: *Probe, item: []const u8) !?[]const u8 {
        probe.calls += 1;
        const record = try probe.answer(item) orelse return null;
        return if (probe.json) try mtl.json(record) else record;
    }

    pub fn finish(probe: *Probe) ![]const u8 {
        return mtl.print("calls: {d}", .{probe.calls});
    }

    const Command = enum { echo, bytes, state, init, refuse, bad, skip, worker, format, log, trap };

    fn answer(probe: *Probe, item: []const u8) !?[]const u8 {
        if (item.len == 0) return item;
        const name, const rest = std.mem.cutScalar(u8, item, ' ') orelse .{ item, "" };
        const command = std.meta.stringToEnum(Command, name) orelse return mtl.badItem("unknown command `{s}`", .{item});
        switch (command) {
            .echo => return rest,
            .bytes => {
                const many = try mtl.scratch().alloc(u8, try std.fmt.parseInt(usize, rest, 10));
                @memset(many, 'x');
                return many;
            },
            .state => return try mtl.print("{d}", .{probe.calls}),
            .init => return probe.arguments,
            .refuse => return mtl.refused("{s}", .{rest}),
            .bad => return mtl.badItem("{s}", .{rest}),
            .skip => return null,
            .worker => return try mtl.print("{d}/{d}", .{ mtl.context.workerIndex(), mtl.context.workerCount() }),
            .format => return @tagName(mtl.context.itemFormat()),
            .log => {
                const level, const message = std.mem.cutScalar(u8, rest, ' ') orelse return mtl.badItem("no message", .{});
                mtl.context.log(levelOf(level) orelse return mtl.badItem("unknown level", .{}), message);
                return "logged";
            },
            .trap => @panic("trap requested"),
        }
    }

    fn levelOf(name: []const u8) ?mtl.context.Level {
        return if (std.mem.eql(u8, name, "error")) .err else std.meta.stringToEnum(mtl.context.Level, name);
    }
};

comptime {
    mtl.plugin(Probe);
}
