/* Text as workers get it: bytes with a length, without a NUL at the end, normally in UTF-8. */
#ifndef MTL_TEXT_H
#define MTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__cplusplus) && __cplusplus >= 201703L
#include <string_view>
#endif

/* A view of bytes. It does not own them. */
typedef struct mtl_bytes {
    char *data;
    size_t length;
#if defined(__cplusplus) && __cplusplus >= 201703L
    operator std::string_view() const { return {data, length}; }
#endif
} mtl_bytes;

/* No character: the bytes are empty or not UTF-8. */
#define MTL_NO_CHARACTER UINT32_MAX

static inline mtl_bytes mtl_bytes_of(const void *data, size_t length) {
    mtl_bytes bytes;
    bytes.data = (char *)(uintptr_t)data;
    bytes.length = length;
    return bytes;
}

/* Returns the text of a C string. */
static inline mtl_bytes mtl_text(const char *string) { return mtl_bytes_of(string, strlen(string)); }

static inline bool mtl_same(mtl_bytes text, const char *string) {
    size_t length = strlen(string);
    return text.length == length && (length == 0 || memcmp(text.data, string, length) == 0);
}

/* Removes `prefix` from the start of the text. Returns false if the text starts differently. */
static inline bool mtl_take(mtl_bytes *text, const char *prefix) {
    size_t length = strlen(prefix);
    if (text->length < length || memcmp(text->data, prefix, length) != 0) return false;
    text->data += length;
    text->length -= length;
    return true;
}

/* Removes and returns the first character of the text. Returns MTL_NO_CHARACTER if there is no valid character. */
static inline uint32_t mtl_take_character(mtl_bytes *text) {
    static const uint32_t minimum[] = {0, 0, 0x80, 0x800, 0x10000};
    if (text->length == 0) return MTL_NO_CHARACTER;
    uint8_t first = (uint8_t)text->data[0];
    size_t length = first < 0x80 ? 1 : first < 0xC0 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF8 ? 4 : 0;
    if (length == 0 || length > text->length) return MTL_NO_CHARACTER;
    uint32_t character = length == 1 ? first : first & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        uint8_t next = (uint8_t)text->data[i];
        if ((next & 0xC0) != 0x80) return MTL_NO_CHARACTER;
        character = character << 6 | (next & 0x3Fu);
    }
    bool is_surrogate = character >= 0xD800 && character < 0xE000;
    if (character < minimum[length] || character > 0x10FFFF || is_surrogate) return MTL_NO_CHARACTER;
    text->data += length;
    text->length -= length;
    return character;
}

/* Returns the number of bytes at the start that are valid UTF-8. */
static inline size_t mtl_valid_utf8(mtl_bytes text) {
    mtl_bytes rest = text;
    while (mtl_take_character(&rest) != MTL_NO_CHARACTER) {
    }
    return text.length - rest.length;
}

/* Returns whether the character has Unicode's property White_Space. */
static inline bool mtl_is_white_space(uint32_t character) {
    switch (character) {
    case ' ': case 0x85: case 0xA0: case 0x1680: case 0x2028: case 0x2029: case 0x202F: case 0x205F: case 0x3000:
        return true;
    default:
        return (character >= '\t' && character <= '\r') || (character >= 0x2000 && character <= 0x200A);
    }
}

/* Returns the text without surrounding white space. Bytes that are not UTF-8 are not white space. */
static inline mtl_bytes mtl_trimmed(mtl_bytes text) {
    mtl_bytes rest = text;
    size_t start = text.length, end = text.length;
    while (rest.length > 0) {
        size_t at = text.length - rest.length;
        uint32_t character = mtl_take_character(&rest);
        if (character != MTL_NO_CHARACTER && mtl_is_white_space(character)) continue;
        if (start == text.length) start = at;
        end = text.length - rest.length;
        if (character != MTL_NO_CHARACTER) continue;
        end = text.length;
        break;
    }
    return mtl_bytes_of(text.data + start, end - start);
}

