/* The SDK for mtl-host plugins in C and C++.

       #include "mtl_plugin.h"

       static mtl_result call(mtl_bytes item) { return mtl_record(item); }

       MTL_PLUGIN(NULL, call, NULL)

   A worker is one instance of the plugin with its own memory: its `static` variables are its state. The host calls the
   three functions when a worker starts, for each item, and at the end. */
#ifndef MTL_PLUGIN_H
#define MTL_PLUGIN_H

#include "mtl_result.h"

#ifdef __wasm__
#include "mtl_exports.h"
#else
/* A native program, such as a test, calls the functions directly. */
#define MTL_PLUGIN(init, call, finish)                                                  \
    mtl_init_function *const mtl_worker_init = init;                                     \
    mtl_call_function *const mtl_worker_call = call;                                     \
    mtl_finish_function *const mtl_worker_finish = finish;
#define MTL_AFTER_RESTORE(function) void (*const mtl_worker_after_restore)(void) = function;
#endif

#endif
