/* my-worker greets names and counts its greetings. */
#include "mtl_plugin.h"

/* Static variables are the state of one worker. */
static mtl_buffer greeting;
static uint64_t greeted;

/* Starts a worker. The arguments are the text of `--init`. */
static mtl_result init(mtl_bytes arguments) {
    mtl_append(&greeting, arguments.length > 0 ? arguments : mtl_text("Hello"));
    return mtl_nothing();
}

/* Returns the record of one item. */
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

/* Returns the finish report. */
static mtl_result finish(void) { return mtl_printed("greeted: %" PRIu64, greeted); }

MTL_PLUGIN(init, call, finish)
