#include "mtl_plugin.h"

static mtl_buffer greeting;

static mtl_result init(mtl_bytes arguments) {
    mtl_append(&greeting, arguments);
    return mtl_nothing();
}

static mtl_result call(mtl_bytes name) {
    return mtl_printed("%.*s, %.*s!", MTL_SHOWN(greeting), MTL_SHOWN(name));
}

MTL_PLUGIN(init, call, NULL)
