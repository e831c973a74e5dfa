//! Counts words. The lesson: a worker keeps its state from item to item and reports it at the end.
//!
//! The result of an item is its number of words. The finish report is the total of the worker; the
//! totals of all workers add up to that of the input.

const std = @import("std");
const mtl = @import("mtl-plugin/mtl_plugin.zig");

pub const panic = mtl.panic;

const WordCount = struct {
    worker: u32,
    items: u64 = 0,
    words: u64 = 0,
    bytes: u64 = 0,

    pub fn init(arguments: []const u8) !WordCount {
        if (arguments.len > 0) return mtl.refused("this worker takes no arguments", .{});
        mtl.context.resultFormat(.json);
        return .{ .worker = mtl.context.workerIndex() };
    }

    pub fn call(count: *WordCount, item: []const u8) ![]const u8 {
        var words: u64 = 0;
        var in_word = false;
        var at: usize = 0;
        while (mtl.text.first(item[at..])) |found| : (at += found.length) {
            const space = mtl.text.isWhiteSpace(found.character);
            if (!space and !in_word) words += 1;
            in_word = !space;
        }
        if (at < item.len) return mtl.badItem("not UTF-8 from byte {d} on", .{at});
        count.items += 1;
        count.words += words;
        count.bytes += item.len;
        return mtl.json(words);
    }

    pub fn finish(count: *WordCount) ![]const u8 {
        return mtl.json(count.*);
    }
};

comptime {
    mtl.plugin(WordCount);
}

test "each item is counted and the report sums them up" {
    mtl.context.stand_in.worker_index = 1;
    var count = try mtl.testing.Instance(WordCount).start("");
    for ([_][2][]const u8{ .{ "to be or not", "4" }, .{ "", "0" }, .{ "  naïve\tword ", "2" } }) |case| {
        try count.expectRecord(case[0], case[1]);
    }
    try count.expectBadItem("\xff", "not UTF-8 from byte 0 on");
    try count.expectReport(
        \\{"worker":1,"items":3,"words":6,"bytes":26}
    );
}
