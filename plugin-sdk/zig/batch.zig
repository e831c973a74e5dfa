//! A batch: many items in one call.
//!
//!      0  count        host: number of items
//!      4  done         plugin: number of finished items
//!      8  out          plugin: address of the result bytes
//!     12  stop         host: if not zero, the plugin returns
//!     16  end[count]   host: end of each item; plugin: end of each result, with two flags
//!         item bytes
//!
//! The host may stop the module at any moment, and then reads the words, as it does after a trap. Therefore each word
//! is written after the data that it describes.

const std = @import("std");
const memory = @import("memory.zig");
const Answer = @import("answer.zig").Answer;

/// The number of result bytes after which a batch returns to the host.
const full = 1024 * 1024;
const min_capacity = 4096;

/// The words of a batch, in memory that the host reads.
const Words = struct {
    at: [*]align(1) volatile u32,

    const count = 0;
    const done = 1;
    const out = 2;
    const stop = 3;
    const ends = 4;

    /// Writes a word. The compiler moves no other access across it.
    fn set(words: Words, index: usize, word: u32) void {
        asm volatile ("" ::: .{ .memory = true });
        words.at[index] = std.mem.nativeToLittle(u32, word);
        asm volatile ("" ::: .{ .memory = true });
    }

    fn get(words: Words, index: usize) u32 {
        return std.mem.littleToNative(u32, words.at[index]);
    }

    fn publish(words: Words, bytes: []const u8) void {
        // WebAssembly addresses have 32 bits; a native test does not read this one.
        words.set(out, @truncate(@intFromPtr(bytes.ptr)));
    }
};

/// The results of one batch, back to back. The host always has their current address.
pub const Results = struct {
    bytes: []u8 = &.{},
    length: usize = 0,

    /// Clears the results of the previous batch, and frees the memory of unusually large ones.
    fn clear(results: *Results) void {
        results.length = 0;
        if (results.bytes.len <= 4 * full) return;
        memory.allocator.free(results.bytes);
        results.bytes = &.{};
    }

    fn append(results: *Results, bytes: []const u8, words: Words) error{OutOfMemory}!void {
        const length = results.length + bytes.len;
        if (length > results.bytes.len) {
            const larger = try memory.allocator.alloc(u8, @max(length, 2 * results.bytes.len, min_capacity));
            @memcpy(larger[0..results.length], results.bytes[0..results.length]);
            words.publish(larger);
            // Until the host has the new address, it reads from the old buffer.
            memory.allocator.free(results.bytes);
            results.bytes = larger;
        }
        @memcpy(results.bytes[results.length..length], bytes);
        results.length = length;
    }
};

/// Calls the worker for each item of a batch. Returns early if the host sets `stop` or the results are large.
pub fn run(guest: anytype, address: usize, results: *Results) void {
    const words: Words = .{ .at = @ptrFromInt(address) };
    const count = words.get(Words.count);
    const items: [*]u8 = @ptrFromInt(address + 4 * (Words.ends + count));
    results.clear();
    words.publish(results.bytes);
    var start: usize = 0;
    for (0..count) |done| {
        if (words.get(Words.stop) != 0 or results.length >= full) break;
        const end_index = Words.ends + done;
        const end = words.get(end_index);
        const answer = guest.call(items[start..end]);
        if (done == 0 and answer == .record and answer.record.len >= full and answer.record.len <= Answer.most) {
            // The host reads a large result in place, because there may be no memory for a copy.
            words.publish(answer.record);
            words.set(end_index, @intCast(answer.record.len));
            words.set(Words.done, 1);
            return;
        }
        const flags = appendAnswer(answer, results, words);
        start = end;
        words.set(end_index, flags | @as(u32, @intCast(results.length)));
        words.set(Words.done, @intCast(done + 1));
    }
}

/// Appends an answer to the results, or the failure of an answer that is too long. Returns the flags.
fn appendAnswer(answer: Answer, results: *Results, words: Words) u32 {
    const bytes = answer.bytes();
    const fitting = if (bytes.len > Answer.most - results.length) Answer.tooLong(bytes.len) else answer;
    // The panic ends the instance. The host keeps the results that are already published.
    results.append(fitting.bytes(), words) catch @panic("no memory for the results of a batch");
    return fitting.flags();
}

test "results follow each other, with flags, until the host sets stop" {
    const Echo = struct {
        pub fn call(_: *@This(), item: []const u8) !?[]const u8 {
            if (item.len == 0) return null;
            if (item[0] == '!') return @import("failure.zig").refused("{s}", .{item});
            return item;
        }
    };
    var guest: @import("guest.zig").Guest(Echo) = .{ .worker = .{} };
    var results: Results = .{};
    var batch: [8]u32 = .{ 3, 0, 0, 0, 2, 2, 4, std.mem.readInt(u32, "ab!c", .native) };
    run(&guest, @intFromPtr(&batch), &results);
    try std.testing.expectEqualSlices(u32, &.{ 2, 2 | 1 << 30, 4 | 1 << 31 }, batch[4..7]);
    try std.testing.expectEqual(@as(u32, 3), batch[1]);
    try std.testing.expectEqualStrings("ab!c", results.bytes[0..results.length]);

    batch = .{ 3, 0, 0, 1, 2, 2, 4, 0 };
    run(&guest, @intFromPtr(&batch), &results);
    try std.testing.expectEqual(@as(u32, 0), batch[1]);
}

test "large results end the batch early" {
    const Large = struct {
        pub fn call(_: *@This(), _: []const u8) ![]const u8 {
            return &record;
        }
        const record: [400 * 1024]u8 = @splat('a');
    };
    var guest: @import("guest.zig").Guest(Large) = .{ .worker = .{} };
    var results: Results = .{};
    var batch: [8]u32 = .{ 4, 0, 0, 0, 0, 0, 0, 0 };
    run(&guest, @intFromPtr(&batch), &results);
    // The third result exceeds `full`.
    try std.testing.expectEqual(@as(u32, 3), batch[1]);
    const size = Large.record.len;
    try std.testing.expectEqualSlices(u32, &.{ size, 2 * size, 3 * size, 0 }, batch[4..8]);
}
