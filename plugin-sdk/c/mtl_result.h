/* The functions of a worker: their types and their results. */
#ifndef MTL_RESULT_H
#define MTL_RESULT_H

#include "mtl_buffer.h"
#include "mtl_context.h"

typedef enum mtl_kind { MTL_RECORD, MTL_NOTHING, MTL_REFUSED, MTL_BAD_ITEM } mtl_kind;

/* The result of a worker's function. Its bytes must not change until the next call. */
typedef struct mtl_result {
    mtl_kind kind;
    mtl_bytes bytes;
} mtl_result;

/* Starts the worker; `arguments` is the text of `--init`. A failure ends the run. NULL if there is nothing to start. */
typedef mtl_result mtl_init_function(mtl_bytes arguments);
/* Works on one item, which the function may change in place. */
typedef mtl_result mtl_call_function(mtl_bytes item);
/* Ends the worker; the record is the finish report. NULL for no report. */
typedef mtl_result mtl_finish_function(void);

static inline mtl_result mtl_sdk_result(mtl_kind kind, mtl_bytes bytes) {
    mtl_result result;
    result.kind = kind;
    result.bytes = bytes;
    return result;
}

/* Returns no record for this item; in `init`, success. */
static inline mtl_result mtl_nothing(void) { return mtl_sdk_result(MTL_NOTHING, mtl_bytes_of(NULL, 0)); }

/* Returns these bytes, which must stay valid: part of the item or static, not a local variable. */
static inline mtl_result mtl_record(mtl_bytes bytes) { return mtl_sdk_result(MTL_RECORD, bytes); }

static inline mtl_buffer *mtl_sdk_record_buffer(void) {
    static mtl_buffer buffer;
    return &buffer;
}

/* Returns an empty buffer for a record: `mtl_append…(buffer, …)`, then `return mtl_made(buffer)`. */
static inline mtl_buffer *mtl_make(void) {
    mtl_sdk_record_buffer()->length = 0;
    return mtl_sdk_record_buffer();
}

/* Returns the content of the buffer. */
static inline mtl_result mtl_made(const mtl_buffer *buffer) {
    return mtl_record(mtl_bytes_of(buffer->data, buffer->length));
}

/* Returns a copy of these bytes. */
static inline mtl_result mtl_copied(mtl_bytes bytes) {
    mtl_append(mtl_make(), bytes);
    return mtl_made(mtl_sdk_record_buffer());
}

/* Returns the output of `printf`. */
MTL_SDK_FORMAT(1, 2)
static inline mtl_result mtl_printed(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    mtl_append_arguments(mtl_make(), format, arguments);
    va_end(arguments);
    return mtl_made(mtl_sdk_record_buffer());
}

/* Formats a message. It has its own buffer, because its arguments may be in the buffer of a record. */
MTL_SDK_FORMAT(2, 0)
static inline mtl_result mtl_sdk_failure(mtl_kind kind, const char *format, va_list arguments) {
    static mtl_buffer message;
    message.length = 0;
    mtl_append_arguments(&message, format, arguments);
    return mtl_sdk_result(kind, mtl_bytes_of(message.data, message.length));
}

/* Refuses an item that is valid; in `init` and `finish`, reports a failure. */
MTL_SDK_FORMAT(1, 2)
static inline mtl_result mtl_refused(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    mtl_result result = mtl_sdk_failure(MTL_REFUSED, format, arguments);
    va_end(arguments);
    return result;
}

/* Reports an invalid item. */
MTL_SDK_FORMAT(1, 2)
static inline mtl_result mtl_bad_item(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    mtl_result result = mtl_sdk_failure(MTL_BAD_ITEM, format, arguments);
    va_end(arguments);
    return result;
}

/* `length` and `data` of bytes, for `printf`'s `%.*s` in messages. `%.*s` ends at a NUL; use `mtl_append` for records
   of any bytes. */
#define MTL_SHOWN(bytes) (int)(bytes).length, (bytes).data

/* Shows a message among the messages of the run. */
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