/* Returns the value of four hexadecimal digits, or MTL_NO_CHARACTER. */
static inline uint32_t mtl_sdk_hex(const char *digits) {
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char digit = digits[i];
        uint32_t nibble = digit >= '0' && digit <= '9'   ? (uint32_t)(digit - '0')
                          : digit >= 'a' && digit <= 'f' ? (uint32_t)(digit - 'a' + 10)
                          : digit >= 'A' && digit <= 'F' ? (uint32_t)(digit - 'A' + 10)
                                                         : 16;
        if (nibble == 16) return MTL_NO_CHARACTER;
        value = value << 4 | nibble;
    }
    return value;
}

/* Reads `uXXXX`, and the second half of a surrogate pair. */
static inline uint32_t mtl_sdk_unicode_escape(mtl_bytes *rest) {
    if (rest->length < 5) return MTL_NO_CHARACTER;
    uint32_t first = mtl_sdk_hex(rest->data + 1);
    *rest = mtl_bytes_of(rest->data + 5, rest->length - 5);
    if (first < 0xD800 || first >= 0xE000) return first;
    if (first >= 0xDC00 || rest->length < 6 || rest->data[0] != '\\' || rest->data[1] != 'u') return MTL_NO_CHARACTER;
    uint32_t second = mtl_sdk_hex(rest->data + 2);
    if (second < 0xDC00 || second >= 0xE000) return MTL_NO_CHARACTER;
    *rest = mtl_bytes_of(rest->data + 6, rest->length - 6);
    return 0x10000 + ((first - 0xD800) << 10 | (second - 0xDC00));
}

/* Reads the escape after a backslash. */
static inline uint32_t mtl_sdk_escape(mtl_bytes *rest) {
    static const char names[] = "\"\\/bfnrt", characters[] = "\"\\/\b\f\n\r\t";
    if (rest->length == 0 || rest->data[0] == '\0') return MTL_NO_CHARACTER;
    if (rest->data[0] == 'u') return mtl_sdk_unicode_escape(rest);
    const char *name = strchr(names, rest->data[0]);
    if (name == NULL) return MTL_NO_CHARACTER;
    *rest = mtl_bytes_of(rest->data + 1, rest->length - 1);
    return (uint32_t)characters[name - names];
}

/* Writes a character as UTF-8 and returns the address after it. */
static inline char *mtl_sdk_put_utf8(char *to, uint32_t character) {
    int more = character < 0x80 ? 0 : character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
    *to++ = (char)(more == 0 ? character : 0xFF80u >> more | character >> 6 * more);
    while (more-- > 0) *to++ = (char)(0x80 | (character >> 6 * more & 0x3F));
    return to;
}

static inline void mtl_sdk_skip_json_space(mtl_bytes *text) {
    while (mtl_take(text, " ") || mtl_take(text, "\t") || mtl_take(text, "\r") || mtl_take(text, "\n")) {
    }
}

/* Decodes a JSON string with its quotes, in place: the text is never longer than the JSON. Returns false if the JSON is
   invalid. */
static inline bool mtl_decode_json_string(mtl_bytes *text) {
    mtl_bytes rest = *text;
    mtl_sdk_skip_json_space(&rest);
    if (!mtl_take(&rest, "\"")) return false;
    char *start = rest.data, *to = start;
    for (;;) {
        uint32_t character = mtl_take_character(&rest);
        if (character == '"') break;
        if (character < ' ') return false;
        if (character == '\\') character = mtl_sdk_escape(&rest);
        if (character == MTL_NO_CHARACTER) return false;
        to = mtl_sdk_put_utf8(to, character);
    }
    mtl_sdk_skip_json_space(&rest);
    *text = mtl_bytes_of(start, (size_t)(to - start));
    return rest.length == 0;
}

#endif
