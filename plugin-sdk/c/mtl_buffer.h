/* Growing buffers for results. If memory runs out, the plugin stops: the item gets the fault `out-of-memory`, and the
   next item goes to a fresh instance. */
#ifndef MTL_BUFFER_H
#define MTL_BUFFER_H

#include "mtl_text.h"

#include <float.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MTL_SDK_FORMAT(text, first) __attribute__((__format__(__printf__, text, first)))

/* A buffer. An empty one is all zeros, like a `static` variable; `free(buffer.data)` frees it. */
typedef struct mtl_buffer {
    char *data;
    size_t length;
    size_t capacity;
} mtl_buffer;

/* Reserves memory for more bytes. */
static inline void mtl_reserve(mtl_buffer *buffer, size_t more) {
    size_t needed = buffer->length + more;
    if (needed <= buffer->capacity && needed >= more) return;
    size_t capacity = buffer->capacity * 2;
    if (capacity < needed) capacity = needed < 64 ? 64 : needed;
    char *data = needed < more ? NULL : (char *)realloc(buffer->data, capacity);
    if (data == NULL) abort();
    buffer->data = data;
    buffer->capacity = capacity;
}

static inline void mtl_append(mtl_buffer *buffer, mtl_bytes bytes) {
    if (bytes.length == 0) return;
    mtl_reserve(buffer, bytes.length);
    memcpy(buffer->data + buffer->length, bytes.data, bytes.length);
    buffer->length += bytes.length;
}

static inline void mtl_append_byte(mtl_buffer *buffer, char byte) {
    mtl_reserve(buffer, 1);
    buffer->data[buffer->length++] = byte;
}

MTL_SDK_FORMAT(2, 0)
static inline void mtl_append_arguments(mtl_buffer *buffer, const char *format, va_list arguments) {
    va_list copy;
    va_copy(copy, arguments);
    int length = vsnprintf(NULL, 0, format, copy);
    va_end(copy);
    if (length < 0) abort();
    mtl_reserve(buffer, (size_t)length + 1);
    vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, arguments);
    buffer->length += (size_t)length;
}

/* Appends the output of `printf`. */
MTL_SDK_FORMAT(2, 3)
static inline void mtl_append_format(mtl_buffer *buffer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    mtl_append_arguments(buffer, format, arguments);
    va_end(arguments);
}

/* Returns the text as a C string, which is valid until the next call. A NUL in the text ends it early. */
static inline char *mtl_string(mtl_bytes text) {
    static mtl_buffer string;
    string.length = 0;
    mtl_append(&string, text);
    mtl_append_byte(&string, '\0');
    return string.data;
}

/* Appends the text as a JSON string with quotes. Bytes that are not UTF-8 become U+FFFD. */
static inline void mtl_append_json_string(mtl_buffer *buffer, mtl_bytes text) {
    static const char escaped[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
    mtl_append_byte(buffer, '"');
    while (text.length > 0) {
        mtl_bytes rest = text;
        uint32_t character = mtl_take_character(&rest);
        if (character == MTL_NO_CHARACTER) {
            mtl_append(buffer, mtl_text("\xEF\xBF\xBD"));
            text = mtl_bytes_of(text.data + 1, text.length - 1);
            continue;
        }
        const char *name = character == 0 || character > '\\' ? NULL : strchr(escaped, (int)character);
        if (name != NULL) {
            mtl_append_byte(buffer, '\\');
            mtl_append_byte(buffer, names[name - escaped]);
        } else if (character < ' ') {
            mtl_append_format(buffer, "\\u%04" PRIx32, character);
        } else {
            mtl_append(buffer, mtl_bytes_of(text.data, text.length - rest.length));
        }
        text = rest;
    }
    mtl_append_byte(buffer, '"');
}

/* Increments the last digit of a number such as `1.99e-07`. Returns false if the result would need one more digit. */
static inline bool mtl_sdk_next_decimal(char *digits) {
    char *last = strchr(digits, 'e');
    while (last-- > digits) {
        if (*last == '.' || *last == '-') continue;
        if (*last != '9') {
            ++*last;
            return true;
        }
        *last = '0';
    }
    return false;
}

/* Writes the shortest decimal that reads back as this number, in the format of `%e`. */
static inline void mtl_sdk_shortest_decimal(char digits[32], double number) {
    /* A double keeps any decimal of 15 digits, and unneeded digits are zeros. Subnormal numbers keep fewer digits. */
    for (int decimals = number < DBL_MIN ? 0 : 14; decimals < 17; decimals++) {
        snprintf(digits, 32, "%.*e", decimals, number);
        if (strtod(digits, NULL) == number) return;
        /* At a power of two, the nearest decimal may be too low; then the next decimal may read back as the number. */
        if (mtl_sdk_next_decimal(digits) && strtod(digits, NULL) == number) return;
    }
}

/* Appends a number as the shortest decimal that reads back as the same number, without an exponent: `0.1`, `144`,
   `0.000001`. The numbers that JSON cannot represent become `inf`, `-inf` and `NaN`. */
static inline void mtl_append_number(mtl_buffer *buffer, double number) {
    char digits[32];
    if (number - number != 0) {
        mtl_append(buffer, mtl_text(number > 0 ? "inf" : number < 0 ? "-inf" : "NaN"));
        return;
    }
    mtl_sdk_shortest_decimal(digits, number < 0 ? -number : number);
    char *mark = strchr(digits, 'e');
    int exponent = atoi(mark + 1);
    int count = (int)(mark - digits);
    if (count > 1) {
        memmove(digits + 1, digits + 2, (size_t)count - 2);
        count--;
    }
    while (count > 1 && digits[count - 1] == '0') count--;
    if (number < 0) mtl_append_byte(buffer, '-');
    if (exponent < 0) mtl_append(buffer, mtl_text("0."));
    for (int zero = exponent + 1; zero < 0; zero++) mtl_append_byte(buffer, '0');
    for (int i = 0; i < count || i <= exponent; i++) {
        if (i == exponent + 1 && exponent >= 0) mtl_append_byte(buffer, '.');
        mtl_append_byte(buffer, i < count ? digits[i] : '0');
    }
}

#endif
