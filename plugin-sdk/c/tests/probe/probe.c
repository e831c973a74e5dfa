/* Answers commands, so that one table of items in tests/integration/languages.rs tests every part of every SDK. */
#include "mtl_plugin.h"

static uint64_t calls;
static mtl_buffer arguments;
static bool json;

static mtl_result init(mtl_bytes text) {
    mtl_append(&arguments, text);
    json = mtl_same(text, "json");
    if (json) mtl_result_format(MTL_JSON);
    if (mtl_take(&text, "fail ")) return mtl_refused("%.*s", MTL_SHOWN(text));
    return mtl_nothing();
}

static mtl_result log_at(mtl_bytes level) {
    static const char *const names[] = {"trace ", "debug ", "info ", "warn ", "error "};
    for (int i = 0; i < 5; i++) {
        if (!mtl_take(&level, names[i])) continue;
        mtl_log((mtl_level)i, "%.*s", MTL_SHOWN(level));
        return mtl_record(mtl_text("logged"));
    }
    return mtl_bad_item("unknown level");
}

static mtl_result repeat(mtl_bytes count) {
    mtl_buffer *record = mtl_make();
    for (long left = atol(mtl_string(count)); left > 0; left--) mtl_append_byte(record, 'x');
    return mtl_made(record);
}

static mtl_result answer(mtl_bytes item) {
    mtl_bytes rest = item;
    if (item.length == 0) return mtl_record(item);
    if (mtl_take(&rest, "echo ")) return mtl_record(rest);
    if (mtl_take(&rest, "bytes ")) return repeat(rest);
    if (mtl_take(&rest, "refuse ")) return mtl_refused("%.*s", MTL_SHOWN(rest));
    if (mtl_take(&rest, "bad ")) return mtl_bad_item("%.*s", MTL_SHOWN(rest));
    if (mtl_take(&rest, "log ")) return log_at(rest);
    if (mtl_same(item, "state")) return mtl_printed("%" PRIu64, calls);
    if (mtl_same(item, "init")) return mtl_made(&arguments);
    if (mtl_same(item, "skip")) return mtl_nothing();
    if (mtl_same(item, "worker")) return mtl_printed("%" PRIu32 "/%" PRIu32, mtl_worker_index(), mtl_worker_count());
    if (mtl_same(item, "format")) return mtl_record(mtl_text(mtl_item_format() == MTL_JSON ? "json" : "text"));
    if (mtl_same(item, "trap")) abort();
    return mtl_bad_item("unknown command `%.*s`", MTL_SHOWN(item));
}

static mtl_result call(mtl_bytes item) {
    calls++;
    mtl_result result = answer(item);
    if (!json || result.kind != MTL_RECORD) return result;
    static mtl_buffer record;
    record.length = 0;
    mtl_append_json_string(&record, result.bytes);
    return mtl_made(&record);
}

static mtl_result finish(void) { return mtl_printed("calls: %" PRIu64, calls); }

MTL_PLUGIN(init, call, finish)
