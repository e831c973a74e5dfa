#include "mtl_plugin.h"

static mtl_buffer greeting;

static mtl_result init(mtl_bytes arguments) {
    mtl_append(&greeting, arguments);
    return mtl_nothing();
}

static mtl_result call(mtl_bytes name) {
    mtl_buffer *record = mtl_make();
    mtl_append(record, mtl_bytes_of(greeting.data, greeting.length));
    mtl_append(record, mtl_text(", "));
    mtl_append(record, name);
    mtl_append_byte(record, '!');
    return mtl_made(record);
}

MTL_PLUGIN(init, call, NULL)
