/* Checks the results of a worker's functions in a native test. The test is a program that includes the worker's file.

       #include "worker.c"
       #include "mtl_test.h"

       int main(void) {
           MTL_CHECK_RECORD(call(mtl_test_item("12")), "144");
           return mtl_test_end();
       }
*/
#ifndef MTL_TEST_H
#define MTL_TEST_H

#include "mtl_plugin.h"

static inline int *mtl_test_failures(void) {
    static int failures;
    return &failures;
}

/* Returns a copy of the item that a worker may change in place. It is valid until the next call. */
static inline mtl_bytes mtl_test_item_of(const void *data, size_t length) {
    static char *item;
    free(item);
    item = (char *)malloc(length + (length == 0));
    if (item == NULL) abort();
    if (length > 0) memcpy(item, data, length);
    return mtl_bytes_of(item, length);
}

static inline mtl_bytes mtl_test_item(const char *text) { return mtl_test_item_of(text, strlen(text)); }

static inline void mtl_test_check(const char *file, int line, mtl_result result, mtl_kind kind, const char *bytes) {
    static const char *const names[] = {"a record", "nothing", "refused", "a bad item"};
    if (result.kind == kind && (kind == MTL_NOTHING || mtl_same(result.bytes, bytes))) return;
    fprintf(stderr, "%s:%d: got %s: `%.*s`, expected %s: `%s`\n", file, line, names[result.kind],
            MTL_SHOWN(result.bytes), names[kind], bytes);
    ++*mtl_test_failures();
}

#define MTL_CHECK_RECORD(result, record) mtl_test_check(__FILE__, __LINE__, result, MTL_RECORD, record)
#define MTL_CHECK_NOTHING(result) mtl_test_check(__FILE__, __LINE__, result, MTL_NOTHING, "")
#define MTL_CHECK_REFUSED(result, message) mtl_test_check(__FILE__, __LINE__, result, MTL_REFUSED, message)
#define MTL_CHECK_BAD_ITEM(result, message) mtl_test_check(__FILE__, __LINE__, result, MTL_BAD_ITEM, message)

/* Returns the exit code for `main`: 0 if every check passed. */
static inline int mtl_test_end(void) { return *mtl_test_failures() == 0 ? 0 : 1; }

#endif
