/* The functions that the host calls: ABI 1, described in host/docs/plugin-interface.md.

   A batch is many items in one call:

     0  count        host: number of items
     4  done         plugin: number of finished items
     8  out          plugin: address of the result bytes
    12  stop         host: if not zero, the plugin returns
    16  end[count]   host: end of each item; plugin: end of each result, with two flags
        item bytes

   The host may stop the module at any moment, and then reads the words, as it does after a trap. Therefore each word is
   written after the data that it describes. */
#ifndef MTL_EXPORTS_H
#define MTL_EXPORTS_H

#include "mtl_result.h"

#define MTL_SDK_EXPORT(name) __attribute__((export_name(name)))
#ifdef __cplusplus
#define MTL_SDK_C extern "C"
#else
#define MTL_SDK_C
#endif

/* Flags of an answer, and of an end in a batch, above a length of 30 bits. */
#define MTL_SDK_ERROR 0x80000000u
#define MTL_SDK_NO_RECORD 0x40000000u
#define MTL_SDK_MAX_LENGTH 0x3FFFFFFFu

/* The number of result bytes after which a batch returns to the host. */
#define MTL_SDK_FULL (1024u * 1024u)

/* The state of the exported functions between calls. */
typedef struct mtl_sdk_state {
    void *item;
    mtl_buffer results;
    mtl_format item_format;
} mtl_sdk_state;

/* A word of a batch, at any address. It is volatile, so that every write happens, in order. */
typedef uint32_t __attribute__((aligned(1), may_alias)) mtl_sdk_word;

enum { MTL_SDK_COUNT, MTL_SDK_DONE, MTL_SDK_OUT, MTL_SDK_STOP, MTL_SDK_ENDS };

