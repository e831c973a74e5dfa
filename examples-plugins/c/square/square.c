/* Squares numbers. The lesson: an item that cannot be read is a *bad item*, and a valid item without a result
   is *refused*. Both have a message.

   Integers are squared exactly up to 128 bits, other numbers as floating-point numbers. */
#include "mtl_plugin.h"

__extension__ typedef unsigned __int128 wide;

static bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

static size_t take_digits(mtl_bytes *text) {
    size_t count = 0;
    for (; text->length > 0 && is_digit(*text->data); count++) *text = mtl_bytes_of(text->data + 1, text->length - 1);
    return count;
}

static bool take_sign(mtl_bytes *text) { return mtl_take(text, "-") || mtl_take(text, "+"); }

/* Reads the absolute value of a signed integer of 128 bits. */
static bool read_integer(mtl_bytes text, wide *magnitude) {
    const wide lowest = (wide)1 << 127;
    bool negative = text.length > 0 && *text.data == '-';
    take_sign(&text);
    *magnitude = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (!is_digit(text.data[i]) || *magnitude > lowest / 10) return false;
        *magnitude = *magnitude * 10 + (wide)(text.data[i] - '0');
        if (*magnitude > lowest) return false;
    }
    return text.length > 0 && (negative || *magnitude < lowest);
}

/* Reads a finite decimal number. Refuses infinities, NaN and hexadecimal numbers, which `strtod` accepts. */
static bool read_number(mtl_bytes text, double *value) {
    mtl_bytes rest = text;
    take_sign(&rest);
    size_t digits = take_digits(&rest);
    if (mtl_take(&rest, ".")) digits += take_digits(&rest);
    if (digits > 0 && (mtl_take(&rest, "e") || mtl_take(&rest, "E"))) {
        take_sign(&rest);
        digits = take_digits(&rest);
    }
    if (digits == 0 || rest.length > 0) return false;
    *value = strtod(mtl_string(text), NULL);
    return *value - *value == 0;
}

static mtl_result square_integer(wide magnitude) {
    if (magnitude >> 64 != 0) return mtl_refused("the square has more than 128 bits");
    char digits[40];
    size_t at = sizeof digits;
    wide square = magnitude * magnitude;
    do digits[--at] = (char)('0' + (int)(square % 10));
    while (square /= 10);
    return mtl_copied(mtl_bytes_of(digits + at, sizeof digits - at));
}

static mtl_result call(mtl_bytes item) {
    size_t valid = mtl_valid_utf8(item);
    if (valid < item.length) return mtl_bad_item("not UTF-8 from byte %zu on", valid);
    item = mtl_trimmed(item);
    wide magnitude;
    if (read_integer(item, &magnitude)) return square_integer(magnitude);
    double value;
    if (!read_number(item, &value)) return mtl_bad_item("not a number: `%.*s`", MTL_SHOWN(item));
    mtl_buffer *record = mtl_make();
    mtl_append_number(record, value * value);
    return mtl_made(record);
}

MTL_PLUGIN(NULL, call, NULL)
