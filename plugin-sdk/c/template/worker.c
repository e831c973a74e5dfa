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
    mtl_bytes name = mtl_trimmed(item);
    if (name.length == 0) return mtl_bad_item("nobody to greet");
    greeted++;
    return mtl_printed("%.*s, %.*s!", (int)greeting.length, greeting.data, MTL_SHOWN(name));
}

/* At the end: the closing report. */
static mtl_result finish(void) { return mtl_printed("%" PRIu64 " greeted", greeted); }

MTL_PLUGIN(init, call, finish)
