const mtl = @import("mtl-plugin/mtl_plugin.zig");

const Greet = struct {
    greeting: []const u8,

    pub fn init(greeting: []const u8) !Greet {
        return .{ .greeting = try mtl.allocator.dupe(u8, greeting) };
    }

    pub fn call(greet: *Greet, name: []const u8) ![]const u8 {
        return mtl.print("{s}, {s}!", .{ greet.greeting, name });
    }
};

comptime {
    mtl.plugin(Greet);
}