/* Writes a word. The fences stop the compiler from moving other accesses across the write. */
static inline void mtl_sdk_set(volatile mtl_sdk_word *word, uint32_t value) {
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    *word = value;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline uint32_t mtl_sdk_address(const void *data) { return (uint32_t)(uintptr_t)data; }

static inline uint32_t mtl_sdk_flags(mtl_kind kind) {
    switch (kind) {
    case MTL_NOTHING: return MTL_SDK_NO_RECORD;
    case MTL_REFUSED: return MTL_SDK_ERROR;
    case MTL_BAD_ITEM: return MTL_SDK_ERROR | MTL_SDK_NO_RECORD;
    default: return 0;
    }
}

static inline mtl_result mtl_sdk_too_long(mtl_result result) {
    return mtl_refused("a result of %zu bytes; the longest that can be passed has %u", result.bytes.length,
                       MTL_SDK_MAX_LENGTH);
}

static inline int64_t mtl_sdk_answer(mtl_result result) {
    if (result.bytes.length > MTL_SDK_MAX_LENGTH) result = mtl_sdk_too_long(result);
    uint64_t address = result.bytes.length == 0 ? 0 : mtl_sdk_address(result.bytes.data);
    return (int64_t)(address << 32 | mtl_sdk_flags(result.kind) | (uint32_t)result.bytes.length);
}

/* Allocates a buffer, which the host owns until it requests the next one. */
static inline void *mtl_sdk_alloc(mtl_sdk_state *state, size_t length) {
    /* The old buffer is freed first, so that memory need not hold both. */
    free(state->item);
    return state->item = aligned_alloc(16, (length + 15) & ~(size_t)15);
}

/* Calls the worker with an item. If items are JSON, a JSON string is decoded first. */
static inline mtl_result mtl_sdk_call(const mtl_sdk_state *state, mtl_call_function *call, mtl_bytes item) {
    mtl_bytes rest = item;
    if (state->item_format == MTL_JSON) {
        mtl_sdk_skip_json_space(&rest);
        if (mtl_take(&rest, "\"") && !mtl_decode_json_string(&item)) return mtl_bad_item("not a JSON string");
    }
    return call(item);
}

/* Clears the results of the previous batch, and frees the memory of unusually large ones. */
static inline void mtl_sdk_clear(mtl_buffer *results) {
    results->length = 0;
    if (results->capacity <= 4 * MTL_SDK_FULL) return;
    free(results->data);
    results->data = NULL;
    results->capacity = 0;
}

static inline void mtl_sdk_append(mtl_buffer *results, mtl_bytes bytes, volatile mtl_sdk_word *words) {
    size_t length = results->length + bytes.length;
    if (length > results->capacity) {
        mtl_buffer larger = *results;
        larger.capacity = length < 2 * results->capacity ? 2 * results->capacity : length < 4096 ? 4096 : length;
        larger.data = (char *)malloc(larger.capacity);
        if (larger.data == NULL) abort();
        if (larger.length > 0) memcpy(larger.data, results->data, larger.length);
        mtl_sdk_set(&words[MTL_SDK_OUT], mtl_sdk_address(larger.data));
        /* Until the host has the new address, it reads from the old buffer. */
        free(results->data);
        *results = larger;
    }
    if (bytes.length > 0) memcpy(results->data + results->length, bytes.data, bytes.length);
    results->length = length;
}

/* Calls the worker for each item of a batch. Returns early if the host sets `stop` or the results are large. */
static inline int32_t mtl_sdk_run_batch(mtl_sdk_state *state, mtl_call_function *call, volatile mtl_sdk_word *words) {
    mtl_buffer *results = &state->results;
    uint32_t count = words[MTL_SDK_COUNT];
    char *items = (char *)(uintptr_t)(words + MTL_SDK_ENDS + count);
    uint32_t start = 0;
    mtl_sdk_clear(results);
    mtl_sdk_set(&words[MTL_SDK_OUT], mtl_sdk_address(results->data));
    for (uint32_t done = 0; done < count; done++) {
        if (words[MTL_SDK_STOP] != 0 || results->length >= MTL_SDK_FULL) break;
        volatile mtl_sdk_word *end_word = &words[MTL_SDK_ENDS + done];
        uint32_t end = *end_word;
        mtl_result result = mtl_sdk_call(state, call, mtl_bytes_of(items + start, end - start));
        size_t length = result.bytes.length;
        /* The host reads a large result in place, because there may be no memory for a copy. */
        if (done == 0 && result.kind == MTL_RECORD && length >= MTL_SDK_FULL && length <= MTL_SDK_MAX_LENGTH) {
            mtl_sdk_set(&words[MTL_SDK_OUT], mtl_sdk_address(result.bytes.data));
            mtl_sdk_set(end_word, (uint32_t)length);
            mtl_sdk_set(&words[MTL_SDK_DONE], 1);
            break;
        }
        if (length > MTL_SDK_MAX_LENGTH - results->length) result = mtl_sdk_too_long(result);
        mtl_sdk_append(results, result.bytes, words);
        start = end;
        mtl_sdk_set(end_word, mtl_sdk_flags(result.kind) | (uint32_t)results->length);
        mtl_sdk_set(&words[MTL_SDK_DONE], done + 1);
    }
    return 0;
}

/* Makes a plugin of three functions. `init` and `finish` may be NULL. Use it once, outside all functions. */
#define MTL_PLUGIN(init_function, call_function, finish_function)                                                    \
    static mtl_sdk_state mtl_sdk_worker;                                                                             \
    MTL_SDK_C MTL_SDK_EXPORT("mtl_abi_version") int32_t mtl_sdk_export_version(void) { return 1; }                   \
    MTL_SDK_C MTL_SDK_EXPORT("mtl_alloc") void *mtl_sdk_export_alloc(size_t length) {                                \
        return mtl_sdk_alloc(&mtl_sdk_worker, length);                                                               \
    }                                                                                                                \
    MTL_SDK_C MTL_SDK_EXPORT("init") int64_t mtl_sdk_export_init(char *arguments, size_t length) {                   \
        mtl_init_function *function = init_function;                                                                 \
        mtl_sdk_worker.item_format = mtl_item_format();                                                              \
        return mtl_sdk_answer(function == NULL ? mtl_nothing() : function(mtl_bytes_of(arguments, length)));         \
    }                                                                                                                \
    MTL_SDK_C MTL_SDK_EXPORT("call") int64_t mtl_sdk_export_call(char *item, size_t length) {                        \
        return mtl_sdk_answer(mtl_sdk_call(&mtl_sdk_worker, call_function, mtl_bytes_of(item, length)));             \
    }                                                                                                                \
    MTL_SDK_C MTL_SDK_EXPORT("call_batch") int32_t mtl_sdk_export_call_batch(mtl_sdk_word *batch) {                  \
        return mtl_sdk_run_batch(&mtl_sdk_worker, call_function, batch);                                             \
    }                                                                                                                \
    MTL_SDK_C MTL_SDK_EXPORT("finish") int64_t mtl_sdk_export_finish(void) {                                         \
        mtl_finish_function *function = finish_function;                                                             \
        return mtl_sdk_answer(function == NULL ? mtl_nothing() : function());                                        \
    }

/* Lets the host call a function without arguments on each instance that starts from a snapshot. The function replaces
   what copies must not share, such as open files. */
#define MTL_AFTER_RESTORE(function) \
    MTL_SDK_C MTL_SDK_EXPORT("after_restore") void mtl_sdk_export_after_restore(void) { function(); }

#endif
