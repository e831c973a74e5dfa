//! Squares numbers. The lesson: an item that cannot be read is a *bad item*, and a valid item without a result
//! is *refused*. Both have a message.
//!
//! Integers are squared exactly up to 128 bits, other numbers as floating-point numbers.

const std = @import("std");
const mtl = @import("mtl-plugin/mtl_plugin.zig");

pub const panic = mtl.panic;

const Square = struct {
    pub fn call(_: *Square, item: []const u8) ![]const u8 {
        const valid = mtl.text.validLength(item);
        if (valid < item.len) return mtl.badItem("not UTF-8 from byte {d} on", .{valid});
        const number = mtl.text.trimmed(item);
        if (!isDecimal(number)) return mtl.badItem("not a number: `{s}`", .{number});
        if (std.fmt.parseInt(i128, number, 10)) |whole| {
            const square = std.math.mul(u128, @abs(whole), @abs(whole)) catch
                return mtl.refused("the square has more than 128 bits", .{});
            return mtl.print("{d}", .{square});
        } else |_| {}
        const value = std.fmt.parseFloat(f64, number) catch unreachable;
        if (!std.math.isFinite(value)) return mtl.badItem("not a number: `{s}`", .{number});
        return mtl.print("{d}", .{value * value});
    }

    /// Returns whether the text is a decimal number. Zig's own functions accept `1_000`, `0x1p3` and `inf`.
    fn isDecimal(number: []const u8) bool {
        var rest = number;
        takeSign(&rest);
        var digits = takeDigits(&rest);
        if (take(&rest, ".")) digits += takeDigits(&rest);
        if (digits > 0 and take(&rest, "eE")) {
            takeSign(&rest);
            digits = takeDigits(&rest);
        }
        return digits > 0 and rest.len == 0;
    }

    fn takeDigits(rest: *[]const u8) usize {
        var count: usize = 0;
        while (take(rest, "0123456789")) count += 1;
        return count;
    }

    fn takeSign(rest: *[]const u8) void {
        _ = take(rest, "+-");
    }

    fn take(rest: *[]const u8, any: []const u8) bool {
        if (rest.len == 0 or std.mem.findScalar(u8, any, rest.*[0]) == null) return false;
        rest.* = rest.*[1..];
        return true;
    }
};

comptime {
    mtl.plugin(Square);
}

test "numbers are squared and other items have a message" {
    var square = try mtl.testing.Instance(Square).start("");
    for ([_][2][]const u8{
        .{ "12", "144" },
        .{ " -12\r", "144" },
        .{ "1.5", "2.25" },
        .{ "1e3", "1000000" },
        .{ "18446744073709551615", "340282366920938463426481119284349108225" },
    }) |case| try square.expectRecord(case[0], case[1]);
    try square.expectRefused("18446744073709551616", "the square has more than 128 bits");
    try square.expectBadItem("twelve", "not a number: `twelve`");
    try square.expectBadItem("inf", "not a number: `inf`");
}
