/* my-worker: answers each item with a greeting. */
#include "mtl_plugin.h"

/* What is static here is the state of one worker. */
static mtl_buffer greeting;
static uint64_t greeted;

/* Once, before any item: the arguments are the text of `--init`. */
static mtl_result init(mtl_bytes arguments) {
    mtl_append(&greeting, arguments.length > 0 ? arguments : mtl_text("Hello"));
    return mtl_nothing();
}

/* For each item. */
static mtl_result call(mtl_bytes item) {
    if (item.length == 0) return mtl_bad_item("there is nobody to greet");
    greeted++;
    mtl_buffer *record = mtl_make();
    mtl_append(record, mtl_bytes_of(greeting.data, greeting.length));
    mtl_append(record, mtl_text(", "));
    mtl_append(record, item);
    mtl_append_byte(record, '!');
    return mtl_made(record);
}

/* At the end: the closing report. */
static mtl_result finish(void) { return mtl_printed("greeted: %" PRIu64, greeted); }

MTL_PLUGIN(init, call, finish)
