/* The run, as a worker sees it: its number, the formats, and log messages. */
#ifndef MTL_CONTEXT_H
#define MTL_CONTEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum mtl_format { MTL_TEXT, MTL_JSON } mtl_format;
typedef enum mtl_level { MTL_TRACE, MTL_DEBUG, MTL_INFO, MTL_WARN, MTL_ERROR } mtl_level;

#ifdef __wasm__

#ifdef __cplusplus
extern "C" {
#endif

#define MTL_SDK_IMPORT(name) __attribute__((import_module("mtl:plugin/context@1.0.0"), import_name(name)))

/* Returns the number of this worker: from 0 to `mtl_worker_count()` - 1. */
MTL_SDK_IMPORT("worker-index") uint32_t mtl_worker_index(void);
/* Returns the number of workers in the pool. */
MTL_SDK_IMPORT("worker-count") uint32_t mtl_worker_count(void);
/* Returns the format of the run's items. The worker gets JSON strings decoded. */
MTL_SDK_IMPORT("item-format") mtl_format mtl_item_format(void);
/* Declares the format of all records (default: text). Call it in `init`. */
MTL_SDK_IMPORT("result-format") void mtl_result_format(mtl_format format);
MTL_SDK_IMPORT("log") void mtl_log_bytes(mtl_level level, const char *message, size_t length);

#ifdef __cplusplus
}
#endif

#else

/* Stand-ins for native programs such as tests: one worker, and messages go to standard error. */
static inline uint32_t mtl_worker_index(void) { return 0; }
static inline uint32_t mtl_worker_count(void) { return 1; }
static inline mtl_format mtl_item_format(void) { return MTL_TEXT; }
static inline void mtl_result_format(mtl_format format) { (void)format; }
static inline void mtl_log_bytes(mtl_level level, const char *message, size_t length) {
    static const char *const names[] = {"trace", "debug", "info", "warn", "error"};
    fprintf(stderr, "%s: %.*s\n", names[level], (int)length, message);
}

#endif
#endif
