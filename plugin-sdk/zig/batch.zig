//! A batch: many items in one crossing.
//!
//!      0  count        host: how many items there are
//!      4  done         plugin: items finished so far
//!      8  out          plugin: address of the result bytes
//!     12  stop         host: not zero = return
//!     16  end[count]   host: end of each item; plugin: end of each result, with two flags
//!         item bytes
//!
//! The host reads the words at any moment at which the module can be stopped, also after a trap. So each word is written
//! when all that it speaks of has been written.

const std = @import("std");
const memory = @import("memory.zig");
const Answer = @import("answer.zig").Answer;

/// With so much of results, the host is to have them before more are made.
const full = 1024 * 1024;
const least = 4096;

/// The words of a batch, where the host sees them.
const Words = struct {
    at: [*]align(1) volatile u32,

    const count = 0;
    const done = 1;
    const out = 2;
    const stop = 3;
    const ends = 4;

    /// Nothing moves across it in either direction.
    fn set(words: Words, index: usize, word: u32) void {
        asm volatile ("" ::: .{ .memory = true });
        words.at[index] = std.mem.nativeToLittle(u32, word);
        asm volatile ("" ::: .{ .memory = true });
    }

    fn get(words: Words, index: usize) u32 {
        return std.mem.littleToNative(u32, words.at[index]);
    }

    fn publish(words: Words, bytes: []const u8) void {
        // Addresses have 32 bits in a module; a native test does not look at this one.
        words.set(out, @truncate(@intFromPtr(bytes.ptr)));
    }
};

/// Results of one batch, back to back. The host knows where they are at any moment.
pub const Results = struct {
    bytes: []u8 = &.{},
    length: usize = 0,

    /// Forgets the results of the batch before. What a few large ones took is not kept for ever.
    fn begin(results: *Results) void {
        results.length = 0;
        if (results.bytes.len <= 4 * full) return;
        memory.allocator.free(results.bytes);
        results.bytes = &.{};
    }

    fn append(results: *Results, bytes: []const u8, words: Words) error{OutOfMemory}!void {
        const length = results.length + bytes.len;
        if (length > results.bytes.len) {
            const larger = try memory.allocator.alloc(u8, @max(length, 2 * results.bytes.len, least));
            @memcpy(larger[0..results.length], results.bytes[0..results.length]);
            words.publish(larger);
            // Only now: until the host knows the new place, it reads from the old one.
            memory.allocator.free(results.bytes);
            results.bytes = larger;
        }
        @memcpy(results.bytes[results.length..length], bytes);
        results.length = length;
    }
};

/// Works on the items of a batch: on all of them, unless the host says stop, or their results are many.
pub fn work(guest: anytype, address: usize, results: *Results) void {
    const words: Words = .{ .at = @ptrFromInt(address) };
    const count = words.get(Words.count);
    const items: [*]u8 = @ptrFromInt(address + 4 * (Words.ends + count));
    results.begin();
    words.publish(results.bytes);
    var start: usize = 0;
    for (0..count) |done| {
        if (words.get(Words.stop) != 0 or results.length >= full) break;
        const place = Words.ends + done;
        const end = words.get(place);
        const answer = guest.call(items[start..end]);
        if (done == 0 and answer == .record and answer.record.len >= full and answer.record.len <= Answer.most) {
            // Handed over from where it is, since there may be no memory for a second one.
            words.publish(answer.record);
            words.set(place, @intCast(answer.record.len));
            words.set(Words.done, 1);
            return;
        }
        const flags = keep(answer, results, words);
        start = end;
        words.set(place, flags | @as(u32, @intCast(results.length)));
        words.set(Words.done, @intCast(done + 1));
    }
}

/// Adds what was answered to the results, or else why that cannot be. Returns its flags.
fn keep(answer: Answer, results: *Results, words: Words) u32 {
    const bytes = answer.bytes();
    const kept = if (bytes.len > Answer.most - results.length) Answer.tooLong(bytes.len) else answer;
    // The instance ends, and with it what it has taken; the results that the host knows of are kept.
    results.append(kept.bytes(), words) catch @panic("no memory for the results of a batch");
    return kept.flags();
}

test "results follow each other, with flags, as far as the host wants them" {
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
    work(&guest, @intFromPtr(&batch), &results);
    try std.testing.expectEqualSlices(u32, &.{ 2, 2 | 1 << 30, 4 | 1 << 31 }, batch[4..7]);
    try std.testing.expectEqual(@as(u32, 3), batch[1]);
    try std.testing.expectEqualStrings("ab!c", results.bytes[0..results.length]);

    batch = .{ 3, 0, 0, 1, 2, 2, 4, 0 };
    work(&guest, @intFromPtr(&batch), &results);
    try std.testing.expectEqual(@as(u32, 0), batch[1]);
}

test "results are handed over before they are too many" {
    const Large = struct {
        pub fn call(_: *@This(), _: []const u8) ![]const u8 {
            return &record;
        }
        const record: [400 * 1024]u8 = @splat('a');
    };
    var guest: @import("guest.zig").Guest(Large) = .{ .worker = .{} };
    var results: Results = .{};
    var batch: [8]u32 = .{ 4, 0, 0, 0, 0, 0, 0, 0 };
    work(&guest, @intFromPtr(&batch), &results);
    // The third makes them more than is `full`.
    try std.testing.expectEqual(@as(u32, 3), batch[1]);
    const size = Large.record.len;
    try std.testing.expectEqualSlices(u32, &.{ size, 2 * size, 3 * size, 0 }, batch[4..8]);
}
