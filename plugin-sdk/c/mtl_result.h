/* What the functions of a worker answer, and the types of these functions. */
#ifndef MTL_RESULT_H
#define MTL_RESULT_H

#include "mtl_buffer.h"
#include "mtl_context.h"

typedef enum mtl_kind { MTL_RECORD, MTL_NOTHING, MTL_REFUSED, MTL_BAD_ITEM } mtl_kind;

/* What a function of a worker answers. Its bytes stay as they are until the next call. */
typedef struct mtl_result {
    mtl_kind kind;
    mtl_bytes bytes;
} mtl_result;

/* Starts the worker; `arguments` is the text of `--init`. A failure ends the run. NULL: nothing to start. */
typedef mtl_result mtl_init_function(mtl_bytes arguments);
/* Works on one item, which may be changed in place. */
typedef mtl_result mtl_call_function(mtl_bytes item);
/* Ends the worker: its record is the closing report. NULL: no report. */
typedef mtl_result mtl_finish_function(void);

static inline mtl_result mtl_sdk_result(mtl_kind kind, mtl_bytes bytes) {
    mtl_result result;
    result.kind = kind;
    result.bytes = bytes;
    return result;
}

/* No record for this item; and what `init` answers when all is well. */
static inline mtl_result mtl_nothing(void) { return mtl_sdk_result(MTL_NOTHING, mtl_bytes_of(NULL, 0)); }

/* These bytes, which stay where they are: the item itself, or something static. Not those of a local variable. */
static inline mtl_result mtl_record(mtl_bytes bytes) { return mtl_sdk_result(MTL_RECORD, bytes); }

static inline mtl_buffer *mtl_sdk_made(void) {
    static mtl_buffer made;
    return &made;
}

/* An empty buffer to make a record in: `mtl_append…(buffer, …)`, then `return mtl_made(buffer)`. */
static inline mtl_buffer *mtl_make(void) {
    mtl_sdk_made()->length = 0;
    return mtl_sdk_made();
}

/* What is in the buffer. */
static inline mtl_result mtl_made(const mtl_buffer *buffer) {
    return mtl_record(mtl_bytes_of(buffer->data, buffer->length));
}

/* A copy of these bytes. */
static inline mtl_result mtl_copied(mtl_bytes bytes) {
    mtl_append(mtl_make(), bytes);
    return mtl_made(mtl_sdk_made());
}

/* What `printf` would print. */
MTL_SDK_FORMAT(1, 2)
static inline mtl_result mtl_printed(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    mtl_append_arguments(mtl_make(), format, arguments);
    va_end(arguments);
    return mtl_made(mtl_sdk_made());
}

/* A message, apart from records: its arguments may be in the buffer of a record. */
MTL_SDK_FORMAT(2, 0)
static inline mtl_result mtl_sdk_failed(mtl_kind kind, const char *format, va_list arguments) {
    static mtl_buffer message;
    message.length = 0;
    mtl_append_arguments(&message, format, arguments);
    return mtl_sdk_result(kind, mtl_bytes_of(message.data, message.length));
}

/* No result, though nothing is wrong with the item; or, in `init` and `finish`, a failure. */
MTL_SDK_FORMAT(1, 2)
static inline mtl_result mtl_refused(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    mtl_result result = mtl_sdk_failed(MTL_REFUSED, format, arguments);
    va_end(arguments);
    return result;
}

/* The item is not what it should be. */
MTL_SDK_FORMAT(1, 2)
static inline mtl_result mtl_bad_item(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    mtl_result result = mtl_sdk_failed(MTL_BAD_ITEM, format, arguments);
    va_end(arguments);
    return result;
}

/* `length` and `data` of bytes, for `printf`'s `%.*s`, which ends at a NUL: for messages. Records of any bytes are made
   by `mtl_append`. */
#define MTL_SHOWN(bytes) (int)(bytes).length, (bytes).data

/* Shows a message where the run shows messages. */
MTL_SDK_FORMAT(2, 3)
static inline void mtl_log(mtl_level level, const char *format, ...) {
    static mtl_buffer message;
    va_list arguments;
    va_start(arguments, format);
    message.length = 0;
    mtl_append_arguments(&message, format, arguments);
    va_end(arguments);
    mtl_log_bytes(level, message.data, message.length);
}

#endif
