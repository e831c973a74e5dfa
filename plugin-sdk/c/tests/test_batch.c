/* Checks that a batch with large results returns early. */
#include "../mtl_test.h"

/* The native definitions of these macros are not needed here. */
#undef MTL_PLUGIN
#undef MTL_AFTER_RESTORE
#include "../mtl_exports.h"

enum { ITEMS = 4, SIZE = 400 * 1024 };

/* The ends of the items, which are empty, and of the results. */
static mtl_sdk_word batch[MTL_SDK_ENDS + ITEMS];

static mtl_result call(mtl_bytes item) {
    static char record[SIZE];
    (void)item;
    return mtl_record(mtl_bytes_of(record, SIZE));
}

static void check(const char *name, uint32_t found, uint32_t expected) {
    if (found == expected) return;
    fprintf(stderr, "%s: %" PRIu32 ", expected %" PRIu32 "\n", name, found, expected);
    ++*mtl_test_failures();
}

int main(void) {
    mtl_sdk_state state = {NULL, {NULL, 0, 0}, MTL_TEXT};
    batch[MTL_SDK_COUNT] = ITEMS;
    mtl_sdk_run_batch(&state, call, batch);
    /* The third result exceeds `MTL_SDK_FULL`. */
    check("done", batch[MTL_SDK_DONE], 3);
    for (uint32_t item = 0; item < 3; item++) check("end", batch[MTL_SDK_ENDS + item], SIZE * (item + 1));
    check("end of an item that did not run", batch[MTL_SDK_ENDS + 3], 0);

    batch[MTL_SDK_DONE] = 0;
    batch[MTL_SDK_STOP] = 1;
    mtl_sdk_run_batch(&state, call, batch);
    check("done after `stop`", batch[MTL_SDK_DONE], 0);
    free(state.results.data);
    return mtl_test_end();
}
