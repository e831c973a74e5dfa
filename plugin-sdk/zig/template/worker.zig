//! my-worker greets names and counts its greetings.

const mtl = @import("mtl-plugin/mtl_plugin.zig");

pub const panic = mtl.panic;

/// The state of one worker.
const Worker = struct {
    greeting: []const u8,
    greeted: u64 = 0,

    /// Starts a worker. The arguments are the text of `--init`.
    pub fn init(arguments: []const u8) !Worker {
        const greeting = if (arguments.len > 0) arguments else "Hello";
        return .{ .greeting = try mtl.allocator.dupe(u8, greeting) };
    }

    /// Returns the record of one item.
    pub fn call(worker: *Worker, item: []const u8) ![]const u8 {
        if (item.len == 0) return mtl.badItem("there is nobody to greet", .{});
        worker.greeted += 1;
        return mtl.print("{s}, {s}!", .{ worker.greeting, item });
    }

    /// Returns the finish report.
    pub fn finish(worker: *Worker) ![]const u8 {
        return mtl.print("greeted: {d}", .{worker.greeted});
    }
};

comptime {
    mtl.plugin(Worker);
}

test "everybody is greeted" {
    var worker = try mtl.testing.Instance(Worker).start("Hi");
    try worker.expectRecord("Ada", "Hi, Ada!");
    try worker.expectBadItem("", "there is nobody to greet");
    try worker.expectReport("greeted: 1");
}
