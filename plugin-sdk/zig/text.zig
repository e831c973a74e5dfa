//! Functions for text in UTF-8.

const std = @import("std");
const unicode = std.unicode;

/// Returns the first character and its length. Returns null if the bytes are empty or not UTF-8.
pub fn first(bytes: []const u8) ?struct { character: u21, length: usize } {
    if (bytes.len == 0) return null;
    const length = unicode.utf8ByteSequenceLength(bytes[0]) catch return null;
    if (length > bytes.len) return null;
    return .{ .character = unicode.utf8Decode(bytes[0..length]) catch return null, .length = length };
}

/// Returns the number of bytes at the start that are valid UTF-8.
pub fn validLength(bytes: []const u8) usize {
    var at: usize = 0;
    while (first(bytes[at..])) |found| at += found.length;
    return at;
}

/// Returns whether the character has Unicode's property White_Space.
pub fn isWhiteSpace(character: u21) bool {
    return switch (character) {
        '\t'...'\r', ' ', 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000 => true,
        else => false,
    };
}

/// Returns the text without surrounding white space. Bytes that are not UTF-8 are not white space.
pub fn trimmed(bytes: []const u8) []const u8 {
    var start: usize = bytes.len;
    var end: usize = bytes.len;
    var at: usize = 0;
    while (first(bytes[at..])) |found| {
        if (!isWhiteSpace(found.character)) {
            start = @min(start, at);
            end = at + found.length;
        }
        at += found.length;
    }
    if (at < bytes.len) return bytes[@min(start, at)..];
    return bytes[start..@max(start, end)];
}

test "Unicode white space is trimmed" {
    for ([_]struct { []const u8, []const u8 }{
        .{ "", "" },
        .{ " \u{3000}", "" },
        .{ " a b\u{85}", "a b" },
        .{ "\u{A0}\u{FEFF}x\u{2028}", "\u{FEFF}x" },
        .{ " \xff ", "\xff " },
        .{ " a \xff ", "a \xff " },
    }) |case| try std.testing.expectEqualStrings(case[1], trimmed(case[0]));
}

test "the valid length ends at the first byte that is not UTF-8" {
    for ([_]struct { []const u8, usize }{
        .{ "", 0 },
        .{ "naïve 😀", 11 },
        .{ "ab\xff", 2 },
        .{ "\xed\xa0\x80", 0 },
        .{ "a\xc3", 1 },
        .{ "\xc0\xaf", 0 },
    }) |case| try std.testing.expectEqual(case[1], validLength(case[0]));
}
